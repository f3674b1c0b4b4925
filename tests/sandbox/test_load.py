"""Load on several addresses at once: steady, counted, and gone when its block ends."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest
from fakes import FakeApp

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


async def test_each_address_gets_the_same_load_and_what_fails_is_counted_apart() -> None:
    good, bad = Counter("200 OK"), Counter("503 Service Unavailable")
    (first, at_good), (second, at_bad) = await good.start(), await bad.start()
    load = Load(time.monotonic, "/burn?ms=1", 100)
    async with first, second, load.on([at_good, at_bad]):
        seen = [await good.asked.get() for _ in range(10)]

    assert set(seen) == {"GET /burn?ms=1"}
    assert load.failed == {at_good: 0, at_bad: len(seen) + good.asked.qsize()}
    assert good.asked.qsize() + len(seen) == bad.asked.qsize()


async def test_the_rate_told_is_that_of_the_requests_really_sent() -> None:
    good = Counter("200 OK")
    server, address = await good.start()
    load = Load(time.monotonic, "/burn?ms=1", 50)
    async with server, load.on([address]):
        seen = [await good.asked.get() for _ in range(10)]
    told = load.told()
    sent = len(seen) + good.asked.qsize()

    assert told["requests_per_second"] == pytest.approx(sent / (told["end"] - told["start"]), rel=0.02)
    assert told["requests_per_second"] < 60


async def test_a_load_whose_block_fails_leaves_nothing_under_way(hung: FakeApp) -> None:
    load = Load(time.monotonic, "/burn?ms=1", 100)
    sent = 0
    with pytest.raises(ZeroDivisionError):  # noqa: PT012 - it has to fail while a request waits
        async with load.on([hung.address]):
            await asyncio.sleep(0)
            sent = len(load._under_way)
            raise ZeroDivisionError

    assert (sent, len(load._under_way)) == (1, 0)
