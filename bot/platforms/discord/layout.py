"""From blocks to one message of Components V2: 40 components, 4,000 characters, what is longer as a file."""

import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import discord
from discord import ui

from bot.platforms.discord.blocks import Asked, Block, Button, Item, Listing, Picture, Row, Title, Words
from bot.platforms.discord.buttons import PressButton
from bot.platforms.discord.text import block, cut, shortened, size

ACCENT = 677278  # one colour for every state: states are said in words and marks
CHARACTERS = 3_900  # of 4,000
LEAST = 300  # characters that a block keeps when there are too many
LISTING = 1_500  # characters of code that are read in place
LINES = 40  # and lines
TEXTS = 12  # of 40 components
BUTTONS, IN_A_ROW = 20, 5
DOCUMENTS = 3
ALT, LABEL = 1_024, 80
EXTENSIONS = {"yaml": "yaml", "yml": "yaml", "json": "json", "python": "py", "go": "go", "sh": "sh"}
WHOLE = "answer.md"
NOTHING = Words("-# There is nothing to show.")
SEE_WHOLE = Words(f"-# The whole of it is in {WHOLE}.")

Component = ui.Item[Any]


@dataclass(frozen=True)
class Document:
    """A text that hangs below the message as a file."""

    name: str
    text: str


@dataclass(frozen=True)
class Layout:
    """A message's components, and the files that they refer to."""

    view: ui.LayoutView
    files: tuple[discord.File, ...] = ()


Fitted = Block | Document


def lay_out(blocks: Sequence[Block], final: bool = True) -> Layout:
    """One message. Only its final form carries files; before it, what is too long is cut."""
    fitted = fit(blocks, final)
    container: ui.Container[ui.LayoutView] = ui.Container(accent_colour=ACCENT)
    for item in _items(fitted):
        container.add_item(item)
    view = ui.LayoutView(timeout=None)
    view.add_item(container)
    return Layout(view, tuple(file for one in fitted if (file := _file(one))))


def fit(blocks: Sequence[Block], final: bool) -> tuple[Fitted, ...]:
    """The blocks within Discord's limits: long code in files of its own, long texts cut with the whole in a file."""
    said = [one for one in blocks if not isinstance(one, Words) or one.text.strip()] or [NOTHING]
    fitted = list(_with_documents(said) if final else said)
    shrunk = _dropped(_shrunk(fitted))
    if not final or shrunk == fitted:
        return tuple(shrunk)
    return (*_before_rows(shrunk, SEE_WHOLE, Document(WHOLE, whole(blocks))),)


def whole(blocks: Iterable[Block]) -> str:
    """All that is said, as Markdown for a file."""
    said = []
    for one in blocks:
        if isinstance(one, Words):
            said.append(one.said or one.text)
        elif isinstance(one, Listing):
            said.append(f"```{one.language}\n{one.text}\n```")
    return "\n\n".join(said) + "\n"


def _with_documents(blocks: Iterable[Block]) -> Iterator[Fitted]:
    made = 0
    for one in blocks:
        if isinstance(one, Listing) and _long(one) and made < DOCUMENTS:
            made += 1
            yield Document(f"code-{made}.{EXTENSIONS.get(one.language, 'txt')}", one.text + "\n")
        else:
            yield one


def _long(listing: Listing) -> bool:
    return size(listing.text) > LISTING or listing.text.count("\n") >= LINES


def _shrunk(fitted: Sequence[Fitted]) -> list[Fitted]:
    """The longest blocks made shorter, until all fit or none is left to shorten."""
    shrunk = list(fitted)
    while (excess := sum(map(_size, shrunk)) - CHARACTERS) > 0:
        place = max(range(len(shrunk)), key=lambda place: _size(shrunk[place]))
        longest = _size(shrunk[place])
        shorter = _shorter(shrunk[place], max(LEAST, longest - excess))
        if _size(shorter) >= longest:
            break
        shrunk[place] = shorter
    return shrunk


def _shorter(one: Fitted, limit: int) -> Fitted:
    match one:
        case Words():
            return replace(one, text=shortened(one.text, limit - 1))
        case Listing():
            return replace(one, text=cut(one.text, max(2, size(one.text) - (_size(one) - limit))))
        case Title():
            return replace(one, lines=tuple(shortened(line, limit // len(one.lines) - 1) for line in one.lines))
    return one


def _dropped(fitted: Iterable[Fitted]) -> list[Fitted]:
    """What fits, in order; many small blocks may still be too many."""
    kept, room = [], CHARACTERS
    for one in fitted:
        room -= _size(one)
        if room >= 0 or not _size(one):
            kept.append(one)
    return kept


def _before_rows(fitted: Sequence[Fitted], *more: Fitted) -> Iterator[Fitted]:
    yield from (one for one in fitted if not isinstance(one, Row))
    yield from more
    yield from (one for one in fitted if isinstance(one, Row))


def _size(one: Fitted) -> int:
    match one:
        case Words() | Listing():
            return size(_text(one)) + 1
        case Title(lines):
            return sum(size(line) + 1 for line in lines)
        case Asked(text) | Item(text):
            return size(text) + 1
    return 0


def _text(one: Words | Listing) -> str:
    return one.text if isinstance(one, Words) else block(one.text, one.language)


def _items(fitted: Sequence[Fitted]) -> Iterator[Component]:
    yield from _contents([one for one in fitted if not isinstance(one, Row)])
    buttons = _once(button for one in fitted if isinstance(one, Row) for button in one.buttons)[:BUTTONS]
    if buttons:
        yield ui.Separator()
    for first in range(0, len(buttons), IN_A_ROW):
        row: ui.ActionRow[Any] = ui.ActionRow(*map(PressButton.of, buttons[first : first + IN_A_ROW]))
        yield row


def _once(buttons: Iterable[Button]) -> list[Button]:
    """Each button once: two of the same custom_id are refused."""
    return list({button.press: button for button in buttons}.values())


def _contents(fitted: Sequence[Fitted]) -> Iterator[Component]:
    together = sum(isinstance(one, Words | Listing) for one in fitted) > TEXTS
    texts: list[str] = []
    for one in fitted:
        if isinstance(one, Words | Listing):
            texts.append(_text(one))
        if texts and (not together or not isinstance(one, Words | Listing)):
            yield ui.TextDisplay("\n".join(texts))
            texts = []
        if isinstance(one, Asked):
            yield ui.TextDisplay(one.text)
            yield ui.ActionRow(*map(PressButton.of, one.buttons))
        elif not isinstance(one, Words | Listing):
            yield _item(one)
    if texts:
        yield ui.TextDisplay("\n".join(texts))


def _item(one: Title | Item | Picture | Document | Row) -> Component:
    match one:
        case Title(lines, stop):
            return ui.Section(*lines[:3], accessory=PressButton.of(Button("Stop", stop)))
        case Item(text, button):
            return ui.Section(text, accessory=PressButton.of(button))
        case Picture(name, _, alt):
            return ui.MediaGallery(discord.MediaGalleryItem(f"attachment://{name}", description=cut(alt, ALT)))
        case Document(name):
            return ui.File(f"attachment://{name}")
        case Row():
            raise TypeError("buttons stand at the end")


def _file(one: Fitted) -> discord.File | None:
    match one:
        case Picture(name, data, alt):
            return discord.File(io.BytesIO(data), name, description=cut(alt, ALT))
        case Document(name, text):
            return discord.File(io.BytesIO(text.encode("utf-8", "replace")), name)
    return None
