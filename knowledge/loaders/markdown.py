"""Markdown pages, with or without front matter, as people keep them in documentation folders."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unicodedata import category

import yaml

from knowledge.documents import Document
from knowledge.errors import UnreadablePage

SUFFIXES = (".md", ".markdown")

_UNSEEN = frozenset({"Cc", "Cf", "Co", "Cs"})
_LARGEST = 5_000_000
_FRONT = re.compile(r"\A---[ \t]*\r?\n(.*?)\r?\n---[ \t]*(?:\r?\n|\Z)", re.DOTALL)
_HEADING = re.compile(r"^#{1,3}[ \t]+(.+?)[ \t]*#*$", re.MULTILINE)


def load(path: Path) -> Iterator[Document]:
    """Yield the one page in a file; `source` is the file's path as given."""
    yield parse(_read(path), str(path))


def parse(page: str, source: str) -> Document:
    """Split a page into its front matter and its text, and find its title."""
    front, text = _split(_visible(page))
    title = _words(front.get("title")) or _first_heading(text) or Path(source).stem.replace("-", " ").replace("_", " ")
    return Document(
        source=source,
        title=title,
        text=text,
        url=_words(front.get("url")) if _words(front.get("url")).startswith("https://") else None,
        description=_words(front.get("description")),
        level=_words(front.get("level")) or None,
        demo=_words(front.get("demo")) or None,
        next=_lines(front.get("next")),
        questions=_lines(front.get("questions")),
    )


def _read(path: Path) -> str:
    try:
        if path.stat().st_size > _LARGEST:
            raise UnreadablePage(f"it is larger than {_LARGEST // 1_000_000} MB")
        page = path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        raise UnreadablePage("it is not UTF-8 text") from error
    except OSError as error:
        raise UnreadablePage(f"it cannot be read ({error.strerror})") from error
    if "\x00" in page:
        raise UnreadablePage("it is a binary file")
    return page


def _visible(page: str) -> str:
    """Return a page without characters that are not seen but change what is (bidi marks, zero-width ones, escapes)."""
    return "".join(sign for sign in page.replace("\r\n", "\n") if sign in "\n\t" or category(sign) not in _UNSEEN)


def _split(page: str) -> tuple[dict[str, Any], str]:
    """Return front matter and text; front matter that is not a YAML mapping is left out, not shown as text."""
    found = _FRONT.match(page)
    if not found:
        return {}, page
    try:
        front = yaml.safe_load(found[1])
    except yaml.YAMLError:
        front = None
    return (front if isinstance(front, dict) else {}), page[found.end() :]


def _first_heading(text: str) -> str:
    found = _HEADING.search(text)
    return found[1].strip() if found else ""


def _words(value: object) -> str:
    """Return a front matter value as one line; lists and mappings are no words."""
    return "" if value is None or isinstance(value, dict | list) else " ".join(str(value).split())


def _lines(value: object) -> tuple[str, ...]:
    values = value if isinstance(value, list) else [value]
    return tuple(words for words in map(_words, values) if words)
