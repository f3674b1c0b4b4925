"""What can be quoted of a chunk: its sentences, list items, tables and pieces of code, made safe to repeat."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from knowledge.chunking import sentences

_ITEM = re.compile(r"^( *)(?:[-*+]|\d+[.)])[ \t]+")
_ADDRESS = re.compile(r"\b(?:https?|ftp)://(?!localhost|127\.)[^\s)>\]`]+|\bwww\.[^\s)>\]`]+")
_MARK = re.compile(r"\s*\[\d+\]")


@dataclass(frozen=True)
class Unit:
    """The smallest thing that is quoted: a sentence, a list item with what hangs on it, a table or a piece of code."""

    text: str
    block: int
    kind: str
    lead: bool = False


def units(text: str) -> list[Unit]:
    """Split a chunk into what can be quoted."""
    found: list[Unit] = []
    for block, words in enumerate(_blocks(text)):
        found.extend(_units(words, block))
    return found


def _blocks(text: str) -> Iterator[str]:
    """Yield what blank lines part, code fences whole."""
    block, fenced = "", False
    for piece in text.split("\n\n"):
        block = f"{block}\n\n{piece}" if block else piece
        fenced ^= sum(line.lstrip().startswith(("```", "~~~")) for line in piece.splitlines()) % 2 == 1
        if not fenced:
            yield block
            block = ""
    if block:
        yield block


def _units(words: str, block: int) -> Iterator[Unit]:
    if words.lstrip().startswith(("```", "~~~")):
        yield Unit(words, block, "code")
    elif words.lstrip().startswith("|"):
        yield Unit(safe(words), block, "table")
    elif _ITEM.match(words):
        for item in _items(words.splitlines()):
            yield Unit(safe(item), block, "item")
    else:
        parts = sentences(" ".join(words.splitlines()))
        for place, part in enumerate(parts):
            leads = place == len(parts) - 1 and part.rstrip().endswith(":")
            yield Unit(safe(part.strip()), block, "sentence", lead=leads)


def _items(lines: Sequence[str]) -> Iterator[str]:
    """Yield the outermost items of a list, each with the lines that hang on it."""
    outer = min(len(found[1]) for line in lines if (found := _ITEM.match(line)))
    item: list[str] = []
    for line in lines:
        found = _ITEM.match(line)
        if found and len(found[1]) <= outer and item:
            yield "\n".join(item)
            item = []
        item.append(line)
    yield "\n".join(item)


def safe(text: str) -> str:
    """Return prose without addresses to follow and without marks that would pass for our own."""
    return _MARK.sub("", _ADDRESS.sub("(address in the source)", text))
