"""What was said before in a thread or in a direct conversation, as far as the bot may read it."""

import logging
from typing import Any

import discord

from bot.delivery import DeliveryError
from bot.platforms.discord.errors import translated

EARLIER = 8  # messages

log = logging.getLogger(__name__)


async def earlier(channel: Any, before: discord.abc.Snowflake) -> list[discord.Message]:
    """Read the last messages before one, oldest first; nothing in an open channel, where everybody talks."""
    if not isinstance(channel, discord.Thread | discord.DMChannel):
        return []
    try:
        with translated():
            found = [one async for one in channel.history(limit=EARLIER, before=before)]
    except DeliveryError as error:
        log.info("what was said before is not read: %s", error)
        return []
    return found[::-1]
