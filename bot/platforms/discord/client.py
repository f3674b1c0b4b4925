"""The bot on Discord: its connection, what it listens to, and how it begins and ends."""

import asyncio
import logging
import sys
from collections.abc import Callable, Coroutine
from typing import Any

import discord
import yarl
from discord import app_commands
from discord.gateway import DiscordWebSocket

from bot.delivery import DeliveryError
from bot.errors import trouble
from bot.parts import Failure, Text
from bot.platforms.discord.buttons import PressButton
from bot.platforms.discord.commands import install
from bot.platforms.discord.conversations import Conversations, written
from bot.platforms.discord.desk import Desk
from bot.platforms.discord.patience import listening
from bot.platforms.discord.presses import Press
from bot.platforms.discord.reception import Reception, tell
from bot.platforms.discord.restoring import restore
from bot.platforms.discord.support import DEBOUNCE, Support

RELOAD = "Restart Discord to see what is there now, or type /help."

log = logging.getLogger(__name__)


def intents(message_content: bool) -> discord.Intents:
    """The least that the bot has to hear; the content of all messages only where it is switched on."""
    return discord.Intents(guilds=True, guild_messages=True, dm_messages=True, message_content=message_content)


class Commands(app_commands.CommandTree[Any]):
    """The commands; one that cannot be done is told in private."""

    async def on_error(self, interaction: discord.Interaction[Any], error: app_commands.AppCommandError, /) -> None:
        """Say what went wrong."""
        cause = getattr(error, "original", error)
        if interaction.type is discord.InteractionType.autocomplete or isinstance(cause, DeliveryError):
            log.warning("not delivered: %s", cause)
        elif isinstance(error, app_commands.CommandNotFound | app_commands.CommandSignatureMismatch):
            await tell(interaction, Text(f"There is no command of this form any more. {RELOAD}"))
        else:
            told = trouble(cause)
            await tell(interaction, Failure(told.text, told.advice, told.reference))


class PortsideClient(discord.AutoShardedClient):
    """The connection. It keeps no members and no messages."""

    def __init__(self, desk: Desk, debounce: float = DEBOUNCE) -> None:
        super().__init__(
            intents=intents(desk.settings.message_events),
            allowed_mentions=discord.AllowedMentions.none(),
            chunk_guilds_at_startup=False,
            member_cache_flags=discord.MemberCacheFlags.none(),
            max_messages=None,
            http_trace=listening(desk.budgets),
        )
        self.desk = desk
        self.reception = Reception(self, desk)
        self.conversations = Conversations(self, desk)
        self.support = Support(self, desk, debounce)
        self._restoring: asyncio.Task[None] | None = None
        self.tree = Commands(
            self,
            allowed_contexts=app_commands.AppCommandContext(guild=True, dm_channel=True, private_channel=True),
            allowed_installs=app_commands.AppInstallationType(guild=True, user=True),
        )
        install(self.tree, self.reception)

    async def setup_hook(self) -> None:
        """Before the connection: commands, buttons, and where the gateway is."""
        self.add_dynamic_items(PressButton)
        parsers = self._connection.parsers  # there is no public place to keep a bad event from ending the connection
        self._connection.parsers = {name: _careful(name, parse) for name, parse in parsers.items()}
        _, gateway, _ = await self.http.get_bot_gateway()
        DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(gateway)
        await self.tree.sync()
        interrupted = await self.desk.memory.interrupted("discord:")  # before any demo of this process begins
        self._restoring = asyncio.create_task(restore(self, self.desk, interrupted))
        print(f"Portside is on Discord as {self.user}", flush=True)  # noqa: T201 - for the operator

    async def pressed(self, interaction: discord.Interaction[Any], press: Press | None) -> None:
        """Take a click."""
        await self._safely(self.reception.press(interaction, press))

    async def on_message(self, message: discord.Message) -> None:
        """Answer who calls the tutor."""
        if not written(message):
            return
        if await self.conversations.addressed(message):
            await self._safely(self.conversations.answer(message))
        elif self.support.watches(message.channel):
            self.support.take(message)

    async def on_raw_message_edit(self, event: discord.RawMessageUpdateEvent) -> None:
        """Answer an edited question anew."""
        if written(event.message) and event.message.edited_at:
            self.support.edited(event.message)
            await self._safely(self.conversations.edited(event.message))

    async def on_raw_message_delete(self, event: discord.RawMessageDeleteEvent) -> None:
        """Stop what nobody can see any more."""
        self.support.settle(event.message_id)
        await self._safely(self.conversations.deleted(event.channel_id, event.message_id))

    async def on_raw_bulk_message_delete(self, event: discord.RawBulkMessageDeleteEvent) -> None:
        """The same for many at once."""
        for number in event.message_ids:
            self.support.settle(number)
            await self._safely(self.conversations.deleted(event.channel_id, number))

    async def on_thread_create(self, thread: discord.Thread) -> None:
        """A thread that a person begins under a question is where people answer it."""
        if thread.owner_id != self.application_id and isinstance(thread.parent, discord.TextChannel):
            self.support.settle(thread.id)

    async def on_error(self, event_method: str, /, *_: Any, **__: Any) -> None:
        """Keep what went wrong for the log."""
        log.error("a fault of our own in %s", event_method, exc_info=sys.exc_info())

    async def leave(self) -> None:
        """Stop what runs, then the connection."""
        await self.support.close()
        if self._restoring:
            self._restoring.cancel()
            await asyncio.wait([self._restoring])
        await self.desk.close()
        await self.close()

    async def _safely(self, work: Coroutine[Any, Any, None]) -> None:
        """What Discord refuses is named in the log; the person sees what Discord itself shows."""
        try:
            await work
        except DeliveryError as error:
            log.warning("not delivered: %s", error)


def _careful(name: str, parse: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """A parser that drops an event of a form that Discord does not have, rather than the connection."""

    def careful(data: Any) -> Any:
        try:
            return parse(data)
        except (AttributeError, KeyError, LookupError, TypeError, ValueError) as error:
            log.warning("an event %s cannot be read: %s", name, type(error).__name__)
        return None

    return careful


async def run(client: PortsideClient, token: str) -> None:
    """Be there until cancelled; stop what runs before the connection ends."""
    async with client:
        connection = asyncio.create_task(client.start(token))
        try:
            await asyncio.shield(connection)
        finally:
            await client.leave()
            connection.cancel()  # it may still be on its way
            await asyncio.gather(connection, return_exceptions=True)
