"""A demo from its start to its result: on a sandbox without engines, measured by the real prober."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace

import pytest
from fakes import QUICK, FakeCluster, FakeDocker, FakeLab, FakeLabElsewhere, FakeSandbox

from sandbox.demo import Demo, Options, choose, perform
from sandbox.demos import load_demos
from sandbox.errors import BadRequest, EngineUnavailable, UnknownDemo
from sandbox.events import (
    Cleanup,
    Command,
    Engine,
    Event,
    Fault,
    Finding,
    Injected,
    Narration,
    Observed,
    Probe,
    Result,
    Snapshot,
    Started,
)
from sandbox.routes import Address
from sandbox.sandbox import Sandbox

DEMOS = load_demos()
SELFHEAL = DEMOS["selfheal"]
Runs = dict[Fault, list[Event]]
NOWHERE = Address("127.0.0.1", 1)
HEALED_BY_DOCKER = {Fault.CRASH, Fault.OOM}


async def run(fault: Fault | None, lab: FakeLab | None = None, demo: Demo = SELFHEAL) -> list[Event]:
    return [event async for event in perform(demo, Options(fault), "ada", (lab or FakeLab()).open)]


@pytest.fixture(scope="module")
def runs() -> dict[Fault, list[Event]]:
    """One run of each fault, looked at by many tests."""
    return {fault: asyncio.run(run(fault)) for fault in SELFHEAL.faults}


def result(events: list[Event]) -> Result:
    last = events[-1]
    assert isinstance(last, Result)
    return last


@pytest.mark.parametrize("fault", SELFHEAL.faults)
def test_kubernetes_heals_every_fault_and_docker_heals_what_ends(runs: Runs, fault: Fault) -> None:
    end = result(runs[fault])

    assert (end.completed, end.error, end.cleaned_up, end.fault) == (True, None, True, fault)
    assert end.engines[Engine.KUBERNETES].recovered
    assert "kubelet" in end.engines[Engine.KUBERNETES].acted_by
    assert end.engines[Engine.DOCKER].recovered == (fault in HEALED_BY_DOCKER)
    assert end.engines[Engine.DOCKER].acted_by == (("dockerd",) if fault in HEALED_BY_DOCKER else ())


@pytest.mark.parametrize("fault", [Fault.CRASH, Fault.HANG])
def test_the_probes_after_an_engines_fault_add_up_to_its_result(runs: Runs, fault: Fault) -> None:
    events = runs[fault]

    for engine, measured in result(events).engines.items():
        place = next(n for n, event in enumerate(events) if isinstance(event, Injected) and event.engine is engine)
        probes = [event for event in events[place:] if isinstance(event, Probe) and event.engine is engine]

        assert sum(probe.failed for probe in probes) == measured.failed
        assert sum(probe.ok + probe.failed for probe in probes) == measured.requests


def test_a_run_begins_with_started_and_ends_with_cleanups_and_the_result(runs: Runs) -> None:
    events = runs[Fault.CRASH]

    assert isinstance(events[0], Started)
    assert [type(event) for event in events[-3:]] == [Cleanup, Cleanup, Result]
    assert {event.run for event in events} == {"fake000001"}


@pytest.mark.parametrize("fault", SELFHEAL.faults)
def test_the_clock_never_runs_backwards_in_a_run(runs: Runs, fault: Fault) -> None:
    times = [event.t for event in runs[fault]]

    assert times == sorted(times)
    assert times[0] >= 0


def test_both_lanes_are_broken_at_the_same_moment(runs: Runs) -> None:
    faults = [event for event in runs[Fault.CRASH] if isinstance(event, Injected)]

    assert [fault.engine for fault in faults] == list(Engine)
    assert faults[1].t - faults[0].t < 0.1


def test_a_hung_container_is_noted_as_unhealthy_and_that_is_no_act(runs: Runs) -> None:
    events = runs[Fault.HANG]
    noted = [event for event in events if isinstance(event, Observed) and event.engine is Engine.DOCKER]

    assert [(event.text, event.acted) for event in noted] == [("health_status: unhealthy", False)]


def test_findings_tell_the_measured_seconds(runs: Runs) -> None:
    events = runs[Fault.HANG]
    seconds = result(events).engines[Engine.KUBERNETES].recovery_seconds
    findings = [event.text for event in events if isinstance(event, Finding)]

    assert findings[0].startswith(f"Kubernetes answered again after {seconds:.1f} s. Docker did not within")


def test_started_tells_what_is_quicker_than_the_defaults(runs: Runs) -> None:
    started = runs[Fault.CRASH][0]
    assert isinstance(started, Started)

    assert started.settings["tolerationSeconds"] == 2
    assert SELFHEAL.settings["tolerationSeconds"].default == 300


def test_without_a_named_fault_the_app_crashes() -> None:
    assert choose(DEMOS, "selfheal") == (SELFHEAL, Options(Fault.CRASH, 1))


async def test_an_engine_that_cannot_be_had_is_told_between_started_and_result() -> None:
    events = await run(Fault.CRASH, FakeLab(unavailable=EngineUnavailable("No Docker here. Install it.")))

    assert [type(event) for event in events] == [Started, Result]
    assert result(events).error == "No Docker here. Install it."
    assert not result(events).completed


async def test_a_refused_step_ends_the_run_and_the_sandbox_is_gone() -> None:
    lab = FakeLab(refuses=EngineUnavailable("Full."))
    events = await run(Fault.CRASH, lab)

    assert (result(events).error, result(events).completed, result(events).cleaned_up) == ("Full.", False, True)
    assert lab.opened == lab.closed == 1


async def test_an_engine_that_goes_in_mid_run_ends_it_and_its_cleanup_counts_as_unverified() -> None:
    end = result(await run(Fault.CRASH, FakeLab(docker_goes=True)))

    assert (end.completed, end.cleaned_up, dict(end.engines)) == (False, False, {})
    assert "does not answer any more" in (end.error or "")


class WarningCluster(FakeCluster):
    warned = "Kubernetes says: exceeded quota."


class SilentCluster(WarningCluster):
    async def service_address(self, name: str) -> Address:
        return NOWHERE


class SilentDocker(FakeDocker):
    async def address(self, name: str) -> Address:
        return NOWHERE


class SilentLab(FakeLab):
    """The app of one engine never answers, and Kubernetes warns of something."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(replace(QUICK, startup=1.0))
        self._engine = engine

    @asynccontextmanager
    async def open(self, owner: str, seconds: float) -> AsyncIterator[FakeSandbox]:
        async with super().open(owner, seconds) as sandbox:
            tag, docker = sandbox.docker.tag, self._engine is Engine.DOCKER
            sandbox.docker = (SilentDocker if docker else FakeDocker)(tag, gone=False)
            sandbox.cluster = (WarningCluster if docker else SilentCluster)(tag, frozenset())
            yield sandbox


@pytest.mark.parametrize(("engine", "why"), [(Engine.DOCKER, ""), (Engine.KUBERNETES, f" {WarningCluster.warned}")])
async def test_an_app_that_never_answers_is_told_with_what_kubernetes_warned_of_it(engine: Engine, why: str) -> None:
    end = result(await run(Fault.CRASH, SilentLab(engine)))

    assert end.error is not None
    assert end.error.startswith(f"The app at {NOWHERE} did not answer within 1 s of its start")
    assert end.error.endswith(f"look at the engine's own log.{why}")


async def hang(sandbox: Sandbox, options: Options) -> AsyncGenerator[Event, None]:
    yield Narration(text="Waiting.")
    await asyncio.Event().wait()


async def test_a_demo_that_takes_too_long_is_stopped_and_told() -> None:
    lab = FakeLab()
    demo = Demo("hang", "Hanging", "How long?", hang, deadline=0.05)
    events = await run(None, lab, demo)

    assert "longer than 0.05 s" in (result(events).error or "")
    assert lab.closed == 1


async def stumble(sandbox: Sandbox, options: Options) -> AsyncGenerator[Event, None]:
    yield Narration(text="Oops.")
    raise ZeroDivisionError


async def test_a_fault_of_our_own_is_raised_after_the_result() -> None:
    events = []
    demo = Demo("stumble", "Stumbling", "Why?", stumble)

    with pytest.raises(ZeroDivisionError):  # noqa: PT012 - the events before it are wanted
        async for event in perform(demo, Options(), "ada", FakeLab().open):
            events.append(event)  # noqa: PERF401 - a comprehension would lose them

    assert not result(events).completed


@pytest.mark.parametrize("kind", [Started, Snapshot, Probe, Injected, Observed])
async def test_a_run_that_is_closed_at_any_moment_leaves_no_sandbox(kind: type[Event]) -> None:
    lab = FakeLab()
    async with aclosing(perform(SELFHEAL, Options(Fault.HANG), "ada", lab.open)) as events:
        async for event in events:
            if isinstance(event, kind):
                break

    assert lab.opened == lab.closed == 1


async def test_a_run_that_is_cancelled_leaves_no_sandbox() -> None:
    lab = FakeLab()
    seen = asyncio.Event()

    async def watch() -> None:
        async with aclosing(perform(SELFHEAL, Options(Fault.HANG), "ada", lab.open)) as events:
            async for _ in events:
                seen.set()

    task = asyncio.create_task(watch())
    await seen.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert lab.opened == lab.closed == 1


async def test_engines_elsewhere_are_measured_by_clients_beside_the_apps() -> None:
    end = result(await run(Fault.CRASH, FakeLabElsewhere()))

    assert (end.completed, end.error, end.cleaned_up) == (True, None, True)
    assert all(lane.recovered and lane.failed for lane in end.engines.values())


async def test_a_slow_watcher_does_not_slow_the_measurement() -> None:
    slow = []
    async with aclosing(perform(SELFHEAL, Options(Fault.HANG), "ada", FakeLab().open)) as events:
        async for event in events:
            await asyncio.sleep(0.05)
            slow.append(event)

    assert result(slow).engines[Engine.DOCKER].observed_seconds < 2


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("selfheel", "selfheal"),
        ("heal", "selfheal"),
        ("scael", "scale"),
        ("", ".*selfheal"),
        ("x" * 5000, ".*selfheal"),
    ],
)
def test_an_unknown_demo_is_answered_with_the_nearest_name(name: str, near: str) -> None:
    with pytest.raises(UnknownDemo, match=f"Nearest: {near}") as error:
        choose(DEMOS, name)

    assert len(str(error.value)) < 200


def test_an_unknown_fault_is_answered_with_the_faults_that_there_are() -> None:
    with pytest.raises(BadRequest, match="crash, hang, oom, remove"):
        choose(DEMOS, "selfheal", "explode")


@pytest.mark.parametrize("fault", SELFHEAL.faults)
def test_every_fault_can_be_chosen(fault: Fault) -> None:
    assert choose(DEMOS, "selfheal", fault.value) == (SELFHEAL, Options(fault))


@pytest.mark.parametrize("replicas", [-1, 0, 4, 10_000])
def test_a_number_of_copies_that_a_demo_does_not_take_is_answered_with_those_it_takes(replicas: int) -> None:
    with pytest.raises(BadRequest, match=rf"cannot run with {replicas} replicas. It takes: 1, 2, 3\."):
        choose(DEMOS, "selfheal", None, replicas)


def test_a_demo_without_faults_says_so() -> None:
    with pytest.raises(BadRequest, match="hang takes no fault"):
        choose({"hang": Demo("hang", "Hanging", "How long?", hang)}, "hang", "crash")


async def test_three_copies_are_started_on_each_side_and_one_is_broken() -> None:
    events = [event async for event in perform(SELFHEAL, Options(Fault.CRASH, 3), "ada", FakeLab().open)]
    started = events[0]
    typed = [event.text for event in events if isinstance(event, Command) and "docker run" in event.text]
    targets = [event.target for event in events if isinstance(event, Injected)]

    assert isinstance(started, Started)
    assert started.replicas == 3
    assert [f"--name web{number}-fake0" in text for number, text in enumerate(typed, 1)] == [True, True, True]
    assert targets == ["web1-fake0", "web-a"]


async def test_a_demo_waits_for_the_guesses_before_its_fault() -> None:
    guessed = asyncio.Event()
    seen: list[Event] = []

    async def watch() -> None:
        async with aclosing(perform(SELFHEAL, Options(Fault.CRASH, 1, guesses), "ada", FakeLab().open)) as events:
            async for event in events:
                seen.append(event)
                if isinstance(event, Narration) and event.text == "Both sides are serving.":
                    serving.set()

    async def guesses() -> None:
        assert not any(isinstance(event, Injected) for event in seen)
        await guessed.wait()

    serving = asyncio.Event()
    run = asyncio.create_task(watch())
    await serving.wait()
    guessed.set()
    await run

    assert result(seen).completed
