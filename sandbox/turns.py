"""Turns on one machine: what one run measures is not disturbed by what another run of this process does then."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import takewhile


@dataclass(frozen=True, eq=False)
class _Turn:
    """Somebody's place in the line. What is `measured` bears no other run beside it; what is not bears what is not."""

    run: str
    measured: bool

    def bars(self, other: "_Turn") -> bool:
        return self.run != other.run and (self.measured or other.measured)


class Turns:
    """One line, first come, first served: whoever has a turn stands in it too, before those that wait."""

    def __init__(self) -> None:
        self._line: list[_Turn] = []
        self._moved = asyncio.Event()

    def sharing(self, run: str) -> bool:
        """Say whether this run would have to wait to share the machine."""
        return self._barred(_Turn(run, measured=False))

    def acting(self, run: str) -> bool:
        """Say whether what this run measures would have to wait."""
        return self._barred(_Turn(run, measured=True))

    @asynccontextmanager
    async def share(self, run: str, patience: float) -> AsyncGenerator[None, None]:
        """Start or remove what a run needs, beside others that do. After so many seconds it waits no longer."""
        async with self._turn(_Turn(run, measured=False), patience):
            yield

    @asynccontextmanager
    async def act(self, run: str, patience: float) -> AsyncGenerator[None, None]:
        """Do what is measured, beside no other run. After so many seconds it waits no longer."""
        async with self._turn(_Turn(run, measured=True), patience):
            yield

    @asynccontextmanager
    async def _turn(self, turn: _Turn, patience: float) -> AsyncGenerator[None, None]:
        self._line.append(turn)
        try:
            await self._wait(turn, patience)
            yield
        finally:
            self._line.remove(turn)
            self._moved.set()
            self._moved = asyncio.Event()

    async def _wait(self, turn: _Turn, patience: float) -> None:
        try:
            async with asyncio.timeout(patience):
                while self._barred(turn):
                    await self._moved.wait()
        except TimeoutError:
            """A run that is not alone is worth more than one that never comes."""

    def _barred(self, turn: _Turn) -> bool:
        before = takewhile(lambda other: other is not turn, self._line)
        return any(turn.bars(other) for other in before)
