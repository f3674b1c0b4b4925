"""The chart of a run: its card as a PNG, and in words for those who do not see it.

Answered requests stand above each lane's line, failed ones hang below it, so that it reads without colour. Steps are
numbered along the top, with what failed in each; copies are a line of steps; a time of load is shaded; who acted is
named at a lane's foot, in their order, with a diamond at each one's first act.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bot import trials_chart
from bot.palette import LIGHT, Palette
from bot.parts import Act, Bar, Card, Lane
from bot.sheets import WORDS, png, sheet

BIN = 0.5  # seconds
_DUST = 1e-6  # of an interval: what rounding leaves beyond an edge
_NAME = 12.5  # points
_ABOVE, _BELOW = 1.35, 1.25  # of the most requests: how far a lane reaches
_WHILE = 0.03  # of the chart's time: what stays for less is not written
_NARROW = 0.24  # of the chart's time: a step that is shorter has room for its numbers alone


@dataclass(frozen=True)
class Scale:
    """Requests a second: the most, which fixes how high the lanes are, and the usual, which is marked beside them."""

    top: float
    usual: float


def describe(card: Card) -> str:
    """The result as alt text: the headline, then each lane."""
    lanes = " ".join(_lane_in_words(card, lane) for lane in card.lanes)
    label = f"{card.recorded}. " if card.recorded else ""
    if card.trials:
        return f"{label}{card.headline} Back after: {trials_chart.describe(card.trials)}"
    return f"{label}Two lanes over {card.total:.0f} seconds. {card.headline} {lanes}".strip()


def _lane_in_words(card: Card, lane: Lane) -> str:
    if not lane.bars:
        return f"{lane.name}: {max((count.ready for count in lane.counts), default=0)} copies ready at most."
    failed = sum(bar.failed for bar in lane.bars)
    said = f"{lane.name}: {sum(bar.ok for bar in lane.bars)} requests answered, {failed} failed"
    steps = "".join(f", {step.failed} of them in step {step.name}" for step in lane.steps)
    return f"{said}{steps}" + (f", fault at {card.fault_at:.1f} s." if card.fault_at is not None else ".")


def draw(card: Card, palette: Palette = LIGHT) -> bytes:
    """The PNG of an ended card. Takes a good part of a second: call it beside the event loop."""
    return trials_chart.draw(card, palette) if card.trials else _Drawing(card, palette).png()


class _Drawing:
    """One chart: a lane above the other, on one clock."""

    def __init__(self, card: Card, palette: Palette) -> None:
        self._card = card
        self._colours = palette
        self._counted = [_counted(lane, card.fault_at or 0.0) for lane in card.lanes]
        rates = [requests / BIN for lane in self._counted for both in lane.values() for requests in both if requests]
        self._scale = Scale(max(rates, default=1.0), median(rates or [1.0]))

    def png(self) -> bytes:
        figure = sheet(self._card, self._colours)
        axes = figure.subplots(len(self._card.lanes), 1, sharex=True, squeeze=False)[:, 0]
        for axis, lane, counted in zip(axes, self._card.lanes, self._counted, strict=True):
            self._lane(axis, lane, counted)
        axes[-1].set_xlabel(self._clock(), color=self._colours.muted, size=WORDS)
        self._key(figure)
        figure.subplots_adjust(left=0.2, right=0.965, top=0.79, bottom=0.165, hspace=0.48)
        return png(figure)

    def _clock(self) -> str:
        asked = "requests a second, over " if any(self._counted) else ""
        return f"{asked}seconds since the run began"

    def _key(self, figure: Figure) -> None:
        """What the numbers of the steps mean."""
        names = [step.name for step in next((lane.steps for lane in self._card.lanes if lane.steps), ())]
        key = "    ".join(f"{number}: {name}" for number, name in enumerate(names, 1))
        figure.text(0.012, 0.015, key, color=self._colours.ink, size=WORDS - 1)

    def _lane(self, axis: Axes, lane: Lane, counted: dict[float, tuple[float, float]]) -> None:
        self._frame(axis, lane)
        for span in self._card.load:
            axis.axvspan(span.start, span.end, color=self._colours.rule, alpha=0.6, linewidth=0)
        if lane.bars:
            self._bars(axis, counted)
        if self._shows_copies(lane):
            self._copies(axis, lane)
        self._outcome(axis, lane)
        self._steps(axis, lane)
        if self._card.fault_at is not None:
            self._after_fault(axis, lane, self._card.fault_at)

    def _frame(self, axis: Axes, lane: Lane) -> None:
        colours = self._colours
        axis.set(facecolor=colours.surface, xlim=(0, self._card.total))
        axis.axhline(0, color=colours.edge, linewidth=1)
        axis.tick_params(colors=colours.muted, length=3, labelsize=WORDS)
        axis.spines[["top", "right", "left", "bottom"]].set_visible(False)
        axis.text(-0.245, 1.12, lane.name, transform=axis.transAxes, color=colours.ink, weight="bold", size=_NAME)

    def _bars(self, axis: Axes, counted: dict[float, tuple[float, float]]) -> None:
        middles, scale = list(counted), self._scale
        axis.bar(middles, [ok / BIN for ok, _ in counted.values()], width=0.56 * BIN, color=self._colours.good)
        axis.bar(middles, [-bad / BIN for _, bad in counted.values()], width=0.28 * BIN, color=self._colours.failed)
        axis.set(ylim=(-_BELOW * scale.top, _ABOVE * scale.top), yticks=[-scale.usual, scale.usual])
        axis.set_yticklabels([f"{scale.usual:.0f} failed", f"{scale.usual:.0f} answered"], size=WORDS)

    def _shows_copies(self, lane: Lane) -> bool:
        """Where copies are the point: no fault and no steps, and more than one; or nothing else to be seen."""
        several = max((count.total for count in lane.counts), default=0) > 1
        return bool(lane.counts) and (not lane.bars or (several and self._card.fault is None and not lane.steps))

    def _copies(self, axis: Axes, lane: Lane) -> None:
        """How many copies were ready: a band above the requests, or alone."""
        most = max([count.ready for side in self._card.lanes for count in side.counts if count.ready], default=1)
        foot, room = (_ABOVE * self._scale.top, self._scale.top) if lane.bars else (0.0, 1.0)
        axis.set_ylim(-_BELOW * self._scale.top if lane.bars else -0.1, foot + 1.4 * room)
        requests = list(zip(axis.get_yticks(), axis.get_yticklabels(), strict=True)) if lane.bars else []
        axis.set_yticks([*(tick for tick, _ in requests), foot + room / 2])
        axis.set_yticklabels([*(name.get_text() for _, name in requests), "copies"], size=WORDS)
        times = [count.t for count in lane.counts]
        heights = [foot + room * count.ready / most for count in lane.counts]
        line = ([*times, self._card.total], [*heights, heights[-1]])
        axis.plot(*line, drawstyle="steps-post", color=self._colours.acted, linewidth=2)
        for t, height, number in self._numbers(lane, times, heights):
            self._say(axis, t, height + 0.03 * room, number, self._colours.acted)

    def _numbers(self, lane: Lane, times: list[float], heights: list[float]) -> Iterator[tuple[float, float, str]]:
        """Say how many copies there were wherever that stayed so for a while."""
        ends = [*times[1:], self._card.total]
        shown = None
        for count, height, end in zip(lane.counts, heights, ends, strict=True):
            if count.ready != shown and end - count.t > _WHILE * self._card.total:
                shown = count.ready
                yield count.t, height, str(count.ready)

    def _say(self, axis: Axes, t: float, height: float, text: str, colour: str) -> None:
        axis.text(t, height, text, color=colour, size=WORDS, weight="bold", ha="left", va="bottom")

    def _steps(self, axis: Axes, lane: Lane) -> None:
        """A line where each step begins; what failed in it stands above, where there is room."""
        for number, step in enumerate(lane.steps, 1):
            axis.axvline(step.start, color=self._colours.ink, linewidth=1, linestyle=(0, (1, 2)))
            wide = step.end - step.start > _NARROW * self._card.total
            told = f"{number}: {step.failed} failed" if wide else f"{number}: {step.failed}"
            colour = self._colours.failed if step.failed else self._colours.ink
            transform = axis.get_xaxis_transform()
            axis.text(step.start, 1.0, f" {told}", transform=transform, color=colour, size=WORDS - 1, va="top")

    def _outcome(self, axis: Axes, lane: Lane) -> None:
        mark, colour = ("✓", self._colours.good) if lane.mark == "good" else ("×", self._colours.failed)
        told = f"{mark} {_outcome(lane, self._card.fault_at)}"
        axis.text(1.0, 1.14, told, transform=axis.transAxes, color=colour, size=WORDS, ha="right")

    def _after_fault(self, axis: Axes, lane: Lane, fault_at: float) -> None:
        colours, top = self._colours, self._scale.top
        axis.axvline(fault_at, color=colours.ink, linewidth=1.3)
        axis.text(
            fault_at, _ABOVE * top, "fault ▾ ", color=colours.ink, size=WORDS, weight="bold", ha="right", va="top"
        )
        acts = _first_of_each(lane)
        for act in acts:
            axis.plot(act.t, top, marker="D", markersize=6, color=colours.acted, markeredgecolor=colours.surface)
        if acts:
            told = f"◆ {', '.join(act.actor for act in acts)}"
            axis.text(self._card.total, -_BELOW * top, told, color=colours.acted, size=WORDS, ha="right", va="bottom")
        if lane.back_at is not None:
            axis.axvline(lane.back_at, color=colours.acted, linewidth=1.3, linestyle=(0, (3, 2)))


def _counted(lane: Lane, fault_at: float) -> dict[float, tuple[float, float]]:
    """Requests answered and failed in each half second, by its middle; one always begins at the fault.

    The prober's intervals are of another length: what one counted is spread evenly over the half seconds it lies in.
    """
    counted: dict[float, tuple[float, float]] = {}
    for bar in lane.bars:
        for place, share in _places(bar, fault_at):
            middle = round(fault_at + (place + 0.5) * BIN, 3)
            ok, failed = counted.get(middle, (0.0, 0.0))
            counted[middle] = (ok + share * bar.ok, failed + share * bar.failed)
    return counted


def _places(bar: Bar, fault_at: float) -> Iterator[tuple[int, float]]:
    """The half seconds that an interval lies in, each with its share of the interval."""
    begin, end = (bar.start - fault_at) / BIN, (bar.start + max(bar.seconds, _DUST) - fault_at) / BIN
    for place in range(math.floor(begin), math.ceil(end)):
        if (share := (min(end, place + 1) - max(begin, place)) / (end - begin)) > _DUST:
            yield place, share


def _first_of_each(lane: Lane) -> list[Act]:
    """Each actor's first act, in their order: more of them would lie over each other."""
    firsts: dict[str, Act] = {}
    for act in lane.acts:
        if act.acted:
            firsts.setdefault(act.actor, act)
    return list(firsts.values())


def _outcome(lane: Lane, fault_at: float | None) -> str:
    after = [bar for bar in lane.bars if fault_at is None or bar.start >= fault_at]
    failed, all_of_them = sum(bar.failed for bar in after), sum(bar.ok + bar.failed for bar in after)
    if not after:
        return lane.state
    back = f"{lane.state} after {lane.back_at - fault_at:.1f} s" if lane.back_at and fault_at else lane.state
    return f"{back}, {failed} of {all_of_them} failed"
