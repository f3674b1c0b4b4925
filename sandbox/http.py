"""One HTTP request on a connection of its own: about a third of a millisecond, where a full client takes several."""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from sandbox.errors import DemoFailed
from sandbox.routes import Address

GOOD, ACCEPTED = 200, 202
_BODY_LIMIT = 64 * 1024
_TELL_SECONDS = 2.0


class NoAnswer(Exception):
    """Nothing came back in time, or not what HTTP says."""


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    body: bytes


async def request(
    address: Address,
    method: str,
    path: str,
    timeout: float,  # noqa: ASYNC109 - of one request
    body: bytes = b"",
) -> Answer:
    """Send a request and read the whole answer. Raises NoAnswer."""
    try:
        async with asyncio.timeout(timeout):
            return await _exchange(address, method, path, body)
    except (OSError, TimeoutError, ValueError, IndexError) as error:
        raise NoAnswer(f"{address} did not answer: {error or type(error).__name__}") from error


# Sends a request as `request` does, from wherever it stands.
Send = Callable[..., Coroutine[Any, Any, Answer]]


async def tell(address: Address, path: str, send: Send = request) -> None:
    """Post to an app, for example to break it. Raises DemoFailed where it does not accept."""
    try:
        status = (await send(address, "POST", path, _TELL_SECONDS)).status
    except NoAnswer as error:
        raise DemoFailed(f"The app could not be told {path}: {error}. Start the demo again.") from error
    if status != ACCEPTED:
        raise DemoFailed(f"The app at {address} does not know {path}. Its image is not the demo image.")


async def ask(address: Address, method: str, path: str, body: bytes = b"", send: Send = request) -> Answer:
    """Ask an app for something of its own, for example its note. Raises DemoFailed where it does not answer."""
    try:
        return await send(address, method, path, _TELL_SECONDS, body)
    except NoAnswer as error:
        raise DemoFailed(f"The app could not be asked for {path}: {error}. Start the demo again.") from error


async def _exchange(address: Address, method: str, path: str, body: bytes) -> Answer:
    reader, writer = await asyncio.open_connection(address.host, address.port, limit=_BODY_LIMIT)
    try:
        length = f"Content-Length: {len(body)}"
        head = f"{method} {path} HTTP/1.1\r\nHost: {address}\r\n{length}\r\nConnection: close\r\n\r\n"
        writer.write(head.encode() + body)
        answer = await reader.read()
        return Answer(int(answer.split(maxsplit=2)[1]), answer.partition(b"\r\n\r\n")[2])
    finally:
        # A hung app never closes its end: the connection is dropped, not said goodbye to.
        writer.transport.abort()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
