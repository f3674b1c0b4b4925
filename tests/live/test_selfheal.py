"""Selfheal on the real engines: the four faults side by side, and what the kernel says about the hardening."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import docker
import pytest

from bot.verifying import reason
from sandbox.checking import check
from sandbox.cluster_api import Api
from sandbox.containers import Containers
from sandbox.demo import choose, perform
from sandbox.demos import load_demos
from sandbox.docker_run import Container, docker_run
from sandbox.engines import Engines
from sandbox.events import Command, Engine, Event, Fault, Injected, Probe, Result, Started
from sandbox.healing import CHECK
from sandbox.lab import Lab
from sandbox.manifests import App, deployment
from sandbox.names import RUN
from sandbox.runs import from_json, to_json

pytestmark = [pytest.mark.docker, pytest.mark.kubernetes]

Runs = dict[Fault, list[Event]]
FAULTS = load_demos()["selfheal"].faults


async def run(engines: Engines, fault: Fault) -> list[Event]:
    demo, chosen = choose(load_demos(), "selfheal", fault.value)
    return [event async for event in perform(demo, chosen, "live-test", Lab(engines).open)]


async def all_faults(engines: Engines) -> Runs:
    return dict(zip(FAULTS, await asyncio.gather(*(run(engines, fault) for fault in FAULTS)), strict=True))


@pytest.fixture(scope="module")
def runs(engines: Engines) -> Iterator[Runs]:
    """All four at once, each in a sandbox of its own."""
    return asyncio.run(all_faults(engines))


def result(events: list[Event]) -> Result:
    last = events[-1]
    assert isinstance(last, Result)
    return last


@pytest.mark.parametrize("fault", FAULTS)
def test_a_run_completes_and_its_cleanup_is_verified(runs: Runs, fault: Fault) -> None:
    end = result(runs[fault])

    assert (end.error, end.completed, end.cleaned_up) == (None, True, True)
    assert isinstance(runs[fault][0], Started)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_run_is_what_the_contract_describes_and_what_the_lesson_teaches(runs: Runs, fault: Fault) -> None:
    demo, _ = choose(load_demos(), "selfheal", fault.value)

    assert check([json.loads(json.dumps(to_json(event))) for event in runs[fault]]) == []
    assert reason(demo, result(runs[fault])) is None


@pytest.mark.parametrize("fault", FAULTS)
def test_kubernetes_is_back_within_the_observation_and_the_kubelet_acted(runs: Runs, fault: Fault) -> None:
    measured = result(runs[fault]).engines[Engine.KUBERNETES]

    assert measured.recovered
    assert 0 < measured.recovery_seconds < 25
    assert "kubelet" in measured.acted_by
    assert ("replicaset" in measured.acted_by) == (fault is Fault.REMOVE)


@pytest.mark.parametrize(
    ("fault", "recovered", "acted_by"),
    [
        (Fault.CRASH, True, ("dockerd",)),
        (Fault.OOM, True, ("dockerd",)),
        (Fault.HANG, False, ()),
        (Fault.REMOVE, False, ()),
    ],
)
def test_docker_restarts_what_has_ended_and_nothing_else(
    runs: Runs, fault: Fault, recovered: bool, acted_by: tuple[str, ...]
) -> None:
    measured = result(runs[fault]).engines[Engine.DOCKER]

    assert (measured.recovered, measured.acted_by) == (recovered, acted_by)
    assert recovered or measured.observed_seconds >= 30


@pytest.mark.parametrize("fault", FAULTS)
def test_probes_after_the_fault_add_up_to_the_result(runs: Runs, fault: Fault) -> None:
    events = runs[fault]

    for engine, measured in result(events).engines.items():
        place = next(n for n, event in enumerate(events) if isinstance(event, Injected) and event.engine is engine)
        probes = [event for event in events[place:] if isinstance(event, Probe) and event.engine is engine]

        assert sum(probe.failed for probe in probes) == measured.failed
        assert sum(probe.ok + probe.failed for probe in probes) == measured.requests
        assert all(probe.seconds <= 0.5 for probe in probes)


@pytest.mark.parametrize("fault", FAULTS)
def test_the_clock_never_runs_backwards_and_every_line_survives_json(runs: Runs, fault: Fault) -> None:
    times = [event.t for event in runs[fault]]

    assert times == sorted(times)
    assert [to_json(from_json(to_json(event))) for event in runs[fault]] == [to_json(event) for event in runs[fault]]


async def test_nothing_of_the_runs_is_left_on_either_engine(runs: Runs, engines: Engines) -> None:
    ids = {events[0].run for events in runs.values()}
    client = docker.DockerClient(base_url=(await engines.docker()).host)
    containers = client.containers.list(all=True, filters={"label": RUN})
    networks = client.networks.list(filters={"label": RUN})
    client.close()
    api = await Api.connect(await engines.cluster())
    namespaces = (await api.call("GET", f"/api/v1/namespaces?labelSelector={RUN}"))["items"]
    await api.close()

    assert len(ids) == 4
    assert not ids & {thing.labels.get(RUN) for thing in containers}
    assert not ids & {thing.attrs["Labels"].get(RUN) for thing in networks}
    assert not ids & {namespace["metadata"]["labels"][RUN] for namespace in namespaces}


@pytest.mark.parametrize("moment", [Started, Command, Probe])
async def test_a_run_that_is_stopped_leaves_nothing(engines: Engines, moment: type[Event]) -> None:
    demo, chosen = choose(load_demos(), "selfheal", "hang")
    run_id = ""
    async with aclosing(perform(demo, chosen, "live-test", Lab(engines).open)) as events:
        async for event in events:
            run_id = event.run
            if isinstance(event, moment):
                break
    client = docker.DockerClient(base_url=(await engines.docker()).host)
    left = client.containers.list(all=True, filters={"label": f"{RUN}={run_id}"})
    client.close()
    api = await Api.connect(await engines.cluster())
    namespaces = (await api.call("GET", f"/api/v1/namespaces?labelSelector={RUN}={run_id}"))["items"]
    await api.close()

    assert run_id
    assert left == []
    assert namespaces == []


def processes(mark: str) -> list[Path]:
    """Find the app's processes in cgroups of that name, as this machine's kernel numbers them."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            ours = mark in (process / "cgroup").read_text() and (process / "cmdline").read_bytes() == b"/web\0"
        except OSError:
            continue
        found += [process] if ours else []
    return found


def restrictions(process: Path) -> dict[str, str]:
    lines = dict(line.split(":", 1) for line in (process / "status").read_text().splitlines())
    root = next(line.split() for line in (process / "mountinfo").read_text().splitlines() if line.split()[4] == "/")
    wanted = ("CapEff", "CapBnd", "NoNewPrivs", "Seccomp", "Uid")
    return {name: lines[name].split()[0] for name in wanted} | {"root": root[5].split(",")[0]}


HARDENED = {
    "CapEff": "0000000000000000",
    "CapBnd": "0000000000000000",
    "NoNewPrivs": "1",
    "Seccomp": "2",
    "Uid": "65532",
    "root": "ro",
}


def described(inspected: dict[str, Any]) -> set[str]:
    """What a learner would type for a container, read back from the engine."""
    limits, health = inspected["HostConfig"], inspected["Config"]["Healthcheck"]
    policy = limits["RestartPolicy"]
    return {
        f"--restart={policy['Name']}:{policy['MaximumRetryCount']}",
        f"--memory={limits['Memory'] // 2**20}m",
        f"--cpus={limits['NanoCpus'] / 1e9:g}",
        f"--health-interval={health['Interval'] // 10**9}s",
        f"--health-timeout={health['Timeout'] // 10**9}s",
        f"--health-retries={health['Retries']}",
    }


async def test_the_kernel_sees_both_copies_hardened(engines: Engines) -> None:
    async with Lab(engines).open("live-test", 60) as sandbox:
        await sandbox.prepare()
        wanted = Container(sandbox.docker.tag.container("web"), restart=True, check=CHECK)
        await sandbox.docker.run(wanted)
        assert isinstance(sandbox.docker, Containers)
        container = sandbox.docker._client.containers.get(wanted.name)
        await sandbox.cluster.apply(deployment(sandbox.cluster.tag, App("web", sandbox.cluster.images.of("1"), CHECK)))
        async with aclosing(sandbox.cluster.watch()) as states:
            async for state in states:
                if getattr(state, "instances", ()) and all(pod.ready for pod in state.instances):
                    break
        pod = (await sandbox.cluster.get("pods"))["items"][0]["metadata"]["uid"]
        limits = container.attrs["HostConfig"]

        assert [restrictions(process) for process in processes(container.id)] == [HARDENED]
        assert [restrictions(process) for process in processes(pod)] == [HARDENED]
        assert limits["Memory"] == limits["MemorySwap"] == 64 * 1024 * 1024
        assert (limits["NanoCpus"], limits["PidsLimit"]) == (250_000_000, 64)
        assert described(container.attrs) <= set(docker_run(wanted).split())
        assert not limits["Binds"]
        assert not limits["PortBindings"]
