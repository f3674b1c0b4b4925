"""A run's events as JSON objects and back: the lines of `portside demo --json`, and of a recording."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, fields
from typing import Any

from sandbox.events import (
    Cleanup,
    Command,
    Engine,
    EngineInfo,
    Event,
    Fault,
    Finding,
    Injected,
    Instance,
    Measured,
    Narration,
    Observed,
    Probe,
    Result,
    Snapshot,
    Started,
)

Json = Mapping[str, Any]

KINDS: dict[str, type[Event]] = {
    "started": Started,
    "narration": Narration,
    "command": Command,
    "snapshot": Snapshot,
    "probe": Probe,
    "observed": Observed,
    "fault": Injected,
    "finding": Finding,
    "cleanup": Cleanup,
    "result": Result,
}
# What says to which fault it belongs, in a run that shows several side by side.
SIDE_BY_SIDE = (Command, Snapshot, Probe, Observed, Finding)
_NAMES = {kind: name for name, kind in KINDS.items()}
_PLACES = 3


def to_json(event: Event) -> dict[str, Any]:
    """Turn an event into the object that the contract describes; times are rounded to the millisecond."""
    body = asdict(event)
    head = {"t": round(body.pop("t"), _PLACES), "run": body.pop("run"), "kind": _NAMES[type(event)]}
    if isinstance(event, Started):
        body["engines"] = {engine.value: _info(info) for engine, info in event.engines.items()}
        body["recorded"] = event.recorded or False
    if isinstance(event, Result):
        body["engines"] = {engine.value: asdict(measured) for engine, measured in event.engines.items()}
    if isinstance(event, Probe):
        body["seconds"] = round(event.seconds, _PLACES)
    if isinstance(event, SIDE_BY_SIDE) and event.fault is None:
        del body["fault"]
    return head | body


def _info(info: EngineInfo) -> dict[str, Any]:
    nodes = {} if info.nodes is None else {"nodes": info.nodes}
    return {"version": info.version, "where": info.where} | nodes


def from_json(line: Json) -> Event:
    """Turn such an object into an event again. Raises KeyError, TypeError or ValueError where it is none."""
    kind = KINDS[line["kind"]]
    body = {"fault": None, **line} if kind in SIDE_BY_SIDE else line
    values = {field.name: _READERS.get((kind, field.name), _same)(body[field.name]) for field in fields(kind)}
    return kind(**values)


def _same(value: Any) -> Any:
    return value


def _optional(read: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda value: None if value is None else read(value)


def _instances(value: Any) -> tuple[Instance, ...]:
    return tuple(Instance(**one) for one in value)


def _measured(value: Any) -> dict[Engine, Measured]:
    return {Engine(engine): Measured(**one | {"acted_by": tuple(one["acted_by"])}) for engine, one in value.items()}


def _infos(value: Any) -> dict[Engine, EngineInfo]:
    return {Engine(engine): EngineInfo(**one) for engine, one in value.items()}


_READERS: dict[tuple[type[Event], str], Callable[[Any], Any]] = {
    **{(kind, "engine"): Engine for kind in (Command, Snapshot, Probe, Observed, Injected, Cleanup)},
    (Finding, "engine"): _optional(Engine),
    **{(kind, "fault"): _optional(Fault) for kind in (Started, Injected, Result, *SIDE_BY_SIDE)},
    (Started, "engines"): _infos,
    (Started, "recorded"): lambda value: value or None,
    (Snapshot, "instances"): _instances,
    (Cleanup, "removed"): tuple,
    (Cleanup, "left"): tuple,
    (Result, "engines"): _measured,
}
