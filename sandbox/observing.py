"""What engines say, in our words: pure functions from their JSON to instances and observations."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.events import Engine, Instance, Observed
from sandbox.names import CLIENT, CLIENT_APP

Json = Mapping[str, Any]

TERMINATING = "Terminating"  # as kubectl calls a pod that is going


@dataclass(frozen=True)
class StorageClass:
    """Who makes the volume of a claim."""

    name: str
    provisioner: str


_ACTORS = {
    "kubelet": "kubelet",
    "default-scheduler": "scheduler",
    "deployment-controller": "deployment",
    "replicaset-controller": "replicaset",
    "horizontal-pod-autoscaler": "hpa",
    "node-controller": "node-controller",
    "taint-eviction-controller": "node-controller",
}
# What says nothing more to a learner than another report: Started, or FailedGetResourceMetric.
_REPEATED = frozenset({"Pulled", "Created", "FailedComputeMetricsReplicas"})
# But an image that had to be fetched says something.
_FETCHED = "Successfully pulled"
# Of a warning, as much as reads well in a sentence: a quota or a scheduler that refuses a pod needs about 200.
_SHOWN = 300
# What dockerd reports about a container; the health check's own exec_* events would drown it.
_DOCKER_ACTIONS = frozenset({"start", "die", "oom", "stop", "kill", "destroy", "health_status"})


def container_instance(inspected: Json) -> Instance:
    """Read `docker inspect`: the phase is the health where there is one, as `docker ps` shows it."""
    state = inspected["State"]
    health = (state.get("Health") or {}).get("Status")
    phase = health if health and state["Status"] == "running" else state["Status"]
    return Instance(
        name=inspected["Name"].removeprefix("/"),
        phase=phase,
        ready=phase in ("healthy", "running"),
        restarts=inspected["RestartCount"],
        node=None,
        version=_version(inspected["Config"].get("Env") or ()),
    )


def _version(environment: tuple[str, ...] | list[str]) -> str | None:
    settings = dict(entry.partition("=")[::2] for entry in environment)
    return settings.get("VERSION")


def docker_observation(event: Json) -> Observed | None:
    """Read one line of `docker events`; None where it says nothing to a learner."""
    action = event.get("Action", "")
    word = action.partition(":")[0]
    if event.get("Type") != "container" or word not in _DOCKER_ACTIONS:
        return None
    attributes = event["Actor"]["Attributes"]
    if CLIENT in attributes:
        return None
    detail = {"die": f"exit code {attributes.get('exitCode')}", "kill": f"signal {attributes.get('signal')}"}
    text = action if word == "health_status" else f"{word}: {detail.get(word, attributes.get('name'))}"
    return Observed(engine=Engine.DOCKER, actor="dockerd", text=text)


def pod_instance(pod: Json) -> Instance:
    """Read a pod as `kubectl get pods` shows it."""
    status = pod.get("status", {})
    containers = status.get("containerStatuses") or ()
    return Instance(
        name=pod["metadata"]["name"],
        phase=_pod_phase(pod, containers),
        ready=bool(containers) and all(container["ready"] for container in containers) and not _out(pod),
        restarts=sum(container["restartCount"] for container in containers),
        node=pod["spec"].get("nodeName"),
        version=pod["metadata"].get("labels", {}).get("version"),
    )


def node_ready(node: Json) -> tuple[str, bool]:
    """Name a node and say whether it is ready; of one that is silent that is not known, so it is not."""
    conditions = node.get("status", {}).get("conditions") or ()
    ready = any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)
    return node["metadata"]["name"], ready


def _out(pod: Json) -> bool:
    """Say whether a pod gets no requests though its containers were ready: it is going, or its node is silent."""
    conditions = pod.get("status", {}).get("conditions") or ()
    return _going(pod) or any(one["type"] == "Ready" and one["status"] == "False" for one in conditions)


def _going(pod: Json) -> bool:
    return "deletionTimestamp" in pod["metadata"]


def _pod_phase(pod: Json, containers: Any) -> str:
    if _going(pod):
        return TERMINATING
    for container in containers:
        for state in ("waiting", "terminated"):
            if reason := container.get("state", {}).get(state, {}).get("reason"):
                return str(reason)
    return str(pod.get("status", {}).get("phase", "Unknown"))


def ended_containers(before: Json | None, after: Json) -> list[Observed]:
    """Say which containers of a pod have ended since, and why: the kubelet writes it into the pod's status."""
    known = {_ending(container) for container in _statuses(before)}
    endings = {_ending(container) for container in _statuses(after)} - known - {None}
    return [
        Observed(engine=Engine.KUBERNETES, actor="kubelet", text=f"{reason}: exit code {code}")
        for _, reason, code in sorted(ending for ending in endings if ending)
    ]


def _statuses(pod: Json | None) -> Any:
    return ((pod or {}).get("status", {}).get("containerStatuses")) or ()


def _ending(container: Json) -> tuple[str, str, int] | None:
    """Identify the last ending, told in `state` first and in `lastState` once the container runs again."""
    for place in ("state", "lastState"):
        if ended := container.get(place, {}).get("terminated"):
            return (str(ended.get("containerID")), str(ended.get("reason", "Error")), int(ended["exitCode"]))
    return None


def is_client(pod: Json) -> bool:
    """Say whether a pod is one that asks the apps."""
    return CLIENT in pod["metadata"].get("labels", {})


def _is_clients(involved: Json) -> bool:
    return str(involved.get("name")).startswith(f"{CLIENT_APP}-")


def last_warning(events: Iterable[Json]) -> str:
    """Return the message of the newest of some Events that are warnings of the run's own objects; cut if it is long."""
    ours = [event for event in events if not _is_clients(event.get("involvedObject") or {})]
    newest = max(ours, key=_moment, default={})
    message = str(newest.get("message", "")).strip()
    return message if len(message) <= _SHOWN else message[:_SHOWN] + "…"


def _moment(event: Json) -> str:
    """The scheduler writes its Events in the newer way, which has one time to the microsecond."""
    return str(event.get("lastTimestamp") or event.get("eventTime") or "")


def cluster_observation(event: Json) -> Observed | None:
    """Read one Event of Kubernetes; None where it says nothing to a learner, or comes from somebody else."""
    component = event.get("reportingComponent") or (event.get("source") or {}).get("component")
    actor, reason = _ACTORS.get(str(component)), event.get("reason")
    if _is_clients(event.get("involvedObject") or {}):
        return None
    message = str(event.get("message", "")).strip()
    if actor is None or (reason in _REPEATED and not message.startswith(_FETCHED)):
        return None
    return Observed(engine=Engine.KUBERNETES, actor=actor, text=f"{reason}: {message}")
