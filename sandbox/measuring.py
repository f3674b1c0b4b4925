"""What the requests of one lane say about the outage: pure functions over the prober's log."""

import math
import statistics
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sandbox.events import Engine, Measured, Probe

STEP = 0.5


@dataclass(frozen=True)
class Request:
    """One request: seconds of the run's clock at which it was sent and was over, and who answered."""

    sent: float
    over: float
    ok: bool
    instance: str | None = None
    version: str | None = None


@dataclass(frozen=True)
class Span:
    """What one lane was observed for: from the fault, or its first request, until the last request was sent."""

    fault: float
    end: float


def measure(requests: Sequence[Request], span: Span, acted_by: tuple[str, ...]) -> Measured:
    """Measure one lane from the requests that were over after its fault."""
    outages = _outages(requests, span)
    back = outages[0].back if outages else span.fault
    return Measured(
        recovered=back is not None,
        recovery_seconds=None if back is None else round(back - span.fault, 3),
        observed_seconds=round(span.end - span.fault, 3),
        requests=len(requests),
        failed=sum(not request.ok for request in requests),
        longest_outage_seconds=round(max((outage.seconds(span) for outage in outages), default=0.0), 3),
        acted_by=acted_by,
    )


def undisturbed(requests: Sequence[Request], span: Span, acted_by: tuple[str, ...]) -> Measured:
    """Measure one lane that no fault was put into, over its whole time: there is nothing to recover from."""
    return replace(measure(requests, span, acted_by), recovered=None, recovery_seconds=None)


def unprobed(acted_by: tuple[str, ...]) -> Measured:
    """Say of one lane that no request went to it: who acted is all that there is to know."""
    return Measured(None, None, None, None, None, None, acted_by)


def answered_by(requests: Sequence[Request]) -> dict[str, int]:
    """Count the good answers of each instance."""
    return dict(Counter(request.instance or "unknown" for request in requests if request.ok))


def within(requests: Sequence[Request], start: float, end: float) -> list[Request]:
    """Return the requests that were sent and over in a span: one on its edge says nothing of either side of it."""
    return [request for request in requests if start <= request.sent and request.over <= end]


def step(name: str, start: float, end: float, requests: Sequence[Request]) -> dict[str, Any]:
    """Count the requests of one step of a demo, as its result tells them."""
    failed = sum(not request.ok for request in requests)
    return {"name": name, "start": round(start, 3), "end": round(end, 3), "requests": len(requests), "failed": failed}


@dataclass(frozen=True)
class _Outage:
    """From the start of a failed request to the first good answer of those that no failure came after."""

    since: float
    back: float | None

    def seconds(self, span: Span) -> float:
        return max(0.0, (span.end if self.back is None else self.back) - self.since)


def _outages(requests: Sequence[Request], span: Span) -> list[_Outage]:
    """Find each time without a good answer; requests that were sent within it say nothing new."""
    failed = sorted((request for request in requests if not request.ok), key=lambda request: request.sent)
    found: list[_Outage] = []
    for failure in failed:
        if found and (found[-1].back is None or failure.sent <= found[-1].back):
            continue
        found.append(_Outage(max(failure.sent, span.fault), _back(requests, failure)))
    return found


def _back(requests: Sequence[Request], failure: Request) -> float | None:
    """Return when the answers were back after a failure, if they ever were.

    Only a request that was sent once the failure was known can prove it: one that was under way beside the failed one
    may have been answered just before the fault.
    """
    proof = min((request.sent for request in requests if request.ok and request.sent > failure.over), default=None)
    if proof is None:
        return None
    last = max(request.sent for request in requests if not request.ok and request.sent < proof)
    return min(request.over for request in requests if request.ok and request.sent > last)


def settled(requests: Sequence[Request], now: float, seconds: float) -> bool:
    """Say whether every request of the last `seconds` got a good answer, and there were some."""
    recent = [request for request in requests if request.over > now - seconds]
    return bool(recent) and all(request.ok for request in recent)


def probes(engine: Engine, requests: Sequence[Request], since: float, until: float) -> list[Probe]:
    """Count the requests that were over between two moments, in intervals of half a second at most.

    There is more than one interval only where this process was held up. Each request is counted exactly once.
    """
    count = max(1, math.ceil((until - since) / STEP))
    width = (until - since) / count
    parts: list[list[Request]] = [[] for _ in range(count)]
    for request in requests:
        place = int((request.over - since) / width) if width else 0
        parts[min(max(place, 0), count - 1)].append(request)
    return [_probe(engine, part, since + place * width, width) for place, part in enumerate(parts)]


def reached(part: float, values: Sequence[float]) -> float:
    """Return the smallest of some values, at least one, that so large a part of them does not exceed (nearest rank)."""
    return sorted(values)[math.ceil(part * len(values)) - 1]


def _probe(engine: Engine, requests: Sequence[Request], start: float, width: float) -> Probe:
    good = [(request.over - request.sent) * 1000 for request in requests if request.ok]
    return Probe(
        t=start + width,
        engine=engine,
        ok=len(good),
        failed=len(requests) - len(good),
        seconds=width,
        p50_ms=round(statistics.median(good), 2) if good else None,
    )
