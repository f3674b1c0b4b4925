"""Messages that people write: which are for the tutor, and what becomes of an answer when its question changes."""

import logging
from collections import deque
from typing import Any

import discord

from bot.commands import Replay, RunDemo, parse
from bot.delivery import DeliveryError
from bot.platforms.discord.desk import Desk, Order, place
from bot.platforms.discord.errors import translated
from bot.platforms.discord.posts import ChannelPost, message_at
from bot.platforms.discord.reading import heard, spoken
from bot.platforms.discord.surface import working
from bot.platforms.discord.threads import earlier

WRITTEN = (discord.MessageType.default, discord.MessageType.reply, discord.MessageType.thread_starter_message)
REMEMBERED = 1_000  # deleted questions, whose answers may still be on their way

log = logging.getLogger(__name__)


class Conversations:
    """Answers who calls the tutor by name, writes to it alone, or goes on in a thread of its own."""

    def __init__(self, client: discord.Client, desk: Desk) -> None:
        self._client = client
        self._desk = desk
        self._deleted: deque[int] = deque(maxlen=REMEMBERED)

    async def addressed(self, message: discord.Message) -> bool:
        """Say whether a message is for the tutor."""
        if message.guild is None or self._named(message):
            return True
        ours = self._desk.settings.message_events and isinstance(message.channel, discord.Thread)
        return ours and await self._desk.memory.ours(f"discord:{message.channel.id}")

    def _named(self, message: discord.Message) -> bool:
        return any(person.id == self._us for person in message.mentions)

    @property
    def _us(self) -> int:
        return self._client.user.id if self._client.user else 0

    async def answer(self, message: discord.Message) -> None:
        """Answer a message in a reply to it."""
        if not await self._desk.memory.first(f"discord:{message.id}") or message.id in self._deleted:
            return
        before, hint = await earlier(message.channel, message), await self._hint(message)
        try:
            with translated():
                layout = working(self._desk.frame(message.author.id, private=False))
                sent = await message.reply(view=layout.view, mention_author=False)
        except DeliveryError as error:
            log.warning("a question could not be answered: %s", error)
            return
        await self._remember(message, sent.id)
        self._begin(message, (sent.channel.id, sent.id), before, hint)

    def _begin(
        self, message: discord.Message, answer: tuple[int, int], before: list[discord.Message], hint: bool
    ) -> None:
        text = spoken(message, self._us) or ("" if message.attachments else "/help")
        said = heard(text, message.channel, message.author, before, self._us)
        post = ChannelPost(message_at(self._client, *answer))
        self._desk.begin(Order(said, message.author.id, post, hint))

    async def _remember(self, message: discord.Message, answer: int) -> None:
        memory = self._desk.memory
        await memory.answered(place(message.channel.id, message.id), place(message.channel.id, answer))
        await memory.begin_thread(f"discord:{answer}")  # a thread that begins with this answer has its id
        if message.id in self._deleted:
            await self.deleted(message.channel.id, message.id)

    async def _hint(self, message: discord.Message) -> bool:
        """Say whether this is the first reply in a thread where only a mention is heard."""
        if not isinstance(message.channel, discord.Thread) or self._desk.settings.message_events:
            return False
        return await self._desk.memory.first(f"discord:hint:{message.channel.id}")

    async def edited(self, message: discord.Message) -> None:
        """Answer an edited question anew, in the answer that it has. A demo is never run for an edit."""
        text = spoken(message, self._us)
        if not text or isinstance(parse(text), RunDemo | Replay):
            return
        answer = await self._desk.memory.answer_to(place(message.channel.id, message.id))
        if answer is None or not await self._desk.memory.first(f"discord:{message.id}:{message.edited_at}"):
            return
        _, where, post = answer.split(":")
        await self._desk.stopped(int(post))
        self._begin(message, (int(where), int(post)), [], hint=False)

    async def deleted(self, channel: int, number: int) -> None:
        """Stop what was answering a deleted message, or in one; take the answer with its question."""
        self._deleted.append(number)
        self._desk.stop(number)
        question = place(channel, number)
        answer = await self._desk.memory.answer_to(question)
        if answer is None:
            return
        _, where, post = answer.split(":")
        await self._desk.stopped(int(post))
        await self._desk.memory.forget(question)
        try:
            with translated():
                await message_at(self._client, int(where), int(post)).delete()
        except DeliveryError as error:
            log.info("an answer could not be taken back: %s", error)


def written(message: Any) -> bool:
    """Say whether a person has written a message."""
    return not message.author.bot and message.webhook_id is None and message.type in WRITTEN
