"""Several sources of events as one stream, and two waits as one."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import aclosing
from dataclasses import replace
from typing import Any, TypeVar

from sandbox.events import UNSTAMPED, Event

First = TypeVar("First")
Second = TypeVar("Second")

Source = AsyncGenerator[Event, None]


async def merged(clock: Callable[[], float], leading: Source, *others: Source) -> AsyncGenerator[Event, None]:
    """Yield the events of all sources in the order in which they happened, until the leading source ends.

    Each source runs on at its own pace, however slowly its events are taken: a browser that lags must not slow a
    measurement. So an event is stamped when its source tells it, not when it is taken. If one source fails, all end.
    """
    queue: asyncio.Queue[Event | asyncio.Task[None]] = asyncio.Queue()
    latest = 0.0

    async def pump(source: Source) -> None:
        nonlocal latest
        async with aclosing(source):
            async for event in source:
                latest = max(latest, clock() if event.t == UNSTAMPED else event.t)
                queue.put_nowait(replace(event, t=latest))

    tasks = [asyncio.create_task(pump(source)) for source in (leading, *others)]
    for task in tasks:
        task.add_done_callback(queue.put_nowait)
    try:
        while True:
            item = await queue.get()
            if not isinstance(item, asyncio.Task):
                yield item
                continue
            item.result()
            if item is tasks[0]:
                return
    finally:
        await stop(*tasks)


async def stop(*tasks: asyncio.Task[Any]) -> None:
    """Cancel tasks and wait until they have ended."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def both(first: Coroutine[Any, Any, First], second: Coroutine[Any, Any, Second]) -> tuple[First, Second]:
    """Wait for both; where one fails, the other is cancelled and the failure raised as it is."""
    tasks = (asyncio.create_task(first), asyncio.create_task(second))
    try:
        return await asyncio.gather(*tasks)
    finally:
        await stop(*tasks)


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
