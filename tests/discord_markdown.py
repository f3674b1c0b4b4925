"""How Discord reads its Markdown, as far as a message of ours can be misread: what shows as what."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

# In the order in which Discord's clients try them at each place of a text.
RULES = {
    "block": re.compile(r"```(?:([A-Za-z0-9_+.#-]+)\n)?\n?((?:(?!```).|\n)*?)\n?```", re.DOTALL),
    "escaped": re.compile(r"\\([^0-9A-Za-z\s])"),
    "mention": re.compile(r"@everyone|@here|<@[!&]?\d+>|<#\d+>|</[^>]+:\d+>|<id:\w+>|<t:-?\d+(?::\w)?>|<a?:\w+:\d+>"),
    "link": re.compile(r"\[((?:\[[^\]]*\]|[^\[\]]|\](?=[^\[]*\]))*)\]\(\s*<?((?:https?|discord)://[^\s>)]*)>?\s*\)"),
    "address": re.compile(
        r"<((?:https?|discord|steam)://[^\s>]+)>|((?:https?|discord|steam)://[^\s<]*[^<.,:;\"'\]\s])"
    ),
    "code": re.compile(r"(`+)([\s\S]*?[^`])\1(?!`)"),
    "bold": re.compile(r"\*\*((?:\\[\s\S]|[^\\])+?)\*\*(?!\*)"),
    "italic": re.compile(r"\*(?=\S)((?:\*\*|\s+(?:[^*\s]|\*\*)|[^\s*])+?)\*(?!\*)|_((?:__|\\[\s\S]|[^\\_])+?)_(?!\w)"),
    "spoiler": re.compile(r"\|\|([\s\S]+?)\|\|"),
}
INSIDE = {"bold": 1, "italic": 1, "spoiler": 1}


@dataclass(frozen=True)
class Span:
    """A stretch of text as a reader sees it."""

    kind: str
    text: str
    target: str = ""


def spans(text: str) -> Iterator[Span]:
    """Read a text from its start to its end."""
    place, plain = 0, ""
    while place < len(text):
        kind, found = next(((k, m) for k, rule in RULES.items() if (m := rule.match(text, place))), ("", None))
        if found is None:
            plain, place = plain + text[place], place + 1
            continue
        if kind == "escaped":
            plain, place = plain + found[1], found.end()
            continue
        if plain:
            yield Span("text", plain)
            plain = ""
        yield from _read(kind, found)
        place = found.end()
    if plain:
        yield Span("text", plain)


def _read(kind: str, found: re.Match[str]) -> Iterator[Span]:
    if kind in INSIDE:
        inside = next(group for group in found.groups() if group)
        for span in spans(inside):
            yield Span(f"{kind} {span.kind}", span.text, span.target)
    elif kind == "link":
        yield Span("link", found[1], found[2])
    elif kind == "address":
        yield Span("link", found[1] or found[2], found[1] or found[2])
    else:
        yield Span(kind, found[2] if kind in {"block", "code"} else found[0])


def kinds(text: str) -> set[str]:
    """What there is in a text: "link", "mention", "code" ..., however deep."""
    return {word for span in spans(text) for word in span.kind.split()}
