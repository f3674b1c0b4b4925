"""Steady requests to both sides from one process on one clock; what they say about an outage is in `measuring`."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field

from sandbox.errors import DemoFailed
from sandbox.events import NAMES, Engine, Measured, Probe
from sandbox.http import NoAnswer, request
from sandbox.measuring import Request, Span, measure, probes, settled, undisturbed, unprobed
from sandbox.routes import Address
from sandbox.sandbox import Pace
from sandbox.streams import stop

_GOOD = 200


@dataclass
class _Lane:
    """One side's log. `told` is how many of its requests were in a probe already, and until when."""

    address: Address
    began: float
    told_until: float
    log: list[Request] = field(default_factory=list)
    told: int = 0
    fault: tuple[float, int] | None = None
    under_way: set[asyncio.Task[None]] = field(default_factory=set)
    over: asyncio.Event = field(default_factory=asyncio.Event)


class Prober:
    """Asks each side at a steady pace, whether the last answer has come or not (an open loop)."""

    def __init__(self, pace: Pace, clock: Callable[[], float]) -> None:
        self._pace = pace
        self._clock = clock
        self._lanes: dict[Engine, _Lane] = {}
        self._ended: float | None = None

    async def first_answer(self, address: Address) -> None:
        """Wait until an app answers for the first time; these requests are not counted. Raises DemoFailed."""
        try:
            async with asyncio.timeout(self._pace.startup):
                while True:
                    if (await self._ask(address)).ok:
                        return
                    await asyncio.sleep(self._pace.interval)
        except TimeoutError as error:
            raise DemoFailed(
                f"The app at {address} did not answer within {self._pace.startup:g} s of its start, so there was "
                "nothing to break. Start the demo again; if it happens twice, look at the engine's own log."
            ) from error

    async def probe(self, engine: Engine, address: Address) -> AsyncGenerator[Probe, None]:
        """Send requests from now until `finish`, and tell at least twice a second which are over, to the last."""
        began = self._clock()
        lane = self._lanes[engine] = _Lane(address, began, began)
        due = self._clock()
        try:
            while self._ended is None or lane.under_way:
                if self._ended is None:
                    self._send(lane)
                due = max(due + self._pace.interval, self._clock())
                await asyncio.sleep(due - self._clock())
                if self._clock() - lane.told_until >= self._pace.report:
                    for probe in self.cut(engine):
                        yield probe
            for probe in self.cut(engine):
                yield probe
            lane.over.set()
        finally:
            await stop(*lane.under_way)

    def _send(self, lane: _Lane) -> None:
        async def ask() -> None:
            lane.log.append(await self._ask(lane.address))

        task = asyncio.create_task(ask())
        lane.under_way.add(task)
        task.add_done_callback(lane.under_way.discard)

    async def _ask(self, address: Address) -> Request:
        sent = self._clock()
        try:
            answer = await request(address, "GET", "/", self._pace.timeout)
        except NoAnswer:
            return Request(sent, self._clock(), ok=False)
        over = self._clock()
        return Request(sent, over, answer.status == _GOOD, *who(answer.body))

    def cut(self, engine: Engine) -> list[Probe]:
        """End the interval of an engine now, and count what was over in it."""
        lane = self._lanes[engine]
        now = self._clock()
        found = probes(engine, lane.log[lane.told :], lane.told_until, now)
        lane.told, lane.told_until = len(lane.log), now
        return found

    def mark_fault(self, engine: Engine) -> list[Probe]:
        """Remember that the fault comes now; return what was over before it, which does not count any more."""
        found = self.cut(engine)
        lane = self._lanes[engine]
        lane.fault = (lane.told_until, lane.told)
        return found

    def settled(self) -> bool:
        """Say whether both sides have answered everything for a while."""
        now = self._clock()
        return all(settled(lane.log, now, self._pace.settled) for lane in self._lanes.values())

    def finish(self) -> None:
        """Send nothing more. Each lane ends by itself, with its last request: a hung one waits for its time-outs."""
        self._ended = self._clock()

    async def finished(self) -> None:
        """Wait until every lane has told its last probe."""
        await asyncio.gather(*(lane.over.wait() for lane in self._lanes.values()))

    def measured(self, engine: Engine, acted_by: tuple[str, ...]) -> Measured:
        """Measure one side from its fault on, or from its first request; only when it has `finished`."""
        if self._ended is None:
            raise DemoFailed(f"The run ended before {NAMES[engine]} was measured. Start it again.")
        lane = self._lanes.get(engine)
        if lane is None:
            return unprobed(acted_by)
        if lane.fault is None:
            return undisturbed(lane.log, Span(lane.began, self._ended), acted_by)
        fault, place = lane.fault
        return measure(lane.log[place:], Span(fault, self._ended), acted_by)

    def requests(self, engine: Engine, since: float = 0.0) -> list[Request]:
        """Return the requests of one side that are over and were sent at or after a moment."""
        return [request for request in self._lanes[engine].log if request.sent >= since]


def who(body: bytes) -> tuple[str | None, str | None]:
    """Read which instance answered, and its version: the app says "instance NAME version VERSION"."""
    words = body.decode(errors="replace").split()
    told = dict(zip(words[::2], words[1::2], strict=False))
    return told.get("instance"), told.get("version")
