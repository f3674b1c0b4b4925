"""Load on several addresses at once: steady, counted, and gone when its block ends."""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Collection

import pytest
from fakes import FakeApp, FakeBeside

from sandbox.clients import Far, Near
from sandbox.errors import DemoFailed
from sandbox.events import Engine
from sandbox.load import Load
from sandbox.routes import Address


class Counter:
    """Answers with a status, and tells each request."""

    def __init__(self, status: str) -> None:
        self._status = status
        self.asked: asyncio.Queue[str] = asyncio.Queue()

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        self.asked.put_nowait(head.decode().partition(" HTTP")[0])
        writer.write(f"HTTP/1.1 {self._status}\r\n\r\n".encode())
        writer.close()
        await writer.wait_closed()

    async def start(self) -> tuple[asyncio.Server, Address]:
        server = await asyncio.start_server(self, "127.0.0.1", 0)
        return server, Address(*server.sockets[0].getsockname()[:2])


@pytest.fixture
async def hung() -> AsyncIterator[FakeApp]:
    app = FakeApp()
    await app.start()
    await app.break_down("hang")
    yield app
    await app.stop()


def load_on(engines: Collection[Engine], rate: float, beside: FakeBeside | None = None) -> Load:
    return Load(time.monotonic, {engine: Far(beside) if beside else Near() for engine in engines}, "/burn?ms=1", rate)


async def test_each_app_gets_the_same_load_and_what_fails_is_counted_apart() -> None:
    good, bad = Counter("200 OK"), Counter("503 Service Unavailable")
    (first, at_good), (second, at_bad) = await good.start(), await bad.start()
    load = load_on(Engine, 100)
    async with first, second, load.on({Engine.DOCKER: at_good, Engine.KUBERNETES: at_bad}):
        seen = [await good.asked.get() for _ in range(10)]
    sent = len(seen) + good.asked.qsize()

    assert set(seen) == {"GET /burn?ms=1"}
    assert load.failed == {Engine.DOCKER: 0, Engine.KUBERNETES: bad.asked.qsize()}
    assert abs(sent - bad.asked.qsize()) <= 1


@pytest.mark.parametrize("beside", [None, FakeBeside(ahead=1000)], ids=["from here", "from beside the app"])
async def test_the_rate_told_is_that_of_the_requests_really_sent(beside: FakeBeside | None) -> None:
    good = Counter("200 OK")
    server, address = await good.start()
    load = load_on([Engine.DOCKER], 50, beside)
    async with server, load.on({Engine.DOCKER: address}):
        before = good.asked.qsize()
        seen = [await good.asked.get() for _ in range(20)]
    told = load.told()
    sent = len(seen) + good.asked.qsize() - before

    assert told["requests_per_second"] == pytest.approx(sent / (told["end"] - told["start"]), rel=0.1)
    assert told["requests_per_second"] < 60
    assert load.failed == {Engine.DOCKER: 0}


async def test_a_load_whose_block_fails_leaves_nothing_under_way(hung: FakeApp) -> None:
    load, before = load_on([Engine.DOCKER], 100), asyncio.all_tasks()
    with pytest.raises(ZeroDivisionError):  # noqa: PT012 - it has to fail while requests wait
        async with load.on({Engine.DOCKER: hung.address}):
            assert asyncio.all_tasks() - before
            raise ZeroDivisionError
    await hung.stop()

    assert asyncio.all_tasks() == before


async def test_a_client_that_ends_before_its_first_request_ends_the_load_with_its_reason() -> None:
    class Refuses(FakeBeside):
        async def follow(self, words: tuple[str, ...], ended: asyncio.Event) -> AsyncGenerator[str, None]:
            raise DemoFailed("The client could not be started.")
            yield ""

    with pytest.raises(DemoFailed, match="could not be started"):
        async with load_on([Engine.DOCKER], 100, Refuses()).on({Engine.DOCKER: Address("127.0.0.1", 1)}):
            pass
