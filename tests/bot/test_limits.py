"""One demo a person and a channel, so many in all; whoever waits sees how many come first."""

from contextlib import ExitStack, aclosing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import Busy
from bot.limits import Ahead, Allowed, Limits, Place


async def first_place(place: Place) -> Ahead | None:
    async with aclosing(place.turn()) as ahead:
        return await anext(ahead, None)


async def test_a_fifth_demo_waits_and_begins_when_one_ends() -> None:
    limits = Limits()
    with ExitStack() as running:
        for number in range(4):
            assert running.enter_context(limits.demo(f"person {number}", f"channel {number}", 40)).admitted.is_set()
        with limits.demo("one more", "elsewhere", 40) as place:
            assert await first_place(place) == Ahead(4, 40)
            running.close()
            assert await first_place(place) is None


async def test_who_waits_for_a_channel_holds_up_nobody_in_another() -> None:
    limits = Limits()
    with (
        limits.demo("ada", "here", 40),
        limits.demo("bob", "here", 40) as waits,
        limits.demo("eve", "there", 40) as runs,
    ):
        assert (waits.admitted.is_set(), runs.admitted.is_set()) == (False, True)


async def test_a_persons_second_demo_is_refused_also_while_the_first_waits() -> None:
    limits = Limits()
    with limits.demo("ada", "here", 40), limits.demo("bob", "here", 40), pytest.raises(Busy, match="of yours"):
        limits.demo("bob", "there", 40).__enter__()


async def test_a_person_may_have_as_many_as_the_operator_says() -> None:
    limits = Limits(Allowed(demos_per_person=2))
    with limits.demo("ada", "here", 40), limits.demo("ada", "there", 40) as second:
        with pytest.raises(Busy, match="of yours"):
            limits.demo("ada", "elsewhere", 40).__enter__()
        assert second.admitted.is_set()


async def test_a_full_queue_is_said_and_leaves_no_place_behind() -> None:
    limits = Limits(Allowed(demos=1, waiting=1))
    with limits.demo("ada", "1", 40), limits.demo("bob", "2", 40) as bob:
        with pytest.raises(Busy, match="1 demos are waiting, as many as may"):
            limits.demo("eve", "3", 40).__enter__()
        assert await first_place(bob) == Ahead(1, 40)


async def test_a_demo_that_runs_alone_waits_for_all_that_run_and_the_next_ones_wait_for_it() -> None:
    limits = Limits()
    with ExitStack() as running, ExitStack() as alone:
        running.enter_context(limits.demo("ada", "1", 40))
        running.enter_context(limits.demo("bob", "2", 40))
        lonely = alone.enter_context(limits.demo("eve", "3", 40, alone=True))
        with limits.demo("kim", "4", 40) as behind:
            assert ((await first_place(lonely)).demos, (await first_place(behind)).demos) == (2, 3)
            running.close()
            assert (lonely.admitted.is_set(), (await first_place(behind)).demos) == (True, 1)
            alone.close()
            assert behind.admitted.is_set()


async def test_a_demo_that_waits_to_run_alone_holds_up_nobody_once_it_has_gone() -> None:
    limits = Limits()
    with limits.demo("ada", "1", 40), ExitStack() as alone:
        alone.enter_context(limits.demo("eve", "2", 40, alone=True))
        with limits.demo("kim", "3", 40) as behind:
            assert not behind.admitted.is_set()
            alone.close()
            assert behind.admitted.is_set()


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 3)), max_size=40))
def test_no_order_of_demos_runs_more_than_may_or_forgets_one_that_waits(wishes: list[tuple[int, int]]) -> None:
    limits = Limits(Allowed(demos=3, waiting=100))
    open_places: dict[int, tuple[ExitStack, Place]] = {}
    for person, channel in wishes:
        if person in open_places:
            open_places.pop(person)[0].close()
            continue
        stack = ExitStack()
        open_places[person] = (stack, stack.enter_context(limits.demo(str(person), str(channel), 40)))
    runs = [place for _, place in open_places.values() if place.admitted.is_set()]
    waits = [place for _, place in open_places.values() if not place.admitted.is_set()]

    channels = {place.channel for place in runs}
    assert len(runs) == len(channels) <= 3
    assert len(runs) == 3 or all(place.channel in channels for place in waits)


@pytest.mark.parametrize(
    ("allowed", "running", "waiting", "expected"),
    [
        (Allowed(demos=1), [30], [], Ahead(1, 30)),
        (Allowed(demos=1), [30], [45], Ahead(2, 80)),
        (Allowed(demos=2), [30, 60], [], Ahead(2, 30)),
        (Allowed(demos=2), [30, 60], [20, 45], Ahead(4, 60)),
        (Allowed(demos=1), [0], [], Ahead(1, 10)),
    ],
)
async def test_the_expected_wait_is_what_the_demos_before_take(
    allowed: Allowed, running: list[float], waiting: list[float], expected: Ahead
) -> None:
    limits = Limits(allowed)
    with ExitStack() as places:
        for number, seconds in enumerate([*running, *waiting]):
            places.enter_context(limits.demo(f"person {number}", f"channel {number}", seconds))

        assert await first_place(places.enter_context(limits.demo("ada", "here", 45))) == expected


async def test_who_waits_for_a_channel_is_told_how_long_that_channel_takes() -> None:
    limits = Limits(Allowed(demos=2))
    with limits.demo("ada", "here", 90), limits.demo("bob", "there", 20), limits.demo("eve", "here", 45) as waits:
        assert await first_place(waits) == Ahead(2, 90)
