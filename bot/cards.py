"""The card of a demo: a pure fold of a run's events. All wording of live results is here.

Every figure on a card comes from an event of its run.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, assert_never

from bot import grids
from bot.parts import Act, Bar, Card, Cell, Count, Lane, Mark, Span, Table, Tile
from sandbox.demo import Demo, Options
from sandbox.events import (
    NAMES,
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
from sandbox.figures import Figure

FAULTS = {
    Fault.CRASH: "the app exits with an error",
    Fault.HANG: "the app hangs",
    Fault.OOM: "the app takes more memory than it may",
    Fault.REMOVE: "the copy is removed by hand",
    Fault.POWER: "the machine loses its power",
}
OF_ONE_FAULT = (Command, Snapshot, Probe, Observed, Injected)
ON_ITS_WAY = frozenset({"created", "starting", "restarting", "pending", "waiting", "containercreating", "terminating"})


def begin(demo: Demo, options: Options) -> Card:
    """The card before anything has happened."""
    what = f"Fault: {FAULTS[options.fault]}. " if options.fault else ""
    lanes = tuple(Lane(engine.value, NAMES[engine], "", "starting", "waiting") for engine in Engine)
    trials = grids.begin(demo.parts) if set(demo.parts) <= set(Fault) else ()
    return Card(
        title=demo.question,
        subtitle=f"{what}{demo.setup}",
        state="running",
        t=0.0,
        total=demo.seconds,
        lanes=() if trials else lanes,
        trials=trials,
        table=grids.table(trials) if trials else None,
        fault=options.fault.value if options.fault else None,
    )


def advance(demo: Demo, card: Card, event: Event) -> Card:  # noqa: C901, PLR0911 - one case for each kind of event
    """The card after one more event."""
    card = replace(card, t=max(card.t, event.t), total=max(card.total, event.t))
    if card.trials and isinstance(event, OF_ONE_FAULT):
        return _tried(card, event)
    match event:
        case Started():
            return _started(demo, card, event)
        case Narration(text=text):
            return replace(card, narration=text)
        case Command(engine=engine, text=text):
            return _with(card, engine, commands=(*lane(card, engine).commands, text))
        case Snapshot(engine=engine, instances=instances):
            return _shown(card, engine, instances)
        case Probe():
            return _probed(card, event)
        case Observed(engine=engine):
            act = Act(event.t, event.actor, event.text, event.acted and card.fault_at is not None)
            return _with(card, engine, acts=(*lane(card, engine).acts, act))
        case Injected():
            at = event.t if card.fault_at is None else card.fault_at
            return replace(card, fault=event.fault.value, fault_at=at)
        case Finding():
            return _found(card, event)
        case Cleanup():
            return replace(card, captions=(*card.captions, cleaned(event)))
        case Result():
            return _ended(demo, card, event)
        case _:
            assert_never(event)


def _tried(card: Card, event: Command | Snapshot | Probe | Observed | Injected) -> Card:
    """A grid has room for how each trial goes, not for what was typed or reported in it."""
    if not isinstance(event, Probe | Injected):
        return card
    trials = grids.follow(card.trials, event)
    return replace(card, trials=trials, table=grids.table(trials))


def lane(card: Card, engine: Engine) -> Lane:
    """One engine's side of a card."""
    return next(lane for lane in card.lanes if lane.engine == engine)


def _with(card: Card, engine: Engine, **changes: Any) -> Card:
    lanes = tuple(replace(old, **changes) if old.engine == engine else old for old in card.lanes)
    return replace(card, lanes=lanes)


def _started(demo: Demo, card: Card, event: Started) -> Card:
    for engine, info in event.engines.items():
        card = _with(card, engine, version=f"{info.version}{_nodes(info, ', ')}")
    captions = (_where(event), *_tuned(demo, event.settings))
    label = f"Recorded run, {event.recorded}" if event.recorded else None
    return replace(card, run=event.run, recorded=label, captions=tuple(filter(None, captions)))


def _where(event: Started) -> str:
    engines = {engine: replace(info, where=_place(info, event)) for engine, info in event.engines.items()}
    named = {engine: f"{NAMES[engine]} {info.version}{_nodes(info, ' with ')}" for engine, info in engines.items()}
    places = {info.where for info in engines.values()}
    if len(places) == 1:
        return f"{', '.join(named.values())}, both on {places.pop()}."
    return " ".join(f"{named[engine]} on {info.where}." for engine, info in engines.items())


def _place(info: EngineInfo, event: Started) -> str:
    """Where an engine stood; a recording's machine is not the one it is played on."""
    return "the machine of the recording" if event.recorded and info.where == "this machine" else info.where


def _tuned(demo: Demo, settings: Mapping[str, Any]) -> Iterable[str]:
    """What makes the demo quicker; the default of what was set by others than the demo is theirs to say."""
    known = [
        f"{name} {value}, default {demo.settings[name].default}"
        for name, value in settings.items()
        if name in demo.settings
    ]
    others = [f"{name} {value}" for name, value in settings.items() if name not in demo.settings]
    if known:
        yield f"Quicker than the defaults: {'; '.join(known)}."
    if others:
        more = f" and {len(others) - 1} more, which the run's JSON names" if len(others) > 1 else ""
        yield f"Set on this cluster: {others[0]}{more}."


def _nodes(info: EngineInfo, before: str) -> str:
    return "" if info.nodes is None else before + counted(info.nodes, "node")


def counted(number: int, noun: str) -> str:
    """A number with its noun, as a person would say it."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def tile(instance: Instance) -> Tile:
    """One container or pod as a tile."""
    mark: Mark = "good" if instance.ready else "failed"
    if not instance.ready and instance.phase.lower() in ON_ITS_WAY:
        mark = "waiting"
    detail = f"restarts {instance.restarts}"
    return Tile(instance.name, instance.phase, f"{instance.node}\n{detail}" if instance.node else detail, mark)


def _shown(card: Card, engine: Engine, instances: tuple[Instance, ...]) -> Card:
    """The tiles; where nobody asks for answers, how many copies are ready is how the side does."""
    ready = sum(instance.ready for instance in instances)
    old = lane(card, engine)
    counts = (*old.counts, Count(card.t, ready, len(instances)))
    card = _with(card, engine, tiles=tuple(map(tile, instances)), counts=counts)
    if old.bars or not instances:
        return card
    return _with(card, engine, state=f"{ready} of {len(instances)} ready", mark="good" if ready else "waiting")


def _probed(card: Card, event: Probe) -> Card:
    old = lane(card, event.engine)
    bars = (*old.bars, Bar(event.t - event.seconds, event.seconds, event.ok, event.failed))
    broken = card.fault_at is not None and any(bar.failed for bar in old.bars if bar.start >= card.fault_at)
    back_at = old.back_at
    if broken and back_at is None and event.ok and not event.failed:
        back_at = event.t - event.seconds
    state, mark = _state(event, old, back_at)
    return _with(card, event.engine, bars=bars, back_at=back_at, state=state, mark=mark)


def _state(event: Probe, old: Lane, back_at: float | None) -> tuple[str, Mark]:
    if event.ok and event.failed:
        return "some requests fail", "failed"
    if event.failed:
        return "not answering", "failed"
    if event.ok:
        return ("answering" if back_at is None else "answering again"), "good"
    return ("no answer yet", "waiting") if old.mark == "good" else (old.state, old.mark)


def cleaned(event: Cleanup) -> str:
    """What became of the run's own objects on one engine."""
    name = NAMES[event.engine]
    if event.left:
        left = ", ".join(event.left)
        return f"{name}: {left} could not be seen to go. It carries an expiry, and is removed then."
    kinds = Counter(removed.partition(" ")[0] for removed in event.removed)
    removed = " and ".join(counted(number, kind) for kind, number in kinds.items())
    return f"{name}: cleaned up in {event.seconds:.1f} s, {removed or 'nothing'} removed, nothing left."


def _found(card: Card, event: Finding) -> Card:
    """The first finding is the headline, the others explain it; so does each of one fault of several."""
    if not card.headline and event.fault is None:
        return replace(card, headline=event.text)
    return replace(card, explanation=f"{card.explanation} {event.text}".strip())


def _ended(demo: Demo, card: Card, event: Result) -> Card:
    end = max([bar.start + bar.seconds for side in card.lanes for bar in side.bars], default=card.t)
    card = replace(card, total=end, narration="")
    if not event.completed:
        return replace(card, state="failed", headline="The run did not come to its end.", explanation="")
    card = _with_spans(_with_recovery(card, event.engines), event.measured)
    headline = demo.headline(event) if demo.headline else card.headline
    trials = grids.measured(card.trials, event)
    return replace(card, state="done", headline=headline, trials=trials, table=table(demo, event))


def _with_recovery(card: Card, engines: Mapping[Engine, Measured]) -> Card:
    """The strip ends as the measurement says, not as its last interval happened to look."""
    for engine, measured in engines.items():
        if measured.recovered is False:
            card = _with(card, engine, state="not back", mark="failed", back_at=None)
        elif measured.recovery_seconds is not None and measured.failed and card.fault_at is not None:
            card = _with(card, engine, state="back", mark="good", back_at=card.fault_at + measured.recovery_seconds)
        elif asked := [bar for bar in lane(card, engine).bars if bar.ok or bar.failed]:
            answering = asked[-1].ok > 0
            state = "answering" if answering else "not answering"
            card = _with(card, engine, state=state, mark="good" if answering else "failed")
    return card


def _with_spans(card: Card, measured: Mapping[str, Any]) -> Card:
    """The steps of each lane, and the times of load, where the demo has measured such."""
    for engine, steps in measured.get("steps", {}).items():
        card = _with(card, Engine(engine), steps=tuple(map(_span, steps)))
    load = (Span(f"{one['requests_per_second']:g}/s", one["start"], one["end"]) for one in measured.get("load", ()))
    return replace(card, load=tuple(load))


def _span(step: Mapping[str, Any]) -> Span:
    return Span(step["name"], step["start"], step["end"], step["requests"], step["failed"])


def table(demo: Demo, event: Result) -> Table:
    """The measured table."""
    rows = tuple((Cell(row.name), _cell(row.docker), _cell(row.kubernetes)) for row in demo.rows(event))
    return Table(("", *NAMES.values()), rows, "Measured in this run")


def _cell(figure: Figure) -> Cell:
    return Cell(figure.text, figure.mark)
