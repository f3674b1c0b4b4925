"""Where a reply appears in Slack: a message that is edited, a stream in a thread, or a private message."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from slack_sdk.webhook.async_client import AsyncWebhookClient

from bot.delivery import DeliveryError
from bot.parts import Reply, Text
from bot.platforms.slack.api import APPEND, POST, START, STOP, UPDATE, Api, Turns
from bot.platforms.slack.blocks import Block, image
from bot.platforms.slack.errors import Gone, Limited, NotThere, Refused, StreamOver, Unreachable, translated
from bot.platforms.slack.pictures import drawn, has_picture
from bot.platforms.slack.render import Frame, body, files, fitted, message, under
from bot.platforms.slack.text import markdown

QUIET = {"unfurl_links": False, "unfurl_media": False, "parse": "none", "link_names": False}
STREAM = 11_000  # characters; Slack takes 12,000
READY = 5  # tries until a picture that was just uploaded may be shown
READING: Block = {"type": "task_update", "id": "reading", "title": "Reading the pages", "status": "in_progress"}
READ: Block = {**READING, "status": "complete"}

Stop = Callable[[], object]

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Place:
    """Where something was said, and by whom; `thread` is empty in the channel itself."""

    team: str
    channel: str
    user: str
    thread: str = ""
    direct: bool = False  # a direct message

    @property
    def target(self) -> dict[str, str]:
        """Where to post."""
        return {"channel": self.channel, "thread_ts": self.thread} if self.thread else {"channel": self.channel}


def key(channel: str, ts: str) -> str:
    """A message's name for everything that remembers it."""
    return f"slack:{channel}:{ts}"


class Posted:
    """An ordinary message, edited in place; `gone` is called when it is no more."""

    def __init__(self, api: Api, place: Place, frame: Frame, ts: str = "") -> None:
        self.place = place
        self.ts = ts
        self.gone: Stop = lambda: None
        self._api = api
        self._frame = frame
        self._turns = Turns(api, UPDATE)
        self._shown: dict[str, Any] = {}

    @property
    def key(self) -> str:
        """The message's name."""
        return key(self.place.channel, self.ts)

    async def open(self) -> None:
        """Post it: acknowledged, and nothing to tell yet. Raises `DeliveryError`."""
        self._shown = message((), _unfinished(self._frame))
        answer = await self._api.sure(POST, **self.place.target, **self._shown, **QUIET)
        self.place = replace(self.place, channel=answer["channel"])  # a person's id becomes the conversation's
        self.ts = answer["ts"]

    async def pace(self) -> None:
        """Wait for one's turn among all edits of the workspace."""
        await self._turns.wait()

    async def show(self, reply: Reply, final: bool) -> None:
        """Edit the message."""
        frame = replace(self._frame, running=False) if final else _unfinished(self._frame)
        await self._edit(message(reply, frame), final)
        if final:
            await self._add_pictures(reply)
            await _attach(self._api, reply, self.place.channel, self.place.thread or self.ts)

    async def _edit(self, payload: dict[str, Any], final: bool) -> None:
        if payload == self._shown:
            return
        call = self._api.sure
        if not final:
            await self._turns.use()
            call = self._api.once
        try:
            await call(UPDATE, channel=self.place.channel, ts=self.ts, **payload)
        except (Gone, NotThere):
            self.gone()
            raise
        self._shown = payload

    async def _add_pictures(self, reply: Reply) -> None:
        """The words stand already; the pictures follow as soon as Slack has them."""
        pictures = await drawn(reply)
        if not pictures:
            return
        shown = {
            part: image(await self._api.upload(one.name, one.png, one.alt), one.alt) for part, one in pictures.items()
        }
        payload = message(reply, replace(self._frame, running=False, pictures=shown))
        for _ in range(READY):  # Slack takes a moment to process a file, and refuses the message until then
            if await self._took(payload):
                return
        shared = replace(self.place, thread=self.place.thread or self.ts)
        for one in pictures.values():
            await self._api.upload(one.name, one.png, one.alt, **shared.target)

    async def _took(self, payload: dict[str, Any]) -> bool:
        try:
            await self._edit(payload, final=False)
        except (Refused, Limited) as refused:
            log.info("the pictures are not shown yet: %s", refused)
            return False
        return True


class Stream:
    """An answer that grows in a thread; where Slack has ended the stream, its message is edited."""

    def __init__(self, api: Api, place: Place, frame: Frame) -> None:
        self.place = place
        self.ts = ""
        self.gone: Stop = lambda: None
        self._api = api
        self._frame = frame
        self._turns = Turns(api, APPEND)
        self._sent = ""
        self._certain = True
        self._posted: Posted | None = None

    @property
    def key(self) -> str:
        """The message's name."""
        return key(self.place.channel, self.ts)

    async def open(self) -> None:
        """Begin the stream, with a visible sign of work. Where there can be none now, the answer is a message."""
        recipient = {"recipient_team_id": self.place.team, "recipient_user_id": self.place.user}
        try:
            answer = await self._api.once(START, **self.place.target, **recipient, chunks=[READING])
        except NotThere:
            raise
        except DeliveryError as error:
            log.info("no stream: %s", error)
            self._posted = Posted(self._api, self.place, self._frame)
            await self._posted.open()
            self.ts = self._posted.ts
        else:
            self.ts = answer["ts"]

    async def pace(self) -> None:
        """Wait for one's turn."""
        await (self._posted.pace() if self._posted else self._turns.wait())

    async def show(self, reply: Reply, final: bool) -> None:
        """Add what is new; at last what stands under it."""
        try:
            if self._posted is None:
                await (self._finish(reply) if final else self._append(reply))
        except StreamOver as over:
            log.info("the stream is over: %s", over)
            await self._api.quietly(
                STOP, channel=self.place.channel, ts=self.ts
            )  # a message that streams takes no edit
            self._posted = self._edited()
        except (Gone, NotThere):
            self.gone()
            raise
        if self._posted:
            self._posted.gone = self.gone
            await self._posted.show(reply, final)

    def _edited(self) -> Posted:
        return Posted(self._api, self.place, self._frame, self.ts)

    async def _append(self, reply: Reply) -> None:
        words = whole_words(reply)
        if self._certain and len(words) > len(self._sent) and words.startswith(self._sent):
            chunks = [_piece(words[len(self._sent) :])]
            await self._turns.use()
            try:
                await self._api.once(APPEND, channel=self.place.channel, ts=self.ts, chunks=chunks)
            except Unreachable:  # whether the piece has arrived is not known: it must not come twice
                self._certain = False
                raise
            self._sent = words

    async def _finish(self, reply: Reply) -> None:
        """End the stream; a text that is another than was streamed, or that gets pictures, replaces it."""
        words, rest = streamed(reply)
        goes_on = self._certain and words.startswith(self._sent) and len(words) <= STREAM
        goes_on = goes_on and not any(map(has_picture, rest))
        end: dict[str, Any] = {"channel": self.place.channel, "ts": self.ts}
        if not goes_on:
            await self._api.sure(STOP, **end, chunks=[READ])
            self._posted = self._edited()
            return
        chunks = [READ, *([_piece(words[len(self._sent) :])] if words != self._sent else [])]
        blocks = [*(fitted(body(rest, self._frame)) if rest else []), *under(reply, self._frame)]
        await self._api.sure(STOP, **end, chunks=chunks, **({"blocks": blocks} if blocks else {}))
        await _attach(self._api, rest, self.place.channel, self.place.thread)


class Private:
    """A message that only the asker sees; it appears when it is whole."""

    def __init__(self, url: str, frame: Frame) -> None:
        self._webhook = AsyncWebhookClient(url)
        self._frame = frame

    async def pace(self) -> None:
        """There is nothing to wait for: what is not whole is not shown."""

    async def show(self, reply: Reply, final: bool) -> None:
        """Send it."""
        if final:
            payload = message(reply, self._frame)
            with translated():
                answer = await self._webhook.send_dict(
                    {"response_type": "ephemeral", "replace_original": False, **payload}
                )
            if answer.status_code != 200:  # noqa: PLR2004 - HTTP's OK
                raise Refused(f"Slack says {answer.body}.")


def _unfinished(frame: Frame) -> Frame:
    """The frame of a reply that is being made."""
    return replace(frame, judged=False, hint="")


def _piece(text: str) -> Block:
    return {"type": "markdown_text", "text": text}


def streamed(reply: Reply) -> tuple[str, Reply]:
    """The words that are streamed, and the parts that stand under them."""
    if reply and isinstance(reply[0], Text):
        return markdown(reply[0].text), reply[1:]
    return "", reply


def whole_words(reply: Reply) -> str:
    """What of a growing text may be sent: up to a word's end, and before any code in it that is not closed yet."""
    if not reply or not isinstance(reply[0], Text):
        return ""
    text = reply[0].text
    text = text[: max(text.rfind(" "), text.rfind("\n")) + 1]
    if text.count("`") % 2:
        text = text[: text.rfind("`")]
    return markdown(text.rstrip())[:STREAM]


async def _attach(api: Api, reply: Reply, channel: str, thread: str) -> None:
    """What the message had to cut, as files in its thread."""
    for file in files(reply):
        await api.upload(file.name, file.text.encode(), channel=channel, thread_ts=thread)
