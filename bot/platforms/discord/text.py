"""Text as Discord may get it: whoever wrote it, it mentions nobody, links to nothing and stays in its block. Pure.

Pages, models and people write Markdown. What is kept of it are code, bold and italics; every other sign with a meaning
of its own is escaped, so that a reader sees what was written.
"""

import re
import unicodedata
from collections.abc import Set as AbstractSet

_UNSEEN = ("Cc", "Cf", "Cs", "Co", "Cn")  # controls, bidirectional and zero-width signs, halves of surrogate pairs
_JOINER = "\u200b"  # our own: parts what would otherwise mean something
_TOKEN = re.compile(
    r"(?P<code>(?<!`)(?P<ticks>`+)(?!`)(?P<inside>[^`\n]+)(?<!`)(?P=ticks)(?!`))"
    r"|(?P<url>[A-Za-z0-9+.-]+:/{2}[^\s`<>]*[^\s`<>.,;:!?)\]}'\"*_~|])"
    r"|(?P<scheme>:/{2})"
    r"|(?P<bold>\*\*(?P<loud>(?:[^*`\n\s]|`[^`*\n]+`)(?:[^*`\n]|`[^`*\n]+`)*)\*\*(?!\*))"
    r"|(?P<italic>(?<![\w*])(?P<sign>[*_])(?P<leaning>[A-Za-z0-9](?:[A-Za-z0-9 ,.'-]*[A-Za-z0-9])?)(?P=sign)(?![\w*]))"
    r"|(?P<mark>\[\d{1,3}\](?![\[\](:]))"
    r"|(?P<everyone>@(?=everyone|here))"
    r"|(?P<special>[\\`*_~|<>\[\]])"
)
_LANGUAGE = re.compile(r"[a-z0-9+#-]{1,20}")

# What `prose` and `link` write, piece by piece: a cut between two pieces opens nothing that was closed.
_PIECE = re.compile(
    r"`[^`\n]+`|\*\*(?:[^*`\n]|`[^`*\n]+`)+\*\*|\[(?:\\.|`[^`\n]+`|[^\]\\`])*\]\(<[^>\n]*>\)"
    r"|\*[^*\n`\\]+\*|_[^_\n`\\]+_|\\.|.",
    re.DOTALL,
)


def seen(text: str) -> str:
    """The text without the signs that nobody sees and that turn, hide or command."""
    return "".join(sign for sign in text if sign in "\n\t" or unicodedata.category(sign) not in _UNSEEN)


def size(text: str) -> int:
    """How much of Discord's limits a text takes: astral signs count twice, which is never too little."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def prose(text: str, links: AbstractSet[str] = frozenset()) -> str:
    """Words as Discord's Markdown. An address is shown as code, but for `links`, which stay links."""
    return _prose(seen(text), links)


def _prose(text: str, links: AbstractSet[str]) -> str:
    def token(match: re.Match[str]) -> str:
        match match.lastgroup:
            case "code":
                return code(match["inside"])
            case "url":
                return f"<{match['url']}>" if match["url"] in links else code(match["url"])
            case "scheme":
                return f":{_JOINER}//"
            case "bold":
                return f"**{_prose(match['loud'], links)}**"
            case "everyone":
                return f"@{_JOINER}"
        return match[0] if match.lastgroup in {"italic", "mark"} else f"\\{match[0]}"

    return _TOKEN.sub(token, text)


def code(text: str) -> str:
    """A word or two as code within a line."""
    return f"`{' '.join(seen(text).replace('`', chr(0x2019)).split()) or ' '}`"


def block(text: str, language: str = "") -> str:
    """A block of code, out of which nothing breaks."""
    known = language.lower() if _LANGUAGE.fullmatch(language.lower()) else ""
    inside = seen(text).replace("``", f"`{_JOINER}`").strip("\n")
    return f"```{known}\n{inside or ' '}\n```"


def link(title: str, url: str | None) -> str:
    """A title that leads to its page, where it has an address that can be trusted to be one."""
    label = prose(title.replace("://", ": "))
    if url is None or not re.fullmatch(r"https?://[^\s()<>\[\]`\\*_~|\"']+", url) or seen(url) != url:
        return label
    return f"[{label}](<{url}>)"


def cut(text: str, limit: int) -> str:
    """The beginning of a text that is too long, and a sign that there was more."""
    if size(text) <= limit:
        return text
    return text.encode("utf-16-le", "surrogatepass")[: 2 * (limit - 2)].decode("utf-16-le", "ignore").rstrip() + " …"


def shortened(safe: str, limit: int) -> str:
    """The beginning of what `prose` has made safe, cut where nothing is left open."""
    if size(safe) <= limit:
        return safe
    kept, room = "", limit - 2
    for piece in _PIECE.findall(safe):
        room -= size(piece)
        if room < 0:
            break
        kept += piece
    return kept.rstrip() + " …"
