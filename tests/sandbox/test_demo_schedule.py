"""Schedule: where the copies run, what becomes of a wish for too much, and what is told of it."""

import asyncio
from typing import Any

import pytest
from fakes import FakeLab

from sandbox.demo import Options, perform
from sandbox.demos.schedule import DEMO, findings, lesson, rows, unschedulable
from sandbox.events import Command, Engine, Event, Measured, Narration, Probe, Result

NO_NODE = "0/3 nodes are available: 3 Insufficient ephemeral-storage."
OVER = 'pods "greedy" is forbidden: exceeded quota: sandbox'


def result(**changes: Any) -> Result:
    measured = {
        "copies": 5,
        "placed": {"docker": {"host": 5}, "kubernetes": {"node1": 2, "node2": 2, "node3": 1}},
        "limit": {"memory_bytes": 32 * 2**30, "host_memory_bytes": 16 * 2**30, "phase": "running"},
        "pending": {"ephemeral_storage": "1Pi", "said": NO_NODE, "phase": "Pending", "seconds": 7.6},
        "refused": OVER,
    }
    return Result(
        demo="schedule",
        fault=None,
        completed=True,
        error=None,
        cleaned_up=True,
        engines={
            Engine.DOCKER: Measured(None, None, None, None, None, None, ()),
            Engine.KUBERNETES: Measured(None, None, None, None, None, None, ("scheduler",)),
        },
        measured=measured | changes,
    )


TAUGHT = result()


@pytest.fixture(scope="module")
def run() -> list[Event]:
    async def play() -> list[Event]:
        return [event async for event in perform(DEMO, Options(), "ada", FakeLab().open)]

    return asyncio.run(play())


def test_a_run_measures_the_places_the_wait_and_the_refusal(run: list[Event]) -> None:
    end = run[-1]
    assert isinstance(end, Result)

    assert (end.error, end.completed, end.cleaned_up) == (None, True, True)
    assert end.measured["placed"] == {"docker": {"host": 5}, "kubernetes": {"node1": 2, "node2": 2, "node3": 1}}
    assert end.measured["limit"] == {
        "memory_bytes": 32 * 2**30,
        "host_memory_bytes": 16 * 2**30,
        "phase": "running",
    }
    assert (end.measured["pending"]["phase"], end.measured["pending"]["said"]) == ("Pending", "0/3 nodes are available")
    assert end.measured["pending"]["seconds"] > 0
    assert end.measured["refused"] == "exceeded quota: sandbox"
    assert lesson(end) is None


def test_no_request_is_sent_so_none_is_counted(run: list[Event]) -> None:
    end = run[-1]
    assert isinstance(end, Result)

    assert not [event for event in run if isinstance(event, Probe)]
    assert [(lane.requests, lane.failed, lane.recovered) for lane in end.engines.values()] == [(None, None, None)] * 2


def test_each_container_is_typed_and_the_pods_are_declared(run: list[Event]) -> None:
    typed = {e: [one.text for one in run if isinstance(one, Command) and one.engine is e] for e in Engine}

    assert [text.split()[1] for text in typed[Engine.DOCKER]] == [*["run"] * 5, "ps", "info", "run"]
    assert typed[Engine.DOCKER][-1].endswith("--memory=32768m --cpus=0.25 --no-healthcheck portside/web:1 pause")
    assert typed[Engine.KUBERNETES] == [
        "kubectl apply -f web.yaml",
        "kubectl get pods -o wide",
        "kubectl apply -f big.yaml",
        "kubectl describe pod big",
        "kubectl apply -f greedy.yaml",
    ]


def test_the_scheduler_and_the_api_server_speak_while_it_runs(run: list[Event]) -> None:
    said = [event.text for event in run if isinstance(event, Narration)]

    assert "Pending. The scheduler says: 0/3 nodes are available" in said
    assert "Refused at admission. The API server says: exceeded quota: sandbox" in said


def test_what_is_told_sets_pending_apart_from_refused() -> None:
    assert [finding.text for finding in findings(TAUGHT.measured)] == [
        "Docker runs 5 copies on its one host. Kubernetes placed 5 on 3 nodes.",
        "Docker: a container that may take 32.0 GiB of a host with 16.0 GiB was started, and is running.",
        f"Pending after 8 s: the pod was let in, and the scheduler found no node. It says: {NO_NODE}",
        f"Refused at admission: the pod was never made. The API server says: {OVER}",
    ]


def test_the_table_has_the_places_of_both_sides() -> None:
    table = {row.name: (row.docker.text, row.kubernetes.text) for row in rows(TAUGHT)}

    assert table == {
        "Copies on": ("host: 5", "node1: 2, node2: 2, node3: 1"),
        "Who acted": ("nobody", "scheduler"),
        "Too much": ("running: 32.0 of 16.0 GiB", "Pending: 1Pi of disk"),
        "Over the quota": ("not asked", "refused at admission"),
    }


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({}, None),
        ({"placed": {"docker": {"host": 5}, "kubernetes": {"node1": 4}}}, "5 containers and 4 pods were placed."),
        ({"placed": {"docker": {"host": 5}, "kubernetes": {"node1": 5}}}, "Kubernetes placed all pods on one node."),
        ({"limit": TAUGHT.measured["limit"] | {"phase": "exited"}}, "Docker did not run a container"),
        ({"pending": TAUGHT.measured["pending"] | {"phase": "Running"}}, "more than any node has is Running."),
        ({"refused": "no right"}, "refused for another reason"),
    ],
)
def test_a_run_that_shows_something_else_is_named(changes: dict[str, Any], why: str | None) -> None:
    found = lesson(result(**changes))

    assert found == why if why is None else why in (found or "")


def test_one_node_is_one_node() -> None:
    alone = result(placed={"docker": {"host": 5}, "kubernetes": {"only": 5}}).measured

    assert findings(alone)[0].text.endswith("Kubernetes placed 5 on 1 node.")


@pytest.mark.parametrize(
    ("pod", "said"),
    [
        ({}, ""),
        ({"status": {"conditions": [{"type": "PodScheduled", "status": "True"}]}}, ""),
        ({"status": {"conditions": [{"reason": "Unschedulable", "message": NO_NODE}]}}, NO_NODE),
    ],
)
def test_a_pod_is_without_a_node_once_the_scheduler_says_so(pod: dict[str, Any], said: str) -> None:
    assert unschedulable(pod) == said
