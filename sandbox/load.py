"""Load: requests that cost CPU, sent to several addresses at once at a steady rate, while its block lasts."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Any

from sandbox.errors import EngineUnavailable
from sandbox.http import GOOD, NoAnswer, request
from sandbox.routes import Address
from sandbox.sandbox import Client
from sandbox.streams import stop

_TIMEOUT = 1.0


def require_near(clients: Iterable[Client]) -> None:
    """Load comes from this process alone. Raises EngineUnavailable where an app's address leads nowhere from here."""
    if not all(client.near for client in clients):
        raise EngineUnavailable(
            "This demo sends its load from here, and the apps of these engines are reached only from beside them, so "
            "nothing was sent. Unset DOCKER_HOST and PORTSIDE_KUBE_CONTEXT for engines of ours."
        )


class Load:
    """Sends `rate` requests a second to each address, whether the last answers have come or not (an open loop).

    `start` and `end` are when it was switched on and off, on the run's clock; `failed` are the requests to each address
    that got no good answer.
    """

    def __init__(self, clock: Callable[[], float], path: str, rate: float) -> None:
        self._clock = clock
        self._path = path
        self._rate = rate
        self._under_way: set[asyncio.Task[None]] = set()
        self._rounds = 0
        self.failed: dict[Address, int] = {}
        self.start = self.end = 0.0

    @asynccontextmanager
    async def on(self, addresses: Iterable[Address]) -> AsyncGenerator[None, None]:
        """Keep it up for as long as the block lasts, then wait for the last answers."""
        self.failed = dict.fromkeys(addresses, 0)
        self.start = self._clock()
        sending = asyncio.create_task(self._send())
        try:
            yield
            await stop(sending)
            self.end = self._clock()
            await asyncio.gather(*self._under_way)
        finally:
            await stop(sending, *self._under_way)

    async def _send(self) -> None:
        due = self.start
        while True:
            self._rounds += 1
            for address in self.failed:
                task = asyncio.create_task(self._ask(address))
                self._under_way.add(task)
                task.add_done_callback(self._under_way.discard)
            due = max(due + 1 / self._rate, self._clock())
            await asyncio.sleep(due - self._clock())

    async def _ask(self, address: Address) -> None:
        try:
            good = (await request(address, "GET", self._path, _TIMEOUT)).status == GOOD
        except NoAnswer:
            good = False
        self.failed[address] += not good

    def told(self) -> dict[str, Any]:
        """Return when it was there, and how many requests a second each address was really sent."""
        rate = self._rounds / (self.end - self.start)
        return {"start": round(self.start, 3), "end": round(self.end, 3), "requests_per_second": round(rate, 1)}
