"""Requests at a steady pace, whether the last answer has come or not."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest
from fakes import QUICK, FakeApp, FakeBeside

from sandbox import http
from sandbox.clients import Far, Near
from sandbox.errors import DemoFailed
from sandbox.events import Engine, Probe
from sandbox.prober import Prober
from sandbox.routes import Address
from sandbox.sandbox import Client, Pace

LANE = Engine.DOCKER
CLIENTS: dict[str, Client] = {"near": Near(), "far": Far(FakeBeside(ahead=-1000))}


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


def of(client: Client = CLIENTS["near"], pace: Pace = QUICK) -> Prober:
    return Prober(pace, time.monotonic, {LANE: client})


@pytest.mark.parametrize("client", CLIENTS.values(), ids=CLIENTS)
async def test_a_good_answer_counts_and_is_timed(app: FakeApp, client: Client) -> None:
    prober = of(client)
    began = time.monotonic()
    found = await probed(prober, app, 3)
    log = prober.requests(LANE)

    assert sum(probe.ok for probe in found) == len(log) >= 3
    assert sum(probe.failed for probe in found) == 0
    assert all(probe.p50_ms > 0 for probe in found if probe.ok)
    assert all(began < request.sent < request.over < time.monotonic() for request in log)
    assert {(request.instance, request.version) for request in log} == {("web", "1")}


@pytest.mark.parametrize("client", CLIENTS.values(), ids=CLIENTS)
@pytest.mark.parametrize("fault", ["hang", "crash"])
async def test_a_hung_app_fails_as_an_ended_one_does(app: FakeApp, fault: str, client: Client) -> None:
    prober = of(client)
    await probed(prober, app, 5, fault)
    measured = prober.measured(LANE, ())

    assert measured.recovered is False
    assert measured.failed == pytest.approx(measured.requests, abs=1)
    assert measured.requests >= 3


async def test_requests_go_out_while_earlier_ones_still_wait(app: FakeApp) -> None:
    prober = of()
    found = await probed(prober, app, 4, "hang")

    assert sum(probe.failed for probe in found) >= 3


async def test_a_lane_ends_with_its_own_last_request_however_long_the_other_waits(app: FakeApp) -> None:
    prober = Prober(QUICK, time.monotonic, {engine: Near() for engine in Engine})
    hung = FakeApp()
    await hung.start()
    lanes = {Engine.DOCKER: hung, Engine.KUBERNETES: app}
    told: dict[Engine, list[Probe]] = {engine: [] for engine in Engine}

    async def follow(engine: Engine) -> None:
        async for probe in prober.probe(engine, lanes[engine].address):
            told[engine].append(probe)
            if engine is Engine.KUBERNETES and len(told[engine]) == 3:
                prober.finish()

    async def hang() -> None:
        await asyncio.gather(*map(prober.serving, Engine))
        await hung.break_down("hang")

    await asyncio.gather(*map(follow, Engine), hang())
    await prober.finished()
    await hung.stop()

    assert told[Engine.KUBERNETES][-1].t + QUICK.timeout / 2 < told[Engine.DOCKER][-1].t
    for probes in told.values():
        assert [later.t - later.seconds for later in probes[1:]] == pytest.approx([probe.t for probe in probes[:-1]])


@pytest.mark.parametrize("client", CLIENTS.values(), ids=CLIENTS)
async def test_what_comes_before_the_first_answer_does_not_count(app: FakeApp, client: Client) -> None:
    await app.stop()
    prober = of(client)
    probing = asyncio.create_task(probed(prober, app, 2))
    await asyncio.sleep(0)
    await app.start()

    assert sum(probe.failed for probe in await probing) == 0
    assert all(request.ok for request in prober.requests(LANE))


@pytest.mark.parametrize("client", CLIENTS.values(), ids=CLIENTS)
async def test_a_first_answer_alone_is_waited_for_and_is_no_lane(app: FakeApp, client: Client) -> None:
    await app.stop()
    prober = of(client)
    waiting = asyncio.create_task(prober.first_answer(LANE, app.address))
    await asyncio.sleep(0)
    assert not waiting.done()
    await app.start()
    await waiting
    prober.finish()

    assert prober.measured(LANE, ()).requests is None


async def test_an_app_that_never_answers_ends_the_demo_with_a_sentence() -> None:
    prober = of(pace=Pace(startup=0.05, interval=0.01, timeout=0.05))

    with pytest.raises(DemoFailed, match=r"did not answer within 0\.05 s"):
        await prober.first_answer(LANE, Address("127.0.0.1", 1))

    with pytest.raises(DemoFailed, match=r"did not answer within 0\.05 s"):
        await anext(prober.probe(LANE, Address("127.0.0.1", 1)))


async def test_a_measurement_of_which_lines_were_lost_is_none(app: FakeApp) -> None:
    with pytest.raises(DemoFailed, match="not all that it wrote came here"):
        await probed(of(Far(FakeBeside(lost=1))), app, 2)


def test_a_lane_that_was_not_probed_has_no_measurement() -> None:
    prober = of()

    with pytest.raises(DemoFailed, match=r"before .+ was measured"):
        prober.measured(LANE, ())


async def test_a_request_returns_the_answer(app: FakeApp) -> None:
    assert await http.request(app.address, "GET", "/", 1) == http.Answer(200, b"instance web version 1\n")
    assert (await http.request(app.address, "POST", "/fault/crash", 1)).status == 202


async def test_an_app_accepts_a_fault_or_it_is_said_why_not(app: FakeApp) -> None:
    await http.tell(app.address, "/fault/crash")

    with pytest.raises(DemoFailed, match="could not be told /fault/crash"):
        await http.tell(app.address, "/fault/crash")


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
