"""Requests at a steady pace, whether the last answer has come or not."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest
from fakes import QUICK, FakeApp

from sandbox import http
from sandbox.errors import DemoFailed
from sandbox.events import Engine, Probe
from sandbox.prober import Prober
from sandbox.routes import Address

LANE = Engine.DOCKER


@pytest.fixture
async def app() -> AsyncIterator[FakeApp]:
    app = FakeApp()
    await app.start()
    yield app
    await app.stop()


async def probed(prober: Prober, app: FakeApp, count: int, fault: str | None = None) -> list[Probe]:
    found = []
    async for probe in prober.probe(LANE, app.address):
        found.append(probe)
        if len(found) == 1 and fault:
            prober.mark_fault(LANE)
            await app.break_down(fault)
        if len(found) == count:
            prober.finish()
    return found


async def test_a_good_answer_counts_and_is_timed(app: FakeApp) -> None:
    found = await probed(Prober(QUICK, time.monotonic), app, 3)

    assert sum(probe.ok for probe in found) >= 3
    assert sum(probe.failed for probe in found) == 0
    assert all(probe.p50_ms > 0 for probe in found if probe.ok)


@pytest.mark.parametrize("fault", ["hang", "crash"])
async def test_a_hung_app_fails_as_an_ended_one_does(app: FakeApp, fault: str) -> None:
    prober = Prober(QUICK, time.monotonic)
    await probed(prober, app, 5, fault)
    measured = prober.measured(LANE, ())

    assert measured.recovered is False
    assert measured.failed == measured.requests >= 3


async def test_requests_go_out_while_earlier_ones_still_wait(app: FakeApp) -> None:
    await app.break_down("hang")
    prober = Prober(QUICK, time.monotonic)
    found = await probed(prober, app, 4)

    assert sum(probe.failed for probe in found) >= 3


async def test_a_lane_ends_with_its_own_last_request_however_long_the_other_waits(app: FakeApp) -> None:
    prober = Prober(QUICK, time.monotonic)
    hung = FakeApp()
    await hung.start()
    await hung.break_down("hang")
    lanes = {Engine.DOCKER: hung, Engine.KUBERNETES: app}
    told: dict[Engine, list[Probe]] = {engine: [] for engine in Engine}

    async def follow(engine: Engine) -> None:
        async for probe in prober.probe(engine, lanes[engine].address):
            told[engine].append(probe)
            if engine is Engine.KUBERNETES and len(told[engine]) == 3:
                prober.finish()

    await asyncio.gather(*map(follow, Engine))
    await prober.finished()
    await hung.stop()

    assert told[Engine.KUBERNETES][-1].t + QUICK.timeout / 2 < told[Engine.DOCKER][-1].t
    for probes in told.values():
        assert [later.t - later.seconds for later in probes[1:]] == pytest.approx([probe.t for probe in probes[:-1]])


async def test_the_first_answer_is_waited_for(app: FakeApp) -> None:
    await app.stop()
    waiting = asyncio.create_task(Prober(QUICK, time.monotonic).first_answer(app.address))
    await app.start()

    assert await waiting is None


async def test_an_app_that_never_answers_ends_the_demo_with_a_sentence() -> None:
    pace = QUICK.__class__(startup=0.05, interval=0.01, timeout=0.05)

    with pytest.raises(DemoFailed, match=r"did not answer within 0\.05 s"):
        await Prober(pace, time.monotonic).first_answer(Address("127.0.0.1", 1))


def test_a_lane_that_was_not_probed_has_no_measurement() -> None:
    prober = Prober(QUICK, time.monotonic)

    with pytest.raises(DemoFailed, match=r"before .+ was measured"):
        prober.measured(LANE, ())


async def test_a_request_returns_the_answer(app: FakeApp) -> None:
    assert await http.request(app.address, "GET", "/", 1) == http.Answer(200, b"instance web version 1\n")
    assert (await http.request(app.address, "POST", "/fault/crash", 1)).status == 202


@pytest.mark.parametrize("answer", [b"", b"nonsense", b"HTTP/1.1", b"HTTP/1.1 two hundred\r\n\r\n", b"\xff" * 100])
async def test_what_is_no_http_is_no_answer(answer: bytes) -> None:
    async def say(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(answer)
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(say, "127.0.0.1", 0) as server:
        address = Address("127.0.0.1", server.sockets[0].getsockname()[1])

        with pytest.raises(http.NoAnswer):
            await http.request(address, "GET", "/", 1)
