"""The tutor: every message gets its reply, and what a reply holds is given back."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing

import pytest
from fakes import FakeEngines, FakeLab

from bot.commands import COMMANDS
from bot.errors import BadMessage, Busy
from bot.history import CONVERSATIONS, TURNS, History
from bot.limits import Allowed, Limits
from bot.messages import Message, Said
from bot.parts import Card, Catalogue, Choices, Code, Failure, Part, Progress, Text
from bot.tutor import Tutor
from knowledge import Answer, Delta, Turn
from sandbox.demos import load_demos
from sandbox.engines import EngineStatus, EngineStep
from sandbox.errors import BadRequest, UnknownDemo
from sandbox.events import Engine


class Parrot:
    """Answers with the question, word by word, and keeps what it was told of the conversation."""

    def __init__(self) -> None:
        self.histories: list[Sequence[Turn]] = []

    async def answer(self, question: str, history: Sequence[Turn] = ()) -> AsyncGenerator[Delta | Answer, None]:
        self.histories.append(history)
        yield Delta(question.partition(" ")[0])
        yield Answer(question, question, "extractive", False, (), (), None, 0.0)


class Covers(Parrot):
    """Refuses what lacks a word."""

    def __init__(self, word: str) -> None:
        super().__init__()
        self.word = word

    async def answer(self, question: str, history: Sequence[Turn] = ()) -> AsyncGenerator[Delta | Answer, None]:
        refused = self.word not in question
        yield Answer(question, question, "refused" if refused else "extractive", refused, (), (), None, 0.0)


class Slow(FakeEngines):
    """Engines that come up while somebody waits: `ends` is how."""

    def __init__(self, ends: str = "ready") -> None:
        super().__init__()
        self.ends = ends

    async def progress(self) -> AsyncIterator[tuple[EngineStatus, ...]]:
        docker = EngineStatus(Engine.DOCKER, "ready")
        step = EngineStep("Start three nodes", "now", 1.0)
        yield (docker, EngineStatus(Engine.KUBERNETES, "starting", steps=(step,)))
        yield (docker, EngineStatus(Engine.KUBERNETES, self.ends))
        if self.ends == "failed":
            await asyncio.Event().wait()  # another engine is on its way for minutes: nobody waits for that one alone


def tutor(lab: FakeLab | None = None, engines: FakeEngines | None = None, answers: Parrot | None = None) -> Tutor:
    return Tutor(answers or Parrot(), load_demos(), engines or FakeEngines(), (lab or FakeLab()).open)


async def reply(to: Tutor, text: str, author: str = "ada", conversation: str = "here") -> list[Part]:
    async with aclosing(to.reply(Message(text, author, conversation))) as parts:
        return [part async for part in parts]


async def test_a_question_is_answered_as_it_grows() -> None:
    assert await reply(tutor(), "why pods") == [Text("why", key="answer 0"), Text("why pods", key="answer 0")]


async def test_a_follow_up_knows_the_last_turns_of_its_own_conversation() -> None:
    parrot = Parrot()
    one = tutor(answers=parrot)
    for number in range(TURNS + 2):
        await reply(one, f"question {number}")
    await reply(one, "elsewhere", conversation="there")

    assert parrot.histories[0] == ()
    assert [turn.question for turn in parrot.histories[TURNS + 1]] == [f"question {n}" for n in range(1, TURNS + 1)]
    assert parrot.histories[-1] == ()


async def test_what_was_said_in_a_thread_is_known_where_the_tutor_remembers_nothing_of_it() -> None:
    parrot = Parrot()
    earlier = (Said("Ada", "What is a pod?"), Said("Portside", "The smallest unit.", ours=True), Said("Bob", "Thanks"))

    async with aclosing(tutor(answers=parrot).reply(Message("and a node?", "ada", "here", "", earlier))) as parts:
        assert [part async for part in parts]

    asked = (Turn("What is a pod?", "The smallest unit.", "Ada"), Turn("Thanks", name="Bob"))
    assert parrot.histories == [asked]


@pytest.mark.parametrize(
    ("text", "spoken"),
    [("why do pods restart?", True), ("thanks, that works now", False), ("nobody knows why?", False)],
)
async def test_unasked_the_tutor_speaks_only_of_a_question_that_its_pages_cover(text: str, spoken: bool) -> None:
    one = tutor(answers=Covers("pods"))

    async with aclosing(one.volunteer(Message(text, "ada", "here"))) as parts:
        assert bool([part async for part in parts]) == spoken


def test_the_oldest_conversations_are_forgotten() -> None:
    history = History()
    for number in range(CONVERSATIONS + 1):
        history.add(str(number), Turn("q", "a"))

    assert history.of("0") == ()
    assert history.of("1") == (Turn("q", "a"),)


async def test_a_demo_grows_on_one_card_and_offers_what_comes_next() -> None:
    parts = await reply(tutor(), "/demo selfheal --fault crash")
    cards = [part for part in parts if isinstance(part, Card)]

    assert [cards[0].state, cards[-1].state] == ["running", "done"]
    assert {card.key for card in cards} == {"card"}
    assert cards[-1].table is not None
    assert isinstance(parts[-1], Choices)


@pytest.mark.parametrize(("ends", "title"), [("ready", "The engines are up"), ("failed", "An engine did not come up")])
async def test_a_demo_asked_for_while_engines_come_up_waits_for_them(ends: str, title: str) -> None:
    first, second, third, *_ = await reply(tutor(engines=Slow(ends)), "/demo selfheal")

    assert isinstance(first, Progress)
    assert first.note == "The demo begins when both are up. Questions work already."
    assert isinstance(second, Progress)
    assert second.title == title
    assert isinstance(third, Card)


async def test_a_demo_without_an_engine_says_why_and_what_to_do() -> None:
    failed = EngineStatus(Engine.KUBERNETES, "failed", detail="Engines need root. Run portside as root.")

    failure, _ = await reply(tutor(engines=FakeEngines(failed)), "/demo selfheal --fault oom")

    assert isinstance(failure, Failure)
    assert (failure.text, failure.advice) == ("Engines need root.", "Run portside as root.")
    assert failure.retry == "/demo selfheal --fault oom"


async def test_an_engine_that_goes_in_mid_run_ends_it_and_what_is_left_is_said() -> None:
    parts = await reply(tutor(FakeLab(docker_goes=True)), "/demo selfheal --fault crash")
    card = [part for part in parts if isinstance(part, Card)][-1]

    assert card.state == "failed"
    assert any("carries an expiry" in caption for caption in card.captions)
    assert isinstance(parts[-1], Failure)


async def test_a_reply_that_is_closed_removes_its_sandbox() -> None:
    lab = FakeLab()
    async with aclosing(tutor(lab).reply(Message("/demo selfheal", "ada", "here"))) as parts:
        async for part in parts:
            if isinstance(part, Card) and part.lanes[0].bars:
                break

    assert (lab.opened, lab.closed) == (1, 1)


async def test_one_person_has_one_demo_at_a_time_and_the_next_after_it() -> None:
    one = tutor()
    async with aclosing(one.reply(Message("/demo selfheal", "ada", "here"))) as parts:
        await anext(parts)
        with pytest.raises(Busy, match="A demo of yours is still running"):
            await reply(one, "/demo selfheal")

    assert isinstance((await reply(one, "/demo selfheal"))[-1], Choices)


async def test_a_second_demo_in_a_channel_sees_its_place_and_begins_by_itself() -> None:
    one = tutor()
    async with aclosing(one.reply(Message("/demo selfheal", "ada", "thread 1", "channel"))) as running:
        await anext(running)
        waiting = one.reply(Message("/demo selfheal", "bob", "thread 2", "channel"))
        place = await anext(waiting)
    turn, card, *_ = [part async for part in waiting]

    assert isinstance(place, Progress)
    assert [step.title for step in place.steps] == ["One demo comes first", "This demo"]
    assert place.note == "It begins by itself, in about 50 s."
    assert isinstance(turn, Progress)
    assert (turn.title, turn.steps, turn.key) == ("It is this demo's turn", (), place.key)
    assert isinstance(card, Card)


async def test_more_questions_in_a_minute_than_may_be_are_refused_with_how_long_to_wait() -> None:
    one = Tutor(Parrot(), load_demos(), FakeEngines(), FakeLab().open, Limits(Allowed(questions_per_minute=2)))
    for _ in range(2):
        await reply(one, "why pods")

    with pytest.raises(Busy, match=r"more than 2 questions in a minute\. Wait (60|59) s"):
        await reply(one, "why pods")
    assert await reply(one, "why pods", author="bob")


@pytest.mark.parametrize(
    ("text", "error", "said"),
    [
        ("/demo selfheel", UnknownDemo, "Nearest: selfheal"),
        ("/demo selfheal --fault boom", BadRequest, "crash, hang, oom, remove"),
        ("x" * 100_000, BadMessage, "few sentences"),
        ("\x00", BadMessage, "not text"),
        ("", BadMessage, "/help"),
    ],
)
async def test_what_cannot_be_done_is_refused_in_a_sentence(text: str, error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        await reply(tutor(), text)


async def test_help_names_every_command_and_the_catalogue_every_demo() -> None:
    (told,) = await reply(tutor(), "/help")
    (catalogue,) = await reply(tutor(), "/demo")

    assert isinstance(told, Text)
    assert all(line in told.text for line in COMMANDS.values())
    assert isinstance(catalogue, Catalogue)
    assert [entry.command for entry in catalogue.entries] == [f"/demo {name}" for name in load_demos()]


@pytest.mark.parametrize(
    ("message", "languages", "said"),
    [
        (
            "/commands selfheal --fault remove",
            ["sh", "sh", "sh"],
            ["# selfheal, fault remove", "docker rm -f web", "$POD"],
        ),
        ("/export selfheal --replicas 3", ["yaml", "yaml"], ["replicas: 3", "container_name: web3"]),
    ],
)
async def test_the_commands_and_the_files_of_a_demo_need_no_engine(
    message: str, languages: list[str], said: list[str]
) -> None:
    failed = (
        EngineStatus(Engine.DOCKER, "failed", detail="No."),
        EngineStatus(Engine.KUBERNETES, "failed", detail="No."),
    )
    parts = await reply(tutor(engines=FakeEngines(*failed)), message)
    codes = [part for part in parts if isinstance(part, Code)]

    assert [code.language for code in codes] == languages
    assert all(words in code.text for words, code in zip(said, codes, strict=True))


async def test_the_commands_of_an_unknown_demo_name_those_that_come_near() -> None:
    with pytest.raises(UnknownDemo, match="Nearest: selfheal"):
        await reply(tutor(), "/commands selfheel")
    with pytest.raises(BadRequest, match="It takes: 1, 2, 3"):
        await reply(tutor(), "/export selfheal --replicas 9")


async def test_a_demo_that_waits_for_engines_can_be_stopped() -> None:
    class Never(FakeEngines):
        async def progress(self) -> AsyncIterator[tuple[EngineStatus, ...]]:
            yield (EngineStatus(Engine.DOCKER, "starting"),)
            await asyncio.Event().wait()

    one = tutor(engines=Never())
    async with aclosing(one.reply(Message("/demo selfheal", "ada", "here"))) as parts:
        assert isinstance(await anext(parts), Progress)
    async with aclosing(one.reply(Message("/demo selfheal", "ada", "here"))) as parts:
        assert isinstance(await anext(parts), Progress)
