"""Several sources of events as one stream, and two waits as one."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import aclosing
from dataclasses import replace
from typing import Any, Generic, TypeVar

from sandbox.events import UNSTAMPED, Event

Item = TypeVar("Item")
First = TypeVar("First")
Second = TypeVar("Second")

Source = AsyncGenerator[Event, None]


class Mixture(Generic[Item]):
    """Items that several tasks add, in the order in which they are added."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[Item | asyncio.Task[None]] = asyncio.Queue()
        self._tasks: list[asyncio.Task[None]] = []

    def put(self, item: Item) -> None:
        """Add an item."""
        self._queue.put_nowait(item)

    def start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Begin with what adds items."""
        task = asyncio.create_task(work)
        self._tasks.append(task)
        task.add_done_callback(self._queue.put_nowait)
        return task

    async def until(self, script: Coroutine[Any, Any, None]) -> AsyncGenerator[Item, None]:
        """Yield the items until a script has ended. If the script or another task fails, all end."""
        leading = self.start(script)
        try:
            while True:
                item = await self._queue.get()
                if not isinstance(item, asyncio.Task):
                    yield item
                    continue
                item.result()
                if item is leading:
                    return
        finally:
            await stop(*self._tasks)


class Stream(Mixture[Event]):
    """Events from many sources in the order in which they happened.

    Each source runs on at its own pace, however slowly the events are taken: a browser that lags must not slow a
    measurement. So an event is stamped, and noted, when it is told, not when it is taken.
    """

    def __init__(self, clock: Callable[[], float], note: Callable[[Event], None] = lambda _: None) -> None:
        super().__init__()
        self._clock = clock
        self._note = note
        self._latest = 0.0

    def tell(self, event: Event) -> None:
        """Add one event; it happened now, or at the moment that it carries."""
        self._latest = max(self._latest, self._clock() if event.t == UNSTAMPED else event.t)
        stamped = replace(event, t=self._latest)
        self._note(stamped)
        self.put(stamped)

    def follow(self, source: Source) -> None:
        """Add a source from now on."""
        self.start(self._pump(source))

    async def _pump(self, source: Source) -> None:
        async with aclosing(source):
            async for event in source:
                self.tell(event)


async def stop(*tasks: asyncio.Task[Any]) -> None:
    """Cancel tasks and wait until they have ended."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def both(first: Coroutine[Any, Any, First], second: Coroutine[Any, Any, Second]) -> tuple[First, Second]:
    """Wait for both; where one fails, the other is cancelled and the failure raised as it is."""
    one, other = await together(first, second)
    return one, other


async def together(*works: Coroutine[Any, Any, Any]) -> list[Any]:
    """Wait for all; where one fails, the others are cancelled and the failure raised as it is."""
    tasks = [asyncio.create_task(work) for work in works]
    try:
        return await asyncio.gather(*tasks)
    finally:
        await stop(*tasks)


async def first(event: asyncio.Event, task: asyncio.Task[Any], seconds: float) -> bool:
    """Wait until an event is set or a task is done; say whether either came in time."""
    waiting = asyncio.create_task(event.wait())
    try:
        done, _ = await asyncio.wait({waiting, task}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        await stop(waiting)
    return bool(done)


async def to_the_end(work: Coroutine[Any, Any, First]) -> First:
    """Finish the work even if the waiting for it is cancelled, once or often; the cancellation is raised after it."""
    task = asyncio.create_task(work)
    cancelled = False
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError:
            cancelled = True
    if cancelled:
        with contextlib.suppress(asyncio.CancelledError):
            task.exception()  # looked at, so that asyncio does not complain of it: it comes too late
        raise asyncio.CancelledError
    return task.result()
