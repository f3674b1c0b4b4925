"""The pictures of a reply: the chart of a demo that has ended, and each table that does not fit Slack's own."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeGuard

from bot.parts import Card, Part, Reply, Table
from bot.platforms.slack import blocks
from bot.platforms.slack.text import clipped, visible

ALT = 1000  # characters; an image block takes more, a file does not


@dataclass(frozen=True)
class Picture:
    """A part of a reply as a file, with words for those who do not see it."""

    name: str
    png: bytes
    alt: str


async def drawn(reply: Reply) -> Mapping[Part, Picture]:
    """Each part that has a picture, with it; nothing of the event loop's time is taken."""
    pictures: dict[Part, Picture] = {}
    for part in reply:
        if has_picture(part):
            pictures[part] = await asyncio.to_thread(_draw, part)
    return pictures


def has_picture(part: Part) -> TypeGuard[Card | Table]:
    """Whether there is more to see of a part than blocks can show."""
    match part:
        case Card():
            return part.charted
        case Table():
            return not blocks.fits(part)
    return False


def _draw(part: Card | Table) -> Picture:
    return _chart(part) if isinstance(part, Card) else _table(part)


def _chart(card: Card) -> Picture:
    from bot import charts  # noqa: PLC0415 - what draws takes a second to import, which no answer has to wait for

    return Picture("measured.png", charts.draw(card), _alt(charts.describe(card)))


def _table(part: Table) -> Picture:
    from bot import pictures  # noqa: PLC0415 - as in `_chart`

    return Picture("table.png", pictures.draw(part), _alt(in_words(part)))


def in_words(part: Table) -> str:
    """What a table is: its caption, its columns and what its rows are about."""
    columns = ", ".join(filter(str.strip, part.header))
    rows = ", ".join(row[0].text for row in part.rows)
    return f"{part.caption or 'A table'}. Columns: {columns}. Rows: {rows}."


def _alt(text: str) -> str:
    return clipped(visible(text), ALT)
