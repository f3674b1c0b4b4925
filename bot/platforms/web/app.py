"""The routes of the page: the page itself, messages in, replies and engine states out."""

import asyncio
import logging
import re
import secrets
from collections.abc import AsyncGenerator
from contextlib import aclosing
from http import HTTPStatus
from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send

from bot.messages import Message
from bot.platforms.web import intake
from bot.platforms.web.guard import OwnPageOnly
from bot.platforms.web.latest import Latest
from bot.platforms.web.turns import Turn, Turns
from bot.platforms.web.wire import engines_to_json, event, to_json
from bot.presenting import present_engines
from sandbox.engines import Engines, EngineStatus

PAGE = Path(__file__).parent / "page"
COOKIE = "portside"
SESSION = re.compile(r"[\w-]{32}")
GLANCE = 5.0  # seconds between two looks at engines that are up: one may go away

log = logging.getLogger(__name__)


class EventStream(StreamingResponse):
    """Server-sent events, whose source is closed as soon as nobody reads them."""

    media_type = "text/event-stream"

    def __init__(self, events: AsyncGenerator[bytes, None]) -> None:
        super().__init__(events, headers={"Cache-Control": "no-store"})
        self._events = events

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the events until they end or the reader is gone."""
        async with aclosing(self._events):
            await super().__call__(scope, receive, send)


class WebChat:
    """The conversation of every page that is open, and the engines behind them."""

    def __init__(self, turns: Turns, engines: Engines) -> None:
        self._turns = turns
        self._engines = engines
        self._states: Latest[tuple[EngineStatus, ...]] = Latest(engines.status())

    async def page(self, request: Request) -> Response:
        """The page, and a session for those who have none."""
        response = FileResponse(PAGE / "index.html")
        return remember(response, session(request))

    async def message(self, request: Request) -> Response:
        """Take a message; the answer names the turn to follow."""
        if self._states.closed:
            raise HTTPException(HTTPStatus.SERVICE_UNAVAILABLE, "Portside is stopping. Start it again, then ask.")
        text = await intake.text(request)
        author = session(request)
        turn = self._turns.start(Message(text, author, author))
        response = JSONResponse({"id": turn.id}, status_code=HTTPStatus.ACCEPTED)
        return remember(response, author)

    async def turn_events(self, request: Request) -> Response:
        """The reply as it grows."""
        return EventStream(turn_events(self._turn(request)))

    async def stop(self, request: Request) -> Response:
        """Stop a turn; its reply says so when everything is given back."""
        self._turn(request).stop()
        return JSONResponse({}, status_code=HTTPStatus.ACCEPTED)

    async def engine_events(self, _: Request) -> Response:
        """How the engines do, now and after each change."""
        return EventStream(self._engine_events())

    async def watch_engines(self) -> None:
        """Keep looking at the engines, for every page at once."""
        while True:
            try:
                async for states in self._engines.progress():
                    if states != self._states.value:
                        self._states.set(states)
            except Exception:
                log.exception("the engines' state is unknown")
            await asyncio.sleep(GLANCE)

    async def close(self) -> None:
        """End every stream, and every reply with what it holds."""
        self._states.close()
        await self._turns.close()

    def _turn(self, request: Request) -> Turn:
        turn = self._turns.find(request.path_params["turn"], session(request))
        if turn is None:
            raise HTTPException(HTTPStatus.NOT_FOUND, "This reply is no longer there. Ask again.")
        return turn

    async def _engine_events(self) -> AsyncGenerator[bytes, None]:
        async with aclosing(self._states.follow()) as states:
            async for engines in states:
                yield event("engines", engines_to_json(engines, present_engines(engines)))


async def turn_events(turn: Turn) -> AsyncGenerator[bytes, None]:
    """Each changed part with its place in the reply, and `done` at the end."""
    async with aclosing(turn.changes()) as changes:
        async for place, part in changes:
            yield event("part", {"place": place, **to_json(part)})
    yield event("done", {})


def session(request: Request) -> str:
    """Whose page this is: a random id kept in a cookie."""
    kept = request.cookies.get(COOKIE, "")
    return kept if SESSION.fullmatch(kept) else secrets.token_urlsafe(24)


def remember(response: Response, author: str) -> Response:
    """Keep the session in the browser, out of reach of scripts and of other sites."""
    response.set_cookie(COOKIE, author, httponly=True, samesite="strict")
    return response


def refused(_: Request, error: Exception) -> Response:
    """Every refusal is one sentence in JSON."""
    assert isinstance(error, HTTPException)  # noqa: S101 - starlette passes what the handler is registered for
    return JSONResponse({"error": error.detail}, status_code=error.status_code, headers=error.headers)


def build(chat: WebChat, host: str) -> Starlette:
    """The application, served under `host`."""
    return Starlette(
        routes=[
            Route("/", chat.page),
            Route("/messages", chat.message, methods=["POST"]),
            Route("/turns/{turn}/events", chat.turn_events),
            Route("/turns/{turn}/stop", chat.stop, methods=["POST"]),
            Route("/engines/events", chat.engine_events),
            Mount("/page", StaticFiles(directory=PAGE)),
        ],
        middleware=[Middleware(OwnPageOnly, host=host)],
        exception_handlers={HTTPException: refused},
    )
