"""After a restart: the messages of demos that it interrupted say so, and what they held is removed."""

import logging
from collections.abc import Sequence

from bot.delivery import DeliveryError
from bot.parts import Choice, Choices, Reply, Text
from bot.platforms.slack.render import Frame
from bot.platforms.slack.replies import Replies
from bot.platforms.slack.surface import Place, Posted
from bot.state.memory import Interrupted
from sandbox.engines import Engines
from sandbox.reaper import remove_run

log = logging.getLogger(__name__)


async def tell_interrupted(replies: Replies, engines: Engines, interrupted: Sequence[Interrupted]) -> None:
    """Clean up after an earlier process, as soon as no engine is on its way."""
    if not interrupted:
        return
    async for _ in engines.progress():
        """Until no engine is on its way."""
    for demo in interrupted:
        if demo.run:
            await remove_run(engines, demo.run)
        gone = not demo.run or all(status.state == "ready" for status in engines.status())
        await _tell(replies, demo, gone)
        await replies.memory.ended(demo.place)


async def _tell(replies: Replies, demo: Interrupted, gone: bool) -> None:
    _, channel, ts = demo.place.split(":")
    surface = Posted(replies.api, Place("", channel, demo.owner), Frame(demo.owner), ts)
    try:
        await surface.show(interruption(demo.command, gone), final=True)
    except DeliveryError as error:
        log.info("%s: %s", demo.place, error)


def interruption(command: str, gone: bool) -> Reply:
    """What the message of such a demo says."""
    left = "Its sandbox is gone." if gone else "Its sandbox carries an expiry, and is removed then."
    told = f"A restart of the bot interrupted this demo. {left}"
    return (Text(told), Choices((Choice("Run it again", command, primary=True),)))
