"""Takes interactions: acknowledged at once, refused in private where they cannot be done, else answered."""

import logging
from collections.abc import Mapping
from contextlib import aclosing
from typing import Any

import discord
from discord import ui

from bot import commands
from bot.delivery import DeliveryError
from bot.errors import KNOWN, trouble
from bot.parts import Failure, Text
from bot.platforms.discord.desk import Desk, Order, place
from bot.platforms.discord.errors import translated
from bot.platforms.discord.layout import lay_out
from bot.platforms.discord.posts import InteractionPost
from bot.platforms.discord.presses import Press
from bot.platforms.discord.reading import author, heard
from bot.platforms.discord.render import Frame, render_reply
from bot.platforms.discord.threads import earlier
from sandbox.demo import Demo, choose
from sandbox.replaying import find

NOT_YOURS = "This button belongs to who asked. Ask for yourself with /ask or /demo."
UNKNOWN = "This button is not known here any more. Ask again with /ask, or type /help."
ENDED = "This has ended already."
ASKED = "A human was asked already."
NOTED = {"helpful": "Noted: helpful.", "unhelpful": "Noted: not helpful. Ask again in other words, or ask a human."}

Interaction = discord.Interaction[Any]
log = logging.getLogger(__name__)


class Reception:
    """Commands and clicks."""

    def __init__(self, client: discord.Client, desk: Desk) -> None:
        self._client = client
        self._desk = desk

    @property
    def demos(self) -> Mapping[str, Demo]:
        """What is known."""
        return self._desk.tutor.demos

    @property
    def offered(self) -> Mapping[str, Demo]:
        """What is in the menu."""
        return self._desk.tutor.offered

    @property
    def us(self) -> int:
        """The bot's own id."""
        return self._client.user.id if self._client.user else 0

    async def take(self, interaction: Interaction, text: str, private: bool = False) -> None:
        """Answer what an interaction says."""
        if refusal := self._refusal(text):
            await tell(interaction, refusal)
            return
        try:
            with translated():
                taken = await interaction.response.defer(ephemeral=private, thinking=True)
        except DeliveryError as error:  # delivered twice, or too late: nobody waits for it
            log.info("an interaction is left alone: %s", error)
            return
        number = taken.message_id if taken and taken.message_id else interaction.id
        post = InteractionPost(interaction, number, private)
        self._desk.budgets.of(post.channel, interaction.token)
        if not private:
            await self._desk.memory.begin_thread(f"discord:{number}")
        before = await earlier(interaction.channel, interaction)
        said = heard(text, interaction.channel, interaction.user, before, self.us)
        self._desk.begin(Order(said, interaction.user.id, post))

    def _refusal(self, text: str) -> Failure | Text | None:
        """What is wrong with a command, for the eyes of who gave it."""
        try:
            match commands.parse(commands.read(text)):
                case commands.Unknown(reason):
                    return Text(reason)
                case (
                    commands.RunDemo(name, fault, copies)
                    | commands.ShowCommands(name, fault, copies)
                    | commands.TakeHome(name, fault, copies)
                ):
                    choose(self.demos, name, fault, copies)
                case commands.Replay(name, fault):
                    find(self.demos, name, fault)
        except KNOWN as error:
            told = trouble(error)
            return Failure(told.text, told.advice, told.reference)
        return None

    async def press(self, interaction: Interaction, press: Press | None) -> None:
        """Do what a button stands for."""
        message = interaction.message
        if press is None or message is None:
            await tell(interaction, Text(UNKNOWN))
        elif press.action in NOTED:
            await self._judge(interaction, message, press)
        elif press.action == "vote":
            await self._vote(interaction, press.command)
        elif press.owner != interaction.user.id:
            await tell(interaction, Text(NOT_YOURS))
        elif press.action == "say":
            await self.take(interaction, press.command)
        elif press.action == "stop":
            await self._stop(interaction, message)
        elif press.action == "share":
            await share(interaction, message)
        else:
            await self._call(interaction, message)

    async def _vote(self, interaction: Interaction, command: str) -> None:
        """Anybody's guess; what became of it, for their eyes."""
        said = heard(command, interaction.channel, interaction.user, (), self.us)
        async with aclosing(self._desk.tutor.reply(said)) as parts:
            async for part in parts:
                if isinstance(part, Text):
                    await tell(interaction, part)

    async def _judge(self, interaction: Interaction, message: discord.Message, press: Press) -> None:
        answer = place(message.channel.id, message.id)
        await self._desk.memory.judged(answer, author(interaction.user), press.action == "helpful")
        await tell(interaction, Text(NOTED[press.action]))

    async def _stop(self, interaction: Interaction, message: discord.Message) -> None:
        if self._desk.stop(message.id):
            with translated():
                await interaction.response.defer()
        else:
            await tell(interaction, Text(ENDED))

    async def _call(self, interaction: Interaction, message: discord.Message) -> None:
        """Ask a human, once for each answer: only the helpers' role is mentioned."""
        role = self._desk.settings.discord_helpers
        if role is None:
            await tell(interaction, Text(UNKNOWN))
            return
        if not await self._desk.memory.first(f"discord:human:{message.id}"):
            await tell(interaction, Text(ASKED))
            return
        view = ui.LayoutView(timeout=None)
        name = render_reply((Text(interaction.user.display_name),), Frame(0))[0]
        view.add_item(ui.TextDisplay(f"<@&{role}> {getattr(name, 'text', '')} asks a human: {message.jump_url}"))
        only = discord.AllowedMentions(everyone=False, users=False, roles=[discord.Object(int(role))])
        with translated():
            await interaction.response.send_message(view=view, allowed_mentions=only)


async def tell(interaction: Interaction, part: Text | Failure) -> None:
    """Say something that only the person sees who clicked or typed."""
    layout = lay_out(render_reply((part,), Frame(interaction.user.id)))
    try:
        with translated():
            await interaction.response.send_message(view=layout.view, ephemeral=True)
    except DeliveryError as error:  # delivered twice, or too late: nobody waits for it
        log.info("an interaction is left alone: %s", error)


async def share(interaction: Interaction, message: discord.Message) -> None:
    """Show everyone a private answer, without the button that does so."""
    view = ui.LayoutView.from_message(message, timeout=None)
    for item in tuple(view.walk_children()):
        if isinstance(item, ui.ActionRow):
            for button in item.children:
                if isinstance(button, ui.Button) and (button.custom_id or "").startswith("share:"):
                    item.remove_item(button)
        if isinstance(item, ui.File):
            item.media = f"attachment://{item.media.url.rpartition('/')[2].partition('?')[0]}"
    with translated():
        files = [await one.to_file() for one in message.attachments]
        await interaction.response.send_message(view=view, files=files)
