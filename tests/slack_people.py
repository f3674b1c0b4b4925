"""People in a Slack workspace: what they say, press, edit and delete, as Slack tells an app; and the app under test."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from slack_server import APP_TOKEN, BOT_TOKEN, SlackServer
from slack_workspace import APP, BOT, TEAM, Post

from bot.platforms.slack.api import Pauses
from bot.platforms.slack.serving import serve
from bot.settings import Settings
from bot.state.memory import Memory, open_memory

CHANNEL, DIRECT = "C00000001", "D00000001"
QUICK = Pauses(update=0.05, append=0.02, post=0.01)
_numbers = itertools.count(1)


def settings(server: SlackServer, **more: str) -> Settings:
    tokens = {"SLACK_BOT_TOKEN": BOT_TOKEN, "SLACK_APP_TOKEN": APP_TOKEN, "SLACK_API_URL": f"{server.base}/api/"}
    return Settings(**{**tokens, **more})


@asynccontextmanager
async def portside(
    server: SlackServer, tutor: Any, folder: Path, pauses: Pauses = QUICK, debounce: float = 0.1, **more: str
) -> AsyncIterator[Memory]:
    """The app, connected by Socket Mode, until the block ends."""
    async with open_memory(folder) as memory:
        serving = asyncio.create_task(serve(tutor, settings(server, **more), memory, pauses, debounce))
        connected = asyncio.create_task(server.connected.wait())
        await asyncio.wait([serving, connected], return_when=asyncio.FIRST_COMPLETED)
        if serving.done():
            connected.cancel()
            await serving
        try:
            yield memory
        finally:
            serving.cancel()
            with suppress(asyncio.CancelledError):
                await serving


class Person:
    """Somebody who talks with the app."""

    def __init__(self, server: SlackServer, user: str = "U00000001") -> None:
        self.server = server
        self.user = user

    async def event(self, event: dict[str, Any], attempt: int = 0, number: str = "") -> None:
        body = {"type": "event_callback", "team_id": TEAM, "api_app_id": APP, "event": event, "event_time": 1}
        await self.server.deliver("events_api", {**body, "event_id": number or f"Ev{next(_numbers)}"}, attempt)

    def said(self, text: str, channel: str = CHANNEL, thread: str | None = None) -> dict[str, Any]:
        """A message in the workspace, and its event."""
        event = {
            "type": "message",
            "user": self.user,
            "text": text,
            "ts": self.server.workspace.ts(),
            "channel": channel,
        }
        event |= {"thread_ts": thread} if thread else {}
        event |= {"channel_type": "im" if channel.startswith("D") else "channel", "team": TEAM}
        self.server.workspace.said.append(event)
        return event

    async def mention(self, text: str, thread: str | None = None) -> dict[str, Any]:
        event = {**self.said(f"<@{BOT}> {text}", thread=thread), "type": "app_mention"}
        await self.event(event)
        return event

    async def say(self, text: str, channel: str = CHANNEL, thread: str | None = None) -> dict[str, Any]:
        event = self.said(text, channel, thread)
        await self.event(event)
        return event

    async def edit(self, event: dict[str, Any], text: str) -> None:
        new = {**event, "type": "message", "text": text}
        told = {"type": "message", "subtype": "message_changed", "channel": event["channel"], "ts": "1"}
        await self.event({**told, "channel_type": event["channel_type"], "message": new, "previous_message": event})

    async def delete(self, channel: str, ts: str) -> None:
        told = {
            "type": "message",
            "subtype": "message_deleted",
            "channel": channel,
            "channel_type": "channel",
            "ts": "1",
        }
        self.server.workspace.said = [one for one in self.server.workspace.said if one["ts"] != ts]
        if post := self.server.workspace.posts.get((channel, ts)):
            post.deleted = True
        await self.event({**told, "deleted_ts": ts})

    def slash(self, name: str, text: str, channel: str = CHANNEL) -> dict[str, Any]:
        """A slash command's payload."""
        where = {"channel_id": channel, "channel_name": "directmessage" if channel.startswith("D") else "general"}
        who = {"team_id": TEAM, "user_id": self.user, "user_name": "x", "api_app_id": APP}
        told = {"command": name, "text": text, "trigger_id": f"t{next(_numbers)}"}
        return {**where, **who, **told, "response_url": self.server.response_url()}

    async def command(self, name: str, text: str = "", channel: str = CHANNEL) -> Any:
        return await self.server.deliver("slash_commands", self.slash(name, text, channel))

    def pressed(self, element: dict[str, Any], container: dict[str, Any], **more: Any) -> dict[str, Any]:
        """A click's payload."""
        who = {"user": {"id": self.user}, "team": {"id": TEAM}, "api_app_id": APP, "trigger_id": f"t{next(_numbers)}"}
        action = {"type": element.get("type", "button"), "block_id": "b", "action_ts": "1"}
        action |= {"action_id": element["action_id"], "value": element["value"]}
        told = {"type": "block_actions", "container": container, "actions": [action], **more}
        return {**who, **told, "response_url": self.server.response_url()}

    async def click(self, post: Post, label: str) -> None:
        """Press one of a message's buttons."""
        container = {"type": "message", "channel_id": post.channel, "message_ts": post.ts, "is_ephemeral": False}
        message = {"ts": post.ts} | ({"thread_ts": post.thread} if post.thread else {})
        payload = self.pressed(
            button(post.blocks, label), container, message=message, channel={"id": post.channel, "name": "general"}
        )
        await self.server.deliver("interactive", payload)


def buttons(blocks: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """All buttons of some blocks by their labels."""
    found = {}
    beside = [block["accessory"] for block in blocks if "accessory" in block]
    for element in (*beside, *(element for block in blocks for element in block.get("elements", []))):
        if element["type"] == "button":
            found[element["text"]["text"]] = element
        if element["type"] == "feedback_buttons":
            for side in ("positive_button", "negative_button"):
                told = {"type": "feedback_buttons", "action_id": element["action_id"], "value": element[side]["value"]}
                found[element[side]["text"]["text"]] = told
    return found


def button(blocks: list[dict[str, Any]], label: str) -> dict[str, Any]:
    return buttons(blocks)[label]
