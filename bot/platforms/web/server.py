"""Serving the page: one socket, one uvicorn server, and an end that leaves nothing running."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

import uvicorn

from bot.errors import CannotListen
from bot.platforms.web.app import WebChat, build
from bot.platforms.web.turns import Replies, Turns
from sandbox.engines import Engines

GRACE = 3.0  # seconds that a last answer may take to reach its page


class Tutor(Replies, Protocol):
    """What the page needs of the tutor."""

    engines: Engines


class Settings(Protocol):
    """What the page needs of the settings."""

    web_host: str


class Server(uvicorn.Server):
    """Leaves signals to the command, and ends the streams before it waits for them."""

    def __init__(self, config: uvicorn.Config, chat: WebChat) -> None:
        super().__init__(config)
        self._chat = chat

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take no signal: the command that serves is cancelled instead, and so can clean up after this."""
        yield

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Give back what running demos hold, end every stream, then close."""
        await self._chat.close()
        await super().shutdown(sockets)


async def serve(tutor: Tutor, settings: Settings, listener: socket.socket) -> None:
    """Serve the page on a socket of `listen` until cancelled."""
    host, port = listener.getsockname()[:2]
    print(f"Portside is on http://{f'[{host}]' if ':' in host else host}:{port}", flush=True)  # noqa: T201 - for the reader
    await run(WebChat(Turns(tutor), tutor.engines), listener, settings.web_host)


def listen(host: str, port: int) -> socket.socket:
    """A socket on that address. Raises `CannotListen` if it is not to be had; asked for before anything is started."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        reason = (error.strerror or str(error)).partition(" (while")[0]  # the address is told already
        raise CannotListen(host, port, reason) from error


async def run(chat: WebChat, listener: socket.socket, host: str) -> None:
    """Serve on a socket until cancelled, then end cleanly."""
    config = uvicorn.Config(
        build(chat, host),
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=int(GRACE),
    )
    server = Server(config, chat)
    watching = asyncio.create_task(chat.watch_engines())
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        await asyncio.shield(serving)
    finally:
        server.should_exit = True
        await asyncio.wait([serving])
        watching.cancel()
