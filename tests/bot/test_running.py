"""A reply that is being made can be stopped by its key, once, and gives back what it holds."""

import asyncio

from bot.running import Running


class Work:
    def __init__(self) -> None:
        self.begun, self.given_back, self.may_end = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def do(self) -> None:
        try:
            self.begun.set()
            await asyncio.Event().wait()
        finally:
            await self.may_end.wait()
            self.given_back.set()


async def test_a_stop_lets_the_clean_up_finish_also_when_it_is_asked_for_twice() -> None:
    running, work = Running(), Work()
    task = running.start("message 1", work.do())
    await work.begun.wait()

    assert running.stop("message 1")
    await asyncio.sleep(0)
    assert running.stop("message 1")
    work.may_end.set()
    await asyncio.wait([task])

    assert work.given_back.is_set()
    assert not running.stop("message 1")


async def test_the_end_waits_until_nothing_is_held() -> None:
    running, works = Running(), [Work(), Work()]
    for number, work in enumerate(works):
        running.start(str(number), work.do())
        work.may_end.set()
        await work.begun.wait()

    await running.close()

    assert all(work.given_back.is_set() for work in works)


async def test_who_waits_for_the_stop_finds_nothing_left() -> None:
    running, cleaned = Running(), asyncio.Event()

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            cleaned.set()

    running.start("a", work())
    await asyncio.sleep(0)

    assert await running.stopped("a")
    assert cleaned.is_set()
    assert not await running.stopped("a")
