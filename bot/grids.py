"""Several faults side by side in one run: a grid of fault and engine in place of the two lanes. Pure."""

from collections.abc import Iterable
from dataclasses import replace

from bot.parts import Cell, Mark, Table, Trial
from sandbox.events import NAMES, Engine, Fault, Injected, Measured, Probe, Result
from sandbox.figures import back_after, outcomes_of

Trials = tuple[Trial, ...]


def begin(faults: Iterable[str]) -> Trials:
    """The trials before anything has happened."""
    return tuple(Trial(fault, engine.value) for fault in faults for engine in Engine)


def follow(trials: Trials, event: Injected | Probe) -> Trials:
    """The trials after one more event; it is of one of them."""
    return tuple(
        _after(trial, event) if (trial.fault, trial.engine) == (event.fault, event.engine) else trial
        for trial in trials
    )


def _after(trial: Trial, event: Injected | Probe) -> Trial:
    if isinstance(event, Injected):
        return replace(trial, fault_at=event.t)
    since = event.t - event.seconds
    back = trial.away and trial.back_at is None and event.ok and not event.failed
    away = trial.away or (trial.fault_at is not None and event.failed > 0)
    trial = replace(trial, away=away, back_at=since if back else trial.back_at)
    state, mark = _state(trial, event)
    return replace(trial, state=state, mark=mark)


def _state(trial: Trial, event: Probe) -> tuple[str, Mark]:
    if event.failed:
        return ("some requests fail" if event.ok else "not answering"), "failed"
    if not event.ok:
        return trial.state, trial.mark
    if trial.fault_at is None or trial.back_at is None:
        return "answering", "good"
    return f"back after {trial.back_at - trial.fault_at:.1f} s", "good"


def measured(trials: Trials, result: Result) -> Trials:
    """The trials at their end, as the result has them."""
    outcomes = outcomes_of(result)
    return tuple(_measured(trial, outcomes[Fault(trial.fault)][Engine(trial.engine)]) for trial in trials)


def _measured(trial: Trial, lane: Measured) -> Trial:
    told = back_after(lane)
    took = lane.recovery_seconds if lane.recovered else lane.observed_seconds
    return replace(trial, state=told.text, mark=told.mark or trial.mark, took=took or 0.0)


def table(trials: Trials) -> Table:
    """The grid: a row for each fault."""
    faults = dict.fromkeys(trial.fault for trial in trials)
    rows = tuple(
        (Cell(fault), *(Cell(trial.state, trial.mark) for trial in trials if trial.fault == fault)) for fault in faults
    )
    return Table(("Fault", *NAMES.values()), rows)
