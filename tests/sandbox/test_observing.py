"""What engines report, as a learner sees it."""

from typing import Any

import pytest

from sandbox.events import Instance
from sandbox.names import CLIENT
from sandbox.observing import (
    cluster_observation,
    container_instance,
    docker_observation,
    ended_containers,
    node_ready,
    pod_instance,
)


def container(status: str, health: str | None = None, restarts: int = 0) -> dict[str, Any]:
    return {
        "Name": "/web-abcde",
        "State": {"Status": status} | ({"Health": {"Status": health}} if health else {}),
        "RestartCount": restarts,
        "Config": {"Env": ["PATH=/", "VERSION=2"]},
    }


def pod(**status: Any) -> dict[str, Any]:
    return {
        "metadata": {"name": "web-x", "uid": "1", "labels": {"version": "1"}},
        "spec": {"nodeName": "node2"},
        "status": {"phase": "Running"} | status,
    }


def of_container(ready: bool = True, restarts: int = 0, **states: Any) -> dict[str, Any]:
    return {"name": "web", "ready": ready, "restartCount": restarts} | states


@pytest.mark.parametrize(("status", "ready"), [("True", True), ("False", False), ("Unknown", False)])
def test_a_node_is_ready_if_its_condition_says_so(status: str, ready: bool) -> None:
    conditions = [{"type": "MemoryPressure", "status": "True"}, {"type": "Ready", "status": status}]

    assert node_ready({"metadata": {"name": "node1"}, "status": {"conditions": conditions}}) == ("node1", ready)
    assert node_ready({"metadata": {"name": "node1"}}) == ("node1", False)


def test_a_pod_of_a_silent_node_is_not_ready_though_its_containers_were() -> None:
    silent = pod(containerStatuses=[of_container()], conditions=[{"type": "Ready", "status": "False"}])

    assert not pod_instance(silent).ready


def ended(reason: str, code: int, container_id: str = "c1") -> dict[str, Any]:
    return {"terminated": {"reason": reason, "exitCode": code, "containerID": container_id}}


@pytest.mark.parametrize(
    ("inspected", "phase", "ready"),
    [
        (container("running", "healthy"), "healthy", True),
        (container("running", "starting"), "starting", False),
        (container("running", "unhealthy"), "unhealthy", False),
        (container("running"), "running", True),
        (container("exited", "unhealthy"), "exited", False),
        (container("restarting"), "restarting", False),
    ],
)
def test_a_container_is_shown_as_docker_ps_shows_it(inspected: dict[str, Any], phase: str, ready: bool) -> None:
    assert container_instance(inspected) == Instance("web-abcde", phase, ready, 0, None, "2")


@pytest.mark.parametrize(
    ("action", "text"),
    [
        ("start", "start: web-abcde"),
        ("die", "die: exit code 137"),
        ("oom", "oom: web-abcde"),
        ("health_status: unhealthy", "health_status: unhealthy"),
        ("destroy", "destroy: web-abcde"),
    ],
)
def test_dockerd_reports_in_its_own_words(action: str, text: str) -> None:
    attributes = {"name": "web-abcde", "exitCode": "137"}
    observed = docker_observation({"Type": "container", "Action": action, "Actor": {"Attributes": attributes}})

    assert observed is not None
    assert (observed.actor, observed.text, observed.acted) == ("dockerd", text, action == "start")


@pytest.mark.parametrize(
    "event",
    [
        {},
        {"Type": "network"},
        {"Type": "container", "Action": "exec_create: /web health"},
        {"Type": "container", "Action": "start", "Actor": {"Attributes": {"name": "client-1-a", CLIENT: "true"}}},
    ],
)
def test_the_noise_of_health_checks_and_clients_is_left_out(event: dict[str, Any]) -> None:
    assert docker_observation(event) is None


@pytest.mark.parametrize(
    ("status", "phase", "ready"),
    [
        ({"containerStatuses": [of_container(state={"running": {}})]}, "Running", True),
        ({"phase": "Pending"}, "Pending", False),
        (
            {"containerStatuses": [of_container(ready=False, state={"waiting": {"reason": "CrashLoopBackOff"}})]},
            "CrashLoopBackOff",
            False,
        ),
        ({"containerStatuses": [of_container(ready=False, state=ended("OOMKilled", 137))]}, "OOMKilled", False),
    ],
)
def test_a_pod_is_shown_as_kubectl_shows_it(status: dict[str, Any], phase: str, ready: bool) -> None:
    assert pod_instance(pod(**status)) == Instance("web-x", phase, ready, 0, "node2", "1")


def test_a_pod_on_its_way_out_is_not_ready() -> None:
    going = pod(containerStatuses=[of_container(state={"running": {}})])
    going["metadata"]["deletionTimestamp"] = "2030-01-01T00:00:00Z"

    assert (pod_instance(going).phase, pod_instance(going).ready) == ("Terminating", False)


def test_an_ending_is_told_once_with_its_reason() -> None:
    before = pod(containerStatuses=[of_container(state={"running": {}})])
    at_once = pod(containerStatuses=[of_container(ready=False, state=ended("OOMKilled", 137))])
    later = pod(containerStatuses=[of_container(restarts=1, state={"running": {}}, lastState=ended("OOMKilled", 137))])

    assert [event.text for event in ended_containers(before, at_once)] == ["OOMKilled: exit code 137"]
    assert ended_containers(at_once, later) == []
    assert [event.text for event in ended_containers(before, later)] == ["OOMKilled: exit code 137"]


def test_a_second_ending_is_told_again() -> None:
    once = pod(containerStatuses=[of_container(lastState=ended("Error", 1, "c1"))])
    twice = pod(containerStatuses=[of_container(lastState=ended("Error", 1, "c2"))])

    assert len(ended_containers(once, twice)) == 1


@pytest.mark.parametrize(
    ("component", "reason", "actor", "acted"),
    [
        ("kubelet", "Killing", "kubelet", True),
        ("kubelet", "Unhealthy", "kubelet", False),
        ("default-scheduler", "Scheduled", "scheduler", True),
        ("replicaset-controller", "SuccessfulCreate", "replicaset", True),
        ("deployment-controller", "ScalingReplicaSet", "deployment", False),
        ("horizontal-pod-autoscaler", "SuccessfulRescale", "hpa", True),
        ("horizontal-pod-autoscaler", "FailedGetResourceMetric", "hpa", False),
    ],
)
def test_kubernetes_says_which_part_of_it_acted(component: str, reason: str, actor: str, acted: bool) -> None:
    observed = cluster_observation({"reason": reason, "message": " why ", "source": {"component": component}})

    assert observed is not None
    assert (observed.actor, observed.text, observed.acted) == (actor, f"{reason}: why", acted)


@pytest.mark.parametrize(
    "event",
    [
        {"reason": "Pulled", "source": {"component": "kubelet"}},
        {"reason": "FailedComputeMetricsReplicas", "source": {"component": "horizontal-pod-autoscaler"}},
        {"reason": "Odd", "source": {"component": "somebody-else"}},
        {"reason": "Odd"},
        {"reason": "Started", "source": {"component": "kubelet"}, "involvedObject": {"name": "client-1"}},
    ],
)
def test_steps_on_the_way_strangers_and_clients_are_left_out(event: dict[str, Any]) -> None:
    assert cluster_observation(event) is None
