"""A second machine's Docker in docker's verbs: one run's containers on an engine that can lose its power."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Self

from sandbox.containers import Containers
from sandbox.engines import SpareDocker
from sandbox.errors import EngineUnavailable
from sandbox.events import Instance, Observed
from sandbox.names import Tag


class SecondContainers(Containers):
    """The containers of one run on a second machine. Without power nothing runs there, and nothing is reported."""

    spare: SpareDocker
    power: asyncio.Event

    @classmethod
    async def on(cls, spare: SpareDocker, tag: Tag) -> Self:
        """Reach the engine of a machine that has power."""
        second = await cls.connect(spare.endpoint, tag)
        second.spare = spare
        second.power = asyncio.Event()
        second.power.set()
        return second

    async def cut(self) -> None:
        """Cut the machine's power: the engine and all its containers end at once."""
        self.power.clear()
        await self.spare.cut()

    async def start(self) -> None:
        """Give the machine its power back; return when its engine answers."""
        await self.spare.start()
        self.power.set()

    async def close(self) -> None:
        """Give the connections back; the machine is used no more."""
        self.power.clear()
        await super().close()

    async def ps(self) -> tuple[Instance, ...]:
        """Say what runs now, and what has stopped."""
        try:
            return await super().ps() if self.power.is_set() else ()
        except EngineUnavailable:
            if self.power.is_set():
                raise
            return ()

    async def events(self) -> AsyncGenerator[Observed, None]:
        """Yield what the engine reports about the run's containers while it has power."""
        while True:
            await self.power.wait()
            try:
                async with aclosing(super().events()) as events:
                    async for event in events:
                        yield event
            except EngineUnavailable:
                if self.power.is_set():
                    raise
