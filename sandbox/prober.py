"""Steady requests to both sides on one clock, whoever sends them; what they say about an outage is in `measuring`."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field

from sandbox.errors import DemoFailed
from sandbox.events import NAMES, Engine, Measured, Probe
from sandbox.measuring import Request, Span, measure, probes, settled, undisturbed, unprobed
from sandbox.routes import Address
from sandbox.sandbox import Client, Clock, Pace, Target
from sandbox.streams import first, stop


class NeverAnswered(DemoFailed):
    """An app did not answer within the time that it may take to start; `engine` is whose app it is."""

    def __init__(self, engine: Engine, sentence: str) -> None:
        super().__init__(sentence)
        self.engine = engine


@dataclass
class _Lane:
    """One side's log, since its first good answer. `told` of its requests were in a probe already, and until when."""

    since: float = 0.0
    told_until: float = 0.0
    log: list[Request] = field(default_factory=list)
    told: int = 0
    fault: tuple[float, int] | None = None
    serving: asyncio.Event = field(default_factory=asyncio.Event)
    over: asyncio.Event = field(default_factory=asyncio.Event)


class Prober:
    """Has each side asked at a steady pace by its client, and keeps the log."""

    def __init__(self, pace: Pace, clock: Clock, clients: Mapping[Engine, Client]) -> None:
        self._pace = pace
        self._clock = clock
        self._clients = clients
        self._lanes: dict[Engine, _Lane] = {}
        self._ended = asyncio.Event()
        self._end: float | None = None

    async def first_answer(self, engine: Engine, address: Address) -> None:
        """Wait until an app answers for the first time; these requests are not counted. Raises NeverAnswered."""
        try:
            async with asyncio.timeout(self._pace.startup):
                await self._clients[engine].first_answer(self._target(address))
        except TimeoutError as error:
            raise self._silent(engine, address) from error

    def _target(self, address: Address) -> Target:
        return Target(address, self._pace, self._clock, self._ended)

    def _silent(self, engine: Engine, address: Address) -> NeverAnswered:
        return NeverAnswered(
            engine,
            f"The app at {address} did not answer within {self._pace.startup:g} s of its start, so there was nothing "
            "to break. Start the demo again; if it happens twice, look at the engine's own log.",
        )

    def _lane(self, engine: Engine) -> _Lane:
        return self._lanes.setdefault(engine, _Lane())

    async def probe(self, engine: Engine, address: Address) -> AsyncGenerator[Probe, None]:
        """Ask from now until `finish`; from the first good answer on, tell at least twice a second which are over.

        What came before that answer does not count. Raises NeverAnswered where there is none in time.
        """
        lane = self._lane(engine)
        reading = asyncio.create_task(self._read(engine, address))
        try:
            if not await first(lane.serving, reading, self._pace.startup):
                raise self._silent(engine, address)
            while not reading.done():
                await asyncio.wait([reading], timeout=self._pace.report)
                for probe in self.cut(engine):
                    yield probe
            reading.result()
            lane.over.set()
        finally:
            await stop(reading)

    async def _read(self, engine: Engine, address: Address) -> None:
        async with aclosing(self._clients[engine].requests(self._target(address))) as requests:
            async for request in requests:
                self._take(self._lane(engine), request)

    def _take(self, lane: _Lane, request: Request) -> None:
        if lane.serving.is_set():
            # A client elsewhere hears a little later that it is over.
            if lane.since <= request.sent and (self._end is None or request.sent <= self._end):
                lane.log.append(request)
        elif request.ok:
            lane.since, lane.told_until = request.over, self._clock()
            lane.serving.set()

    async def serving(self, engine: Engine) -> None:
        """Wait until a side that is asked has answered for the first time."""
        await self._lane(engine).serving.wait()

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
        self._end = self._clock()
        self._ended.set()

    async def finished(self) -> None:
        """Wait until every lane has told its last probe."""
        await asyncio.gather(*(lane.over.wait() for lane in self._lanes.values()))

    def measured(self, engine: Engine, acted_by: tuple[str, ...]) -> Measured:
        """Measure one side from its fault on, or from its first answer; only when it has `finished`."""
        if self._end is None:
            raise DemoFailed(f"The run ended before {NAMES[engine]} was measured. Start it again.")
        lane = self._lanes.get(engine)
        if lane is None:
            return unprobed(acted_by)
        if lane.fault is None:
            return undisturbed(lane.log, Span(lane.since, self._end), acted_by)
        fault, place = lane.fault
        return measure(lane.log[place:], Span(fault, self._end), acted_by)

    def requests(self, engine: Engine, since: float = 0.0) -> list[Request]:
        """Return the requests of one side that are over and were sent at or after a moment."""
        return [request for request in self._lanes[engine].log if request.sent >= since]
