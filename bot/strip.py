"""The waterline as text: one mark for each interval of a lane, the fault's line through both.

A terminal has room for `MOST_MARKS`; a chat on a phone asks for fewer.
"""

import math
from dataclasses import dataclass

from bot.parts import Card, Lane

MOST_MARKS = 45  # with the lane's name before and its state behind, they fill 80 columns
LEFT = 12  # columns before the first mark
ANSWERED, FAILED, BOTH, ACTED, AHEAD, FAULT = "▀", "×", "▞", "◆", "┈", "│"
_LABEL_EVERY = 10
_MEANINGS = {ANSWERED: "answered", FAILED: "failed", BOTH: "both", ACTED: "who acted", AHEAD: "no request"}


@dataclass(frozen=True)
class Scale:
    """How time lies on a line of marks: `each` seconds a mark, and the fault always between two of them."""

    total: float
    fault_at: float | None
    most: int = MOST_MARKS

    @property
    def each(self) -> float:
        """How many seconds a mark stands for: one, as long as that fits."""
        return max(1.0, math.ceil(self.total * 10 / self.most) / 10)

    @property
    def marks(self) -> int:
        """How many marks there are."""
        return max(1, min(self.most, math.ceil(self.total / self.each)))

    @property
    def fault(self) -> int | None:
        """Before which mark the fault stands."""
        return None if self.fault_at is None else min(self.marks, round(self.fault_at / self.each))

    def mark(self, t: float) -> int:
        """In which mark a moment lies: what came after the fault is never drawn before it."""
        place = min(self.marks - 1, int(t / self.each))
        if self.fault is None or self.fault_at is None:
            return place
        return min(self.marks - 1, max(self.fault, place)) if t >= self.fault_at else min(max(0, self.fault - 1), place)

    def column(self, t: float) -> int:
        """Above which column of the screen a moment lies."""
        place = round(t / self.each)
        return LEFT + place + (self.fault is not None and place > self.fault)


def scale(card: Card, most: int = MOST_MARKS) -> Scale:
    """The scale of both lanes."""
    return Scale(card.total, card.fault_at, most)


def strip(card: Card, lane: Lane, most: int = MOST_MARKS) -> str:
    """One lane's marks, with the fault's line between two of them."""
    scaled = scale(card, most)
    ok, failed = [0] * scaled.marks, [0] * scaled.marks
    for bar in lane.bars:
        place = scaled.mark(bar.start + bar.seconds / 2)
        ok[place] += bar.ok
        failed[place] += bar.failed
    marks = [_mark(good, bad) for good, bad in zip(ok, failed, strict=True)]
    for act in lane.acts:
        if act.acted:
            marks[scaled.mark(act.t)] = ACTED
    if scaled.fault is not None:
        marks.insert(scaled.fault, FAULT)
    return "".join(marks)


def _mark(ok: int, failed: int) -> str:
    if ok and failed:
        return BOTH
    if failed:
        return FAILED
    return ANSWERED if ok else AHEAD


def fault_line(card: Card, most: int = MOST_MARKS) -> str:
    """The line that says when the fault came, its mark above the fault's place."""
    if card.fault_at is None:
        return ""
    return " " * (LEFT + (scale(card, most).fault or 0)) + f"▾ fault at {card.fault_at:.1f} s"


def legend(card: Card, most: int = MOST_MARKS) -> str:
    """What the marks of both lanes mean, and how long each is; no mark is explained that is not there."""
    drawn = {mark for lane in card.lanes for mark in strip(card, lane, most)}
    meanings = [f"{mark} {meaning}" for mark, meaning in _MEANINGS.items() if mark in drawn]
    return "  ".join([*meanings, f"({scale(card, most).each:g} s a mark)"])


def axis(card: Card, most: int = MOST_MARKS) -> str:
    """Seconds below the strip, every ten of them, and the last."""
    scaled = scale(card, most)
    line = ""
    end = LEFT + scaled.marks + (scaled.fault is not None)
    last = f"{card.total:.0f} s"
    for t in range(0, math.ceil(card.total), _LABEL_EVERY):
        label = line.ljust(scaled.column(t)) + str(t)
        line = label if len(label) < end - len(last) else line
    return line.ljust(end - len(last)) + last
