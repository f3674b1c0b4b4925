"""Several sources as one stream."""

import asyncio
import itertools
from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest

from sandbox.errors import EngineUnavailable
from sandbox.events import Event, Narration
from sandbox.streams import Source, Stream, both, to_the_end


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


def streaming(*sources: Source) -> Stream:
    stream = Stream(ticking)
    for source in sources:
        stream.follow(source)
    return stream


async def saying(stream: Stream, *texts: str) -> None:
    for text in texts:
        await asyncio.sleep(0)
        stream.tell(Narration(text=text))


async def test_the_script_ends_the_stream_and_the_sources_with_it() -> None:
    closed: list[str] = []
    stream = streaming(forever(closed))
    events = [event async for event in stream.until(saying(stream, "a", "b", "c"))]

    assert {event.text for event in events} == {"a", "b", "c", "on"}
    assert closed == ["forever"]


async def test_a_source_may_be_added_by_the_script() -> None:
    stream = streaming()

    async def script() -> None:
        stream.follow(told("a", "b"))
        await asyncio.sleep(0.01)

    assert [event.text async for event in stream.until(script())] == ["a", "b"]


async def test_events_are_stamped_and_noted_in_their_order() -> None:
    noted: list[Event] = []
    stream = Stream(ticking, noted.append)
    stream.follow(told("d", "e"))
    events = [event async for event in stream.until(saying(stream, "a", "b", "c"))]

    assert [event.t for event in events] == sorted(event.t for event in events)
    assert noted == events


async def test_a_source_that_fails_ends_the_stream_with_its_error() -> None:
    closed: list[str] = []
    stream = streaming(forever(closed), failing())

    with pytest.raises(EngineUnavailable, match="gone"):
        [event async for event in stream.until(asyncio.sleep(3600))]
    assert closed == ["forever"]


async def test_a_script_that_fails_ends_the_stream_with_its_error() -> None:
    closed: list[str] = []
    stream = streaming(forever(closed))

    async def script() -> None:
        await asyncio.sleep(0.01)
        raise EngineUnavailable("gone")

    with pytest.raises(EngineUnavailable, match="gone"):
        [event async for event in stream.until(script())]
    assert closed == ["forever"]


async def test_closing_the_stream_closes_its_sources() -> None:
    closed: list[str] = []
    stream = streaming(forever(closed))
    async with aclosing(stream.until(asyncio.sleep(3600))) as events:
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
