"""The tutor: a message in, a stream of reply parts out. Knows no platform. The only dispatcher."""

import asyncio
import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import Protocol, assert_never

from bot.cards import advance, begin
from bot.citing import with_run
from bot.commands import (
    Ask,
    CastVote,
    Command,
    Help,
    ListDemos,
    Replay,
    RunDemo,
    ShowCommands,
    TakeHome,
    Unknown,
    parse,
    read,
)
from bot.errors import trouble
from bot.history import History, turns
from bot.limits import Limits, Place
from bot.menu import Menu, dated, present_menu, read_menu, taken_out
from bot.messages import Message
from bot.parts import Failure, Part, Progress, Text
from bot.presenting import (
    again,
    present_answer,
    present_catalogue,
    present_engines,
    present_growing,
    present_help,
    present_queue,
    run_command,
)
from bot.questions import is_question
from bot.replays import offer, recorded, replayed
from bot.state.runs import Runs, RunsHere, keeping
from bot.taking import present_commands, present_files
from bot.votes import Vote, Votes, with_vote
from knowledge import Answer, Delta, Turn
from sandbox.demo import Demo, Options, choose, perform
from sandbox.engines import Engines, while_hopeful
from sandbox.errors import DemoFailed, EngineUnavailable
from sandbox.events import Event, Result
from sandbox.sandbox import OpenSandbox


class Answers(Protocol):
    """What answers questions."""

    def answer(self, question: str, history: Sequence[Turn] = ()) -> AsyncGenerator[Delta | Answer, None]:
        """Yield the answer as it grows, and at last the whole of it."""
        ...


class Tutor:
    """Answers questions and runs demos."""

    def __init__(  # noqa: PLR0913, PLR0917 - each is a seam of its own
        self,
        answers: Answers,
        demos: Mapping[str, Demo],
        engines: Engines,
        open_sandbox: OpenSandbox,
        limits: Limits | None = None,
        runs: Runs | None = None,
        votes: Votes | None = None,
    ) -> None:
        self.engines = engines
        self._answers = answers
        self.demos = demos
        self._menu = Menu()
        self._open_sandbox = open_sandbox
        self._history = History()
        self._limits = limits or Limits()
        self._runs = runs or RunsHere()
        self._votes = votes or Votes()
        self.replay_speed = 4.0  # a run of 45 s in a chat is watched to its end in 11 s

    @property
    def offered(self) -> Mapping[str, Demo]:
        """The demos in the menu: those that no self-test has taken out, as of the last message."""
        return self._menu.offered(self.demos)

    async def look(self) -> None:
        """Read the menu anew: another process may have tested the demos."""
        self._menu = await read_menu(self.demos, self._runs)

    async def reply(self, message: Message) -> AsyncGenerator[Part, None]:
        """Yield the parts of the reply. What cannot be done is raised with a sentence for the learner."""
        command = parse(read(message.text))
        if not isinstance(command, CastVote):  # a whole room may guess at once
            await self.look()
        async with aclosing(self._reply(command, message)) as parts:
            async for part in parts:
                yield part

    def _reply(self, command: Command, message: Message) -> AsyncGenerator[Part, None]:  # noqa: PLR0911 - one case each
        match command:
            case Ask(question):
                self._limits.question(message.author)
                return self._answer(question, message)
            case RunDemo(name, fault, replicas):
                return self._demo(*choose(self.demos, name, fault, replicas), message)
            case Replay(name, fault):
                self._limits.question(message.author)
                return self._replay(name, fault)
            case CastVote(vote, choice):
                return _told(Text(self._votes.cast(vote, message.author, choice)))
            case ShowCommands(name, fault, replicas):
                self._limits.question(message.author)
                return _told(*present_commands(*choose(self.demos, name, fault, replicas)))
            case TakeHome(name, fault, replicas):
                self._limits.question(message.author)
                return _told(*present_files(*choose(self.demos, name, fault, replicas)))
            case ListDemos():
                return _told(present_catalogue(self.offered), *present_menu(self._menu))
            case Help():
                return _told(present_help())
            case Unknown(reason):
                return _told(Text(reason))
            case other:
                assert_never(other)

    async def volunteer(self, message: Message) -> AsyncGenerator[Part, None]:
        """Answer where nobody called the tutor by name: only what was asked, and only what the pages cover."""
        question = read(message.text)
        if not is_question(question):
            return
        async with aclosing(self._answers.answer(question)) as values:
            answers = [value async for value in values if isinstance(value, Answer)]
        for answer in answers:
            if not answer.refused:
                self._history.add(message.conversation, Turn(question, answer.answer))
                for part in present_answer(await with_run(answer, self.demos, self._runs), self.offered):
                    yield part

    async def _answer(self, question: str, message: Message) -> AsyncGenerator[Part, None]:
        history = self._history.of(message.conversation) or turns(message.earlier)
        async with aclosing(self._answers.answer(question, history)) as values:
            async for value in values:
                if isinstance(value, Delta):
                    for part in present_growing(value.text):
                        yield part
                    continue
                self._history.add(message.conversation, Turn(question, value.answer))
                for part in present_answer(await with_run(value, self.demos, self._runs), self.offered):
                    yield part

    async def _demo(self, demo: Demo, options: Options, message: Message) -> AsyncGenerator[Part, None]:
        if reason := self._menu.out.get(demo.name):
            yield Text(taken_out(demo.name, reason))
            return
        channel = message.channel or message.conversation
        with self._limits.demo(message.author, channel, demo.seconds, alone=demo.alone) as place:
            async with aclosing(_until_turn(place)) as waiting:
                async for progress in waiting:
                    yield progress
            async with aclosing(self._until_ready()) as waiting:
                async for progress in waiting:
                    yield progress
            if lack := await self._lack(demo):
                yield _failure(lack, demo, options)
                if offered := await asyncio.to_thread(offer, self.demos, demo, options):
                    yield offered
                return
            async with aclosing(self._run(demo, options, message.author)) as parts:
                async for part in parts:
                    yield part

    async def _run(self, demo: Demo, options: Options, author: str) -> AsyncGenerator[Part, None]:
        card = dated(begin(demo, options), self._menu.verified.get(demo.name))
        with self._votes.opened(demo, author) as vote:
            yield vote.on(card)
            async with aclosing(vote.news(self._performed(demo, options, author, vote))) as events:
                async for event in events:
                    card = advance(demo, card, event) if event else card
                    yield vote.on(card, event)
                    if isinstance(event, Result) and event.error:
                        yield _failure(event.error, demo, options)
        if card.state == "done":
            yield again(demo, options)

    def _performed(self, demo: Demo, options: Options, author: str, vote: Vote) -> AsyncGenerator[Event, None]:
        return keeping(perform(*with_vote(demo, options, vote), author, self._open_sandbox), self._runs)

    async def _replay(self, name: str, fault: str | None) -> AsyncGenerator[Part, None]:
        recording = await asyncio.to_thread(recorded, self.demos, name, fault)
        async with aclosing(replayed(recording, self.replay_speed)) as parts:
            async for part in parts:
                yield part

    async def _lack(self, demo: Demo) -> str | None:
        """Why it cannot run here and now. A card that cannot begin is never shown."""
        try:
            docker, cluster = await self.engines.docker(), await self.engines.cluster()
            demo.require(docker.registry, cluster.registry, self.engines.machines())
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


async def _told(*parts: Part) -> AsyncGenerator[Part, None]:
    for part in parts:
        yield part


async def _until_turn(place: Place) -> AsyncGenerator[Progress, None]:
    """Tell how many demos come first, until it is this one's turn."""
    began = time.monotonic()
    waited = False
    async with aclosing(place.turn()) as queue:
        async for ahead in queue:
            waited = True
            yield present_queue(ahead, time.monotonic() - began)
    if waited:
        yield present_queue(None, time.monotonic() - began)


def _failure(error: str, demo: Demo, options: Options) -> Failure:
    told = trouble(DemoFailed(error))
    return Failure(told.text, told.advice, told.reference, run_command(demo, options))
