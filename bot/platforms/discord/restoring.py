"""Demos that a restart of the bot has interrupted: their messages say so, and their sandboxes go."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING

import discord

from bot.delivery import DeliveryError
from bot.parts import Choice, Choices, Part, Text
from bot.platforms.discord.desk import Desk
from bot.platforms.discord.layout import lay_out
from bot.platforms.discord.posts import ChannelPost, message_at
from bot.platforms.discord.render import Frame, render_reply
from bot.state.memory import Interrupted
from sandbox.engines import Engines

if TYPE_CHECKING:
    from sandbox.reaper import Swept

INTERRUPTED = "The bot was restarted in the middle of this demo, which ended it."
GOING = "What it had made will be deleted."
GONE = "What it had made is deleted, which takes Kubernetes a few seconds."
EXPIRES = "If anything of it is left, that carries an expiry and is removed then."

log = logging.getLogger(__name__)


async def restore(client: discord.Client, desk: Desk, demos: Iterable[Interrupted]) -> None:
    """Say in each message what became of its demo, at once, and again when its sandbox is gone."""
    demos = tuple(demos)
    for demo in demos:
        await _say(client, demo, GOING)
    if not demos:
        return
    async for _ in desk.tutor.engines.progress():
        """Until no engine is on its way."""
    remove = await asyncio.to_thread(_load)
    for demo in demos:
        swept = await remove(desk.tutor.engines, demo.run) if demo.run else None
        await _say(client, demo, GONE if swept and not swept.missed else EXPIRES)
        await desk.memory.ended(demo.place)


def _load() -> Callable[[Engines, str], Awaitable["Swept"]]:
    """Import the clients of both engines: more than a second, which they use to come up."""
    from sandbox.reaper import remove_run  # noqa: PLC0415

    return remove_run


async def _say(client: discord.Client, demo: Interrupted, became: str) -> None:
    _, channel, message = demo.place.split(":")
    owner = int(demo.owner.rpartition(":")[2])
    said: tuple[Part, ...] = (
        Text(f"**{INTERRUPTED}** {became}"),
        Choices((Choice("Run it again", demo.command, primary=True),)),
    )
    try:
        await ChannelPost(message_at(client, int(channel), int(message))).edit(
            lay_out(render_reply(said, Frame(owner)))
        )
    except DeliveryError as error:
        log.info("an interrupted demo's message is left as it is: %s", error)
