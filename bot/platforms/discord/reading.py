"""What people say on Discord, as the tutor hears it."""

import re
from collections.abc import Iterable, Sequence
from typing import Any

import discord

from bot.messages import Message, Said

_PERSON = re.compile(r"<@!?(\d+)>")
_THING = re.compile(r"<@&\d+>|<#\d+>|<a?(:\w+:)\d+>|</([^:>]+):\d+>")


def spoken(message: discord.Message, us: int) -> str:
    """The text without the tutor's own mention, and with names for ids."""
    names = {person.id: person.display_name for person in message.mentions}

    def name(found: re.Match[str]) -> str:
        number = int(found[1])
        return "" if number == us else f"@{names.get(number, 'somebody')}"

    text = _THING.sub(lambda found: found[1] or (f"/{found[2]}" if found[2] else ""), message.content)
    return _PERSON.sub(name, text).strip()


def shown(components: Iterable[Any]) -> str:
    """What can be read in a message of components."""
    texts = []
    for one in components:
        if isinstance(one, discord.TextDisplay):
            texts.append(one.content)
        texts.append(shown(getattr(one, "children", ())))
    return "\n".join(filter(None, texts))


def words(message: discord.Message, us: int) -> str:
    """Everything that a message says, whoever wrote it."""
    return spoken(message, us) or shown(message.components)


def author(person: discord.abc.User) -> str:
    """Whose a message is, for the tutor."""
    return f"discord:{person.id}"


def conversation(channel: Any, person: discord.abc.User) -> str:
    """A thread and a direct conversation are one conversation each; in a channel, everyone has one of their own."""
    shared = isinstance(channel, discord.Thread | discord.DMChannel | discord.GroupChannel)
    return f"discord:{channel.id}" if shared else f"discord:{getattr(channel, 'id', 0)}:{person.id}"


def heard(
    text: str, channel: Any, person: discord.abc.User, earlier: Sequence[discord.Message] = (), us: int = 0
) -> Message:
    """A message for the tutor."""
    before = tuple(Said(m.author.display_name, words(m, us), m.author.id == us) for m in earlier if words(m, us))
    return Message(text, author(person), conversation(channel, person), f"discord:{getattr(channel, 'id', 0)}", before)
