"""What comes in by POST: a small JSON object with a text that can be read."""

import json
from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.requests import Request

from bot import commands
from bot.errors import BadMessage

LIMIT = 64 * 1024
FORM = 'Send JSON in UTF-8: {"text": "your question"}.'


def bad(status: HTTPStatus, sentence: str) -> HTTPException:
    """A refusal with a sentence for the reader."""
    return HTTPException(status, sentence)


async def body(request: Request) -> bytes:
    """The whole body, read no further than the limit."""
    read = b""
    async for chunk in request.stream():
        read += chunk
        if len(read) > LIMIT:
            raise bad(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "That message is longer than 64 kB. Ask in a few sentences.")
    return read


async def text(request: Request) -> str:
    """The message's text. Raises HTTPException with what is wrong and what to do."""
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        raise bad(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, FORM)
    return read(await body(request))


def read(raw: bytes) -> str:
    """The text in a body: JSON in UTF-8, and a message that can be read."""
    try:
        said = json.loads(raw.decode())["text"]
        said.encode()  # half a surrogate pair is no text
        return commands.read(said)
    except BadMessage as error:
        raise bad(HTTPStatus.BAD_REQUEST, str(error)) from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise bad(HTTPStatus.BAD_REQUEST, f"That message is not text. {FORM}") from error
