"""Replies to what was said in Slack: each on the surface that suits it, remembered, and stopped when it is time."""

from collections import OrderedDict
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass

from bot.commands import Ask, Replay, RunDemo, parse
from bot.delivery import deliver
from bot.messages import Message, Said
from bot.parts import Card, Part, Reply
from bot.platforms.slack.api import Api
from bot.platforms.slack.render import Frame
from bot.platforms.slack.surface import Place, Posted, Private, Stream, key
from bot.running import Running
from bot.state.memory import Memory
from bot.tutor import Tutor

SHARED = 500  # private answers that are kept to be shared as they are
HINT = "Mention me to go on."


@dataclass(frozen=True)
class Question:
    """Something said: where, what, and by which message; `earlier` is what came before it in the thread."""

    place: Place
    text: str
    ts: str = ""
    earlier: tuple[Said, ...] = ()

    @property
    def message(self) -> Message:
        """For the tutor."""
        place = self.place
        thread = place.thread or self.ts or place.user
        author, conversation = f"slack:{place.team}:{place.user}", f"slack:{place.channel}:{thread}"
        return Message(self.text, author, conversation, f"slack:{place.channel}", self.earlier)


class Replies:
    """Makes replies; `follow` says whether a thread of ours needs no mention."""

    def __init__(self, tutor: Tutor, api: Api, memory: Memory, helpers: bool, follow: bool) -> None:
        self.tutor = tutor
        self.api = api
        self.memory = memory
        self.running = Running()
        self._helpers = helpers
        self._follow = follow
        self._private: OrderedDict[str, tuple[Place, Reply]] = OrderedDict()

    async def reply(self, question: Question) -> None:
        """Reply with a stream in a thread, else with a message. Raises `DeliveryError` if nothing can be said there."""
        command = parse(question.text)
        demo = isinstance(command, RunDemo)
        frame = await self._frame(
            question,
            Frame(question.place.user, running=demo or isinstance(command, Replay), judged=isinstance(command, Ask)),
        )
        streams = isinstance(command, Ask) and question.place.thread
        surface = (Stream if streams else Posted)(self.api, question.place, frame)
        await surface.open()
        await self._remember(question, surface)
        await self._start(surface, self._parts(question, surface.key, demo))

    async def volunteer(self, question: Question) -> None:
        """Answer what nobody asked the tutor by name, if it is sure; else say nothing."""
        parts = [part async for part in self.tutor.volunteer(question.message)]
        if not parts:
            return
        surface = Stream(self.api, question.place, await self._frame(question, Frame(question.place.user, judged=True)))
        await surface.open()
        await self._remember(question, surface)
        await deliver(_told(parts), surface)

    async def again(self, question: Question, ts: str) -> None:
        """Answer a question that was edited, where its answer stands."""
        await self.running.stopped(key(question.place.channel, ts))
        frame = Frame(question.place.user, judged=True, helpers=self._helpers)
        await self._start(Posted(self.api, question.place, frame, ts), self.tutor.reply(question.message))

    async def privately(self, question: Question, url: str, shared: bool) -> None:
        """Reply so that only the asker sees it; an answer may be shared later."""
        share = f"{question.ts} {question.text}" if shared else ""
        surface = Private(url, Frame(question.place.user, share=share))
        reply = await deliver(self.tutor.reply(question.message), surface)
        if shared:
            self._private[question.ts] = (question.place, reply)
            if len(self._private) > SHARED:
                self._private.popitem(last=False)

    async def share(self, name: str) -> bool:
        """Post a private answer for all; False where it is not kept any more."""
        kept = self._private.pop(name, None)
        if kept is None:
            return False
        place, reply = kept
        surface = Posted(self.api, place, Frame(place.user, judged=True, helpers=self._helpers))
        await surface.open()
        await surface.show(reply, final=True)
        return True

    async def _frame(self, question: Question, frame: Frame) -> Frame:
        """The frame, with a hint under the first answer of a thread in which one has to mention the tutor."""
        new = question.place.thread == question.ts and not question.place.direct
        hint = HINT if new and not self._follow and frame.judged else ""
        return Frame(frame.owner, frame.running, frame.judged, self._helpers, hint=hint)

    async def _remember(self, question: Question, surface: Posted | Stream) -> None:
        place = question.place
        if question.ts:
            await self.memory.answered(key(place.channel, question.ts), surface.key)
        if not place.thread or place.thread == question.ts:
            await self.memory.begin_thread(key(surface.place.channel, place.thread or surface.ts))

    async def _start(self, surface: Posted | Stream, parts: AsyncGenerator[Part, None]) -> None:
        name = surface.key
        surface.gone = lambda: self.running.stop(name)
        self.running.start(name, deliver(parts, surface))

    async def _parts(self, question: Question, name: str, demo: bool) -> AsyncGenerator[Part, None]:
        """The tutor's parts; what must outlive a restart of a demo is remembered meanwhile."""
        if demo:
            await self.memory.began(name, question.place.user, question.text)
        known = False
        try:
            async with aclosing(self.tutor.reply(question.message)) as parts:
                async for part in parts:
                    if isinstance(part, Card) and part.run and not known:
                        known = True
                        await self.memory.ran(name, part.run)
                    yield part
        finally:
            if demo:
                await self.memory.ended(name)


async def _told(parts: list[Part]) -> AsyncGenerator[Part, None]:
    for part in parts:
        yield part
