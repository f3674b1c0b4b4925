"""Who waits for whom where several runs share one machine."""

import asyncio
from contextlib import AbstractAsyncContextManager, AsyncExitStack

import pytest
from fakes import FakeLab
from hypothesis import given
from hypothesis import strategies as st

from sandbox.demo import choose, perform
from sandbox.demos import load_demos
from sandbox.events import Narration, Result
from sandbox.turns import Turns

LONG = 60.0  # nobody waits for it
Kind = str


def turn(turns: Turns, kind: Kind, run: str, patience: float = LONG) -> AbstractAsyncContextManager[None]:
    return (turns.share if kind == "share" else turns.act)(run, patience)


@pytest.mark.parametrize(
    ("first", "second", "waits"),
    [
        (("share", "ada"), ("share", "ben"), False),
        (("share", "ada"), ("act", "ben"), True),
        (("act", "ada"), ("share", "ben"), True),
        (("act", "ada"), ("act", "ben"), True),
        (("act", "ada"), ("act", "ada"), False),
        (("share", "ada"), ("act", "ada"), False),
    ],
)
async def test_what_is_measured_is_alone_with_its_own_run_and_all_else_goes_together(
    first: tuple[Kind, str], second: tuple[Kind, str], waits: bool
) -> None:
    turns = Turns()
    began = asyncio.Event()

    async def next_one() -> None:
        async with turn(turns, *second):
            began.set()

    async with turn(turns, *first):
        told = turns.sharing(second[1]) if second[0] == "share" else turns.acting(second[1])
        task = asyncio.create_task(next_one())
        for _ in range(5):
            await asyncio.sleep(0)
        assert (told, began.is_set()) == (waits, not waits)
    await task

    assert not turns.acting("cy")


@given(st.lists(st.tuples(st.sampled_from(["share", "act"]), st.sampled_from("abc")), max_size=12))
def test_no_two_runs_act_at_once_and_all_come_in_their_order(
    wanted: list[tuple[Kind, str]],
) -> None:
    turns = Turns()
    now: list[tuple[Kind, str]] = []
    acted: list[int] = []

    async def one(n: int, kind: Kind, run: str) -> None:
        async with turn(turns, kind, run):
            now.append((kind, run))
            acted.extend([n] if kind == "act" else [])
            assert len({other for _, other in now}) == 1 or {kind for kind, _ in now} == {"share"}
            await asyncio.sleep(0)
            now.remove((kind, run))

    async def all_of_them() -> None:
        await asyncio.gather(*(one(n, *who) for n, who in enumerate(wanted)))

    asyncio.run(all_of_them())

    assert acted == [n for n, (kind, _) in enumerate(wanted) if kind == "act"]
    assert not turns.acting("d")


async def test_whoever_has_waited_long_enough_goes_on_and_is_waited_for_in_turn() -> None:
    turns = Turns()
    async with turns.act("ada", LONG), AsyncExitStack() as impatient:
        await impatient.enter_async_context(turns.act("ben", 0.01))
        assert turns.acting("cy")
    async with turns.act("ben", LONG):
        assert turns.acting("cy")


async def test_whoever_is_cancelled_in_the_line_leaves_it() -> None:
    turns = Turns()

    async def waits() -> None:
        async with turns.act("ben", LONG):
            raise AssertionError

    async with turns.act("ada", LONG):
        waiting = asyncio.create_task(waits())
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.wait([waiting])

    assert not turns.acting("cy")


async def test_a_run_says_that_it_waits_for_another_and_goes_on_after_a_while() -> None:
    lab = FakeLab()
    async with lab.turns.act("another", LONG):
        events = [event async for event in perform(*choose(load_demos(), "selfheal"), "ada", lab.open)]
    told = [event.text for event in events if isinstance(event, Narration)]
    end = events[-1]

    assert told[0] == "Another run is being measured. This one starts when that no longer disturbs it."
    assert "Another run is at work. This one waits for its turn, so that neither disturbs the other." in told
    assert isinstance(end, Result)
    assert (end.error, end.completed) == (None, True)
