"""Machines of our own cluster, borrowed by a process that wants to see them fail: the asker's side of `loans`."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from sandbox.engines import DockerEndpoint, Images, SpareDocker
from sandbox.errors import EngineUnavailable
from sandbox.local.layout import Layout

_ENDED = (
    "The engines' keeper has taken back what it had lent: it was away for too long, or the engines begin again. "
    "Start the demo again."
)


class LocalMachines:
    """What the keeper lends, for the length of a block, and never for longer than its limit."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout

    @contextlib.asynccontextmanager
    async def node_stopped(self, node: str) -> AsyncIterator[None]:
        """Cut a node's power; after the block it is back, and ready."""
        async with borrowed(self._layout.loans, "node", node):
            yield

    @contextlib.asynccontextmanager
    async def second_docker(self) -> AsyncIterator[SpareDocker]:
        """Have a Docker engine of one's own, with the demo image in it; after the block nothing of it is left."""
        async with borrowed(self._layout.loans, "docker") as loan:
            images = Images(loan.answer["images"])
            where = "a second Docker engine on this machine"
            publish = str(self._layout.box_address)
            yield _Spare(DockerEndpoint(self._layout.spare_host, images, True, where, publish), loan)


class _Spare:
    def __init__(self, endpoint: DockerEndpoint, loan: "_Loan") -> None:
        self.endpoint = endpoint
        self._loan = loan

    async def cut(self) -> None:
        await self._loan.ask({"do": "cut"})

    async def start(self) -> None:
        await self._loan.ask({"do": "start"})


class _Loan:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self.answer: dict[str, Any] = {}

    async def ask(self, order: dict[str, str]) -> None:
        try:
            self._writer.write(json.dumps(order).encode() + b"\n")
            await self._writer.drain()
            self.answer = json.loads(await self._reader.readline())
        except (OSError, ValueError) as error:
            raise EngineUnavailable(_ENDED) from error
        if "error" in self.answer:
            raise EngineUnavailable(self.answer["error"])
        if "back" in self.answer:
            raise EngineUnavailable(_ENDED)

    async def give_back(self) -> None:
        """Wait until it is put back; a connection that is cut instead has the same end, later."""
        with contextlib.suppress(OSError):
            self._writer.write_eof()
            await self._reader.read()

    def close(self) -> None:
        self._writer.close()


@contextlib.asynccontextmanager
async def borrowed(socket: Path, kind: str, name: str = "") -> AsyncIterator[_Loan]:
    """Have something for the length of a block. Raises `EngineUnavailable` where it cannot be had."""
    try:
        loan = _Loan(*await asyncio.open_unix_connection(socket))
    except OSError as error:
        raise EngineUnavailable(
            "The engines' keeper lends nothing now: the cluster is not ready. Try again in a moment."
        ) from error
    try:
        await loan.ask({"take": kind, "name": name})
        yield loan
    finally:
        try:
            await loan.give_back()
        finally:
            loan.close()
