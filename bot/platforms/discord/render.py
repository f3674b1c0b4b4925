"""Every part as blocks of a Discord message: pure, one case for each kind of part."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import assert_never

from bot.parts import (
    Card,
    Catalogue,
    Choices,
    Code,
    Entry,
    Failure,
    Part,
    Progress,
    Reply,
    Source,
    Sources,
    Step,
    Table,
    Text,
)
from bot.platforms.discord.blocks import Block, Button, Item, Listing, Picture, Row, Title, Words
from bot.platforms.discord.cards import card, table
from bot.platforms.discord.presses import Press, fits
from bot.platforms.discord.text import code, cut, link, prose
from bot.presenting import elapsed

STEPS = {"done": "✓", "now": "◌", "next": "-", "failed": "×"}
WORKING = "-# ◌ Working on it."
LABEL = 80
TITLE = 100
ENTRIES = 11  # of three components each, of 40; what is beyond can be typed


@dataclass(frozen=True)
class Frame:
    """Around a reply: whose it is, whether it has its final form, and which buttons and pictures it gets then."""

    owner: int
    final: bool = True
    private: bool = False
    helpers: bool = False
    pictures: Mapping[Part, Picture] = field(default_factory=dict)


def render_reply(reply: Reply, frame: Frame) -> tuple[Block, ...]:
    """A whole reply, in the form that it has now."""
    links = frozenset(one.url for part in reply if isinstance(part, Sources) for one in part.sources if one.url)
    blocks = [block for part in _current(reply) for block in render(part, frame, links)]
    if not frame.final:
        busy = any(isinstance(block, Title) for block in blocks)
        return tuple(blocks) if busy else (*blocks, Words(WORKING))
    return (*blocks, *_after(reply, frame))


def _current(reply: Reply) -> Reply:
    """The reply without what is over: a progress goes when the next one or the demo has begun, and one Stop stays."""
    stages = [part for part in reply if isinstance(part, Card | Progress)]
    return tuple(part for part in reply if part not in stages or part is stages[-1])


def render(part: Part, frame: Frame, links: frozenset[str] = frozenset()) -> Iterable[Block]:
    """One part. Only `links` lead anywhere."""
    match part:
        case Text(text):
            yield Words(prose(text, links), text)
        case Code(text, language):
            yield Listing(text, language)
        case Table():
            yield table(part)
            yield from filter(None, [frame.pictures.get(part)])
        case Sources(sources):
            yield Words("\n".join(f"-# **{one.n}** {_source(one)}" for one in sources))
        case Choices():
            yield from _choices(part, frame.owner)
        case Catalogue(entries):
            yield from map(partial(_entry, frame.owner), entries[:ENTRIES])
            yield from (Words(f"**{prose(one.question)}**\n-# {code(one.command)}") for one in entries[ENTRIES:])
        case Card():
            yield from card(part, frame.owner, frame.pictures.get(part))
        case Progress():
            yield from _progress(part, frame)
        case Failure(text, advice, reference, retry):
            yield Words(f"**{prose(text)}** {prose(advice)}\n-# Reference {code(reference)}")
            yield from _row(frame.owner, ("Try again", retry) if retry else None)
        case _:
            assert_never(part)


def _source(source: Source) -> str:
    section = source.heading.rpartition(" > ")[2]
    title = source.title if section in ("", source.title) else f"{source.title}: {section}"
    return link(cut(title, TITLE), source.url) + ("" if source.url else f", {code(cut(source.source, TITLE))}")


def _entry(owner: int, one: Entry) -> Item:
    """A demo with its question, and the button that runs it."""
    text = f"**{prose(one.question)}**\n-# {prose(one.details)}\n-# {code(one.command)}"
    return Item(text, Button(cut(one.title, LABEL), Press("say", owner, one.command)))


def _choices(part: Choices, owner: int) -> Iterable[Block]:
    """A button for each; what no button can carry is there to be typed."""
    buttons = [Button(cut(one.label, LABEL), Press("say", owner, one.command), one.primary) for one in part.choices]
    if shown := tuple(button for button in buttons if fits(button.press)):
        yield Row(shown)
    if typed := [button for button in buttons if not fits(button.press)]:
        yield Words("\n".join(f"-# {prose(one.label)}: {code(one.press.command)}" for one in typed))


def _row(owner: int, choice: tuple[str, str] | None) -> Iterable[Row]:
    if choice and fits(press := Press("say", owner, choice[1])):
        yield Row((Button(choice[0], press),))


def _progress(part: Progress, frame: Frame) -> Iterable[Block]:
    lines = (f"### {prose(part.title)}", f"-# {elapsed(part.seconds)}")
    yield Words("\n".join(lines)) if frame.final else Title(lines, Press("stop", frame.owner))
    said = [f"{STEPS[step.state]} {prose(step.title)}{_took(step)}" for step in part.steps]
    note = [f"-# {prose(part.note)}"] if part.note else []
    if said or note:
        yield Words("\n".join([*said, *note]))


def _took(step: Step) -> str:
    return "" if step.seconds is None else f", {elapsed(step.seconds)}"


def _after(reply: Reply, frame: Frame) -> Iterable[Block]:
    """What can be done with a finished reply: judge an answer, ask a human instead, show everyone a private one."""
    buttons: list[Button] = []
    if is_answer(reply):
        buttons += [
            Button("Helpful", Press("helpful", frame.owner)),
            Button("Not helpful", Press("unhelpful", frame.owner)),
        ]
        if frame.helpers:
            buttons.append(Button("Ask a human", Press("human", frame.owner)))
        if frame.private:
            buttons.append(Button("Share", Press("share", frame.owner)))
    if buttons:
        yield Row(tuple(buttons))


def is_answer(reply: Reply) -> bool:
    """Whether a reply answers a question, rather than running a demo or listing something."""
    return any(isinstance(part, Sources) or (part.key or "").startswith("answer") for part in reply)
