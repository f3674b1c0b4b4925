"""Text in Slack's two dialects, and back: nobody is mentioned, nothing is linked, nothing invisible passes. Pure.

Slack reads `<...>` as a mention or a link wherever `&`, `<` and `>` are not escaped; a streamed text is Markdown, where
bare addresses become links too.
"""

import html
import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass

_ANSI = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")
_TOKEN = re.compile(
    r"(?P<code>`[^`\n]+`)"
    r"|!?\[(?P<label>[^\]\n]*)\]\((?P<target>[^)\s]*)[^)\n]*\)"
    r"|(?P<url>(?:[a-z][a-z0-9+.-]*://|mailto:|www\.)[^\s<>`|]+)"
    r"|\*\*(?P<strong>[^*\n]+)\*\*"
    r"|(?<![*\w])\*(?P<emphasis>[^*\s](?:[^*\n]*[^*\s])?)\*(?![*\w])"
    r"|^\#{1,6}[ ]+(?P<heading>[^\n]+)$",
    re.IGNORECASE | re.MULTILINE,
)
_ROOM = re.compile(
    r"@(?=(?:here|channel|everyone|group)\b)", re.IGNORECASE
)  # words that some clients take for a mention
_REFERENCE = re.compile(r"<([@#!]?)([^<>|\s]*)(?:\|([^<>]*))?>")
_GAP = "\u200b"  # parts what must not be read as one; `visible` removes it from everything that comes in


def visible(text: str) -> str:
    """The text without what cannot be seen: controls, ANSI codes, marks that turn the direction or have no width."""
    plain = _ANSI.sub("", text)
    return "".join(sign for sign in plain if sign in "\n\t" or unicodedata.category(sign) not in ("Cc", "Cf", "Cs"))


def escaped(text: str) -> str:
    """Text that Slack shows as it is, in a message's `text` and in mrkdwn."""
    return _ROOM.sub(f"@{_GAP}", html.escape(visible(text), quote=False))


def mrkdwn(text: str) -> str:
    """The light Markdown of an answer in Slack's own dialect."""
    return _rewritten(visible(text), MRKDWN)


def markdown(text: str) -> str:
    """The light Markdown of an answer as Markdown that is safe to stream."""
    return _rewritten(visible(text), MARKDOWN)


def _rewritten(text: str, dialect: "Dialect") -> str:
    """The text with its code, emphasis, headings and addresses in that dialect, and everything else escaped."""
    made, end = [], 0
    for token in _TOKEN.finditer(text):
        made += [_words(text[end : token.start()]), _token(token, dialect)]
        end = token.end()
    return "".join([*made, _words(text[end:])])


def _words(text: str) -> str:
    """Text outside code: a lone backtick would open some, and `](` makes a link of Markdown."""
    return escaped(text).replace("`", "'").replace("](", f"]{_GAP}(")


def _token(token: re.Match[str], dialect: "Dialect") -> str:
    kind = str(token.lastgroup)
    if kind == "code":
        return f"`{dialect.code(token['code'][1:-1])}`"
    if kind == "url":
        return f"`{dialect.code(token['url'])}`"
    if kind == "target":
        return _unlinked(token["label"], token["target"], dialect)
    return dialect.forms[kind].format(_rewritten(token[kind], dialect))


def _unlinked(label: str, target: str, dialect: "Dialect") -> str:
    """A link's words; its address stands beside them as code, where it leads out."""
    words = _rewritten(label, dialect)
    return f"{words} (`{dialect.code(target.replace('`', ''))}`)" if "://" in target else words


def _literal(code: str) -> str:
    """Code in streamed Markdown is shown as it is, entities too, so that a mention in it is taken apart instead."""
    return re.sub(r"<(?=[@#!])", f"<{_GAP}", code)


@dataclass(frozen=True)
class Dialect:
    """How each form of light Markdown is written, and what code needs."""

    forms: Mapping[str, str]
    code: Callable[[str], str]


MRKDWN = Dialect({"strong": "*{}*", "emphasis": "_{}_", "heading": "*{}*"}, escaped)
MARKDOWN = Dialect({"strong": "**{}**", "emphasis": "*{}*", "heading": "**{}**"}, _literal)


def clipped(text: str, most: int) -> str:
    """At most so many characters, and a sign where something is missing. To be used before escaping or after."""
    if len(text) <= most:
        return text
    return re.sub(r"&[a-z]{0,4}$", "", text[: most - 2]) + " …"


def heard(text: str, names: Mapping[str, str], bot: str) -> str:
    """What a person wrote, as people see it: display names instead of ids, and without the mention of the tutor."""

    def told(reference: re.Match[str]) -> str:
        sign, what, label = reference.groups()
        if sign == "@":
            return "" if what == bot else f"@{label or names.get(what, 'somebody')}"
        if sign:
            return f"{'#' if sign == '#' else ''}{label or what.partition('^')[0]}"
        return what if not label or label in what else f"{label} ({what})"

    plain = html.unescape(_REFERENCE.sub(told, text)).strip()
    # Some clients turn two hyphens into a dash while one types.
    return re.sub(r"(?<=\s)—(?=\w)", "--", plain) if plain.startswith("/") else plain


def mentioned(text: str) -> tuple[str, ...]:
    """The ids of the people whom a message mentions."""
    return tuple(what for sign, what, _ in _REFERENCE.findall(text) if sign == "@")
