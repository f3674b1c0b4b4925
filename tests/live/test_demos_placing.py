"""The demos about where things run and stay, on the real engines: side by side, each in a sandbox of its own."""

import asyncio
import json
from collections.abc import Iterator

import docker
import pytest
from demo_runs import Runs, result, side_by_side, typed
from pods import wait

from bot.verifying import reason
from sandbox.checking import check
from sandbox.demos import load_demos
from sandbox.engines import EngineConfig, Engines
from sandbox.events import Cleanup, Engine, Observed
from sandbox.local.api import Api
from sandbox.local.layout import Layout
from sandbox.names import RUN
from sandbox.runs import from_json, to_json

pytestmark = [pytest.mark.docker, pytest.mark.kubernetes]

NAMES = ("schedule", "storage")


@pytest.fixture(scope="module")
def runs(engines: Engines) -> Iterator[Runs]:
    return asyncio.run(side_by_side(engines, NAMES))


@pytest.mark.parametrize("name", NAMES)
def test_a_run_completes_and_is_cleaned_up_and_shows_what_the_demo_teaches(runs: Runs, name: str) -> None:
    end = result(runs[name])

    assert (end.error, end.completed, end.cleaned_up) == (None, True, True)
    assert reason(load_demos()[name], end) is None


@pytest.mark.parametrize("name", NAMES)
def test_its_lines_are_what_the_contract_describes(runs: Runs, name: str) -> None:
    lines = [json.loads(json.dumps(to_json(event))) for event in runs[name]]

    assert check(lines) == []
    assert [json.loads(json.dumps(to_json(from_json(line)))) for line in lines] == lines


def test_pods_are_spread_over_all_three_nodes_and_the_scheduler_acted(runs: Runs) -> None:
    end = result(runs["schedule"])

    assert set(end.measured["placed"]["kubernetes"]) == {"node1", "node2", "node3"}
    assert "scheduler" in end.engines[Engine.KUBERNETES].acted_by
    assert end.engines[Engine.DOCKER].acted_by == ()


def test_what_no_node_has_is_pending_with_the_words_of_the_schedulers_event(runs: Runs) -> None:
    events = [one.text for one in runs["schedule"] if isinstance(one, Observed) and one.actor == "scheduler"]
    pending = result(runs["schedule"]).measured["pending"]

    assert "3 Insufficient ephemeral-storage" in pending["said"]
    assert f"FailedScheduling: {pending['said']}" in events


def test_what_is_over_the_quota_is_refused_by_the_api_server(runs: Runs) -> None:
    refused = result(runs["schedule"]).measured["refused"]

    assert refused.startswith('pods "greedy" is forbidden: exceeded quota: sandbox, requested: limits.cpu=500m')


def test_docker_has_a_command_for_each_container_and_kubernetes_one_for_all(runs: Runs) -> None:
    docker, kubernetes = (typed(runs["schedule"], engine) for engine in Engine)

    assert len([line for line in docker if line.startswith("docker run")]) == 6
    assert [line for line in kubernetes if "web" in line] == ["kubectl apply -f web.yaml"]


def test_what_a_copy_has_of_its_own_is_gone_with_it_and_a_volume_is_read_again(runs: Runs) -> None:
    measured = result(runs["storage"]).measured

    assert {engine: measured[engine]["own"]["read"] for engine in Engine} == {"docker": None, "kubernetes": None}
    assert {measured[engine]["volume"]["read"] for engine in Engine} == {"remember me"}


def test_the_claims_volume_is_read_on_another_node(runs: Runs) -> None:
    moved = result(runs["storage"]).measured["kubernetes"]["volume"]

    assert moved["from"] != moved["to"]
    assert {moved["from"], moved["to"]} < {"node1", "node2", "node3"}


async def test_no_volume_and_no_folder_is_left(runs: Runs, engines: Engines, engine_config: EngineConfig) -> None:
    run_id = runs["storage"][0].run
    removed = [name for event in runs["storage"] if isinstance(event, Cleanup) for name in event.removed]
    client = docker.DockerClient(base_url=(await engines.docker()).host)
    left = client.volumes.list(filters={"label": f"{RUN}={run_id}"})
    client.close()
    layout = Layout.of(engine_config)
    api = Api(layout)

    assert f"volume notes-{run_id[:5]}" in removed
    assert left == []
    await wait(lambda: not api.get("/api/v1/persistentvolumes")["items"])
    await wait(lambda: not list(layout.volumes.iterdir()))
