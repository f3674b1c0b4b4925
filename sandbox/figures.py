"""The measured table of a run as plain values: one row for each figure, the same for both engines."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from sandbox.events import Engine, Fault, Measured, Result

Mark = Literal["good", "failed", "acted"]
Outcomes = Mapping[Fault, Mapping[Engine, Measured]]


@dataclass(frozen=True)
class Figure:
    """One cell: a figure or a few words, and what it means."""

    text: str
    mark: Mark | None = None


@dataclass(frozen=True)
class Row:
    """One figure of both engines."""

    name: str
    docker: Figure
    kubernetes: Figure


def row(name: str, docker: str, kubernetes: str) -> Row:
    """Make a row of two figures without a mark."""
    return Row(name, Figure(docker), Figure(kubernetes))


def seconds(value: float | None) -> str:
    """Say a time as the table does: with its unit, to one decimal."""
    return "not measured" if value is None else f"{value:.1f} s"


def outages(result: Result) -> tuple[Row, ...]:
    """Return what every fault is measured by: when each side was back, what failed, and who acted."""
    return _rows(
        {
            "Back after": back_after,
            "Failed requests": failed_requests,
            "Longest outage": lambda lane: Figure(seconds(lane.longest_outage_seconds)),
            "Who acted": actors,
        },
        result.engines,
    )


def _rows(figures: Mapping[str, Callable[[Measured], Figure]], engines: Mapping[Engine, Measured]) -> tuple[Row, ...]:
    lanes = engines[Engine.DOCKER], engines[Engine.KUBERNETES]
    return tuple(Row(name, *map(read, lanes)) for name, read in figures.items())


def back_after(lane: Measured) -> Figure:
    """Say when a lane answered again."""
    if lane.recovered is None:
        return Figure("not measured")
    if not lane.recovered:
        return Figure(f"not in {seconds(lane.observed_seconds)}", "failed")
    if not lane.failed:
        return Figure("never away", "good")
    return Figure(seconds(lane.recovery_seconds), "good")


def failed_requests(lane: Measured) -> Figure:
    """Say how many of a lane's requests failed."""
    return Figure("not measured" if lane.requests is None else f"{lane.failed} of {lane.requests}")


def actors(lane: Measured) -> Figure:
    """Say who acted on a lane."""
    return Figure(", ".join(lane.acted_by), "acted") if lane.acted_by else Figure("nobody")


def outcomes_of(result: Result) -> Outcomes:
    """Read what a run of several faults measured for each; nothing of any other run."""
    return {
        Fault(fault): {
            Engine(engine): Measured(**{**lane, "acted_by": tuple(lane["acted_by"])}) for engine, lane in lanes.items()
        }
        for fault, lanes in result.measured.get("faults", {}).items()
    }
