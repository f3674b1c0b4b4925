"""The chart of a run: its card as a PNG, and in words for those who do not see it.

Answered requests stand above each lane's line, failed ones hang below it, so that it reads without colour.
"""

import io
import math
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bot.parts import Act, Bar, Card, Lane

SURFACE, INK, MUTED, EDGE = "#F8FAF9", "#13232C", "#4A5C65", "#6F8088"
GOOD, FAILED, ACTED = "#0A6B61", "#B0301C", "#5A3EA6"
BIN = 0.5  # seconds
_DUST = 1e-6  # of an interval: what rounding leaves beyond an edge
SIZE, DPI = (8.0, 4.3), 120  # 960 by 516 pixels: read on a phone without zooming


@dataclass(frozen=True)
class Scale:
    """Requests a second: the most, which fixes how high the lanes are, and the usual, which is marked beside them."""

    top: float
    usual: float


def describe(card: Card) -> str:
    """The result as alt text: the headline, then each lane."""
    lanes = " ".join(_lane_in_words(card, lane) for lane in card.lanes)
    label = f"{card.recorded}. " if card.recorded else ""
    return f"{label}Two lanes of requests over {card.total:.0f} seconds. {card.headline} {lanes}".strip()


def _lane_in_words(card: Card, lane: Lane) -> str:
    failed = sum(bar.failed for bar in lane.bars)
    said = f"{lane.name}: {sum(bar.ok for bar in lane.bars)} requests answered, {failed} failed"
    return f"{said}, fault at {card.fault_at:.1f} s." if card.fault_at is not None else f"{said}."


def draw(card: Card) -> bytes:
    """The PNG of an ended card. Takes a good part of a second: call it beside the event loop."""
    figure = Figure(figsize=SIZE, dpi=DPI, facecolor=SURFACE)
    axes = figure.subplots(len(card.lanes), 1, sharex=True, squeeze=False)[:, 0]
    counts = [_counted(lane, card.fault_at or 0.0) for lane in card.lanes]
    rates = [requests / BIN for lane in counts for both in lane.values() for requests in both if requests]
    scale = Scale(max(rates, default=1.0), median(rates or [1.0]))
    for axis, lane, counted in zip(axes, card.lanes, counts, strict=True):
        _bars(axis, counted, scale)
        _frame(axis, card, lane)
        if card.fault_at is not None:
            _after_fault(axis, card, lane, scale.top, card.fault_at)
    axes[-1].set_xlabel("seconds since the run began", color=MUTED, size=9)
    title = f"{card.title}  fault: {card.fault}" if card.fault else card.title
    figure.text(0.009, 0.965, title, color=INK, weight="bold", size=12, va="top")
    corner = f"requests a second, {card.recorded}" if card.recorded else "requests a second"
    figure.text(0.975, 0.96, corner, color=MUTED, size=9, va="top", ha="right")
    figure.subplots_adjust(left=0.17, right=0.975, top=0.84, bottom=0.115, hspace=0.34)
    png = io.BytesIO()
    figure.savefig(png, format="png", metadata={"Software": None})
    return png.getvalue()


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


def _bars(axis: Axes, counted: dict[float, tuple[float, float]], scale: Scale) -> None:
    middles = list(counted)
    axis.bar(middles, [ok / BIN for ok, _ in counted.values()], width=0.56 * BIN, color=GOOD)
    axis.bar(middles, [-failed / BIN for _, failed in counted.values()], width=0.28 * BIN, color=FAILED)
    axis.set(ylim=(-1.25 * scale.top, 1.2 * scale.top), yticks=[-scale.usual, 0, scale.usual], facecolor=SURFACE)
    axis.set_yticklabels([f"{scale.usual:.0f} failed", "0", f"{scale.usual:.0f} answered"], size=8)


def _frame(axis: Axes, card: Card, lane: Lane) -> None:
    axis.axhline(0, color=EDGE, linewidth=1)
    axis.set_xlim(0, card.total)
    axis.tick_params(colors=MUTED, length=3, labelsize=8)
    axis.spines[["top", "right", "left", "bottom"]].set_visible(False)
    axis.text(-0.2, 1.1, lane.name, transform=axis.transAxes, color=INK, weight="bold", size=11)


def _after_fault(axis: Axes, card: Card, lane: Lane, top: float, fault_at: float) -> None:
    axis.axvline(fault_at, color=INK, linewidth=1.3)
    axis.text(fault_at, 1.34 * top, "▾ fault", color=INK, size=9, ha="center", weight="bold")
    for act in _first_of_each(lane):
        axis.plot(act.t, 0.45 * top, marker="D", markersize=6, color=ACTED, markeredgecolor=SURFACE)
        axis.annotate(
            act.actor,
            (act.t, 0.45 * top),
            xytext=(-7, -3),
            textcoords="offset points",
            color=ACTED,
            size=9,
            ha="right",
            bbox={"facecolor": SURFACE, "edgecolor": "none", "pad": 1.0},
        )
    if lane.back_at is not None:
        axis.axvline(lane.back_at, color=ACTED, linewidth=1.3, linestyle=(0, (3, 2)))
    mark, colour = ("✓", GOOD) if lane.mark == "good" else ("×", FAILED)
    axis.text(card.total, 1.34 * top, f"{mark} {_outcome(lane, fault_at)}", color=colour, size=9, ha="right")


def _first_of_each(lane: Lane) -> list[Act]:
    """Each actor's first act: more of them would lie over each other."""
    acts = [act for act in lane.acts if act.acted]
    return list({act.actor: act for act in reversed(acts)}.values())


def _outcome(lane: Lane, fault_at: float) -> str:
    after = [bar for bar in lane.bars if bar.start >= fault_at]
    failed, all_of_them = sum(bar.failed for bar in after), sum(bar.ok + bar.failed for bar in after)
    back = f"{lane.state} after {lane.back_at - fault_at:.1f} s" if lane.back_at is not None else lane.state
    return f"{back}, {failed} of {all_of_them} failed"
