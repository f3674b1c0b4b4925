"""Support channels and forums: a new question is answered once, in its thread, where nobody called the tutor by name.

Silence is the rule: where nothing was asked, where the pages do not cover it, once a human has answered, and where the
post is marked solved.
"""

import asyncio
import logging
from dataclasses import dataclass, field

import discord

from bot.delivery import DeliveryError
from bot.parts import Part
from bot.platforms.discord.desk import Desk, place
from bot.platforms.discord.errors import translated
from bot.platforms.discord.layout import lay_out
from bot.platforms.discord.reading import heard, spoken
from bot.platforms.discord.render import render_reply
from bot.questions import is_question

DEBOUNCE = 10.0  # seconds: people send a question in pieces
TITLE = 90  # of 100 characters
SOLVED = ("solved", "resolved", "answered", "closed")

log = logging.getLogger(__name__)


@dataclass
class _Asked:
    """A question that may be answered soon: its messages, in order."""

    author: int
    channel: int
    messages: dict[int, discord.Message] = field(default_factory=dict)
    task: asyncio.Task[None] | None = None


class Support:
    """Waits until a question is complete, and answers it if nobody else has."""

    def __init__(self, client: discord.Client, desk: Desk, debounce: float = DEBOUNCE) -> None:
        self._client = client
        self._desk = desk
        self._debounce = debounce
        self._asked: dict[int, _Asked] = {}

    def watches(self, channel: object) -> bool:
        """Say whether a channel, or the one that a thread is in, is opted in."""
        number = channel.parent_id if isinstance(channel, discord.Thread) else getattr(channel, "id", 0)
        return str(number) in self._desk.settings.support_channels

    def take(self, message: discord.Message) -> None:
        """Hear a message: a new question, more of one, or a human's answer."""
        before = self._before(message)
        if before is None:
            if _opens(message):
                self._wait(message.id, _Asked(message.author.id, message.channel.id, {message.id: message}))
        elif self._asked[before].author == message.author.id:
            self._asked[before].messages[message.id] = message
            self._wait(before, self._asked[before])
        elif _answers(message, before):
            self.settle(before)

    def _before(self, message: discord.Message) -> int | None:
        """The question that a message goes on with or answers."""
        if isinstance(message.channel, discord.Thread):
            begun = message.channel.id in self._asked and message.id != message.channel.id
            return message.channel.id if begun else None
        if message.reference and message.reference.message_id in self._asked:
            return message.reference.message_id
        here = [number for number, asked in self._asked.items() if asked.channel == message.channel.id]
        mine = [number for number in here if self._asked[number].author == message.author.id]
        return next(reversed(mine or here), None) if mine or not is_question(message.content) else None

    def settle(self, question: int) -> None:
        """Leave a question alone: a human has answered, or it is gone."""
        asked = self._asked.pop(question, None)
        if asked and asked.task:
            asked.task.cancel()

    def edited(self, message: discord.Message) -> None:
        """Take the newest words of a question that waits."""
        for asked in self._asked.values():
            if message.id in asked.messages:
                asked.messages[message.id] = message

    async def close(self) -> None:
        """Answer nothing more."""
        tasks = [asked.task for asked in self._asked.values() if asked.task]
        for question in tuple(self._asked):
            self.settle(question)
        if tasks:
            await asyncio.wait(tasks)

    def _wait(self, question: int, asked: _Asked) -> None:
        if asked.task:
            asked.task.cancel()
        self._asked[question] = asked
        asked.task = asyncio.create_task(self._soon(question, asked))

    async def _soon(self, question: int, asked: _Asked) -> None:
        await asyncio.sleep(self._debounce)
        try:
            await self._answer(question, asked)
        except DeliveryError as error:
            log.warning("a question in a support channel could not be answered: %s", error)
        except Exception:
            log.exception("a question in a support channel could not be answered")
        finally:
            if asked.task is asyncio.current_task():  # else it waits anew, with more words
                self._asked.pop(question, None)

    async def _answer(self, question: int, asked: _Asked) -> None:
        first = next(iter(asked.messages.values()))
        if not await self._desk.memory.first(f"discord:support:{question}") or solved(first.channel):
            return
        us = self._client.user.id if self._client.user else 0
        words = [spoken(message, us) for message in asked.messages.values()]
        title = first.channel.name if isinstance(first.channel, discord.Thread) else ""
        said = heard("\n".join(filter(None, [title, *words])), first.channel, first.author)
        if parts := [part async for part in self._desk.tutor.volunteer(said)]:
            await self._post(first, title or words[0], parts)

    async def _post(self, first: discord.Message, title: str, parts: list[Part]) -> None:
        if solved(first.channel):
            return
        layout = lay_out(render_reply(tuple(parts), self._desk.frame(first.author.id, private=False)))
        with translated():
            inside = isinstance(first.channel, discord.Thread)
            thread = first.channel if inside else await first.create_thread(name=" ".join(title.split())[:TITLE])
            sent = await thread.send(view=layout.view, files=list(layout.files))
        await self._desk.memory.answered(place(first.channel.id, first.id), place(sent.channel.id, sent.id))


def _opens(message: discord.Message) -> bool:
    """Say whether a message is a new question at the top of a channel, or the first of a forum's post."""
    if isinstance(message.channel, discord.Thread):
        return message.id == message.channel.id
    return message.reference is None


def _answers(message: discord.Message, question: int) -> bool:
    return not message.author.bot and message.id != question


def solved(channel: object) -> bool:
    """Say whether a forum's post is marked solved, or closed."""
    if not isinstance(channel, discord.Thread):
        return False
    tags = (tag.name.lower() for tag in channel.applied_tags)
    return channel.archived or channel.locked or any(tag.strip(" ✅✔") in SOLVED for tag in tags)
