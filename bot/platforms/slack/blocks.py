"""The blocks that a message is built of, each within Slack's limits. Pure.

Plain text is shown as it is; mrkdwn is expected to be escaped already, by `bot.platforms.slack.text`.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Any

from bot.markdown import unmarked
from bot.parts import MARKS, Cell, Table
from bot.platforms.slack.text import clipped, visible

Block = dict[str, Any]

SECTION, HEADER, LABEL, VALUE, FIELD = 3000, 150, 75, 2000, 2000
ALT, CELLS, ROWS, COLUMNS, CONTEXT, ACTIONS, TASK = 2000, 10_000, 100, 20, 10, 25, 256
CODE = 3000


def plain(text: str, most: int) -> Block:
    """A plain text object: nothing in it is read as markup."""
    return {"type": "plain_text", "text": clipped(visible(text).strip() or "–", most), "emoji": False}


def mrkdwn(text: str, most: int = SECTION) -> Block:
    """A mrkdwn object in which Slack looks for no addresses or names by itself."""
    return {"type": "mrkdwn", "text": clipped(text, most), "verbatim": True}


def header(text: str) -> Block:
    """A title."""
    return {"type": "header", "text": plain(text, HEADER)}


def sections(text: str) -> Iterable[Block]:
    """A text, in as many sections as it needs."""
    for piece in pieces(text, SECTION):
        yield {"type": "section", "text": mrkdwn(piece)}


def item(text: str, beside: Block) -> Block:
    """A short text with a button beside it."""
    return {"type": "section", "text": mrkdwn(text), "accessory": beside}


def pieces(text: str, most: int) -> Iterable[str]:
    """The text in pieces of at most so many characters, parted at a line's or a word's end where there is one."""
    rest = text.strip()
    while len(rest) > most:
        found = max(rest.rfind("\n", most // 2, most), rest.rfind(" ", most // 2, most))
        end = found if found > 0 else most - len(re.search(r"(&[a-z]{0,4})?$", rest[:most])[0])  # type: ignore[index]
        yield rest[:end].strip()
        rest = rest[end:].strip()
    if rest:
        yield rest


def fields(texts: Iterable[str]) -> Block:
    """Texts side by side."""
    return {"type": "section", "fields": [mrkdwn(text, FIELD) for text in texts]}


def context(*texts: str) -> list[Block]:
    """Small print, in as many blocks as it needs."""
    elements = [mrkdwn(text) for text in texts if text]
    return [{"type": "context", "elements": elements[n : n + CONTEXT]} for n in range(0, len(elements), CONTEXT)]


def code(text: str) -> Block:
    """Something typed or printed: no sign in it can end the block."""
    shown: Block = {"type": "text", "text": clipped(visible(text).strip("\n") or " ", CODE)}
    return {"type": "rich_text", "elements": [{"type": "rich_text_preformatted", "elements": [shown]}]}


def cell(value: Cell) -> str:
    """A cell's words, with the mark that says what they mean."""
    return f"{MARKS[value.mark]} {value.text}" if value.mark else value.text


def table(part: Table) -> Block:
    """Slack's own table; the caption stands in its corner. Figures are set to the right."""
    part = unmarked(part)
    head = (part.header[0] or part.caption, *part.header[1:])
    rows = [head, *(tuple(map(cell, row)) for row in part.rows)]
    rest: Block = {"is_wrapped": True} if part.words else {"align": "right"}
    return {
        "type": "table",
        "column_settings": [{"is_wrapped": True}, *([rest] * (len(head) - 1))],
        "rows": [[{"type": "raw_text", "text": visible(text) or "–"} for text in row] for row in rows],
    }


def fits(part: Table) -> bool:
    """Whether Slack's table takes it."""
    signs = sum(len(cell(one)) + 2 for row in part.rows for one in row) + sum(map(len, part.header))
    return len(part.rows) < ROWS and len(part.header) <= COLUMNS and signs + len(part.caption) <= CELLS


def lines(part: Table) -> str:
    """A table as text, for where there can be no other."""
    part = unmarked(part)
    rows = [part.header, *(tuple(map(cell, row)) for row in part.rows)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)


def told(part: Table) -> str:
    """A table row by row, as light Markdown, for where it can have no columns."""
    return "\n".join(_told(part.header, tuple(map(cell, row))) for row in part.rows)


def _told(header: tuple[str, ...], row: tuple[str, ...]) -> str:
    rest = "; ".join(f"{name}: {text}" if name else text for name, text in zip(header[1:], row[1:], strict=True))
    return f"• **{row[0]}**  {rest}"


def button(label: str, action: str, value: str, primary: bool = False) -> Block:
    """A button; its value comes back with a click."""
    made: Block = {"type": "button", "text": plain(label, LABEL), "action_id": action, "value": value}
    return made | {"style": "primary"} if primary else made


def actions(name: str, buttons: Sequence[Block]) -> list[Block]:
    """A row of buttons, if there are any."""
    return [{"type": "actions", "block_id": name, "elements": list(buttons[:ACTIONS])}] if buttons else []


def plan(title: str, tasks: Iterable[tuple[str, str]]) -> Block:
    """Steps, each with its state: pending, in_progress, complete or error."""
    cards = [
        {"type": "task_card", "task_id": f"step_{n}", "title": clipped(visible(what), TASK), "status": state}
        for n, (what, state) in enumerate(tasks)
    ]
    return {"type": "plan", "title": clipped(visible(title), TASK), "tasks": cards}


def image(file: str, alt: str) -> Block:
    """A picture that was uploaded."""
    return {"type": "image", "slack_file": {"id": file}, "alt_text": clipped(visible(alt), ALT)}
