"""The self-test of a demo: what its runs did on these engines, held against its lesson."""

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing

from bot.state.runs import SelfTest, Spread, now
from sandbox.demo import Demo
from sandbox.errors import EngineUnavailable
from sandbox.events import Engine, Event, Fault, Result, Started
from sandbox.measuring import reached

Perform = Callable[[], AsyncGenerator[Event, None]]


async def verify(demo: Demo, fault: Fault | None, times: int, perform: Perform) -> SelfTest:
    """Run a demo so many times. Raises `EngineUnavailable` where it could not even begin: that says nothing of it."""
    return judged(demo, fault, [await _result(perform) for _ in range(times)])


async def _result(perform: Perform) -> Result:
    begun = False
    async with aclosing(perform()) as events:
        async for event in events:
            if isinstance(event, Started):
                begun = bool(event.engines)
            if isinstance(event, Result):
                result = event
    if not begun:
        raise EngineUnavailable(result.error or "There is no engine.")
    return result


def judged(demo: Demo, fault: Fault | None, results: Sequence[Result]) -> SelfTest:
    """What the runs say: the first way in which one differs, and the spread of their times."""
    reasons = filter(None, (reason(demo, result) for result in results))
    recovery = {engine: _recovery(engine, results) for engine in Engine}
    duration = spread([result.t for result in results])
    return SelfTest(demo.name, fault, now(), len(results), next(reasons, None), duration, recovery)


def reason(demo: Demo, result: Result) -> str | None:
    """How a run differs from what the demo teaches."""
    if not result.completed:
        return result.error or "A run did not come to its end."
    if not result.cleaned_up:
        return "A run was not cleaned up."
    return demo.lesson(result) if demo.lesson else None


def _recovery(engine: Engine, results: Sequence[Result]) -> Spread | None:
    lanes = [result.engines[engine] for result in results if engine in result.engines]
    times = [lane.recovery_seconds for lane in lanes if lane.recovery_seconds is not None]
    return spread(times) if times else None


def spread(times: Sequence[float]) -> Spread:
    """What half of the times, and 95 in 100, do not exceed."""
    return Spread(round(reached(0.5, times), 3), round(reached(0.95, times), 3))
