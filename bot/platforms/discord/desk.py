"""The desk: takes messages for the tutor and lets each reply grow in its post, until it has ended or is stopped."""

import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Protocol

from bot.delivery import deliver
from bot.messages import Message
from bot.parts import Card, Part, Progress, Text
from bot.platforms.discord.patience import Budgets
from bot.platforms.discord.posts import Post
from bot.platforms.discord.render import Frame
from bot.platforms.discord.surface import MessageSurface
from bot.running import Running
from bot.state.memory import Memory
from bot.tutor import Tutor

MENTION_ME = Text("Mention me to go on here.", key="hint")

log = logging.getLogger(__name__)


class Settings(Protocol):
    """What Discord needs of the settings."""

    discord_helpers: str | None
    message_events: bool
    support_channels: frozenset[str]


def place(channel: int, message: int) -> str:
    """A message, as it is remembered across a restart."""
    return f"discord:{channel}:{message}"


@dataclass(frozen=True)
class Order:
    """What is to be answered: for whom, in which post, and whether it is the first of its thread."""

    message: Message
    owner: int
    post: Post
    hint: bool = False


class Desk:
    """Everything that is being answered now."""

    def __init__(self, tutor: Tutor, settings: Settings, memory: Memory, budgets: Budgets) -> None:
        self.tutor = tutor
        self.settings = settings
        self.memory = memory
        self.budgets = budgets
        self.running = Running()
        self._closing = False

    def begin(self, order: Order) -> None:
        """Answer; the reply is found under its post's id while it grows."""
        if self._closing:
            return
        self.running.start(str(order.post.id), self._answer(order))

    def frame(self, owner: int, private: bool) -> Frame:
        """What stands around a reply."""
        return Frame(owner, private=private, helpers=self.settings.discord_helpers is not None)

    def stop(self, post: int) -> bool:
        """Stop the reply in a post and say whether it ran."""
        return self.running.stop(str(post))

    async def stopped(self, post: int) -> None:
        """Stop the reply in a post and wait until nothing is left of it."""
        await self.running.stopped(str(post))

    async def close(self) -> None:
        """Begin nothing more, stop everything, and wait until nothing is left of it."""
        self._closing = True
        await self.running.close()

    async def _answer(self, order: Order) -> None:
        post = order.post
        surface = MessageSurface(
            post,
            self.frame(order.owner, post.private),
            self.budgets.of(post.channel),
            lambda: self._lost(post),
            lambda: self._closing,
        )
        try:
            await deliver(self._noted(order), surface)
        finally:
            await self.memory.ended(place(post.channel, post.id))

    def _lost(self, post: Post) -> None:
        if self.stop(post.id):
            log.info("a reply was stopped: its message cannot be edited any more")

    async def _noted(self, order: Order) -> AsyncGenerator[Part, None]:
        """The reply, with what must outlive a restart noted as soon as it is known."""
        where, begun, run = place(order.post.channel, order.post.id), order.post.private, ""
        async with aclosing(self.tutor.reply(order.message)) as parts:
            async for part in parts:
                if not begun and isinstance(part, Card | Progress):
                    begun = True
                    await self.memory.began(where, order.message.author, order.message.text)
                if isinstance(part, Card) and part.run != run and not order.post.private:
                    run = part.run
                    await self.memory.ran(where, run)
                yield part
        if order.hint:
            yield MENTION_ME
