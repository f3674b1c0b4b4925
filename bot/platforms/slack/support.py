"""Support channels: a new question that nobody addressed to the tutor is answered once, if nobody else is quicker."""

import asyncio
import logging

from bot.delivery import DeliveryError
from bot.errors import BadMessage
from bot.platforms.slack.people import People
from bot.platforms.slack.replies import Question, Replies
from bot.platforms.slack.surface import Place, key

DEBOUNCE = 20.0  # seconds in which people finish what they ask, or answer it themselves
SOLVED = frozenset({"white_check_mark", "heavy_check_mark", "ballot_box_with_check", "solved", "resolved", "done"})

log = logging.getLogger(__name__)


class Support:
    """Waits a moment, looks again, and answers where it is still needed."""

    def __init__(self, replies: Replies, people: People, channels: frozenset[str], debounce: float) -> None:
        self._replies = replies
        self._people = people
        self._channels = channels
        self._debounce = debounce

    async def consider(self, place: Place, ts: str) -> None:
        """A new message stands in a channel."""
        if place.channel in self._channels and await self._replies.memory.first(f"{key(place.channel, ts)} asked"):
            name = key(place.channel, ts)
            self._replies.running.start(name, self._answer(place, ts))

    async def _answer(self, place: Place, ts: str) -> None:
        await asyncio.sleep(self._debounce)
        told = await self._people.replies(place)
        if not told or told[0].get("ts") != ts:  # deleted meanwhile
            return
        reactions = {one.get("name") for one in told[0].get("reactions", [])}
        if reactions & SOLVED or any(one.get("user") != place.user for one in told[1:]):
            return
        # What the asker added in the thread belongs to the question.
        text = "\n".join([await self._people.read(one.get("text", "")) for one in told])
        try:
            await self._replies.volunteer(Question(place, text, ts))
        except (BadMessage, DeliveryError) as error:  # nothing was asked in words, or nothing can be said there
            log.info("nothing is said to %s: %s", ts, error)
