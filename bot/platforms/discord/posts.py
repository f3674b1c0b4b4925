"""The message in which a reply grows, and by which token it is edited."""

from dataclasses import dataclass
from typing import Any, Protocol

import discord

from bot.platforms.discord.errors import Expired, Never, translated
from bot.platforms.discord.layout import Layout


class Post(Protocol):
    """A message of ours."""

    @property
    def channel(self) -> int:
        """Where it is."""
        ...

    @property
    def id(self) -> int:
        """The message's id."""
        ...

    @property
    def private(self) -> bool:
        """Whether one person alone sees it."""
        ...

    async def edit(self, layout: Layout) -> None:
        """Show another form of it. Raises `DeliveryError`."""
        ...


@dataclass(frozen=True)
class ChannelPost:
    """A message that the bot edits with its own token."""

    message: discord.PartialMessage
    private: bool = False

    @property
    def id(self) -> int:
        """The message's id."""
        return self.message.id

    @property
    def channel(self) -> int:
        """Where it is."""
        return self.message.channel.id

    async def edit(self, layout: Layout) -> None:
        """Show another form of it. Raises `DeliveryError`."""
        with translated():
            await self.message.edit(
                view=layout.view, attachments=list(layout.files), allowed_mentions=discord.AllowedMentions.none()
            )


class InteractionPost:
    """The answer to an interaction: edited with its token for 15 minutes, then with the bot's own."""

    def __init__(self, interaction: discord.Interaction[Any], number: int, private: bool) -> None:
        self.id = number
        self.channel = interaction.channel_id or 0
        self.private = private
        self._interaction = interaction
        self._over = False

    async def edit(self, layout: Layout) -> None:
        """Show another form of it. Raises `DeliveryError`."""
        if not self._over and not self._interaction.is_expired():
            try:
                with translated():
                    await self._interaction.edit_original_response(view=layout.view, attachments=list(layout.files))
            except Expired:
                self._over = True
            else:
                return
        if self.private:
            raise Never("a private message cannot be edited after 15 minutes")
        for file in layout.files:
            file.reset()
        await ChannelPost(message_at(self._interaction.client, self.channel, self.id)).edit(layout)


def message_at(client: discord.Client, channel: int, message: int) -> discord.PartialMessage:
    """A message by its ids alone: nothing is asked of Discord for it."""
    return client.get_partial_messageable(channel).get_partial_message(message)
