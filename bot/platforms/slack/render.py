"""A reply as a Slack message: every part as blocks, the buttons under them, a sentence for notifications. Pure."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, assert_never

from bot.parts import (
    Card,
    Catalogue,
    Choice,
    Choices,
    Code,
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
from bot.platforms.slack import blocks
from bot.platforms.slack.blocks import Block, actions, button, context, plain, sections
from bot.platforms.slack.cards import VOTE, card, summary
from bot.platforms.slack.text import clipped, escaped, mrkdwn, visible

BLOCKS = 50
ROOM = 12_000  # characters in all blocks; Slack refuses a message somewhat above 13,000
FALLBACK = 3_000
STATES = {"done": "complete", "now": "in_progress", "next": "pending", "failed": "error"}
LINKED = re.compile(r"https?://[!-;=?-\[\]-{}~]{3,1000}")  # what cannot end a link of Slack's before its time
CUT = "The message is full. The rest is in the file in this thread."
WORKING = "On it."
# What each button says of itself when it is clicked.
SAY, STOP, HUMAN, SHARE, FEEDBACK, GO = "say", "stop", "human", "share", "feedback", "go"


@dataclass(frozen=True)
class Frame:
    """What stands around a reply: whose it is, and what may be done with it."""

    owner: str = ""
    running: bool = False  # it can be stopped
    judged: bool = False  # an answer: it may be called helpful, or a human asked where there are helpers
    helpers: bool = False
    share: str = ""  # the id of a private answer, and its question
    hint: str = ""
    pictures: Mapping[Part, Block] = field(default_factory=dict)  # of the parts whose pictures are uploaded


@dataclass(frozen=True)
class File:
    """What is too long for a message."""

    name: str
    text: str


def message(reply: Reply, frame: Frame) -> dict[str, Any]:
    """The payload of a message, less channel and thread."""
    return {"text": fallback(reply), "blocks": [*fitted(body(reply, frame)), *under(reply, frame)]}


def body(reply: Reply, frame: Frame) -> list[Block]:
    """All that a reply tells."""
    begun = any(isinstance(part, Card) for part in reply)  # what came before a demo is over
    told = [part for part in reply if not (begun and isinstance(part, Progress))]
    return [block for part in _one_table(told) for block in render(part, frame)] or [*sections(WORKING)]


def _one_table(told: Sequence[Part]) -> Reply:
    """The parts with one table of Slack's own, as a message takes no more; others that would fit are told in words."""
    others = [part for part in told if isinstance(part, Table) and blocks.fits(part)][1:]
    return tuple(Text(blocks.told(part)) if isinstance(part, Table) and part in others else part for part in told)


def render(part: Part, frame: Frame = Frame()) -> Sequence[Block]:  # noqa: PLR0911 - a case for each part
    """One part as blocks, its picture among them; its buttons stand together under the message."""
    picture = [frame.pictures[part]] if part in frame.pictures else []
    match part:
        case Text(text):
            return [*sections(mrkdwn(text))]
        case Code():
            return code(part)
        case Table():
            return [blocks.table(part)] if blocks.fits(part) else [*picture, *code(_listing(part))]
        case Sources(sources):
            return context(*(_source(one, sources) for one in sources))
        case Choices():
            return []
        case Catalogue():
            return catalogue(part, frame.owner)
        case Card():
            return card(part, picture)
        case Progress():
            return progress(part)
        case Failure(text, advice, reference):
            return [*sections(f"{escaped(text)} {escaped(advice)}"), *context(f"Reference `{escaped(reference)}`")]
        case _:
            assert_never(part)


def catalogue(part: Catalogue, owner: str) -> list[Block]:
    """Each demo with its question, and the button that runs it for the invoker."""
    return [
        blocks.item(
            f"*{escaped(one.question)}*\n{escaped(one.details)}\n`{escaped(one.command)}`",
            button(one.title, f"{SAY}.{n}", f"{owner} {one.command}"),
        )
        for n, one in enumerate(part.entries)
    ]


def code(part: Code) -> list[Block]:
    """Code, with a word on where the rest is if it is too long."""
    rest = "The whole of it is in the file in this thread." if len(part.text) > blocks.CODE else ""
    return [blocks.code(part.text), *context(rest)]


def progress(part: Progress) -> list[Block]:
    """What is being prepared, step by step."""
    if not part.steps:
        return [*sections(f"*{escaped(part.title)}*"), *context(escaped(part.note))]
    title = f"{part.title}, {_elapsed(part.seconds)}"
    return [blocks.plan(title, map(_step, part.steps)), *context(escaped(part.note))]


def _step(step: Step) -> tuple[str, str]:
    took = "" if step.seconds is None else f", {_elapsed(step.seconds)}"
    done = "" if step.fraction is None or step.state != "now" else f", {step.fraction:.0%}"
    return f"{step.title}{took}{done}", STATES[step.state]


def _elapsed(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{seconds:.0f} s"


def _source(source: Source, sources: Sequence[Source]) -> str:
    """A source's number and title, its section too where two of them are of one page; the only links there are."""
    same = sum(other.source == source.source for other in sources) > 1
    name = f"{source.title}: {source.heading.rpartition(' > ')[2]}" if same else source.title
    told = escaped(clipped(name, 200))
    if source.url and LINKED.fullmatch(source.url):
        return f"*{source.n}* <{escaped(source.url)}|{told.replace('|', '/')}>"
    return f"*{source.n}* {told}, {escaped(clipped(source.source, 200))}"


def under(reply: Reply, frame: Frame) -> list[Block]:
    """What may be done next, and what should be known."""
    if any(isinstance(part, Failure) for part in reply):
        frame = replace(frame, judged=False)
    judged = [_feedback()] if frame.judged else []
    return [*actions("next", list(_buttons(reply, frame))), *judged, *context(escaped(frame.hint))]


def _buttons(reply: Reply, frame: Frame) -> Iterable[Block]:
    """The invoker stands in each button's value, so that it works after a restart and for nobody else."""
    if frame.running:
        if vote := next((part.vote for part in reply if isinstance(part, Card) and part.vote), None):
            yield button("Go now", f"{VOTE}.{GO}", vote.go, primary=True)
        yield button("Stop", STOP, frame.owner) | {"accessibility_label": "Stop this run and clean up"}
        return
    for n, choice in enumerate(_choices(reply)):
        yield button(choice.label, f"{SAY}.{n}", f"{frame.owner} {choice.command}"[: blocks.VALUE], choice.primary)
    if frame.share:
        yield button("Share", SHARE, f"{frame.owner} {frame.share}"[: blocks.VALUE])
    if frame.helpers and frame.judged:
        yield button("Ask a human", HUMAN, frame.owner)


def _choices(reply: Reply) -> Iterable[Choice]:
    for part in reply:
        if isinstance(part, Choices):
            yield from part.choices
        if isinstance(part, Failure) and part.retry:
            yield Choice("Run it again", part.retry)


def _feedback() -> Block:
    judge = {
        "type": "feedback_buttons",
        "action_id": FEEDBACK,
        "positive_button": {"text": plain("Helpful", blocks.LABEL), "value": "yes"},
        "negative_button": {"text": plain("Not helpful", blocks.LABEL), "value": "no"},
    }
    return {"type": "context_actions", "block_id": "feedback", "elements": [judge]}


def fallback(reply: Reply) -> str:
    """The reply in a sentence or two, for notifications and screen readers."""
    return clipped(escaped(clipped(_said(reply), FALLBACK // 5)), FALLBACK)


def _said(reply: Reply) -> str:
    for part in reply:
        match part:
            case Card():
                return summary(part)
            case Text(text) | Failure(text) if visible(text).strip():
                return text
            case Progress(title):
                return title
            case Table(caption=caption) if caption:
                return caption
            case Catalogue(entries):
                return f"Demos: {' '.join(one.question for one in entries)}"
    return WORKING


def fitted(told: Sequence[Block]) -> list[Block]:
    """As many blocks as a message may have, with at most one table in them; a word where something is missing."""
    kept: list[Block] = []
    room, tables = ROOM, 0
    for block in told:
        room -= _signs(block)
        tables += block["type"] == "table"
        if room < 0 or tables > 1 or len(kept) >= BLOCKS - 6:
            return [*kept, *context(CUT)]
        kept.append(block)
    return kept


def _signs(value: Any) -> int:
    """How many characters people read in a block."""
    match value:
        case {"text": str(text)}:
            return len(text)
        case dict():
            return sum(map(_signs, value.values()))
        case list():
            return sum(map(_signs, value))
    return 0


def files(reply: Reply) -> tuple[File, ...]:
    """What the message had to cut, whole."""
    long = [part for part in _typed(reply) if len(part.text) > blocks.CODE]
    found = [File(f"code-{n}.{part.language or 'txt'}", part.text) for n, part in enumerate(long, 1)]
    if context(CUT)[0] in fitted(body(reply, Frame())):
        found.append(File("answer.md", "\n\n".join(filter(None, map(_as_text, reply)))))
    return tuple(found)


def _typed(reply: Reply) -> Iterable[Code]:
    """What stands in code blocks: code, and each table that does not fit Slack's own."""
    for part in reply:
        if isinstance(part, Code):
            yield part
        elif isinstance(part, Table) and not blocks.fits(part):
            yield _listing(part)


def _listing(part: Table) -> Code:
    return Code(blocks.lines(part), "txt")


def _as_text(part: Part) -> str:
    match part:
        case Text(text) | Code(text):
            return visible(text)
        case Table():
            return blocks.lines(part)
        case Sources(sources):
            return "\n".join(f"[{one.n}] {one.title}, {one.url or one.source}" for one in sources)
    return ""
