"""What happens in Slack that concerns the tutor: mentions, messages, edits, deletions, opened panes."""

from typing import Any

from bot.commands import Ask, parse
from bot.platforms.slack.home import home, prompts
from bot.platforms.slack.people import People
from bot.platforms.slack.replies import Question, Replies
from bot.platforms.slack.support import Support
from bot.platforms.slack.surface import Place, key

Event = dict[str, Any]
SAID = frozenset({None, "file_share", "thread_broadcast", "me_message"})
TITLE = 60


class Events:
    """Hears; `follow` says whether messages in our threads need no mention."""

    def __init__(self, replies: Replies, people: People, support: Support, follow: bool) -> None:
        self._replies = replies
        self._api = replies.api
        self._memory = replies.memory
        self._people = people
        self._support = support
        self._follow = follow

    async def mentioned(self, event: Event, body: Event) -> None:
        """Somebody mentioned the tutor."""
        if not event.get("bot_id"):
            await self._ask(_place(event, body), event)

    async def message(self, event: Event, body: Event) -> None:
        """A message was said, edited or deleted."""
        subtype = event.get("subtype")
        if subtype == "message_changed":
            await self._edited(event, body)
        elif subtype == "message_deleted":
            await self._deleted(event)
        elif subtype in SAID and event.get("user") and not event.get("bot_id"):
            await self._said(event, body)

    async def _said(self, event: Event, body: Event) -> None:
        place = _place(event, body)
        if place.direct:
            await self._working(place)
            await self._ask(place, event)
            await self._titled(place, event)
        elif f"<@{self._people.bot}>" in event.get("text", ""):
            return  # comes as a mention too
        elif event.get("thread_ts"):
            if self._follow and await self._memory.ours(key(place.channel, place.thread)):
                await self._ask(place, event)
        else:
            await self._support.consider(place, event["ts"])

    async def _ask(self, place: Place, event: Event) -> None:
        if await self._memory.first(f"{key(place.channel, event['ts'])} asked"):
            text = await self._people.read(event.get("text", ""))
            earlier = await self._people.earlier(place, event["ts"])
            await self._replies.reply(Question(place, text, event["ts"], earlier))

    async def _working(self, place: Place) -> None:
        """The assistant's pane says what the tutor does, until there is something to read."""
        here = {"channel_id": place.channel, "thread_ts": place.thread}
        await self._api.quietly("assistant.threads.setStatus", **here, status="is reading the pages")

    async def _titled(self, place: Place, event: Event) -> None:
        """A thread of the assistant's pane gets its first question as its title."""
        if event.get("thread_ts") and await self._memory.first(f"{key(place.channel, place.thread)} titled"):
            here = {"channel_id": place.channel, "thread_ts": place.thread}
            title = (await self._people.read(event.get("text", "")))[:TITLE] or "A question"
            await self._api.quietly("assistant.threads.setTitle", **here, title=title)

    async def _edited(self, event: Event, body: Event) -> None:
        """An edited question gets its answer edited; what became of a command stays."""
        message, before = event.get("message", {}), event.get("previous_message", {})
        if message.get("text") == before.get("text") or message.get("bot_id"):
            return
        answer = await self._memory.answer_to(key(event["channel"], message["ts"]))
        text = await self._people.read(message.get("text", ""))
        was = await self._people.read(before.get("text", ""))
        if answer and isinstance(parse(text), Ask) and isinstance(parse(was), Ask):
            place = _place({**message, "channel": event["channel"], "channel_type": event.get("channel_type")}, body)
            await self._replies.again(Question(place, text, message["ts"]), answer.rpartition(":")[2])

    async def _deleted(self, event: Event) -> None:
        """A deleted question takes its answer with it; a deleted demo is stopped."""
        gone = key(event["channel"], event["deleted_ts"])
        self._replies.running.stop(gone)
        if answer := await self._memory.answer_to(gone):
            self._replies.running.stop(answer)
            await self._api.quietly("chat.delete", channel=event["channel"], ts=answer.rpartition(":")[2])
            await self._memory.forget(gone)

    async def home_opened(self, event: Event) -> None:
        """Somebody looks at App Home."""
        if event.get("tab") == "home":
            view = home(self._replies.tutor.offered, event["user"])
            await self._api.quietly("views.publish", user_id=event["user"], view=view)

    async def pane_opened(self, event: Event) -> None:
        """Somebody opened the assistant's pane."""
        pane = event["assistant_thread"]
        await self._api.quietly(
            "assistant.threads.setSuggestedPrompts",
            channel_id=pane["channel_id"],
            thread_ts=pane["thread_ts"],
            title="Ask, or watch",
            prompts=prompts(self._replies.tutor.offered),
        )

    async def revoked(self) -> None:
        """The app was removed from the workspace, or its tokens were taken back."""
        self._api.client.lose("SLACK_BOT_TOKEN", "the app was removed, or its tokens were revoked")


def _place(event: Event, body: Event) -> Place:
    """Where an event happened: replies go into a thread of it."""
    thread = event.get("thread_ts") or event["ts"]
    team = body.get("team_id") or event.get("team", "")
    return Place(team, event["channel"], event["user"], thread, direct=event.get("channel_type") == "im")
