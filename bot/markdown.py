"""An answer's Markdown: which of its blocks are more than words, and its words without their marks."""

import re
from collections.abc import Iterable
from dataclasses import replace

from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode

from bot.parts import Cell, Code, Table, Text

# Nothing but fenced code and tables is taken out of the words: those have their own form on each platform.
_BLOCKS = MarkdownIt("zero").enable(["fence", "table"])
_MARKS = MarkdownIt("zero").enable(["backticks", "emphasis", "balance_pairs"])
_UNDECIDED = re.compile(r"\s*(?:[-:|`~\s]*$|\||`{3}|~{3})")  # the last line of a growing text that may yet be a mark
_LINE_END = re.compile(r"\r\n?|\n")  # as the parser counts lines


def blocks(text: str) -> Iterable[Text | Code | Table]:
    """Words, code and tables in their order; code that is not closed goes to the end of the text."""
    lines, told = _LINE_END.split(text), 0
    for node in SyntaxTreeNode(_BLOCKS.parse(text)).children:
        if node.type == "paragraph" or node.map is None:
            continue
        begin, end = node.map
        yield from _words(lines[told:begin])
        yield _code(node) if node.type == "fence" else _table(node)
        told = end
    yield from _words(lines[told:])


def settled(text: str) -> str:
    """The beginning of a growing text whose blocks stay what they are: a table is left out until it has ended."""
    lines = _LINE_END.split(text)
    if _UNDECIDED.match(lines[-1]):
        lines.pop()
    while lines and lines[-1].lstrip().startswith("|"):
        lines.pop()
    return "\n".join(lines)


def _words(lines: list[str]) -> Iterable[Text]:
    words = "\n".join(lines).strip()
    if words:
        yield Text(words)


def _code(node: SyntaxTreeNode) -> Code:
    language, *_ = [*node.info.split(), "console"]
    return Code(node.content.rstrip(), language)


def _table(node: SyntaxTreeNode) -> Table:
    """The rows of a table, all as wide as its header: the parser sees to that."""
    header, *rows = [
        [cell.children[0].content for cell in row.children] for part in node.children for row in part.children
    ]
    return Table(tuple(header), tuple(tuple(map(Cell, row)) for row in rows), words=True)


def unmarked(part: Table) -> Table:
    """The same table for where code and emphasis cannot be told from other words."""
    if not part.words:
        return part
    rows = tuple(tuple(replace(cell, text=_bare(cell.text)) for cell in row) for row in part.rows)
    return replace(part, header=tuple(map(_bare, part.header)), rows=rows)


def _bare(text: str) -> str:
    return "".join(child.content for token in _MARKS.parseInline(text) for child in token.children or ())
