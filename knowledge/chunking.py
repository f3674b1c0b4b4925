"""A page in, chunks out: pieces of one section, under the path of headings that leads there.

Markdown is read block by block (paragraphs, list items, tables, code), cleaned of what only a web page needs
(comments, tags, shortcodes, link targets), and packed again into chunks of at most `LIMIT` characters.

A line `[asked]: # "What is a pod?"` (to Markdown the definition of a link, so that nothing is shown) says that the
section it stands in answers that question of the page.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from knowledge.documents import Chunk, Document

LIMIT = 1500
STEP = " > "

_HEADING = re.compile(r"^(#{1,6})[ \t]+(.*?)[ \t]*#*[ \t]*$")
_FENCE = re.compile(r"^[ \t]*(```+|~~~+)")
_ITEM = re.compile(r"^([ \t]*)(?:[-*+]|\d+[.)])[ \t]+")
_RULE = re.compile(r"^[ \t]*([-*_=][ \t]*){3,}$")
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_LABELLED = re.compile(r"\{\{[<%]\s*[\w/-]+[^}]*?\btext=[\"']([^\"']+)[\"'][^}]*[>%]\}\}")
_NAMED = re.compile(r"\{\{[<%]\s*heading\s+\"?([\w-]+)\"?\s*[>%]\}\}")
_SHORTCODE = re.compile(r"\{\{[<%].*?[>%]\}\}|\{[#:.][^}\n]*\}")
_IMAGE = re.compile(r"!\[[^\]]*\](?:\([^)]*\)|\[[^\]]*\])")
_LINK = re.compile(r"\[([^\]]+)\](?:\([^)\s]*(?:\s+\"[^\"]*\")?\)|\[[^\]]*\])")
_ASKED = re.compile(r"^\[asked\]: # ([\"'])(.+)\1$")
_REFERENCE = re.compile(r"^[ \t]*\[[^\]]+\]:[ \t]*\S+.*$", re.MULTILINE)
_BARE = re.compile(r"<(https?://[^>\s]+)>")
_TAG = re.compile(r"</?[a-zA-Z][^<>]*>")
_STRONG = re.compile(r"(\*\*|__)(?=\S)(.+?)(?<=\S)\1")
_EMPHASIS = re.compile(r"(?<![\w*])([*_])(?=[^\s*_])([^*_\n]+?)(?<=\S)\1(?![\w*])")
_GAP = re.compile(r"(?<=\S)[ \t]{2,}")
_CODE = re.compile(r"(`+[^`\n]+`+)")
_SENTENCE = re.compile(r"(?<=[.!?])[\"')\]]*\s+(?=[\"'(\[`A-Z0-9])")


@dataclass(frozen=True)
class Section:
    """The blocks directly under one heading, and the questions that they answer by the author's word."""

    heading: str
    blocks: tuple[str, ...]
    asked: tuple[str, ...] = ()


def chunk(document: Document) -> Iterator[Chunk]:
    """Yield the document's chunks in reading order; a page without words has none."""
    position = 0
    for section in sections(document):
        for text in _pack(section.blocks):
            yield Chunk(
                source=document.source,
                title=document.title,
                heading=section.heading,
                text=text,
                position=position,
                url=document.url,
                description=document.description,
                demo=document.demo,
                questions=document.questions,
                asked=section.asked,
            )
            position += 1


def sections(document: Document) -> Iterator[Section]:
    """Yield the page's sections in reading order; the page's own title is the root of every heading path."""
    path: list[tuple[int, str]] = []
    lines: list[str] = []
    for line, level, title in _marked(_COMMENT.sub("", document.text)):
        if not level:
            lines.append(line)
            continue
        yield from _section(document.title, path, lines)
        lines = []
        path = [step for step in path if step[0] < level] + [(level, title)]
    yield from _section(document.title, path, lines)


def sentences(text: str) -> list[str]:
    """Split running text into sentences."""
    return [sentence for sentence in _SENTENCE.split(text) if sentence.strip()]


def clean(text: str) -> str:
    """Return Markdown prose without what only a web page needs; words in `code` are left as they are."""
    text = _NAMED.sub(lambda found: found[1].replace("-", " ").capitalize(), _LABELLED.sub(r"\1", text))
    pieces = _CODE.split(_LINK.sub(r"\1", _IMAGE.sub("", _SHORTCODE.sub("", _REFERENCE.sub("", text)))))
    return "".join(piece if place % 2 else _plain(piece) for place, piece in enumerate(pieces)).strip()


def _plain(text: str) -> str:
    text = _GAP.sub(" ", _TAG.sub("", _BARE.sub(r"\1", text)))
    return _EMPHASIS.sub(r"\2", _STRONG.sub(r"\2", text)).replace("\\", "")


def _marked(text: str) -> Iterator[tuple[str, int, str]]:
    """Yield each line with its heading level (0 for none) and heading words; code is never a heading."""
    fence = ""
    for line in text.splitlines():
        found = _FENCE.match(line)
        if found and (not fence or found[1].startswith(fence)):
            fence = "" if fence else found[1]
        heading = None if fence or found else _HEADING.match(line)
        yield (line, len(heading[1]), clean(heading[2])) if heading else (line, 0, "")


def _section(title: str, path: list[tuple[int, str]], lines: list[str]) -> Iterator[Section]:
    blocks = tuple(_blocks(lines))
    if blocks:
        steps = [words for _, words in path if words and words.casefold() != title.casefold()]
        asked = tuple(found[2] for line in lines if (found := _ASKED.match(line)))
        yield Section(STEP.join([title, *steps]), blocks, asked)


def _blocks(lines: list[str]) -> Iterator[str]:
    """Yield cleaned blocks: fenced code, tables and list items as they stand, paragraphs on one line."""
    block: list[str] = []
    fence = ""
    for line in [*lines, ""]:
        found = _FENCE.match(line)
        if fence:
            block.append(line)
            if found and found[1].startswith(fence):
                fence = ""
                yield from _finish(block)
                block = []
        elif found or not line.strip() or _RULE.match(line) or _starts(line, block):
            yield from _finish(block)
            fence = found[1] if found else ""
            block = [line] if line.strip() and not _RULE.match(line) else []
        else:
            block.append(line)
    yield from _finish(block)


def _starts(line: str, block: list[str]) -> bool:
    """Whether a line begins a block of its own in the middle of others."""
    table = bool(block) and block[0].lstrip().startswith("|")
    return bool(_ITEM.match(line)) or (line.lstrip().startswith("|") != table and bool(block))


def _finish(lines: list[str]) -> Iterator[str]:
    if not lines:
        return
    if _FENCE.match(lines[0]):
        yield "\n".join(lines) if len(lines) > 1 else ""
        return
    if lines[0].lstrip().startswith("|"):
        text = "\n".join(clean(line) for line in lines)
    else:
        item = _ITEM.match(lines[0])
        words = clean(" ".join(line.strip().removeprefix("> ").removeprefix(">") for line in lines))
        text = (item[1].expandtabs(4) if item else "") + words
    if re.search(r"\w", text):
        yield text


def _pack(blocks: tuple[str, ...]) -> Iterator[str]:
    """Join blocks to chunks of at most `LIMIT` characters."""
    packed = ""
    for block in (piece for whole in blocks for piece in _cut(whole)):
        joined = f"{packed}{_joint(packed, block)}{block}" if packed else block
        if len(joined) > LIMIT:
            yield packed
            joined = block
        packed = joined
    if packed:
        yield packed


def _joint(before: str, block: str) -> str:
    """Return what stands between two blocks: list items follow each other without a gap."""
    last = before.rsplit("\n", 1)[-1]
    return "\n" if _ITEM.match(block) and _ITEM.match(last) else "\n\n"


def _cut(block: str) -> Iterator[str]:
    """Yield a block in pieces that fit a chunk, broken at lines, sentences or, at worst, anywhere."""
    if len(block) <= LIMIT:
        yield block
        return
    piece = ""
    for part in block.splitlines(keepends=True) if "\n" in block else [f"{words} " for words in sentences(block)]:
        if len(piece) + len(part) > LIMIT and piece.strip():
            yield piece.rstrip()
            piece = ""
        piece += part
        while len(piece) > LIMIT:
            yield piece[:LIMIT]
            piece = piece[LIMIT:]
    if piece.strip():
        yield piece.rstrip()
