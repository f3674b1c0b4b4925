"""`portside discord`: from the settings to a bot that is there, and the link that invites it."""

from typing import Protocol

import discord
from discord.http import Route
from pydantic import SecretStr

from bot.errors import BadSettings, BadToken
from bot.platforms.discord import desk
from bot.platforms.discord.client import PortsideClient, run
from bot.platforms.discord.errors import HOW_TO_GET_ONE, starting
from bot.platforms.discord.patience import Budgets
from bot.state.memory import Memory
from bot.tutor import Tutor

PERMISSIONS = discord.Permissions(
    view_channel=True,
    send_messages=True,
    send_messages_in_threads=True,
    create_public_threads=True,
    attach_files=True,
    read_message_history=True,
)


class Settings(desk.Settings, Protocol):
    """What Discord needs of the settings, the token too."""

    discord_token: SecretStr | None
    discord_api_url: str


def check(settings: Settings) -> None:
    """Raise `BadToken` or `BadSettings` for what can be seen to be wrong before anything is started."""
    _token(settings)
    if settings.discord_helpers and not settings.discord_helpers.isdecimal():
        raise BadSettings("PORTSIDE_DISCORD_HELPERS cannot be used: it is a role's id, for example 123456789012345678.")
    if any(one.isdecimal() for one in settings.support_channels) and not settings.message_events:
        raise BadSettings(
            "PORTSIDE_SUPPORT_CHANNELS names channels of Discord, where messages can be read with the message-content "
            "intent only. Switch it on in the application's settings, and set PORTSIDE_MESSAGE_EVENTS=true."
        )


async def serve(tutor: Tutor, settings: Settings, memory: Memory) -> None:
    """Answer on Discord until cancelled. Raises `BadToken`, `NotAllowed` or `BadSettings`."""
    check(settings)
    use_api(settings.discord_api_url)
    with starting():
        await run(PortsideClient(desk.Desk(tutor, settings, memory, Budgets())), _token(settings))


async def invite(settings: Settings) -> str:
    """The link that adds the bot to a server, with the least permissions. Raises `BadToken` or `NotAllowed`."""
    token = _token(settings)
    use_api(settings.discord_api_url)
    with starting():
        async with discord.Client(intents=discord.Intents.none()) as client:
            await client.login(token)
            number = client.application_id or 0
    return discord.utils.oauth_url(number, permissions=PERMISSIONS, scopes=("bot", "applications.commands"))


def _token(settings: Settings) -> str:
    if settings.discord_token is None:
        raise BadToken(f"DISCORD_TOKEN is not set. {HOW_TO_GET_ONE}")
    return settings.discord_token.get_secret_value()


def use_api(url: str) -> None:
    """Talk to a server with Discord's API. discord.py has one for the whole process; the gateway is asked from it."""
    Route.BASE = url.rstrip("/")
