"""The tutor: a message in, a stream of reply parts out. Knows no platform. The only dispatcher."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import Protocol, assert_never

from bot.cards import advance, begin
from bot.commands import Ask, Help, ListDemos, RunDemo, Unknown, parse, read
from bot.errors import trouble
from bot.history import History
from bot.limits import Limits
from bot.messages import Message
from bot.parts import Failure, Part, Progress, Text
from bot.presenting import again, demo_command, present_answer, present_catalogue, present_engines, present_help
from knowledge import Answer, Delta, Turn
from sandbox.demo import Demo, choose, perform
from sandbox.engines import Engines, while_hopeful
from sandbox.errors import DemoFailed, EngineUnavailable
from sandbox.events import Fault, Result
from sandbox.sandbox import OpenSandbox


class Answers(Protocol):
    """What answers questions."""

    def answer(self, question: str, history: Sequence[Turn] = ()) -> AsyncGenerator[Delta | Answer, None]:
        """Yield the answer as it grows, and at last the whole of it."""
        ...


class Tutor:
    """Answers questions and runs demos."""

    def __init__(
        self, answers: Answers, demos: Mapping[str, Demo], engines: Engines, open_sandbox: OpenSandbox
    ) -> None:
        self.engines = engines
        self._answers = answers
        self._demos = demos
        self._open_sandbox = open_sandbox
        self._history = History()
        self._limits = Limits()

    async def reply(self, message: Message) -> AsyncGenerator[Part, None]:
        """Yield the parts of the reply. What cannot be done is raised with a sentence for the learner."""
        match parse(read(message.text)):
            case Ask(question):
                async with aclosing(self._answer(question, message.conversation)) as parts:
                    async for part in parts:
                        yield part
            case RunDemo(name, fault):
                demo, chosen = choose(self._demos, name, fault)
                async with aclosing(self._demo(demo, chosen, message.author)) as parts:
                    async for part in parts:
                        yield part
            case ListDemos():
                for part in present_catalogue(self._demos):
                    yield part
            case Help():
                yield present_help()
            case Unknown(reason):
                yield Text(reason)
            case other:
                assert_never(other)

    async def _answer(self, question: str, conversation: str) -> AsyncGenerator[Part, None]:
        async with aclosing(self._answers.answer(question, self._history.of(conversation))) as values:
            async for value in values:
                if isinstance(value, Delta):
                    yield Text(value.text, key="answer")
                    continue
                self._history.add(conversation, Turn(question, value.answer))
                for part in present_answer(value, self._demos):
                    yield part

    async def _demo(self, demo: Demo, fault: Fault | None, author: str) -> AsyncGenerator[Part, None]:
        with self._limits.demo(author):
            async with aclosing(self._until_ready()) as waiting:
                async for progress in waiting:
                    yield progress
            if lack := await self._lack():
                yield _failure(lack, demo, fault)
                return
            async with aclosing(self._run(demo, fault, author)) as parts:
                async for part in parts:
                    yield part

    async def _run(self, demo: Demo, fault: Fault | None, author: str) -> AsyncGenerator[Part, None]:
        card = begin(demo, fault)
        yield card
        async with aclosing(perform(demo, fault, author, self._open_sandbox)) as events:
            async for event in events:
                card = advance(demo, card, event)
                yield card
                if isinstance(event, Result) and event.error:
                    yield _failure(event.error, demo, fault)
        if card.state == "done":
            yield again(demo, fault)

    async def _lack(self) -> str | None:
        """Why there can be no demo now; None where both engines are up. A card that cannot begin is never shown."""
        try:
            await self.engines.docker()
            await self.engines.cluster()
        except EngineUnavailable as error:
            return str(error)
        return None

    async def _until_ready(self) -> AsyncGenerator[Progress, None]:
        """Tell how the engines come up, until nothing is on its way any more or one has failed."""
        shown: Progress | None = None
        async for states in while_hopeful(self.engines.progress()):
            if progress := present_engines(states):
                shown = replace(progress, note="The demo begins when both are up. Questions work already.")
                yield shown
            elif shown:
                up = all(engine.state == "ready" for engine in states)
                yield replace(
                    shown, title="The engines are up" if up else "An engine did not come up", steps=(), note=""
                )


def _failure(error: str, demo: Demo, fault: Fault | None) -> Failure:
    told = trouble(DemoFailed(error))
    retry = demo_command(demo, "") if fault is None else f"/demo {demo.name} --fault {fault}"
    return Failure(told.text, told.advice, told.reference, retry)
