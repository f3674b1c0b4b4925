"""Engines elsewhere: asked from a container beside the app, a run is measured as it is from this process."""

import asyncio
from collections.abc import Iterator
from contextlib import aclosing
from dataclasses import dataclass, replace

import pytest
from demo_runs import Changed

from sandbox.clients import Far
from sandbox.cluster import Cluster
from sandbox.containers import Containers
from sandbox.demo import Demo, choose, perform
from sandbox.demos import load_demos
from sandbox.demos.autoscale import RATE
from sandbox.docker_run import Container
from sandbox.engines import Engines
from sandbox.events import Engine, Event, Measured, Observed, Result, Snapshot, Started
from sandbox.lab import Lab
from sandbox.manifests import App, Check, deployment, service
from sandbox.prober import Prober
from sandbox.routes import Address
from sandbox.sandbox import Client, Pace, Sandbox

pytestmark = [pytest.mark.docker, pytest.mark.kubernetes]

WITHIN_SECONDS = 0.3
REQUEST_SECONDS = Pace().timeout
DEMOS: dict[str, Demo] = load_demos()


def elsewhere(engines: Engines) -> Changed:
    """The same engines, as if no address of theirs could be reached from here."""
    return Changed(engines, lambda docker: replace(docker, far=True), lambda cluster: replace(cluster, far=True))


def probers(sandbox: Sandbox) -> tuple[Prober, Prober]:
    """Return one that asks from here and one that asks from beside the app."""
    assert isinstance(sandbox.docker, Containers)
    assert isinstance(sandbox.cluster, Cluster)
    far: dict[Engine, Client] = {Engine.DOCKER: Far(sandbox.docker), Engine.KUBERNETES: Far(sandbox.cluster)}
    return Prober(sandbox.pace, sandbox.clock, sandbox.clients), Prober(sandbox.pace, sandbox.clock, far)


async def followed(prober: Prober, engine: Engine, address: Address) -> None:
    async with aclosing(prober.probe(engine, address)) as probes:
        async for _ in probes:
            """What it tells is in its log."""


async def broken(sandbox: Sandbox, both: tuple[Prober, Prober]) -> None:
    """Break one copy on each side while both probers ask, and watch until all four lanes are well again.

    The pod hangs: the Service has left it out when it comes back. One that crashes may answer once more before the
    Service has heard of the crash, and of two clients one may meet that moment alone.
    """
    docker, cluster = sandbox.docker, sandbox.cluster
    name = docker.tag.container("web")
    await docker.run(Container(name, restart=True, check=Check()))
    await cluster.apply(deployment(cluster.tag, App("web", cluster.images.of("1"))), service(cluster.tag, "web"))
    addresses = {Engine.DOCKER: await docker.address(name), Engine.KUBERNETES: await cluster.service_address("web")}
    async with asyncio.TaskGroup() as lanes:
        for prober in both:
            for engine, address in addresses.items():
                lanes.create_task(followed(prober, engine, address))
        await asyncio.gather(*(prober.serving(engine) for prober in both for engine in Engine))
        pod = next(pod.name for pod in await cluster.get_pods() if pod.ready)
        for prober in both:
            for engine in Engine:
                prober.mark_fault(engine)
        await asyncio.gather(docker.tell(name, "/fault/crash"), cluster.tell(pod, "/fault/hang"))
        await asyncio.sleep(sandbox.pace.shortest)
        for prober in both:
            prober.finish()


Pair = tuple[Measured, Measured]


async def measured_twice(engines: Engines) -> dict[Engine, Pair]:
    async with Lab(engines).open("live-test", 60) as sandbox:
        await sandbox.prepare()
        near, far = probers(sandbox)
        await broken(sandbox, (near, far))
        await far.first_answer(Engine.KUBERNETES, await sandbox.cluster.service_address("web"))
    assert not any(cleanup.left for cleanup in sandbox.cleanups)
    return {engine: (near.measured(engine, ()), far.measured(engine, ())) for engine in Engine}


async def performed(engines: Engines, name: str) -> list[Event]:
    demo, options = choose(DEMOS, name)
    return [event async for event in perform(demo, options, "live-test", Lab(elsewhere(engines)).open)]


@dataclass(frozen=True)
class Runs:
    """One run that was asked from both places, and what the demos told that were asked from beside the apps alone."""

    twice: dict[Engine, Pair]
    selfheal: list[Event]
    scale: list[Event]
    rollout: list[Event]
    autoscale: list[Event]


async def all_at_once(engines: Engines) -> Runs:
    twice, *demos = await asyncio.gather(
        measured_twice(engines), *(performed(engines, name) for name in ("selfheal", "scale", "rollout", "autoscale"))
    )
    return Runs(twice, *demos)


@pytest.fixture(scope="module")
def runs(engines: Engines) -> Iterator[Runs]:
    return asyncio.run(all_at_once(engines))


@pytest.mark.parametrize("engine", Engine)
def test_both_clients_measure_the_same_outage_within_three_tenths_of_a_second(runs: Runs, engine: Engine) -> None:
    near, far = runs.twice[engine]

    assert near.recovered
    assert far.recovered
    assert 0 < near.recovery_seconds == pytest.approx(far.recovery_seconds, abs=WITHIN_SECONDS)
    assert 0 < near.longest_outage_seconds == pytest.approx(far.longest_outage_seconds, abs=WITHIN_SECONDS)


def test_a_demo_on_engines_elsewhere_completes_and_its_cleanup_is_verified(runs: Runs) -> None:
    end = runs.selfheal[-1]

    assert isinstance(end, Result)
    assert (end.error, end.completed, end.cleaned_up) == (None, True, True)
    assert all(lane.recovered and lane.failed for lane in end.engines.values())
    assert end.engines[Engine.DOCKER].acted_by == ("dockerd",)
    assert end.engines[Engine.KUBERNETES].acted_by == ("kubelet",)


def test_a_published_port_reaches_one_container_and_a_service_all_pods_from_beside_them_too(runs: Runs) -> None:
    end = runs.scale[-1]

    assert isinstance(end, Result)
    assert (end.error, end.completed, end.cleaned_up) == (None, True, True)
    assert {engine: len(answered) for engine, answered in end.measured["answered_by"].items()} == {
        "docker": 1,
        "kubernetes": 5,
    }


def test_a_name_that_was_away_for_a_moment_is_found_as_soon_as_it_is_there_again(runs: Runs) -> None:
    end = runs.rollout[-1]

    assert isinstance(end, Result)
    assert (end.error, end.completed, end.cleaned_up) == (None, True, True)
    for step in end.measured["steps"]["docker"]:
        assert 0 < step["longest_gap_seconds"] < step["done_seconds"] + REQUEST_SECONDS


def test_load_from_beside_the_apps_makes_the_autoscaler_act_and_docker_stay(runs: Runs) -> None:
    end = runs.autoscale[-1]

    assert isinstance(end, Result)
    assert (end.error, end.completed, end.cleaned_up) == (None, True, True)
    assert end.measured["reaction"]["docker"]["most"] == 1
    assert end.measured["reaction"]["kubernetes"]["most"] > 1
    assert end.measured["load"][0]["requests_per_second"] > RATE / 2


def test_the_client_is_named_where_it_stands_and_is_no_copy_of_the_app(runs: Runs) -> None:
    events = runs.selfheal
    started = events[0]
    copies = {one.name for event in events if isinstance(event, Snapshot) for one in event.instances}
    reports = [event.text for event in events if isinstance(event, Observed)]

    assert isinstance(started, Started)
    assert started.engines[Engine.DOCKER].where == "this machine, asked from a container beside the app"
    assert started.engines[Engine.KUBERNETES].where == "this machine, asked from a pod beside the app"
    assert len(copies) == 2
    assert not [text for text in (*copies, *reports) if "client" in text]
