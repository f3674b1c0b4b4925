"""The program beside an app tells its requests by its own clock, in lines."""

import asyncio
import json
from collections.abc import AsyncGenerator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.clients import Far, parse
from sandbox.errors import DemoFailed
from sandbox.measuring import Request
from sandbox.routes import Address
from sandbox.sandbox import Pace, Target

APP = Address("203.0.113.1", 8080)


def line(over: float, ok: bool = True, **who: str) -> str:
    return json.dumps({"sent": over - 0.01, "over": over, "ok": ok, "instance": "", "version": ""} | who) + "\n"


class Delivered:
    """Lines that come here at given moments of our clock."""

    def __init__(self, *lines: tuple[float, str]) -> None:
        self._lines = lines
        self.now = 0.0
        self.words: tuple[str, ...] = ()

    async def first_answer(self, target: Target) -> None:
        """Nobody waits for one here."""

    async def follow(self, words: tuple[str, ...], ended: asyncio.Event) -> AsyncGenerator[str, None]:
        self.words = words
        for now, text in self._lines:
            self.now = now
            yield text


async def told(beside: Delivered) -> list[Request]:
    target = Target(APP, Pace(), lambda: beside.now, asyncio.Event())
    return [request async for request in Far(beside).requests(target)]


async def test_a_clock_is_set_by_the_quickest_line_of_the_first_second() -> None:
    late = ((5.0 + n / 10 + (0.02 if n == 3 else 0.4), line(n / 10)) for n in range(10))
    beside = Delivered(*late, (7.0, line(1.5)), (7.1, line(1.6)), (7.2, '{"requests": 12}\n'))
    found = await told(beside)

    assert [request.over for request in found] == pytest.approx([6.52, 6.62])
    assert [request.over - request.sent for request in found] == pytest.approx([0.01, 0.01])


async def test_lines_that_come_all_at_once_at_the_start_set_no_clock_alone() -> None:
    burst = ((9.0, line(n / 10)) for n in range(20))
    live = ((9.0 + n / 10, line(2.2 + n / 10)) for n in range(1, 12))
    beside = Delivered(*burst, *live, (10.2, '{"requests": 31}\n'))
    found = await told(beside)

    assert [request.over for request in found] == pytest.approx([10.0, 10.1])


async def test_the_program_is_asked_for_the_pace_of_the_run() -> None:
    beside = Delivered((1.0, '{"requests": 0}\n'))
    await told(beside)

    assert beside.words == ("probe", "203.0.113.1:8080/", "0.1s", "1s")


@pytest.mark.parametrize("lines", [(), ('{"requests": 2}\n',), (line(1.0),)])
async def test_what_ends_before_its_time_measures_nothing(lines: tuple[str, ...]) -> None:
    with pytest.raises(DemoFailed, match="ended before its time"):
        await told(Delivered(*((1.0, text) for text in lines)))


@pytest.mark.parametrize(
    ("text", "read"),
    [
        (line(1.0), Request(0.99, 1.0, ok=True)),
        (line(1.0, ok=False), Request(0.99, 1.0, ok=False)),
        (line(1.0, instance="web-a", version="2"), Request(0.99, 1.0, True, "web-a", "2")),
        ('{"requests": 7}', 7),
    ],
)
def test_a_line_is_a_request_or_how_many_there_were(text: str, read: Request | int) -> None:
    assert parse(text) == read


@given(st.text() | st.recursive(st.none() | st.integers() | st.text(), st.lists).map(json.dumps))
def test_whatever_else_is_written_is_named(text: str) -> None:
    with pytest.raises(DemoFailed, match="no line of web probe"):
        parse(text)
