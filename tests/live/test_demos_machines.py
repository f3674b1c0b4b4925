"""Nodefail on the real engines: the power of a node and of a second Docker is cut and given back."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import aclosing

import pytest
from demo_runs import result, run

from bot.verifying import reason
from sandbox.checking import check
from sandbox.cluster_api import Api
from sandbox.demo import choose, perform
from sandbox.demos import load_demos
from sandbox.engines import Engines, own_machines
from sandbox.events import Command, Engine, Event, Injected
from sandbox.lab import Lab
from sandbox.local.layout import NODES
from sandbox.observing import node_ready
from sandbox.runs import from_json, to_json

pytestmark = [pytest.mark.machine, pytest.mark.docker, pytest.mark.kubernetes]

DEMO, OPTIONS = choose(load_demos(), "nodefail")


async def ready_nodes(engines: Engines) -> set[str]:
    api = await Api.connect(await engines.cluster())
    try:
        return {name for name, ready in map(node_ready, (await api.call("GET", "/api/v1/nodes"))["items"]) if ready}
    finally:
        await api.close()


@pytest.fixture(scope="module")
def events(engines: Engines) -> Iterator[list[Event]]:
    """One run, alone on the engines."""
    return asyncio.run(run(engines, DEMO.name))


def test_a_run_is_clean_and_what_contract_and_lesson_say(events: list[Event]) -> None:
    assert (result(events).error, result(events).cleaned_up) == (None, True)
    assert check([json.loads(json.dumps(to_json(event))) for event in events]) == []
    assert [to_json(from_json(to_json(event))) for event in events] == [to_json(event) for event in events]
    assert reason(DEMO, result(events)) is None


def test_the_phases_follow_each_other_and_the_service_answers_meanwhile(events: list[Event]) -> None:
    phases = list(result(events).measured["phases"].values())
    docker, kubernetes = (result(events).engines[engine] for engine in Engine)

    assert phases == sorted(phases)
    assert phases[0] >= 5  # a node that is silent for less is not given up
    assert 0 < kubernetes.failed < kubernetes.requests / 2
    assert docker.failed > docker.requests * 0.9  # what was sent before the last process had ended may be answered
    assert docker.observed_seconds >= 30


def test_container_and_node_return_with_the_power(events: list[Event]) -> None:
    returned = result(events).measured["returned"]

    assert returned["docker"] is not None
    assert returned["kubernetes"] is not None


def test_what_a_learner_types_is_shown(events: list[Event]) -> None:
    typed = [event.text for event in events if isinstance(event, Command)]

    assert "kubectl apply -f web.yaml" in typed
    assert any(line.startswith("docker run -d --name web-") for line in typed)


async def test_a_run_that_is_stopped_without_power_gives_the_node_back_and_leaves_nothing(engines: Engines) -> None:
    async with aclosing(perform(DEMO, OPTIONS, "live-test", Lab(engines).open)) as events:
        async for event in events:
            if isinstance(event, Injected) and event.engine is Engine.KUBERNETES:
                break
    api = await Api.connect(await engines.cluster())
    left = (await api.call("GET", f"/api/v1/namespaces?labelSelector=portside.dev/run={event.run}"))["items"]
    await api.close()

    assert left == []
    assert await ready_nodes(engines) == set(NODES)


async def away(engines: Engines, node: str) -> None:
    async with Lab(engines).open("live-test", 60) as sandbox, aclosing(sandbox.cluster.nodes()) as states:
        async for nodes in states:
            if not nodes[node]:
                return


async def test_a_node_that_is_not_ready_at_the_start_is_told_and_no_other_one_is_stopped(engines: Engines) -> None:
    async with own_machines(engines.machines()).node_stopped("node3"):
        await away(engines, "node3")
        end = result(await run(engines, DEMO.name))
        others = await ready_nodes(engines)

    assert (end.completed, end.cleaned_up) == (False, True)
    assert (end.error or "").startswith("node3 is not ready, so no other node can be spared")
    assert others == {"node1", "node2"}
