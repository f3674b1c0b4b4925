"""The waterline as text: one mark for each interval of a lane, the fault's line through both."""

import math

from bot.parts import Card, Lane

MOST_MARKS = 44  # with the lane's name before and its state behind, they fill 80 columns
LEFT = 14  # columns before the first mark
ANSWERED, FAILED, BOTH, ACTED, AHEAD, FAULT = "▀", "×", "▞", "◆", "┈", "│"


def seconds_a_mark(card: Card) -> int:
    """How many whole seconds one mark stands for."""
    return max(1, math.ceil(card.total / MOST_MARKS))


def strip(card: Card, lane: Lane) -> str:
    """One lane's marks, with the fault's line between two of them."""
    each = seconds_a_mark(card)
    count = max(1, math.ceil(card.total / each))
    marks = [_mark(card, lane, place * each, each) for place in range(count)]
    if card.fault_at is not None:
        marks.insert(_place(card.fault_at, each), FAULT)
    return "".join(marks)


def _mark(card: Card, lane: Lane, start: float, seconds: float) -> str:
    here = [bar for bar in lane.bars if start <= bar.start + bar.seconds / 2 < start + seconds]
    if any(act.acted and start <= act.t < start + seconds for act in lane.acts):
        return ACTED
    ok, failed = sum(bar.ok for bar in here), sum(bar.failed for bar in here)
    if ok and failed:
        return BOTH
    if ok or failed:
        return ANSWERED if ok else FAILED
    return AHEAD if start >= card.t or not here else " "


def _place(t: float, each: float) -> int:
    return math.floor(t / each + 0.5)


def fault_line(card: Card) -> str:
    """The line that says when the fault came, its mark above the fault's place."""
    if card.fault_at is None:
        return ""
    return " " * (LEFT + _place(card.fault_at, seconds_a_mark(card))) + f"▾ fault at {card.fault_at:.1f} s"


def axis(card: Card) -> str:
    """Seconds below the strip, every ten marks."""
    each = seconds_a_mark(card)
    line = " " * LEFT
    fault = None if card.fault_at is None else _place(card.fault_at, each)
    for place in range(0, math.ceil(card.total / each) + 1, 10):
        column = LEFT + place + (1 if fault is not None and place > fault else 0)
        line = line.ljust(column) + str(place * each)
    return f"{line} s"
