"""Load: requests that cost CPU, sent to several apps at once at a steady rate, while its block lasts."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from sandbox.errors import DemoFailed
from sandbox.events import Engine
from sandbox.measuring import Request
from sandbox.routes import Address
from sandbox.sandbox import Client, Clock, Pace, Target
from sandbox.streams import first, stop


@dataclass
class _Lane:
    """What one app was sent; `begun` with the first request that is over."""

    begun: asyncio.Event = field(default_factory=asyncio.Event)
    log: list[Request] = field(default_factory=list)


class Load:
    """Has each app sent `rate` requests a second by its client, whether the last answers have come or not.

    `start` and `end` are since when all of them were under load and until when, on the run's clock; `failed` are the
    requests to each that got no good answer.
    """

    def __init__(self, clock: Clock, clients: Mapping[Engine, Client], path: str, rate: float) -> None:
        self._clock = clock
        self._clients = clients
        self._path = path
        self._pace = Pace(interval=1 / rate)
        self._lanes: dict[Engine, _Lane] = {}
        self.start = self.end = 0.0

    @asynccontextmanager
    async def on(self, addresses: Mapping[Engine, Address]) -> AsyncGenerator[None, None]:
        """Keep it up for as long as the block lasts, then wait for the last answers. Raises DemoFailed."""
        ended = asyncio.Event()
        self._lanes = {engine: _Lane() for engine in addresses}
        sending = {engine: asyncio.create_task(self._send(engine, addresses[engine], ended)) for engine in addresses}
        try:
            for engine, task in sending.items():
                await self._begun(engine, task)
            self.start = self._clock()
            yield
            self.end = self._clock()
            ended.set()
            await asyncio.gather(*sending.values())
        finally:
            await stop(*sending.values())

    async def _send(self, engine: Engine, address: Address, ended: asyncio.Event) -> None:
        lane, target = self._lanes[engine], Target(address, self._pace, self._clock, ended, self._path)
        async with aclosing(self._clients[engine].requests(target)) as requests:
            async for request in requests:
                lane.log.append(request)
                lane.begun.set()

    async def _begun(self, engine: Engine, sending: asyncio.Task[None]) -> None:
        if not await first(self._lanes[engine].begun, sending, self._pace.startup):
            raise DemoFailed(f"The load did not begin within {self._pace.startup:g} s. Start the demo again.")
        if sending.done():
            sending.result()

    @property
    def failed(self) -> dict[Engine, int]:
        """Return how many requests to each app got no good answer."""
        return {engine: sum(not request.ok for request in lane.log) for engine, lane in self._lanes.items()}

    def told(self) -> dict[str, Any]:
        """Return when it was there, and how many requests a second each app was really sent."""
        sent = sum(self.start <= request.sent < self.end for lane in self._lanes.values() for request in lane.log)
        rate = sent / len(self._lanes) / (self.end - self.start)
        return {"start": round(self.start, 3), "end": round(self.end, 3), "requests_per_second": round(rate, 1)}
