"""Who wrote what: display names instead of ids, and what was said before in a thread."""

from collections import OrderedDict
from typing import Any

from bot.messages import Said
from bot.platforms.slack.api import Api
from bot.platforms.slack.surface import Place
from bot.platforms.slack.text import heard, mentioned

KEPT = 5_000
EARLIER = 8
NAMED = 10  # people of one message whose names are asked for
REPLIES = 200


class People:
    """Display names, asked for once."""

    def __init__(self, api: Api, bot: str) -> None:
        self.bot = bot
        self._api = api
        self._names: OrderedDict[str, str] = OrderedDict()

    async def read(self, text: str) -> str:
        """What a person wrote, as people see it."""
        named = [user for user in dict.fromkeys(mentioned(text)) if user != self.bot][:NAMED]
        return heard(text, {user: await self.name(user) for user in named}, self.bot)

    async def name(self, user: str) -> str:
        """A person's display name."""
        if user not in self._names:
            answer = await self._api.quietly("users.info", user=user) or {}
            profile = answer.get("user", {})
            self._names[user] = profile.get("profile", {}).get("display_name") or profile.get("name") or "somebody"
            if len(self._names) > KEPT:
                self._names.popitem(last=False)
        return self._names[user]

    async def earlier(self, place: Place, before: str) -> tuple[Said, ...]:
        """The last things that were said in a thread before a message, oldest first."""
        if not place.thread or place.thread == before:
            return ()
        told = [one for one in await self.replies(place) if one.get("ts", "") < before][-EARLIER:]
        return tuple([await self._said(one) for one in told if one.get("text")])

    async def replies(self, place: Place) -> list[dict[str, Any]]:
        """The messages of a thread, its root first; none where they may not be read."""
        answer = await self._api.quietly("conversations.replies", channel=place.channel, ts=place.thread, limit=REPLIES)
        return list((answer or {}).get("messages", []))

    async def _said(self, message: dict[str, Any]) -> Said:
        ours = message.get("user") == self.bot
        name = "Portside" if ours else await self.name(str(message.get("user", "")))
        return Said(name, await self.read(message["text"]), ours)
