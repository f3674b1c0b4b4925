"""Lends machines of the box: a node to be stopped, a second Docker. A connection is the loan.

Whoever asks connects to a socket that only root may use, and has the machine until it closes its end, dies, or has had
it for too long. JSON lines: `{"take": KIND, "name": NAME}`, then for a Docker `{"do": "cut"}` and `{"do": "start"}`;
each is answered with an object, or with `{"error": TEXT}`. The last answer is `{"back": true}`.
"""

import asyncio
import contextlib
import json
import logging
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

from sandbox.errors import EngineUnavailable

LIMIT_SECONDS = 150.0

log = logging.getLogger("portside.engines")

Answer = dict[str, Any]


class Loan(Protocol):
    """Something that can be lent."""

    async def take(self) -> Answer:
        """Hand it out. Raises `EngineUnavailable` where that cannot be."""
        ...

    async def do(self, word: str) -> Answer:
        """Do something with it."""
        ...

    async def give_back(self) -> None:
        """Put everything back, whatever was done."""
        ...


Kinds = Mapping[str, Callable[[str], Loan]]


class _Desk:
    """Of each kind, one is lent at a time: two nodes that are gone at once are half of a cluster."""

    def __init__(self, kinds: Kinds, limit: float) -> None:
        self._kinds = kinds
        self._limit = limit
        self._lent: set[str] = set()
        self.tasks: set[asyncio.Task[None]] = set()

    def meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            order = json.loads(await reader.readline())
            kind = order["take"]
            if kind in self._lent:
                _say(writer, {"error": f"Another demo has the {kind} that can be lent. Try again when it is over."})
                return
            self._lent.add(kind)
            try:
                await self._lend(self._kinds[kind](order["name"]), reader, writer)
            finally:
                self._lent.discard(kind)
        except (ValueError, KeyError, TypeError, OSError) as error:
            log.warning("somebody asked for what cannot be lent: %r", error)
        finally:
            writer.close()

    async def _lend(self, loan: Loan, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(self._limit):
                await _answer(writer, loan.take())
                while line := await reader.readline():
                    await _answer(writer, loan.do(json.loads(line)["do"]))
        except TimeoutError:
            log.warning("a loan is taken back after %g s", self._limit)
        except (EngineUnavailable, ValueError, KeyError, TypeError, OSError) as error:
            log.warning("a loan ends early: %s", error)
        await loan.give_back()
        _say(writer, {"back": True})


async def _answer(writer: asyncio.StreamWriter, work: Awaitable[Answer]) -> None:
    try:
        _say(writer, await work)
    except EngineUnavailable as error:
        _say(writer, {"error": str(error)})
        raise


def _say(writer: asyncio.StreamWriter, answer: Answer) -> None:
    writer.write(json.dumps(answer).encode() + b"\n")


def _bound(path: Path) -> socket.socket:
    """Make the socket root's alone before anybody can connect."""
    path.unlink(missing_ok=True)
    bound = socket.socket(socket.AF_UNIX)
    bound.bind(str(path))
    path.chmod(0o600)
    return bound


@contextlib.asynccontextmanager
async def lending(path: Path, kinds: Kinds, limit: float = LIMIT_SECONDS) -> AsyncIterator[None]:
    """Lend for the length of a block; what is lent at its end is not put back, for the box ends with it."""
    desk = _Desk(kinds, limit)
    server = await asyncio.start_unix_server(desk.meet, sock=_bound(path))
    try:
        yield
    finally:
        server.close()
        for task in desk.tasks:
            task.cancel()
