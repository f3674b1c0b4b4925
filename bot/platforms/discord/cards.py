"""A demo's card as blocks: a strip of marks while it runs, the measured table and the chart when it has ended. Pure."""

from collections.abc import Callable, Iterable
from math import ceil

from bot.markdown import unmarked
from bot.parts import MARKS, Act, Ballot, Card, Cell, Lane, Poll, Table, Tile
from bot.platforms.discord.blocks import Asked, Block, Button, Listing, Picture, Row, Title, Words
from bot.platforms.discord.presses import Press
from bot.platforms.discord.text import code, cut, prose, seen, size
from bot.strip import LEFT, axis, fault_line, strip

STRIP = 18  # marks: with the lane's name they fit the width of a phone
WIDEST = 56  # columns of a table that can be read without scrolling
RECENT = 2
TILES = 4
LINE, CAPTION = 120, 500


def card(part: Card, owner: int, picture: Picture | None) -> Iterable[Block]:
    """The whole card; `picture` is the chart of an ended run."""
    if part.state == "running":
        yield from running(part, owner)
        return
    yield Words(f"### {prose(part.headline or part.title)}")
    if part.recorded:
        yield Words(f"-# {prose(part.recorded)}")
    if part.explanation or part.narration:
        yield Words(prose(part.explanation or part.narration))
    if part.table:
        yield table(part.table)
    if part.guessed:
        yield Words("\n".join(["**What was guessed**", *map(prose, part.guessed)]))
    if picture:
        yield picture
    elif part.asked:
        yield stage(part)
    yield from captions(part)


def running(part: Card, owner: int) -> Iterable[Block]:
    """The clock, both lanes, what happened last, and what a learner would type to see the same."""
    fault = "" if part.fault_at is None else f". Fault at {part.fault_at:.1f} s"
    clock = f"-# {part.t:.1f} s of {part.total:.0f} s, {prose(part.recorded or 'live')}{fault}"
    yield Title((f"### {prose(part.title)}", f"-# {prose(part.subtitle)}", clock), Press("stop", owner))
    if part.vote:
        yield from vote(part.vote, owner)
    if part.table:
        yield table(part.table)
    if part.asked:
        yield stage(part)
    if part.lanes:
        yield Words("\n".join(map(state, part.lanes)))
    said = [prose(part.narration)] if part.narration else []
    if told := "\n".join([*said, *map(act, recent(part.lanes))]):
        yield Words(told)
    if typed := [cut(lane.commands[-1], LINE) for lane in part.lanes if lane.commands]:
        yield Words("You would type")
        yield Listing("\n".join(typed), "console")
    if part.vote:
        yield Row((Button("Go now", Press("vote", owner, part.vote.go), primary=True),))


def vote(poll: Poll, owner: int) -> Iterable[Block]:
    """What may be guessed, by anybody; each button shows how many have."""
    left = f"-# Anybody here may guess. {ceil(poll.left or 0.0)} s left"
    yield Words(f"**Predict first. {prose(poll.question)}**\n{left}")
    for ballot in poll.ballots:
        yield Asked(f"-# {prose(ballot.name)}", tuple(_guesses(ballot, owner)))


def _guesses(ballot: Ballot, owner: int) -> Iterable[Button]:
    for guess in ballot.guesses:
        yield Button(f"{guess.label} · {guess.votes}", Press("vote", owner, guess.command))


def stage(part: Card) -> Listing:
    """Both lanes on one clock."""
    lanes = (f"{lane.name.ljust(LEFT)}{strip(part, lane, STRIP)}" for lane in part.lanes)
    fault = fault_line(part, STRIP).partition(" at ")[0]  # its time is told beside the clock
    lines = (fault, *lanes, axis(part, STRIP))
    return Listing("\n".join(line for line in lines if line))


def state(lane: Lane) -> str:
    """How one side does, in words."""
    tiles = ", ".join(map(_tile, lane.tiles[:TILES]))
    more = f", and {len(lane.tiles) - TILES} more" if len(lane.tiles) > TILES else ""
    return f"**{prose(lane.name)}**  {MARKS[lane.mark]} {prose(lane.state)}{': ' if tiles else ''}{tiles}{more}"


def _tile(tile: Tile) -> str:
    *node, restarts = tile.detail.split("\n")
    where = f" on {prose(node[0])}" if node else ""
    return f"{code(tile.name)} {prose(tile.phase)}{where}, {prose(restarts)}"


def recent(lanes: Iterable[Lane]) -> list[Act]:
    """The last things that the engines reported, oldest first."""
    acts = [one for lane in lanes for one in lane.acts]
    return sorted(acts, key=lambda one: one.t)[-RECENT:]


def act(one: Act) -> str:
    """What an engine did or noted, and when."""
    return f"-# {'◆ ' if one.acted else ''}{one.t:.1f} s, {prose(one.actor)}: {prose(cut(one.text, LINE))}"


def captions(part: Card) -> Iterable[Words]:
    """What the figures hang on, and that nothing was left."""
    said = [prose(cut(caption, CAPTION)) for caption in part.captions]
    if said:
        yield Words("\n".join(f"-# {'✓ ' if line.endswith('nothing left.') else ''}{line}" for line in said))


def table(part: Table) -> Words | Listing:
    """A table in columns, figures to the right; one that is too wide for that is told row by row."""
    if too_wide(part):
        return Words("\n".join(_told(part.header, row) for row in _rows(part)[1:]))
    rows = _rows(unmarked(part))
    widths, set_to = _widths(rows), str.ljust if part.words else str.rjust
    return Listing("\n".join(_row(row, widths, set_to) for row in rows))


def too_wide(part: Table) -> bool:
    """Whether a table's columns have no room beside each other."""
    widths = _widths(_rows(unmarked(part)))
    return sum(widths) + 2 * (len(widths) - 1) > WIDEST


def in_words(part: Table) -> str:
    """A table for those who do not see its picture."""
    return "; ".join(", ".join(filter(str.strip, row)) for row in _rows(part)).strip() or "A table without words"


def _rows(part: Table) -> list[tuple[str, ...]]:
    return [part.header, *(tuple(map(_cell, row)) for row in part.rows)]


def _widths(rows: list[tuple[str, ...]]) -> list[int]:
    return [max(map(size, column)) for column in zip(*rows, strict=True)]


def _row(row: tuple[str, ...], widths: list[int], set_to: Callable[[str, int], str]) -> str:
    first, *rest = zip(row, widths, strict=True)
    cells = [first[0].ljust(first[1]), *(set_to(text, width) for text, width in rest)]
    return "  ".join(cells).rstrip()


def _told(header: tuple[str, ...], row: tuple[str, ...]) -> str:
    rest = (f"{name}: {text}" if name else text for name, text in zip(header[1:], row[1:], strict=True))
    named = f"**{prose(row[0])}**\n" if row[0].strip() else ""  # four stars in a row would open what the rest closes
    return named + prose("\n".join(rest))


def _cell(cell: Cell) -> str:
    text = " ".join(seen(cell.text).split())
    return f"{MARKS[cell.mark]} {text}" if cell.mark else text
