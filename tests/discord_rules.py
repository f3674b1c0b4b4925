"""What Discord refuses: the shape and the limits of messages, of answers to interactions and of commands."""

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

V2 = 1 << 15
EPHEMERAL = 1 << 6
CONTAINER, ROW, BUTTON, SECTION, TEXT, GALLERY, FILE, SEPARATOR, THUMBNAIL = 17, 1, 2, 9, 10, 12, 13, 14, 11
TOP = {CONTAINER, ROW, SECTION, TEXT, GALLERY, FILE, SEPARATOR}
CALLBACKS = {4, 5, 6, 7, 8, 9}


def message(payload: dict[str, Any], files: Iterable[str]) -> Iterator[str]:
    """What is wrong with a message that is sent or edited."""
    parts = payload.get("components") or []
    if payload.get("content") or payload.get("embeds"):
        if payload.get("flags", 0) & V2:
            yield "50035: a message of Components V2 has no content and no embeds"
    elif not parts:
        yield "50006: an empty message"
    if len(payload.get("content") or "") > 2000:
        yield "50035: content is longer than 2000"
    allowed = payload.get("allowed_mentions")
    if allowed is None or allowed.get("parse"):
        yield "ours: every message of the tutor says that it mentions nobody"
    yield from components(parts)
    yield from _attachments(payload, parts, set(files))


def _attachments(payload: dict[str, Any], parts: list[Any], files: set[str]) -> Iterator[str]:
    described = {one["filename"]: one for one in payload.get("attachments") or [] if "filename" in one}
    named = {one.removeprefix("attachment://") for part in walk(parts) for one in _media(part)}
    if missing := named - files:
        yield f"50035: attachment:// of {missing}, which was not sent"
    if unseen := files - named:
        yield f"ours: {unseen} is sent and nowhere shown"
    if len(files) > 10:
        yield "50035: more than 10 files"
    yield from (
        "50035: an alt text over 1024" for one in described.values() if len(one.get("description") or "") > 1024
    )


def _media(part: dict[str, Any]) -> list[str]:
    if part["type"] == GALLERY:
        return [item["media"]["url"] for item in part["items"]]
    return [part["file"]["url"]] if part["type"] == FILE else []


def components(parts: list[Any]) -> Iterator[str]:
    """What is wrong with the components of a message."""
    found = list(walk(parts))
    if len(found) > 40:
        yield f"50035: {len(found)} components, more than 40"
    texts = sum(len(part["content"].encode("utf-16-le")) // 2 for part in found if part["type"] == TEXT)
    if texts > 4000:
        yield f"50035: {texts} characters, more than 4000"
    ids = [part["custom_id"] for part in found if "custom_id" in part]
    if len(ids) != len(set(ids)):
        yield "50035: a custom_id twice"
    yield from ("50035: wrong at the top" for part in parts if part["type"] not in TOP)
    for part in found:
        yield from _component(part)


def _component(part: dict[str, Any]) -> Iterator[str]:
    match part:
        case {"type": 10, "content": text} if not text.strip():
            yield "50035: an empty text"
        case {"type": 9, "components": texts, "accessory": beside}:
            if not 1 <= len(texts) <= 3 or any(text["type"] != TEXT for text in texts):
                yield "50035: a section has one to three texts"
            if beside["type"] not in {BUTTON, THUMBNAIL}:
                yield "50035: a section has a button or a thumbnail beside it"
        case {"type": 1, "components": buttons} if not 1 <= len(buttons) <= 5:
            yield "50035: a row has one to five buttons"
        case {"type": 2}:
            yield from _button(part)
        case {"type": 12, "items": items}:
            if not 1 <= len(items) <= 10:
                yield "50035: a gallery has one to ten pictures"
            yield from ("50035: an alt text over 1024" for one in items if len(one.get("description") or "") > 1024)
            yield from ("ours: a picture without words" for one in items if not one.get("description"))
        case {"type": 17, "components": []}:
            yield "50035: an empty container"


def _button(part: dict[str, Any]) -> Iterator[str]:
    if not 1 <= len(part.get("custom_id", "")) <= 100:
        yield "50035: a custom_id has 1 to 100 characters"
    if not 1 <= len(part.get("label") or "") <= 80:
        yield "50035: a label has 1 to 80 characters"


def walk(parts: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Every component, nested ones too."""
    for part in parts:
        yield part
        yield from walk(part.get("components") or [])
        if beside := part.get("accessory"):
            yield from walk([beside])


def texts(parts: Iterable[dict[str, Any]]) -> str:
    """What can be read in a message."""
    return "\n".join(part["content"] for part in walk(parts) if part["type"] == TEXT)


def buttons(parts: Iterable[dict[str, Any]]) -> dict[str, str]:
    """The custom_id of each button, by its label."""
    return {part["label"]: part["custom_id"] for part in walk(parts) if part["type"] == BUTTON}


def callback(payload: dict[str, Any], kind: int, files: Iterable[str]) -> Iterator[str]:
    """What is wrong with the answer to an interaction of a kind."""
    answer, data = payload["type"], payload.get("data") or {}
    if answer not in CALLBACKS or (kind == 4) != (answer == 8):
        yield f"50035: an interaction of type {kind} is not answered by {answer}"
    if answer == 5 and set(data) - {"flags"}:
        yield "50035: a deferral carries nothing"
    if answer == 5 and data.get("flags", 0) & ~EPHEMERAL:
        yield "50035: a deferral may only be private"
    if answer in {4, 7}:
        yield from message(data, files)
    if answer == 8 and (len(data["choices"]) > 25 or any(len(one["name"]) > 100 for one in data["choices"])):
        yield "50035: 25 choices of 100 characters"
    if answer == 9:
        yield from modal(data)


def modal(data: dict[str, Any]) -> Iterator[str]:
    """What is wrong with a modal."""
    if not 1 <= len(data["title"]) <= 45 or not 1 <= len(data["components"]) <= 5:
        yield "50035: a modal has a title of 45 and one to five parts"
    if not 1 <= len(data["custom_id"]) <= 100:
        yield "50035: a custom_id has 1 to 100 characters"


def commands(payload: list[dict[str, Any]]) -> Iterator[str]:
    """What is wrong with the commands of an application."""
    for one in payload:
        if len(json.dumps(one)) > 8000:
            yield f"50035: {one['name']} is over 8000 characters"
        if one.get("type", 1) == 1:
            yield from _slash(one)


def _slash(one: dict[str, Any]) -> Iterator[str]:
    for named in (one, *one.get("options", [])):
        if not re.fullmatch(r"[-_a-z0-9]{1,32}", named["name"]):
            yield f"50035: the name {named['name']}"
        if not 1 <= len(named["description"]) <= 100:
            yield f"50035: the description of {named['name']}"
    if len(one.get("options", [])) > 25:
        yield "50035: more than 25 options"
