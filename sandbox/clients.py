"""Who asks the app of a lane: this process, or our own program in a container beside the app.

Both send the same open loop, a request each interval whether the last answer has come or not, and both tell each
request in seconds of the run's clock.
"""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace
from typing import Protocol

from sandbox import http
from sandbox.errors import DemoFailed
from sandbox.measuring import Request
from sandbox.sandbox import Client, Target
from sandbox.streams import stop

# Requests by whose arrival a clock is set. Locally the quickest of them takes less than 50 ms.
_WARM_UP_REQUESTS = 10


class Near:
    """Asks from this process."""

    async def first_answer(self, target: Target) -> None:
        """Ask again and again."""
        while True:
            if (await _asked(target)).ok:
                return
            await asyncio.sleep(target.pace.interval)

    async def requests(self, target: Target) -> AsyncGenerator[Request, None]:
        """Send requests at the target's pace; they are on the run's clock by themselves."""
        over: asyncio.Queue[Request | None] = asyncio.Queue()
        sending = asyncio.create_task(_send(target, over))
        try:
            while (request := await over.get()) is not None:
                yield request
            sending.result()
        finally:
            await stop(sending)


async def _send(target: Target, over: asyncio.Queue[Request | None]) -> None:
    async def ask() -> None:
        over.put_nowait(await _asked(target))

    try:
        async with asyncio.TaskGroup() as under_way:
            due = target.clock()
            while not target.ended.is_set():
                under_way.create_task(ask())
                # Where this process was held up, what was missed is not made up for.
                due = max(due + target.pace.interval, target.clock())
                await asyncio.sleep(due - target.clock())
    finally:
        over.put_nowait(None)


async def _asked(target: Target) -> Request:
    sent = target.clock()
    try:
        answer = await http.request(target.address, "GET", target.path, target.pace.timeout)
    except http.NoAnswer:
        return Request(sent, target.clock(), ok=False)
    over = target.clock()
    return Request(sent, over, answer.status == http.GOOD, *who(answer.body))


def who(body: bytes) -> tuple[str | None, str | None]:
    """Read which instance answered, and its version: the app says "instance NAME version VERSION"."""
    words = body.decode(errors="replace").split()
    told = dict(zip(words[::2], words[1::2], strict=False))
    return told.get("instance"), told.get("version")


class Beside(Protocol):
    """Where our own program can run beside the app: a network of containers, a namespace of pods."""

    def follow(self, words: tuple[str, ...], ended: asyncio.Event) -> AsyncGenerator[str, None]:
        """Run it there with these words and yield what it writes, line by line; tell it to end when it is time."""
        ...

    async def first_answer(self, target: Target) -> None:
        """Ask from there until the app gives a good answer."""
        ...


class Far:
    """Asks from beside the app, and reads the lines of the program that does it.

    Its seconds are not ours. The difference is taken from the first second of lines: of each, when it came here less
    when it was written there, and of all these the least. So every time is too late by what the quickest of those lines
    took on its way, for all lines the same; the lines of that second themselves only set the clock.
    """

    def __init__(self, beside: Beside) -> None:
        self._beside = beside

    async def first_answer(self, target: Target) -> None:
        """Leave it to who stands there."""
        await self._beside.first_answer(target)

    async def requests(self, target: Target) -> AsyncGenerator[Request, None]:
        """Follow the lines. Raises DemoFailed where some were lost: fewer requests would look like fewer failures."""
        difference = _Difference(_WARM_UP_REQUESTS * target.pace.interval)
        told, sent = 0, -1
        async with aclosing(self._beside.follow(probe_words(target), target.ended)) as lines:
            async for line in lines:
                if isinstance(read := parse(line), int):
                    sent = read
                    continue
                told += 1
                if (seconds := difference.seconds(target.clock(), read.over)) is not None:
                    yield replace(read, sent=read.sent + seconds, over=read.over + seconds)
        if told != sent:
            raise DemoFailed(
                f"The client beside the app at {target.address} ended before its time, or not all that it wrote came "
                "here, so nothing was measured. Start the demo again."
            )


def choose(beside: Beside, far: bool) -> Client:
    """Return who asks the apps of one side."""
    return Far(beside) if far else Near()


class _Difference:
    """Between the clock there and ours; it is known once the warm-up is over, and stays."""

    def __init__(self, warm_up: float) -> None:
        self._warm_up = warm_up
        self._first: float | None = None
        self._least = float("inf")

    def seconds(self, arrived: float, written: float) -> float | None:
        """Return what to add to a time from there; None while that is being found out."""
        self._first = arrived if self._first is None else self._first
        if arrived - self._first >= self._warm_up:
            return self._least
        self._least = min(self._least, arrived - written)
        return None


def probe_words(target: Target) -> tuple[str, ...]:
    """Return what to say to our program so that it asks at the target's pace."""
    return ("probe", f"{target.address}{target.path}", f"{target.pace.interval:g}s", f"{target.pace.timeout:g}s")


def is_good(line: str) -> bool:
    """Say whether a line of `web probe` tells of a good answer."""
    read = parse(line)
    return isinstance(read, Request) and read.ok


def parse(line: str) -> Request | int:
    """Read a line of `web probe`: one request on its own clock, or at the end how many there were."""
    try:
        told = json.loads(line)
        if "requests" in told:
            return int(told["requests"])
        who = (str(told["instance"]) or None, str(told["version"]) or None)
        return Request(float(told["sent"]), float(told["over"]), bool(told["ok"]), *who)
    except (ValueError, KeyError, TypeError) as error:
        raise DemoFailed(
            f"The client beside the app wrote {line[:80]!r}, which is no line of web probe. If you named an image in "
            "PORTSIDE_DEMO_IMAGE, it must be the one that sandbox/image makes."
        ) from error
