"""Any OpenAI-compatible endpoint as a writer of answers; the only import of openai."""

from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from knowledge.errors import LanguageModelFailed
from knowledge.prompts import Said


@dataclass(frozen=True)
class ModelSettings:
    """Where the model is; no address means that of the openai package."""

    base_url: str | None
    api_key: str = field(repr=False)
    name: str
    timeout: float = 30.0


def prepare() -> None:
    """Load the client ahead: that takes seconds, and inside a conversation everybody else would wait for it."""
    import_module("openai")


async def write(settings: ModelSettings, conversation: Sequence[Said]) -> AsyncGenerator[str, None]:
    """Yield all of the model's text so far, each time that more of it arrives."""
    from openai import AsyncOpenAI  # noqa: PLC0415 - a tutor without a model never needs it

    messages: Any = list(conversation)
    with _translated(settings):
        async with AsyncOpenAI(
            base_url=settings.base_url, api_key=settings.api_key, timeout=settings.timeout, max_retries=1
        ) as client:
            stream = await client.chat.completions.create(
                model=settings.name, messages=messages, stream=True, temperature=0.0, max_tokens=600
            )
            text = ""
            async with stream:
                async for part in stream:
                    added = part.choices[0].delta.content if part.choices else None
                    if added:
                        text += added
                        yield text
            if not text.strip():
                raise LanguageModelFailed("The model gave no answer; check OPENAI_BASE_URL and OPENAI_MODEL")


@contextmanager
def _translated(settings: ModelSettings) -> Iterator[None]:
    """Translate what the client raises, the most specific first."""
    import httpx  # noqa: PLC0415 - see `write`
    import openai  # noqa: PLC0415 - see `write`

    try:
        yield
    except openai.APITimeoutError as error:
        raise LanguageModelFailed(f"The model did not answer within {settings.timeout:g} seconds") from error
    except (openai.APIConnectionError, httpx.InvalidURL, ExceptionGroup) as error:  # a group: a port beyond 65535
        raise LanguageModelFailed("The model cannot be reached; check OPENAI_BASE_URL") from error
    except openai.AuthenticationError as error:
        raise LanguageModelFailed("The model refused the key; check OPENAI_API_KEY") from error
    except openai.NotFoundError as error:
        raise LanguageModelFailed(f"There is no model {settings.name}; check OPENAI_MODEL") from error
    except openai.APIStatusError as error:
        raise LanguageModelFailed(f"The model's server answered with status {error.status_code}") from error
    except UnicodeEncodeError as error:
        raise LanguageModelFailed("The key cannot be sent; check OPENAI_API_KEY") from error
    except (openai.OpenAIError, httpx.HTTPError, ValueError) as error:
        raise LanguageModelFailed("The model's answer could not be read") from error
