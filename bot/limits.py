"""How much one person, one channel and all together may have at once."""

import asyncio
import math
import time
from collections import OrderedDict, deque
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from bot.errors import Busy

_MINUTE = 60.0
_STEP = 10.0  # an expected wait is no better known than to so many seconds
_PEOPLE = 10_000  # whose questions are counted; whoever asked longest ago is forgotten first


@dataclass(frozen=True)
class Allowed:
    """The limits, as an operator sets them."""

    demos: int = 4
    demos_per_person: int = 1
    demos_per_channel: int = 1
    waiting: int = 20
    questions_per_minute: int = 20


@dataclass(frozen=True)
class Ahead:
    """How many demos come first, and for about how many seconds, by what each of them takes as a rule."""

    demos: int
    seconds: float


@dataclass(eq=False)
class Place:
    """One's place for a demo of so many seconds: in the queue at first, then among those that run."""

    author: str
    channel: str
    seconds: float
    limits: "Limits"
    alone: bool = False
    admitted: asyncio.Event = field(default_factory=asyncio.Event)
    began: float = 0.0

    async def turn(self) -> AsyncGenerator[Ahead, None]:
        """Yield what comes first whenever that changes, until it is this one's turn."""
        shown = None
        while not self.admitted.is_set():
            changed = self.limits.changed
            if (ahead := self.limits.ahead(self)) != shown:
                shown = ahead
                yield ahead
            with suppress(TimeoutError):
                async with asyncio.timeout(_STEP):
                    await changed.wait()

    def left(self, now: float) -> float:
        """Seconds until it ends as a rule; one that is late may end at any moment."""
        return max(self.began + self.seconds - now, 0.0)


class Limits:
    """Counts questions a minute, and the demos that run and wait."""

    def __init__(self, allowed: Allowed = Allowed()) -> None:
        self._allowed = allowed
        self._running: list[Place] = []
        self._waiting: list[Place] = []
        self._asked: OrderedDict[str, deque[float]] = OrderedDict()
        self.changed = asyncio.Event()

    def question(self, author: str) -> None:
        """Count a question. Raises `Busy` if this person has asked as many as may be asked in a minute."""
        now = asyncio.get_running_loop().time()
        asked = self._asked.setdefault(author, deque())
        self._asked.move_to_end(author)
        while asked and asked[0] <= now - _MINUTE:
            asked.popleft()
        if len(asked) >= self._allowed.questions_per_minute:
            wait = math.ceil(asked[0] + _MINUTE - now)
            raise Busy(f"That is more than {self._allowed.questions_per_minute} questions in a minute. Wait {wait} s.")
        asked.append(now)
        if len(self._asked) > _PEOPLE:
            self._asked.popitem(last=False)

    @contextmanager
    def demo(self, author: str, channel: str, seconds: float, *, alone: bool = False) -> Iterator[Place]:
        """Hold a place for one demo that takes so long as a rule; it may begin when `Place.turn` ends.

        One that runs alone waits for all that run, and the next ones wait for it. Raises `Busy` if there is none.
        """
        theirs = sum(place.author == author for place in (*self._running, *self._waiting))
        if theirs >= self._allowed.demos_per_person:
            raise Busy("A demo of yours is still running or waiting. Stop it, or wait until it has ended.")
        place = Place(author, channel, seconds, self, alone)
        self._waiting.append(place)
        self._admit()
        try:
            if len(self._waiting) > self._allowed.waiting:
                raise Busy(f"{self._allowed.waiting} demos are waiting, as many as may. Try again in a minute.")
            yield place
        finally:
            places = self._running if place in self._running else self._waiting
            places.remove(place)
            self._admit()

    def ahead(self, place: Place) -> Ahead:
        """What runs or waits before this one, and how long that takes: a whole number of steps."""
        waits = self._expected(place)
        return Ahead(len(self._running) + self._waiting.index(place), max(math.ceil(waits / _STEP), 1) * _STEP)

    def _expected(self, place: Place) -> float:
        """Play the queue on as it goes if each demo takes its time."""
        now, moment = time.monotonic(), 0.0
        running = [(one.left(now), one) for one in self._running]
        waiting = list(self._waiting)
        while True:
            for one in list(waiting):
                if self._free(one, [other for _, other in running]):
                    if one is place:
                        return moment
                    waiting.remove(one)
                    running.append((moment + one.seconds, one))
                elif one.alone:
                    break
            moment, _ = first = min(running, key=lambda ending: ending[0])
            running.remove(first)

    def _admit(self) -> None:
        """Let those run that may, in their order; who waits for a channel of theirs holds up nobody else."""
        for place in list(self._waiting):
            if self._free(place, self._running):
                self._waiting.remove(place)
                self._running.append(place)
                place.began = time.monotonic()
                place.admitted.set()
            elif place.alone:
                break
        self.changed.set()
        self.changed = asyncio.Event()

    def _free(self, place: Place, running: Sequence[Place]) -> bool:
        """Say whether one more demo may run beside those that run."""
        if place.alone or any(one.alone for one in running):
            return not running
        here = sum(one.channel == place.channel for one in running)
        return len(running) < self._allowed.demos and here < self._allowed.demos_per_channel
