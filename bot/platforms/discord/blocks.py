"""What a reply is made of on Discord, before it is fitted into one message: plain values."""

from dataclasses import dataclass

from bot.platforms.discord.presses import Press


@dataclass(frozen=True)
class Words:
    """Discord's own Markdown, safe already; `said` is what was said, for a file where it is too long."""

    text: str
    said: str = ""


@dataclass(frozen=True)
class Listing:
    """Something typed or printed, as it is: a block of code, or a file where it is too long for one."""

    text: str
    language: str = ""


@dataclass(frozen=True)
class Title:
    """A few lines with the button that stops what they head."""

    lines: tuple[str, ...]
    stop: Press


@dataclass(frozen=True)
class Button:
    """A label, and what a click on it says."""

    label: str
    press: Press
    primary: bool = False


@dataclass(frozen=True)
class Row:
    """Buttons."""

    buttons: tuple[Button, ...]


@dataclass(frozen=True)
class Asked:
    """A line with its buttons right below it, where it stands."""

    text: str
    buttons: tuple[Button, ...]


@dataclass(frozen=True)
class Item:
    """A few lines with a button beside them."""

    text: str
    button: Button


@dataclass(frozen=True)
class Picture:
    """A picture with the words for those who do not see it."""

    name: str
    data: bytes
    alt: str


Block = Words | Listing | Title | Row | Asked | Item | Picture
