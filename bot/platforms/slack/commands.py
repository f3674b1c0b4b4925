"""Slash commands and the message shortcut: acknowledged at once, then answered where they were given."""

from collections.abc import Awaitable, Callable
from typing import Any

from bot.commands import Ask, Replay, RunDemo, ShowCommands, TakeHome, parse, read
from bot.platforms.slack.errors import NotThere
from bot.platforms.slack.people import People
from bot.platforms.slack.replies import Question, Replies
from bot.platforms.slack.surface import Place

Body = dict[str, Any]
Ack = Callable[..., Awaitable[Any]]
PRIVATE = "--private"


class Commands:
    """Answers commands: a question and a demo for all, everything else for the asker alone."""

    def __init__(self, replies: Replies, people: People) -> None:
        self._replies = replies
        self._people = people

    async def command(self, ack: Ack, command: Body) -> None:
        """A slash command was given."""
        await ack()
        words = await self._people.read(f"{command['command']} {command.get('text') or ''}".strip())
        text = read(words.replace(PRIVATE, "", 1))
        direct = command.get("channel_name") == "directmessage"
        place = Place(command["team_id"], command["channel_id"], command["user_id"], direct=direct)
        question = Question(place, text, command["trigger_id"])
        asked = isinstance(parse(text), Ask)
        if PRIVATE in words and asked:
            await self._replies.privately(question, command["response_url"], shared=True)
        elif asked or isinstance(parse(text), RunDemo | Replay | ShowCommands | TakeHome):
            await self._publicly(question, command["response_url"], asked)
        else:
            await self._replies.privately(question, command["response_url"], shared=False)

    async def _publicly(self, question: Question, url: str, asked: bool) -> None:
        """For all; where the tutor may not post, a question is answered privately all the same."""
        try:
            await self._replies.reply(Question(question.place, question.text))
        except NotThere:
            if not asked:
                raise
            await self._replies.privately(question, url, shared=False)

    async def explain(self, ack: Ack, body: Body) -> None:
        """The shortcut "Explain this" was chosen on a message."""
        await ack()
        message = body["message"]
        thread = message.get("thread_ts") or message["ts"]
        place = Place(body["team"]["id"], body["channel"]["id"], body["user"]["id"], thread)
        text = read((await self._people.read(message.get("text", ""))).lstrip("/"))
        await self._replies.reply(Question(place, text))
