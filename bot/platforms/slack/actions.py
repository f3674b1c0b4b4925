"""Buttons: they belong to the invoker, whose id stands in their value, so that they work after a restart too."""

from collections.abc import Awaitable, Callable
from typing import Any

from bot.platforms.slack.people import People
from bot.platforms.slack.replies import Question, Replies
from bot.platforms.slack.surface import QUIET, Place, key

Body = dict[str, Any]
Call = Callable[..., Awaitable[Any]]
OTHERS = "This button belongs to whoever asked. Ask yourself, and you get one of your own."
UNKNOWN = "This button is from an older version of me. Ask again for one that works."
ENDED = "This demo is not running any more."
SHARED = "This answer was shared already."
ASKED = "A human was asked here already."


class Actions:
    """Does what a button says; a stranger gets a friendly word that nobody else sees."""

    def __init__(self, replies: Replies, people: People, helpers: str | None) -> None:
        self._replies = replies
        self._memory = replies.memory
        self._people = people
        self._helpers = helpers

    async def say(self, ack: Call, body: Body, action: Body, respond: Call) -> None:
        """A button that says something for its invoker: to see a demo, to run it again, to have it explained."""
        await ack()
        owner, _, text = action["value"].partition(" ")
        if await self._own(owner, body, respond):
            await self._replies.reply(Question(_place(body), text))

    async def stop(self, ack: Call, body: Body, action: Body, respond: Call) -> None:
        """Stop a demo: what it holds is given back, and its message says so."""
        await ack()
        if await self._own(action["value"], body, respond):
            container = body["container"]
            if not self._replies.running.stop(key(container["channel_id"], container["message_ts"])):
                await _whisper(respond, ENDED)

    async def share(self, ack: Call, body: Body, action: Body, respond: Call) -> None:
        """Post a private answer for all, once; after a restart it is answered anew, as it is not kept."""
        await ack()
        owner, _, rest = action["value"].partition(" ")
        name, _, question = rest.partition(" ")
        if not await self._own(owner, body, respond):
            return
        if not await self._memory.first(f"slack:{name} shared"):
            await _whisper(respond, SHARED)
        elif not await self._replies.share(name):
            await self._replies.reply(Question(_place(body), question))

    async def human(self, ack: Call, body: Body, action: Body, respond: Call) -> None:
        """Call the group that the setting names, once; nobody else is mentioned."""
        await ack()
        if not self._helpers or not await self._own(action["value"], body, respond):
            return
        place = _place(body)
        if not await self._memory.first(f"{key(place.channel, body['container']['message_ts'])} human"):
            await _whisper(respond, ASKED)
            return
        told = f"<!subteam^{self._helpers}> A question here waits for a human."
        await self._replies.api.sure("chat.postMessage", **place.target, text=told, **QUIET)

    async def judge(self, ack: Call, body: Body, action: Body, respond: Call) -> None:
        """Helpful, or not: anybody's verdict, the last of each person."""
        await ack()
        container = body["container"]
        answer = key(container["channel_id"], container["message_ts"])
        helpful = action["value"] == "yes"
        await self._memory.judged(answer, f"slack:{body['team']['id']}:{body['user']['id']}", helpful)
        await _whisper(respond, f"Noted: {'helpful' if helpful else 'not helpful'}.")

    async def vote(self, ack: Call, body: Body, action: Body) -> None:
        """A guess, or to go on: anybody's, for the tutor says in private what became of it."""
        await ack()
        await self._replies.privately(Question(_place(body), action["value"]), body["response_url"], shared=False)

    async def unknown(self, ack: Call, respond: Call) -> None:
        """A button that no version of today has."""
        await ack()
        await _whisper(respond, UNKNOWN)

    async def _own(self, owner: str, body: Body, respond: Call) -> bool:
        if owner == body["user"]["id"]:
            return True
        await _whisper(respond, OTHERS)
        return False


async def _whisper(respond: Call, text: str) -> None:
    """Tell the clicker alone."""
    await respond(text=text, response_type="ephemeral", replace_original=False)


def _place(body: Body) -> Place:
    """Where the reply to a click goes: into the thread of its message; from App Home, into a direct message."""
    team, user, container = body["team"]["id"], body["user"]["id"], body["container"]
    if container["type"] == "view":
        return Place(team, user, user, direct=True)
    thread = body.get("message", {}).get("thread_ts") or container.get("thread_ts") or container["message_ts"]
    return Place(team, container["channel_id"], user, "" if container.get("is_ephemeral") else thread)
