"""The chart of several faults side by side: how long each engine was away after each, and in words.

A bar ends where its side answered again; one that did not within its time is hatched, so that it reads without colour.
"""

from matplotlib.axes import Axes

from bot.palette import Palette
from bot.parts import MARKS, Card, Trial
from bot.sheets import WORDS, png, sheet
from sandbox.events import NAMES, Engine

_NAME = 12  # points
_HEIGHT = 0.36  # of a bar, where a fault takes 1
_BESIDE = 1.42  # of the longest bar: room for the words beside it


def describe(trials: tuple[Trial, ...]) -> str:
    """Each fault in words, engine by engine."""
    faults = dict.fromkeys(trial.fault for trial in trials)
    return " ".join(f"{fault}: {', '.join(_of(fault, trials))}." for fault in faults)


def _of(fault: str, trials: tuple[Trial, ...]) -> list[str]:
    return [f"{NAMES[Engine(one.engine)]} {one.state}" for one in trials if one.fault == fault]


def draw(card: Card, palette: Palette) -> bytes:
    """The PNG of an ended card that has trials. Takes a good part of a second: call it beside the event loop."""
    figure = sheet(card, palette)
    _bars(figure.subplots(), card.trials, palette)
    figure.subplots_adjust(left=0.31, right=0.985, top=0.86, bottom=0.135)
    return png(figure)


def _bars(axis: Axes, trials: tuple[Trial, ...], palette: Palette) -> None:
    longest = max([trial.took for trial in trials] + [1.0])
    axis.set(facecolor=palette.surface, xlim=(0, _BESIDE * longest), yticks=[])
    axis.set_xlabel("seconds from the fault to the first good answer", color=palette.muted, size=WORDS)
    axis.tick_params(colors=palette.muted, length=3, labelsize=WORDS)
    axis.spines[["top", "right", "bottom"]].set_visible(False)
    axis.spines["left"].set_color(palette.edge)
    axis.invert_yaxis()
    for place, fault in enumerate(dict.fromkeys(trial.fault for trial in trials)):
        aside = axis.get_yaxis_transform()
        axis.text(-0.43, place, fault, transform=aside, color=palette.ink, weight="bold", size=_NAME, va="center")
        for n, trial in enumerate(one for one in trials if one.fault == fault):
            _bar(axis, trial, place + (n - 0.5) * (_HEIGHT + 0.04), palette)


def _bar(axis: Axes, trial: Trial, y: float, palette: Palette) -> None:
    good = trial.mark == "good"
    colour = palette.good if good else palette.failed
    face, hatch = (colour, None) if good else (palette.surface, "///")
    axis.barh(y, trial.took, height=_HEIGHT, facecolor=face, edgecolor=colour, hatch=hatch, linewidth=1)
    name, aside = NAMES[Engine(trial.engine)], axis.get_yaxis_transform()
    axis.text(-0.02, y, name, transform=aside, color=palette.ink, size=WORDS, ha="right", va="center")
    axis.text(trial.took, y, f" {MARKS[trial.mark]} {trial.state}", color=colour, size=WORDS, va="center")
