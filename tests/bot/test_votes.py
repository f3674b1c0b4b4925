"""Predict first: what the room guesses before the fault, when that ends, and how it is told beside the measurement."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace

import pytest
from chat_fakes import Speechless
from fakes import QUICK, FakeEngines, FakeLab

from bot.delivery import deliver
from bot.messages import Message
from bot.parts import Card, Poll, Reply, Text
from bot.tutor import Tutor
from bot.votes import GOING, NO_GUESS, NOT_YOURS, OVER, Vote, Votes
from sandbox.demos import load_demos
from sandbox.predicting import BACK

LONG = 60.0  # nobody waits for it: somebody presses Go
OBSERVED = replace(QUICK, observe=0.5)


def tutor(seconds: float, lab: FakeLab | None = None) -> Tutor:
    votes = Votes(seconds)
    return Tutor(Speechless(), load_demos(), FakeEngines(), (lab or FakeLab(OBSERVED)).open, votes=votes)


async def told(one: Tutor, text: str, author: str = "ada") -> str:
    async with aclosing(one.reply(Message(text, author, "here"))) as parts:
        [part] = [part async for part in parts]
    assert isinstance(part, Text)
    return part.text


class Watched:
    """A surface that can be waited for."""

    def __init__(self) -> None:
        self.cards: list[Card] = []
        self.reply: Reply = ()
        self._news = asyncio.Condition()

    async def pace(self) -> None:
        await asyncio.sleep(0)

    async def show(self, reply: Reply, final: bool) -> None:
        async with self._news:
            self.reply = reply
            self.cards += [part for part in reply if isinstance(part, Card)]
            self._news.notify_all()

    async def until(self, holds: Callable[[Card], object]) -> Card:
        async with asyncio.timeout(20), self._news:
            await self._news.wait_for(lambda: self.cards and holds(self.cards[-1]))
        return self.cards[-1]


@asynccontextmanager
async def watched(one: Tutor, text: str = "/demo selfheal --fault hang") -> AsyncIterator[Watched]:
    """A demo of ada's, until its end."""
    surface = Watched()
    running = asyncio.create_task(deliver(one.reply(Message(text, "ada", "here")), surface))
    try:
        yield surface
        await running
    finally:
        running.cancel()
        await asyncio.wait([running])


async def poll_of(surface: Watched) -> Poll:
    vote = (await surface.until(lambda card: card.vote)).vote
    assert vote
    return vote


def command(poll: Poll, ballot: int, guess: int) -> str:
    return poll.ballots[ballot].guesses[guess].command


async def test_the_room_guesses_while_both_sides_start_and_the_card_holds_it_against_what_was_measured() -> None:
    one = tutor(LONG)
    async with watched(one) as surface:
        poll = await poll_of(surface)
        assert await told(one, command(poll, 1, 2)) == (
            "Noted: Kubernetes not within 30 s. Until the vote closes you may change it."
        )
        await told(one, command(poll, 1, 0))
        for author in ("ben", "cy"):
            await told(one, command(poll, 0, 0), author)
        await told(one, command(poll, 1, 1), "ben")
        await surface.until(
            lambda card: card.vote and [guess.votes for guess in card.vote.ballots[1].guesses] == [1, 1, 0]
        )
        serving = await surface.until(lambda card: all(lane.bars for lane in card.lanes))
        assert serving.fault_at is None
        assert await told(one, poll.go) == GOING
        closed = await surface.until(lambda card: not card.vote)

    back = next(lane.back_at for lane in surface.cards[-1].lanes if lane.engine == "kubernetes")
    measured = [row for row in surface.cards[-1].table.rows if row[0].text == "Back after"][0]  # type: ignore[union-attr] # noqa: RUF015
    assert closed.guessed == (
        "Docker: 2 said under 5 s.",
        "Kubernetes: 1 said under 5 s, 1 said within 30 s.",
    )
    assert back is not None
    assert surface.cards[-1].guessed == (
        f"Docker: 2 said under 5 s. Measured: {measured[1].text}.",
        f"Kubernetes: 1 said under 5 s, 1 said within 30 s. Measured: {measured[2].text}.",
    )


async def test_the_vote_closes_by_itself_and_nothing_is_left_of_one_that_nobody_took_part_in() -> None:
    one = tutor(0.5)
    async with watched(one) as surface:
        poll = await poll_of(surface)
        broken = await surface.until(lambda card: card.fault_at)
        assert await told(one, command(poll, 0, 0)) == OVER

    assert poll.left is not None
    assert 0 < poll.left <= 0.5
    assert broken.poll is None
    assert broken.fault_at is not None
    assert broken.fault_at >= 0.4
    assert surface.cards[-1].state == "done"


@pytest.mark.parametrize("name", ["selfheal", "scale", "matrix"])
async def test_nobody_is_asked_where_votes_are_switched_off(name: str) -> None:
    async with watched(tutor(0.0, FakeLab(QUICK)), f"/demo {name}") as surface:
        await surface.until(lambda card: card.state != "running")

    assert all(card.poll is None for card in surface.cards)


async def test_only_who_started_the_demo_goes_on_at_once() -> None:
    vote = Vote("ada", LONG, BACK)

    assert vote.cast("ben", "go") == NOT_YOURS
    assert vote.cast("ada", "go") == GOING
    assert vote.cast("ada", "go") == OVER
    await vote.wait()


@pytest.mark.parametrize("choice", ["", "docker", "docker 0", "docker 4", "podman 1", "go now", "docker 1 2"])
async def test_what_is_no_guess_counts_nothing_and_is_told(choice: str) -> None:
    one = tutor(LONG)
    async with watched(one) as surface:
        poll = await poll_of(surface)
        assert await told(one, f"{poll.go.removesuffix('go')}{choice}") == NO_GUESS
        await told(one, poll.go)

    assert surface.cards[-1].poll is None


@pytest.mark.parametrize("text", ["/vote", "/vote 0a1b2c3d docker 1", "/vote 0a1b2c3d go"])
async def test_a_vote_that_this_process_does_not_know_is_over(text: str) -> None:
    assert await told(tutor(LONG), text) == OVER


async def test_a_demo_that_is_stopped_while_the_room_votes_leaves_no_vote_and_no_sandbox() -> None:
    lab = FakeLab(OBSERVED)
    one = tutor(LONG, lab)
    surface = Watched()
    running = asyncio.create_task(deliver(one.reply(Message("/demo selfheal", "ada", "here")), surface))
    poll = await poll_of(surface)
    await surface.until(lambda card: any(lane.bars for lane in card.lanes))
    running.cancel()
    await asyncio.wait([running])

    assert (lab.opened, lab.closed) == (1, 1)
    assert surface.cards[-1].state == "stopped"
    assert surface.cards[-1].vote is None
    assert await told(one, command(poll, 0, 0)) == OVER


async def test_a_vote_that_takes_longer_than_the_demo_may_does_not_end_it() -> None:
    demos = {"selfheal": replace(load_demos()["selfheal"], deadline=2.5)}
    one = Tutor(Speechless(), demos, FakeEngines(), FakeLab(OBSERVED).open, votes=Votes(2.0))
    async with watched(one, "/demo selfheal --fault crash") as surface:
        await surface.until(lambda card: card.state != "running")

    assert surface.cards[-1].state == "done"
    assert surface.cards[-1].fault_at is not None
    assert surface.cards[-1].fault_at >= 1.5


async def test_a_person_counts_once_for_each_engine() -> None:
    vote = Vote("ada", LONG, BACK)
    for choice in ("docker 1", "docker 3", "kubernetes 2", "docker 3"):
        vote.cast("ada", choice)
    vote.cast("ben", "docker 3")
    card = vote.on(Card("", "", "running", 0.0, 1.0))
    vote.close()

    assert card.poll is not None
    assert [[guess.votes for guess in ballot.guesses] for ballot in card.poll.ballots] == [[0, 0, 2], [0, 1, 0]]
    assert [guess.label for guess in card.poll.ballots[0].guesses] == list(BACK.guesses)
