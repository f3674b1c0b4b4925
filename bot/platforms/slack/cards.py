"""A demo as blocks: clock and lanes while it runs; the headline, the measured table and the chart at its end. Pure."""

from collections.abc import Iterable, Sequence
from math import ceil

from bot.parts import MARKS, Ballot, Card, Lane, Poll
from bot.platforms.slack.blocks import Block, actions, button, code, context, fields, header, sections, table
from bot.platforms.slack.text import clipped, escaped
from bot.strip import axis, fault_line, legend, strip

MARKS_IN_STRIP = 20  # two seconds each in a run of 40 s: what fits a phone
RECENT_ACTS = 3
TILES = 4
VOTE = "vote"  # what a button of a vote says of itself


def card(part: Card, picture: Sequence[Block] = ()) -> list[Block]:
    """The demo now, or how it ended, with its picture once that is uploaded."""
    if part.state == "running":
        grid = [table(part.table)] if part.table else []
        return [header(part.title), *_clock(part), *_vote(part.vote), *grid, *_stage(part), *_moment(part)]
    return [header(part.title), *_result(part), *(picture or _drawn(part)), *_captions(part)]


def summary(part: Card) -> str:
    """The card in a sentence: what notifications and screen readers get."""
    label = f"{part.recorded}. " if part.recorded else ""
    return label + _said(part)


def _said(part: Card) -> str:
    if part.headline:
        return part.headline
    if part.state == "running":
        return f"{part.title} {part.t:.0f} of {part.total:.0f} s. {part.narration}".strip()
    return f"{part.title} {part.narration or f'It was {part.state} after {part.t:.1f} s.'}"


def _clock(part: Card) -> list[Block]:
    return context(escaped(part.subtitle), f"{part.t:.1f} s of {part.total:.0f} s", escaped(part.recorded or "live"))


def _vote(poll: Poll | None) -> Iterable[Block]:
    """What may be guessed, by anybody; each button shows how many have."""
    if poll is None:
        return
    left = f"Anybody here may guess. {ceil(poll.left or 0.0)} s left."
    yield from sections(f"*Predict first. {escaped(poll.question)}*\n{left}")
    for ballot in poll.ballots:
        yield from context(f"*{escaped(ballot.name)}*")
        yield from actions(f"vote_{ballot.name}", list(_guesses(ballot)))


def _guesses(ballot: Ballot) -> Iterable[Block]:
    for n, guess in enumerate(ballot.guesses):
        said = {"accessibility_label": f"{ballot.name}: {guess.label}. {guess.votes} so far"}
        yield button(f"{guess.label} · {guess.votes}", f"{VOTE}.{n}", guess.command) | said


def _stage(part: Card) -> Iterable[Block]:
    """Both lanes above one axis."""
    if not part.asked:
        return
    lanes = [f"{lane.name.ljust(12)}{strip(part, lane, MARKS_IN_STRIP)}" for lane in part.lanes]
    drawn = [fault_line(part, MARKS_IN_STRIP), *lanes, axis(part, MARKS_IN_STRIP)]
    yield code("\n".join(filter(None, drawn)))


def _moment(part: Card) -> Iterable[Block]:
    """What a run looks like now."""
    if part.lanes:
        yield fields(map(_lane, part.lanes))
    yield from sections(escaped(part.narration))
    yield from context(*map(escaped, acts(part.lanes)))
    if typed := [lane.commands[-1] for lane in part.lanes if lane.commands]:
        yield from context("You would type")
        yield code("\n".join(typed))


def _lane(lane: Lane) -> str:
    tiles = [
        f"{MARKS[tile.mark]} `{escaped(tile.name.replace('`', ''))}` {escaped(tile.phase)}, "
        + escaped(tile.detail.replace("\n", ", "))
        for tile in lane.tiles[:TILES]
    ]
    return "\n".join([f"*{escaped(lane.name)}*  {MARKS[lane.mark]} {escaped(lane.state)}", *tiles])


def acts(lanes: Iterable[Lane]) -> list[str]:
    """The last things that the engines reported, newest first."""
    told = sorted((act for lane in lanes for act in lane.acts), key=lambda act: -act.t)[:RECENT_ACTS]
    return [clipped(f"{'◆ ' if act.acted else ''}{act.t:.1f} s, {act.actor}: {act.text}", 300) for act in told]


def _result(part: Card) -> Iterable[Block]:
    said = f"*{escaped(part.headline)}*\n{escaped(part.explanation)}" if part.headline else escaped(_said(part))
    yield from sections(said)
    if part.table:
        yield table(part.table)
    if part.guessed:
        yield from sections("\n".join(["*What was guessed*", *map(escaped, part.guessed)]))


def _drawn(part: Card) -> Iterable[Block]:
    """The strip with its legend, until there is a picture."""
    yield from _stage(part)
    if part.asked:
        yield from context(legend(part, MARKS_IN_STRIP))


def _captions(part: Card) -> list[Block]:
    done = ["✓ " if caption.endswith("nothing left.") else "" for caption in part.captions]
    label = [escaped(part.recorded)] if part.recorded else []
    return context(*label, *(f"{sign}{escaped(caption)}" for sign, caption in zip(done, part.captions, strict=True)))
