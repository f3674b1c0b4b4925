"""An answer cites the newest run of what it speaks of: one more sentence, one more source, measured figures alone."""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import replace

from bot.errors import NoMemory
from bot.presenting import named_fault
from bot.state.runs import Kept, Runs
from knowledge import Answer, Citation
from sandbox.demo import Demo
from sandbox.events import NAMES, Engine, Measured, Result

log = logging.getLogger(__name__)


async def with_run(answer: Answer, demos: Mapping[str, Demo], runs: Runs) -> Answer:
    """The answer with the newest run of its demo; as it is where there is none, or none can be read."""
    demo = demos.get(answer.demo or "")
    if answer.refused or demo is None:
        return answer
    named = named_fault(demo, answer.question)
    try:
        kept = await runs.newest(demo.name, named or next(iter(demo.faults), None))
    except NoMemory as error:
        log.warning("an answer cites no run: %s", error)
        return answer
    return cite(answer, kept, said=named is not None) if kept else answer


def cite(answer: Answer, kept: Kept, *, said: bool) -> Answer:
    """The answer with one more sentence and its source; `said` is whether the question itself names the fault."""
    outcome = told(kept.run.result, kept.run.headline)
    if not outcome:
        return answer
    n = max((citation.n for citation in answer.citations), default=0) + 1
    fault = f" (fault: {kept.run.fault})" if kept.run.fault and not said else ""
    sentence = f"In run {kept.number} on this server{fault}{outcome} [{n}]"
    return replace(
        answer, answer=f"{answer.answer}\n\n{sentence}", citations=(*answer.citations, _citation(n, kept, outcome))
    )


def told(result: Result, headline: str) -> str:
    """What a run measured, as the end of a sentence; what its own first finding says where nothing was to recover."""
    lanes = {engine: lane for engine, lane in result.engines.items() if lane.recovered is not None}
    if not lanes:
        return f": {headline}" if headline else ""
    quickest_first = sorted(lanes.items(), key=lambda item: _back_after(item[1]))
    return f" {', '.join(_clauses(quickest_first))}."


def _back_after(lane: Measured) -> float:
    return lane.recovery_seconds if lane.recovered and lane.recovery_seconds is not None else float("inf")


def _clauses(lanes: Iterable[tuple[Engine, Measured]]) -> Iterable[str]:
    was = False
    for engine, lane in lanes:
        if lane.recovered and not lane.failed:
            yield f"{NAMES[engine]} failed no request"
        elif lane.recovered:
            yield f"{NAMES[engine]} {'' if was else 'was back '}after {lane.recovery_seconds:.1f} s"
            was = True
        else:
            yield f"{NAMES[engine]} {'not' if was else 'was not back'} within {lane.observed_seconds:.0f} s"
            was = True


def _citation(n: int, kept: Kept, outcome: str) -> Citation:
    run = kept.run
    engines = ", ".join(f"{NAMES[engine]} {version}" for engine, version in run.engines.items())
    of = [run.demo, run.fault and f"fault {run.fault}", f"{run.at} UTC", engines]
    lanes = " ".join(_lane(NAMES[engine], lane) for engine, lane in run.result.engines.items())
    text = f"{outcome.removeprefix(':').strip()} {lanes}".strip()
    return Citation(n, f"Run {kept.number}", f"run {kept.number}", ", ".join(filter(None, of)), None, text)


def _lane(name: str, lane: Measured) -> str:
    failed = "" if lane.requests is None else f"{lane.failed} of {lane.requests} requests failed, "
    return f"{name}: {failed}{' and '.join(lane.acted_by) or 'nobody'} acted."
