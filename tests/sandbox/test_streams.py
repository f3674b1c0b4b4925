"""Several sources as one stream."""

import asyncio
import itertools
from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest

from sandbox.errors import EngineUnavailable
from sandbox.events import Event, Narration
from sandbox.streams import both, merged, to_the_end


def ticking() -> float:
    return next(_TICKS)


_TICKS = itertools.count(1.0)


async def told(*texts: str) -> AsyncGenerator[Event, None]:
    for text in texts:
        await asyncio.sleep(0)
        yield Narration(text=text)


async def forever(closed: list[str]) -> AsyncGenerator[Event, None]:
    try:
        yield Narration(text="on")
        await asyncio.Event().wait()
    finally:
        closed.append("forever")


async def failing() -> AsyncGenerator[Event, None]:
    yield Narration(text="so far")
    raise EngineUnavailable("gone")


async def test_the_leading_source_ends_the_stream_and_the_others_with_it() -> None:
    closed: list[str] = []
    events = [event async for event in merged(ticking, told("a", "b", "c"), forever(closed))]

    assert {event.text for event in events} == {"a", "b", "c", "on"}
    assert closed == ["forever"]


async def test_events_are_stamped_in_their_order() -> None:
    events = [event async for event in merged(ticking, told("a", "b", "c"), told("d", "e"))]

    assert [event.t for event in events] == sorted(event.t for event in events)


async def test_a_source_that_fails_ends_the_stream_with_its_error() -> None:
    closed: list[str] = []
    stream = merged(ticking, forever(closed), failing())

    with pytest.raises(EngineUnavailable, match="gone"):
        [event async for event in stream]
    assert closed == ["forever"]


async def test_closing_the_stream_closes_its_sources() -> None:
    closed: list[str] = []
    async with aclosing(merged(ticking, forever(closed))) as events:
        await anext(events)

    assert closed == ["forever"]


async def test_where_one_of_two_fails_the_other_is_cancelled() -> None:
    cancelled = asyncio.Event()

    async def waits() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    async def fails() -> None:
        raise EngineUnavailable("gone")

    with pytest.raises(EngineUnavailable):
        await both(waits(), fails())
    assert cancelled.is_set()


async def test_work_goes_on_to_the_end_however_often_the_wait_for_it_is_cancelled() -> None:
    go, done = asyncio.Event(), []

    async def work() -> None:
        await go.wait()
        done.append("work")

    waiting = asyncio.create_task(to_the_end(work()))
    for _ in range(3):
        await asyncio.sleep(0)
        waiting.cancel()
    go.set()

    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert done == ["work"]
