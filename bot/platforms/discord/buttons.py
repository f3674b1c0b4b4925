"""The one kind of button: it is found again by its custom_id, also after a restart."""

# ruff: noqa: ARG003 - discord.py gives more than is wanted

import re
from typing import Any, Protocol, Self

import discord
from discord import ui

from bot.platforms.discord.blocks import Button
from bot.platforms.discord.presses import MOST, Press, read, written


class Pressed(Protocol):
    """The client, as a button knows it."""

    async def pressed(self, interaction: discord.Interaction[Any], press: Press | None) -> None:
        """Do what a button stands for; None is a button of nobody's any more."""
        ...


class PressButton(ui.DynamicItem[ui.Button[Any]], template=r"(?s).+"):
    """A button of ours, or one that nobody knows any more: that gets an answer too."""

    def __init__(self, item: ui.Button[Any]) -> None:
        super().__init__(item)

    @classmethod
    def of(cls, button: Button) -> Self:
        """A button as it is shown."""
        style = discord.ButtonStyle.primary if button.primary else discord.ButtonStyle.secondary
        return cls(ui.Button(style=style, label=button.label, custom_id=written(button.press)[:MOST]))

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction[Any], item: ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        """The button that was clicked."""
        return cls(ui.Button(custom_id=match[0]))

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Hand the click to the client."""
        client: Pressed = interaction.client
        await client.pressed(interaction, read(self.custom_id))
