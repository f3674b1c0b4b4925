"""Every part as plain text for 80 columns: pure, without colour; the marks carry the meaning."""

import textwrap
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from itertools import zip_longest
from typing import assert_never

from rich.text import Text as Styled

from bot.markdown import unmarked
from bot.parts import (
    MARKS,
    Act,
    Card,
    Catalogue,
    Cell,
    Choices,
    Code,
    Entry,
    Failure,
    Lane,
    Part,
    Progress,
    Reply,
    Source,
    Sources,
    Table,
    Text,
)
from bot.platforms.terminal.votes import ballot_lines
from bot.presenting import elapsed
from bot.strip import LEFT, axis, fault_line, legend, strip

WIDTH = 80
STEPS = {"done": "✓", "now": "◌", "next": " ", "failed": "×"}
STYLES = {"[✓▀]": "green", "[×]": "red", "◆": "magenta", "[◌▞]": "yellow", r"\[\d+\]": "cyan"}
# What stands for each sign where the locale is not UTF-8.
ASCII = str.maketrans(
    {"▀": "|", "×": "x", "▞": ":", "│": "!", "┈": ".", "▾": "v", "◆": "*", "✓": "ok", "◌": "..", "…": "...", "—": "-"}
    | {"’": "'", "‘": "'", "“": '"', "”": '"', "–": "-", "→": "->"}
)
RECENT_ACTS = 3
NARROWEST = 16  # columns of a table's cell

Typed = Callable[[str], str]
SetTo = Callable[[str, int], str]


def written(text: str, encoding: str | None) -> str:
    """The text as a terminal may get it: nothing that it would obey, and ASCII twins where it knows no other signs."""
    kept = "".join(sign for sign in text if sign in "\n\t" or unicodedata.category(sign) not in ("Cc", "Cf", "Cs"))
    if (encoding or "").lower().replace("-", "") == "utf8":
        return kept
    return kept.translate(ASCII).encode("ascii", "replace").decode()


def coloured(text: str, encoding: str | None) -> Styled:
    """The text with its marks in colour, for a terminal that has it."""
    styled = Styled(written(text, encoding))
    for signs, style in STYLES.items():
        styled.highlight_regex(signs, style)
    return styled


# Messages that in a shell are an option of `portside demo`.
OPTIONS = {"/commands": "--commands", "/export": "--export ."}


def in_shell(command: str) -> str:
    """What to type in a shell for a message that a button would send."""
    word, _, rest = command.partition(" ")
    if word in OPTIONS:
        return f"portside demo {rest} {OPTIONS[word]}"
    return f"portside {command.removeprefix('/')}" if command.startswith("/") else f'portside ask "{command}"'


def in_chat(command: str) -> str:
    """What to type in the conversation: the message itself."""
    return command


def render_reply(reply: Reply, typed: Typed = in_shell) -> str:
    """A whole reply, a blank line between its parts."""
    return "\n\n".join(filter(None, (render(part, typed) for part in reply)))


def render(part: Part, typed: Typed = in_shell) -> str:  # noqa: PLR0911 - one case for each kind of part
    """One part as lines of at most 80 columns, what is typed or printed excepted."""
    match part:
        case Text(text):
            return "\n".join(_wrapped(paragraph) for paragraph in text.split("\n"))
        case Code(text):
            return textwrap.indent(text, "    ")
        case Table():
            return table(part)
        case Sources(sources):
            return _columns((f"[{one.n}] {_named(one, sources)}", one.url or one.source) for one in sources)
        case Choices(choices):
            return _columns((f"{choice.label}:", typed(choice.command)) for choice in choices)
        case Catalogue(entries):
            return "\n\n".join(_entry(one, typed) for one in entries)
        case Card():
            return "\n".join(card(part))
        case Progress():
            return "\n".join(progress(part))
        case Failure(text, advice, reference):
            return _wrapped(f"{text} {advice} (reference {reference})")
        case _:
            assert_never(part)


def _entry(one: Entry, typed: Typed) -> str:
    return "\n".join([_wrapped(one.question), f"  {typed(one.command)}", _indented(one.details)])


def _columns(rows: Iterable[tuple[str, str]]) -> str:
    rows = list(rows)
    width = max((len(first) for first, _ in rows), default=0)
    return "\n".join(_pair(first.ljust(width), second) for first, second in rows)


def _pair(first: str, second: str) -> str:
    """Two columns; what does not fit stands below, whole, so that it can be copied."""
    line = f"  {first}  {second}"
    return line if len(line) <= WIDTH else f"  {first.rstrip()}\n    {second}"


def _named(source: Source, sources: Sequence[Source]) -> str:
    """A source's title; its section too, where two of them are of one page."""
    if sum(other.source == source.source for other in sources) == 1:
        return source.title
    return f"{source.title}: {source.heading.rpartition(' > ')[2]}"


def _wrapped(text: str) -> str:
    return textwrap.fill(text, WIDTH, break_long_words=False, break_on_hyphens=False)


def table(part: Table) -> str:
    """Columns, figures to the right; a cell that is too wide takes several lines."""
    bare = unmarked(part)
    rows = [bare.header, *(tuple(map(_cell, row)) for row in bare.rows)]
    set_to = str.ljust if part.words else str.rjust
    least, *others = (max(map(len, column)) for column in zip(*rows, strict=True))
    airy = [least, *(max(width, 18) for width in others)]
    if sum(airy) + 4 * len(airy) <= WIDTH:
        widths, gap = airy, "    "
    else:
        widths, gap = [least, *_narrowed(others, WIDTH - least - 2 * len(airy))], "  "
    lines = [_row(row, widths, gap, set_to) for row in rows]
    rule = [f"  {gap.join('-' * width for width in widths)}"] if part.words else []
    return "\n".join([*lines[:1], *rule, *lines[1:]])


def _narrowed(widths: list[int], room: int) -> list[int]:
    """The widths that fit a room: the widest gives way first, as long as words still fit it."""
    widths = list(widths)
    while sum(widths) > room and max(widths) > NARROWEST:
        widths[widths.index(max(widths))] -= 1
    return widths


def _row(row: tuple[str, ...], widths: list[int], gap: str, set_to: SetTo) -> str:
    cells = (textwrap.wrap(text, width) for text, width in zip(row, widths, strict=True))
    return "\n".join(_line(line, widths, gap, set_to) for line in zip_longest(*cells, fillvalue=""))


def _line(line: tuple[str, ...], widths: list[int], gap: str, set_to: SetTo) -> str:
    first, *rest = zip(line, widths, strict=True)
    return f"  {gap.join([first[0].ljust(first[1]), *(set_to(text, width) for text, width in rest)])}".rstrip()


def _cell(cell: Cell) -> str:
    return f"{MARKS[cell.mark]} {cell.text}" if cell.mark else cell.text


def card(part: Card) -> Iterable[str]:
    """The demo: what is asked, the result or the clock, both lanes, what runs, what was said."""
    yield _title(part)
    if part.recorded:
        yield f"({part.recorded})"
    yield ""
    if part.vote:
        yield from (*ballot_lines(part.vote, WIDTH), "")
    if part.headline:
        yield from (_wrapped(part.headline), "")
    if part.explanation:
        yield from (_wrapped(part.explanation), "")
    if part.table:
        yield from (table(part.table), "")
    if part.guessed:
        yield from ("What was guessed", *map(_indented, part.guessed), "")
    yield from _stage(part)
    if part.state == "running":
        yield from ("", *_moment(part))
        return
    yield from _below(part)


def _below(part: Card) -> Iterable[str]:
    """What stands under an ended card."""
    if part.asked:
        yield _indented(legend(part))
    if part.narration:
        yield from ("", f"  {part.narration}")
    yield ""
    for caption in part.captions:
        done = "✓ " if caption.endswith("nothing left.") else ""
        yield _indented(done + caption)


def _title(part: Card) -> str:
    title = f"{part.title}  fault: {part.fault}" if part.fault else part.title
    ended = f"{part.state} after {part.t:.1f} s"
    clock = f"{part.t:.1f} s of {part.total:.0f} s  q stop" if part.state == "running" else ended
    return title + clock.rjust(WIDTH - len(title))


def _indented(text: str) -> str:
    return textwrap.fill(text, WIDTH, initial_indent="  ", subsequent_indent="    ", break_on_hyphens=False)


def _stage(part: Card) -> Iterable[str]:
    """Both sides on one clock; without requests only how each does."""
    if not part.asked:
        yield from (f"{lane.name.ljust(LEFT)}{_how(lane)}" for lane in part.lanes)
        return
    yield from filter(None, [fault_line(part)])
    yield from (f"{lane.name.ljust(LEFT)}{strip(part, lane)}  {_how(lane)}" for lane in part.lanes)
    yield axis(part)


def _how(lane: Lane) -> str:
    return f"{MARKS[lane.mark]} {lane.state}"


def _moment(part: Card) -> Iterable[str]:
    """What a run looks like now; gone when it has ended."""
    for lane in part.lanes:
        for tile in lane.tiles:
            yield shortened(f"  {MARKS[tile.mark]} {tile.name}  {tile.phase}  {tile.detail.replace(chr(10), '  ')}")
        for command in lane.commands[-1:]:
            yield shortened(f"    $ {command}")
    yield ""
    if part.narration:
        yield textwrap.fill(part.narration, WIDTH, initial_indent="  ", subsequent_indent="  ")
    for act in recent(part.lanes):
        yield shortened(f"  {'◆' if act.acted else ' '} {act.t:4.1f} s  {act.actor}  {act.text}")


def shortened(line: str) -> str:
    """A line that fits, its end cut off where it must be."""
    return line if len(line) <= WIDTH else line[: WIDTH - 2] + " …"


def recent(lanes: Iterable[Lane]) -> list[Act]:
    """The last things that the engines reported, newest first."""
    acts = [act for lane in lanes for act in lane.acts]
    return sorted(acts, key=lambda act: -act.t)[:RECENT_ACTS]


def progress(part: Progress) -> Iterable[str]:
    """What is being prepared, step by step, with the time each took."""
    yield f"{part.title}  {elapsed(part.seconds)}"
    for step in part.steps:
        took = "" if step.seconds is None else elapsed(step.seconds)
        yield f"  {STEPS[step.state]} {step.title.ljust(56)}{took.rjust(12)}"
    if part.note:
        yield part.note
