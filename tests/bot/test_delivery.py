"""A surface sees the reply grow at its own pace, and always its final form."""

import asyncio
from collections.abc import AsyncGenerator

import pytest

from bot.delivery import STOPPED, DeliveryError, deliver
from bot.errors import BadMessage
from bot.parts import Card, Failure, Part, Progress, Reply, Text

CARD = Card("Who brings it back?", "", "running", 1.0, 45.0)


class Paper:
    """A surface that keeps every form it was shown, and loses the first few."""

    def __init__(self, pause: float = 0.001, loses: int = 0) -> None:
        self.forms: list[Reply] = []
        self.ends: list[bool] = []
        self._pause = pause
        self._loses = loses
        self.lost = asyncio.Event()

    async def pace(self) -> None:
        await asyncio.sleep(self._pause)

    async def show(self, reply: Reply, final: bool) -> None:
        if self._loses:
            self._loses -= 1
            self.lost.set()
            raise DeliveryError("too many edits")
        self.forms.append(reply)
        self.ends.append(final)


async def said(*parts: Part, error: Exception | None = None) -> AsyncGenerator[Part, None]:
    for part in parts:
        yield part
    if error:
        raise error


async def test_many_parts_in_no_time_are_one_edit() -> None:
    paper = Paper(pause=60)

    await deliver(said(*(Text(str(n), key="answer") for n in range(100))), paper)

    assert paper.forms[-1] == (Text("99", key="answer"),)
    assert len(paper.forms) <= 2


async def test_a_lost_edit_is_made_good_by_the_next() -> None:
    paper = Paper(loses=1)

    async def slowly() -> AsyncGenerator[Part, None]:
        yield Text("first")
        await paper.lost.wait()
        yield Text("second")

    await deliver(slowly(), paper)

    assert paper.forms[-1] == (Text("first"), Text("second"))


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (BadMessage("That message is empty. Ask a question."), ("That message is empty.", "Ask a question.")),
        (ZeroDivisionError(), ("Portside met a fault of its own.", "Try again;")),
    ],
)
async def test_an_error_becomes_a_failure_whose_reference_the_log_has(
    error: Exception, told: tuple[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    reply = await deliver(said(Text("so far"), error=error), Paper())
    failure = reply[-1]

    assert isinstance(failure, Failure)
    assert failure.text == told[0]
    assert failure.advice.startswith(told[1])
    assert len(failure.reference) == 6
    assert failure.reference in caplog.text


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (CARD, Card("Who brings it back?", "", "stopped", 1.0, 45.0, narration=STOPPED)),
        (Progress("Kubernetes is being built, once", (), 3.0), Text("Stopped.")),
    ],
)
async def test_a_reply_that_is_stopped_gives_back_what_it_holds_and_says_so(before: Part, after: Part) -> None:
    paper = Paper()
    begun, closed = asyncio.Event(), asyncio.Event()

    async def endless() -> AsyncGenerator[Part, None]:
        try:
            yield before
            begun.set()
            await asyncio.Event().wait()
        finally:
            closed.set()

    task = asyncio.create_task(deliver(endless(), paper))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert closed.is_set()
    assert paper.forms[-1] == (after,)


async def test_the_last_form_alone_is_called_final() -> None:
    paper = Paper()

    await deliver(said(Text("first"), Text("second")), paper)

    assert paper.ends[-1]
    assert not any(paper.ends[:-1])


async def test_an_edit_on_its_way_arrives_before_the_final_form() -> None:
    begun, may_end = asyncio.Event(), asyncio.Event()

    class Slow(Paper):
        async def show(self, reply: Reply, final: bool) -> None:
            begun.set()
            await may_end.wait()
            await super().show(reply, final)

    paper = Slow()

    async def two() -> AsyncGenerator[Part, None]:
        yield Text("first")
        await begun.wait()
        yield Text("second")

    delivering = asyncio.create_task(deliver(two(), paper))
    await begun.wait()
    may_end.set()
    await delivering

    assert paper.forms == [(Text("first"),), (Text("first"), Text("second"))]
