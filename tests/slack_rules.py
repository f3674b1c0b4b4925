"""What Slack would refuse: the limits and shapes of Block Kit, and our own rules for what people may be shown."""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

Block = dict[str, Any]

MENTION = re.compile(r"<[@#!]")
LINK = re.compile(r"<([^<>]*)>")
BARE = re.compile(r"(?i)(?:https?://|www\.)\S+")
INVISIBLE = re.compile(r"[\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff\x00-\x08\x0b-\x1f\x7f]")
STYLES = {None, "primary", "danger"}
STATUSES = {"pending", "in_progress", "complete", "error"}


class Refused(Exception):
    """Slack answers with this error, and says where."""

    def __init__(self, error: str, where: str) -> None:
        super().__init__(f"{error}: {where}")
        self.error = error


def need(holds: object, where: str, error: str = "invalid_blocks") -> None:
    if not holds:
        raise Refused(error, where)


def text_object(value: Block, most: int, kinds: Iterable[str] = ("plain_text", "mrkdwn")) -> None:
    need(value.get("type") in kinds, f"text type {value.get('type')}")
    need(isinstance(value.get("text"), str) and 0 < len(value["text"]) <= most, f"text of 1 to {most}: {value}")
    if value["type"] == "mrkdwn":
        need("emoji" not in value, "emoji in mrkdwn")
        need(value.get("verbatim") is True, f"mrkdwn that looks for links by itself: {value['text'][:80]}", "ours")


def plain(value: Block, most: int) -> None:
    text_object(value, most, ["plain_text"])


def button(value: Block) -> None:
    plain(value["text"], 75)
    need(0 < len(value["action_id"]) <= 255, "action_id")
    need(len(value.get("value", "")) <= 2000, "value")
    need(value.get("style") in STYLES, f"style {value.get('style')}")
    need(len(value.get("accessibility_label", "")) <= 75, "accessibility_label")


def feedback(value: Block) -> None:
    need(value["type"] == "feedback_buttons", value["type"])
    for side in ("positive_button", "negative_button"):
        plain(value[side]["text"], 75)
        need(0 < len(value[side]["value"]) <= 2000, "value")


def section(block: Block) -> None:
    need(("text" in block) != ("fields" in block), "a section has a text or fields")
    if "text" in block:
        text_object(block["text"], 3000)
    need(len(block.get("fields", [0])) in range(1, 11), "1 to 10 fields")
    for field in block.get("fields", []):
        text_object(field, 2000)
    if "accessory" in block:
        button(block["accessory"])


def elements(block: Block, most: int, check: Callable[[Block], None]) -> None:
    need(0 < len(block["elements"]) <= most, f"1 to {most} elements in {block['type']}")
    for element in block["elements"]:
        check(element)


def actions(block: Block) -> None:
    elements(block, 25, button)
    names = [element["action_id"] for element in block["elements"]]
    need(len(names) == len(set(names)), f"action_id twice: {names}")


def context(block: Block) -> None:
    elements(block, 10, lambda element: text_object(element, 3000))


def table(block: Block) -> None:
    rows = block["rows"]
    need(0 < len(rows) <= 100, "1 to 100 rows")
    need(all(len(row) == len(rows[0]) <= 20 for row in rows), "rows of the same length, at most 20")
    cells = [cell for row in rows for cell in row]
    need(all(cell["type"] == "raw_text" and cell["text"] for cell in cells), "cells of raw text, none empty")
    need(sum(len(cell["text"]) for cell in cells) <= 10_000, "10,000 characters")
    need(len(block.get("column_settings", [])) <= 20, "column_settings")


def task(card: Block) -> None:
    need(card["type"] == "task_card" and card["task_id"], "task_id")
    need(0 < len(card["title"]) <= 256, "title of 1 to 256")
    need(card["status"] in STATUSES, f"status {card['status']}")


def plan(block: Block) -> None:
    need(0 < len(block["title"]) <= 256, "title")
    for card in block["tasks"]:
        task(card)


def image(block: Block) -> None:
    need(0 < len(block["alt_text"]) <= 2000, "alt_text of 1 to 2000")
    need(("slack_file" in block) != ("image_url" in block), "slack_file or image_url")
    need(re.fullmatch(r"F[A-Z0-9]{8,}", block["slack_file"]["id"]), "slack_file/id")


def rich_text(block: Block) -> None:
    for element in block["elements"]:
        need(element["type"] == "rich_text_preformatted", element["type"])
        need(all(0 < len(run["text"]) <= 3000 and run["type"] == "text" for run in element["elements"]), "text")


BLOCKS: Mapping[str, Callable[[Block], None]] = {
    "header": lambda block: plain(block["text"], 150),
    "section": section,
    "context": context,
    "actions": actions,
    "context_actions": lambda block: elements(block, 5, feedback),
    "table": table,
    "plan": plan,
    "image": image,
    "rich_text": rich_text,
    "divider": lambda _: None,
}


def blocks(value: list[Block], most: int = 50) -> None:
    """Every block is known, within its limits, and they are not too long together."""
    need(0 < len(value) <= most, f"1 to {most} blocks")
    for block in value:
        need(block["type"] in BLOCKS, f"block type {block['type']}")
        BLOCKS[block["type"]](block)
    names = [block["block_id"] for block in value if "block_id" in block]
    need(len(names) == len(set(names)), f"block_id twice: {names}")
    need(all(0 < len(name) <= 255 for name in names), "block_id")
    need(sum(block["type"] == "table" for block in value) <= 1, "one table a message")
    need(sum(map(len, texts(value))) <= 13_200, "too long together", "msg_blocks_too_long")


def texts(value: Any) -> Iterable[str]:
    """All that people read in blocks."""
    match value:
        case {"text": str(text)}:
            yield text
        case dict():
            for one in value.values():
                yield from texts(one)
        case list():
            for one in value:
                yield from texts(one)


def marked(value: Any) -> Iterable[str]:
    """All that is read as mrkdwn."""
    match value:
        case {"type": "mrkdwn", "text": str(text)}:
            yield text
        case dict():
            for one in value.values():
                yield from marked(one)
        case list():
            for one in value:
                yield from marked(one)


def harmless(payload: Mapping[str, Any], allowed: Iterable[str] = ()) -> None:
    """Nobody is mentioned, nothing is linked but what is allowed, nothing is invisible."""
    read = [payload.get("text", ""), *marked(payload.get("blocks", []))]
    for text in read:
        for inside in LINK.findall(text):
            need(inside.partition("|")[0] in allowed, f"a mention or link: {inside}", "ours")
        need("<" not in LINK.sub("", text), f"an open bracket: {text[:80]}", "ours")
    for text in [*read, *texts(payload.get("blocks", []))]:
        need(not INVISIBLE.search(text), f"something invisible: {text[:80]!r}", "ours")


def streamed(text: str) -> None:
    """Streamed Markdown mentions nobody and links nothing: addresses stand in code."""
    need(not MENTION.search(text), f"a mention: {text[:80]}", "ours")
    outside = re.sub(r"`[^`\n]*`", "", text)
    need(not BARE.search(outside), f"a bare address: {outside[:200]}", "ours")
    need("](" not in outside, f"a link: {outside[:200]}", "ours")
    need("<" not in outside, f"an open bracket: {outside[:200]}", "ours")


def message(payload: Mapping[str, Any], allowed: Iterable[str] = ()) -> None:
    """What chat.postMessage, chat.update and chat.postEphemeral would refuse."""
    need(payload.get("text") or payload.get("blocks"), "no_text", "no_text")
    need(len(payload.get("text", "")) <= 4000, "text above 4000", "msg_too_long")
    if "blocks" in payload:
        blocks(payload["blocks"])
    harmless(payload, allowed)
