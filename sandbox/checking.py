"""Whether lines are the events of one whole run, as the contract describes them: what `portside replay` may play."""

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sandbox.events import Engine
from sandbox.shapes import (
    Shape,
    anything,
    count,
    flag,
    maybe,
    misfits,
    one_of,
    record,
    seconds,
    several,
    table,
    text,
)

Lines = Sequence[Any]

LONGEST = 3600.0  # seconds: no demo may take longer, so a later time is a slip
MOST_PROBED = 0.5
_ROUNDED = 0.001  # times are told to the millisecond
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_ACTORS = ("dockerd", "kubelet", "deployment", "replicaset", "scheduler", "hpa", "node-controller")

_engine = one_of(*Engine)
_engines = table(
    _engine,
    record(
        {
            "recovered": maybe(flag),
            "recovery_seconds": maybe(seconds),
            "observed_seconds": maybe(seconds),
            "requests": maybe(count),
            "failed": maybe(count),
            "longest_outage_seconds": maybe(seconds),
            "acted_by": several(one_of(*_ACTORS)),
        }
    ),
)
_instance = record(
    {
        "name": text,
        "phase": text,
        "ready": flag,
        "restarts": count,
        "node": maybe(text),
        "version": maybe(text),
    }
)


def _recorded(value: Any) -> bool:
    return value is False or (text(value) and _DATE.fullmatch(value) is not None)


HEAD: Mapping[str, Shape] = {"t": seconds, "run": text, "kind": text}
FIELDS: Mapping[str, Mapping[str, Shape]] = {
    "started": {
        "demo": text,
        "fault": maybe(text),
        "replicas": count,
        "engines": table(_engine, record({"version": text, "where": text}, {"nodes": count})),
        "settings": table(text, anything),
        "recorded": _recorded,
    },
    "narration": {"text": text},
    "command": {"engine": _engine, "text": text},
    "snapshot": {"engine": _engine, "instances": several(_instance)},
    "probe": {"engine": _engine, "ok": count, "failed": count, "seconds": seconds, "p50_ms": maybe(seconds)},
    "observed": {"engine": _engine, "actor": one_of(*_ACTORS), "text": text},
    "fault": {"engine": _engine, "fault": text, "target": text},
    "finding": {"text": text, "engine": maybe(_engine)},
    "cleanup": {"engine": _engine, "removed": several(text), "left": several(text), "seconds": seconds},
    "result": {
        "demo": text,
        "fault": maybe(text),
        "completed": flag,
        "error": maybe(text),
        "cleaned_up": flag,
        "engines": _engines,
        "measured": table(text, anything),
    },
}
# In a run of several faults at once, these say which one they belong to.
_OF_A_FAULT = frozenset({"fault", "snapshot", "probe", "observed", "command", "finding"})


def check(lines: Lines) -> list[str]:
    """Say what is wrong with the lines of a run; nothing where they can be relied on."""
    if not lines:
        return ["There is no line in it."]
    if problems := [f"Line {n}: {problem}." for n, line in enumerate(lines, 1) for problem in _of_line(line)]:
        return problems
    return [*_order(lines), *_clock(lines), *_sums(lines)]


def _of_line(line: Any) -> Iterator[str]:
    if not isinstance(line, dict):
        yield "it is no JSON object"
        return
    kind = line.get("kind")
    if not isinstance(kind, str) or kind not in FIELDS:
        yield "its kind is none of a run's events"
        return
    extra = {"fault": maybe(text)} if kind in _OF_A_FAULT else {}
    if wrong := misfits(line, {**HEAD, **FIELDS[kind]}, extra):
        yield f'its "{wrong[0][:40]}" does not fit the kind "{kind}"'
    elif kind == "probe" and line["seconds"] > MOST_PROBED + _ROUNDED:
        yield "its interval is longer than half a second"


def _order(lines: Lines) -> Iterator[str]:
    kinds = [line["kind"] for line in lines]
    if kinds[0] != "started" or kinds.count("started") > 1:
        yield "It does not begin with the one line that says what started."
    if kinds[-1] != "result" or kinds.count("result") > 1:
        yield "It does not end with the one line that has the result: it is cut off."
    if len({line["run"] for line in lines}) > 1:
        yield "Its lines are of more than one run."
    if kinds[0] == "started" and kinds[-1] == "result":
        first, last = lines[0], lines[-1]
        if (first["demo"], first["fault"]) != (last["demo"], last["fault"]):
            yield "Its result is of another demo than what started."


def _clock(lines: Lines) -> Iterator[str]:
    for n, (before, line) in enumerate(itertools.pairwise(lines), 2):
        if line["t"] < before["t"]:
            yield f"Line {n}: the clock goes back, from {before['t']:g} s to {line['t']:g} s."
            return
    if lines[-1]["t"] > LONGEST:
        yield f"Its clock goes on to {lines[-1]['t']:g} s, and no run takes longer than an hour."


def _sums(lines: Lines) -> Iterator[str]:
    """The requests that are told while it runs are those that the result counts."""
    result = lines[-1]
    if result["kind"] != "result" or not result["completed"]:
        return
    several_faults = result["measured"].get("faults")
    lanes = several_faults if table(text, _engines)(several_faults) else {None: result["engines"]}
    for fault, engines in lanes.items():
        for engine, measured in engines.items():
            told = _counted(lines, engine, fault)
            if measured["requests"] is not None and told != (measured["requests"], measured["failed"]):
                yield (
                    f"The probes of {engine} count {told[0]} requests with {told[1]} failed, "
                    f"its result {measured['requests']} with {measured['failed']}."
                )


def _counted(lines: Lines, engine: str, fault: str | None) -> tuple[int, int]:
    """The requests of one lane and how many of them failed, from its fault on if there is one."""
    own = [line for line in lines if line.get("engine") == engine and fault in (None, line.get("fault"))]
    begin = next((place for place, line in enumerate(own) if line["kind"] == "fault"), 0)
    probes = [line for line in own[begin:] if line["kind"] == "probe"]
    failed = sum(probe["failed"] for probe in probes)
    return sum(probe["ok"] for probe in probes) + failed, failed
