"""What a run declares to Kubernetes: pure functions from a tag to the objects that kubectl would apply."""

from dataclasses import dataclass, replace
from typing import Any

from sandbox.engines import Version
from sandbox.names import CLIENT, Tag
from sandbox.quota import CLAIM, CONTAINER_RANGE, CPUS, DATA, MEMORY_MIB, NAMESPACE, PORT, REQUESTS, TMP_MIB, USER

Manifest = dict[str, Any]

POD_SECURITY_VERSION = "v1.35"
GRACE_SECONDS = 1
# How long a pod that is to end goes on answering, where the last requests to it are counted.
DRAIN_SECONDS = 1
TOLERATION_SECONDS = 2
DNS_PORT = 53
# As long as the last request of a client may take, and some more.
CLIENT_GRACE_SECONDS = 5
_OF_A_SERVER = ("ports", "livenessProbe", "readinessProbe")


@dataclass(frozen=True)
class Check:
    """How an engine asks the app whether it lives: every `period`, for at most `timeout`, `failures` times."""

    period: int = 2
    timeout: int = 1
    failures: int = 2


def namespace(tag: Tag) -> Manifest:
    """Return the run's namespace, which refuses every pod that is not `restricted`."""
    security = {
        "pod-security.kubernetes.io/enforce": "restricted",
        "pod-security.kubernetes.io/enforce-version": POD_SECURITY_VERSION,
    }
    return {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": tag.place, "labels": tag.labels() | security, "annotations": tag.expiry()},
    }


def fences(tag: Tag) -> tuple[Manifest, ...]:
    """Return what must stand before the first pod: who may work here, how much, and with whom it may talk."""
    return (_role_binding(tag), resource_quota(tag), _limit_range(tag), _network_policy(tag))


def _role_binding(tag: Tag) -> Manifest:
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding",
        "metadata": _metadata("portside-runner", tag),
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "portside-runner"},
        "subjects": [{"kind": "ServiceAccount", "name": "bot", "namespace": "portside-system"}],
    }


def resource_quota(tag: Tag) -> Manifest:
    """Return how much a namespace may take."""
    return {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": _metadata("sandbox", tag),
        "spec": {"hard": NAMESPACE},
    }


def _limit_range(tag: Tag) -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "LimitRange",
        "metadata": _metadata("sandbox", tag),
        "spec": {"limits": [CONTAINER_RANGE]},
    }


def _network_policy(tag: Tag) -> Manifest:
    """Out to cluster DNS and the run's own app alone; in only to the app's port: the prober asks from outside."""
    app = {"protocol": "TCP", "port": PORT}
    dns = [{"protocol": protocol, "port": DNS_PORT} for protocol in ("UDP", "TCP")]
    system = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}}}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": _metadata("sandbox", tag),
        "spec": {
            "podSelector": {},
            "policyTypes": ["Ingress", "Egress"],
            "ingress": [{"ports": [app]}],
            "egress": [{"to": [system], "ports": dns}, {"to": [{"podSelector": {}}], "ports": [app]}],
        },
    }


@dataclass(frozen=True)
class App:
    """What is to run: so many copies of an image; `claim` names a volume claim for its data.

    With `empty_dir` the data is in a folder of the pod's own. What has data is replaced by ending the old pod first.
    A pod that is to end goes on for `drain` seconds, until nobody sends it requests any more.
    `cpus` is the limit of each; `scratch` how much of the node's own disk each asks for.
    `spread` asks for copies on different nodes as long as that can be.
    """

    name: str
    image: str
    check: Check = Check()
    replicas: int = 1
    version: Version = "1"
    claim: str | None = None
    drain: int = 0
    cpus: float = CPUS
    scratch: str | None = None
    spread: bool = False
    empty_dir: bool = False


def deployment(tag: Tag, app: App) -> Manifest:
    """Return so many copies of the app that must always be there."""
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": _metadata(app.name, tag),
        "spec": {
            "replicas": app.replicas,
            **({"strategy": {"type": "Recreate"}} if _data(app) else {}),
            "selector": {"matchLabels": {"app": app.name}},
            "template": {"metadata": {"labels": _pod_labels(app, tag)}, "spec": _pod(app)},
        },
    }


def pod(tag: Tag, app: App) -> Manifest:
    """Return one bare pod of the app: nobody replaces it."""
    metadata = _metadata(app.name, tag) | {"labels": _pod_labels(app, tag)}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": _pod(app)}


def _pod_labels(app: App, tag: Tag) -> dict[str, str]:
    return tag.labels() | {"app": app.name, "version": app.version}


def _pod(app: App) -> Manifest:
    spec: Manifest = {
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "dnsPolicy": "ClusterFirst",
        "terminationGracePeriodSeconds": GRACE_SECONDS + app.drain,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": USER,
            "runAsGroup": USER,
            "fsGroup": USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "tolerations": [
            {
                "key": f"node.kubernetes.io/{state}",
                "operator": "Exists",
                "effect": "NoExecute",
                "tolerationSeconds": TOLERATION_SECONDS,
            }
            for state in ("not-ready", "unreachable")
        ],
        "containers": [_container(app)],
        "volumes": [{"name": "tmp", "emptyDir": {"sizeLimit": f"{TMP_MIB}Mi"}}, *_data(app)],
    }
    return spec | ({"topologySpreadConstraints": [_spread(app)]} if app.spread else {})


def _spread(app: App) -> Manifest:
    return {
        "maxSkew": 1,
        "topologyKey": "kubernetes.io/hostname",
        "whenUnsatisfiable": "ScheduleAnyway",  # also when a node is gone
        "labelSelector": {"matchLabels": {"app": app.name}},
    }


def _data(app: App) -> list[Manifest]:
    """Return the volume that the app's data is on, if it has any."""
    if app.claim:
        return [{"name": "data", "persistentVolumeClaim": {"claimName": app.claim}}]
    return [{"name": "data", "emptyDir": {"sizeLimit": f"{TMP_MIB}Mi"}}] if app.empty_dir else []


def _container(app: App) -> Manifest:
    mounts = [{"name": "tmp", "mountPath": "/tmp"}]  # noqa: S108 - a path in the pod, of its own volume
    mounts += [{"name": "data", "mountPath": DATA}] if _data(app) else []
    drain = {"lifecycle": {"preStop": {"sleep": {"seconds": app.drain}}}} if app.drain else {}
    return {
        "name": app.name,
        "image": app.image,
        "imagePullPolicy": "IfNotPresent",
        "ports": [{"containerPort": PORT}],
        "resources": _resources(app),
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
        },
        "livenessProbe": _probe("/healthz", app.check),
        "readinessProbe": _probe("/readyz", replace(app.check, period=1)),
        "volumeMounts": mounts,
        **drain,
    }


def _resources(app: App) -> Manifest:
    return {
        "requests": REQUESTS | ({"ephemeral-storage": app.scratch} if app.scratch else {}),
        "limits": {"cpu": f"{app.cpus * 1000:.0f}m", "memory": f"{MEMORY_MIB}Mi"},
    }


def _probe(path: str, check: Check) -> Manifest:
    return {
        "httpGet": {"path": path, "port": PORT},
        "periodSeconds": check.period,
        "timeoutSeconds": check.timeout,
        "failureThreshold": check.failures,
    }


def claim(tag: Tag, name: str) -> Manifest:
    """Ask for a volume of the cluster's default class, for one node at a time."""
    wanted = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": CLAIM}}}
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": _metadata(name, tag), "spec": wanted}


def elsewhere(node: str) -> Manifest:
    """Return the change of a Deployment whose next pods rather run on any other node."""
    other = {"key": "kubernetes.io/hostname", "operator": "NotIn", "values": [node]}
    wish = {"weight": 100, "preference": {"matchExpressions": [other]}}
    affinity = {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [wish]}}
    return {"spec": {"template": {"spec": {"affinity": affinity}}}}


def client(tag: Tag, name: str, image: str, words: tuple[str, ...]) -> Manifest:
    """Return a pod beside the app's that runs our program with these words, once."""
    spec = _pod(App(name, image))
    needed = {key: value for key, value in spec["containers"][0].items() if key not in _OF_A_SERVER}
    metadata = _metadata(name, tag)
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": metadata | {"labels": metadata["labels"] | {CLIENT: "true"}},
        "spec": spec
        | {
            "restartPolicy": "Never",
            "terminationGracePeriodSeconds": CLIENT_GRACE_SECONDS,
            "containers": [needed | {"args": list(words)}],
        },
    }


def service(tag: Tag, app: str) -> Manifest:
    """Return the one address that clients know, whichever copies there are."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": _metadata(app, tag),
        "spec": {"selector": {"app": app}, "ports": [{"port": PORT, "targetPort": PORT}]},
    }


@dataclass(frozen=True)
class Autoscaling:
    """How many copies of an app there may be, and which CPU each is to use on average; `calm` is the window's seconds.

    The CPU is an amount and no share of the request: a pod here requests far less than it may use.
    """

    most: int
    cpu: str
    calm: int


def autoscaler(tag: Tag, app: str, scaling: Autoscaling) -> Manifest:
    """Return what changes the number of an app's copies by what they use."""
    target = {"type": "AverageValue", "averageValue": scaling.cpu}
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": _metadata(app, tag),
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": app},
            "minReplicas": 1,
            "maxReplicas": scaling.most,
            "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": target}}],
            "behavior": {"scaleDown": {"stabilizationWindowSeconds": scaling.calm}},
        },
    }


def _metadata(name: str, tag: Tag) -> Manifest:
    """Return whose an object is; what a learner takes home is nobody's."""
    metadata = {"name": name, "namespace": tag.place, "labels": tag.labels()}
    return {key: value for key, value in metadata.items() if value}
