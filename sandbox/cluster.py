"""Kubernetes in kubectl's verbs: one run's namespace on one cluster."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine, Mapping
from contextlib import aclosing
from dataclasses import replace
from functools import partial
from itertools import count
from typing import Any, Self, TypeVar
from urllib.parse import urlencode

from sandbox import lifetimes
from sandbox.clients import choose, is_good, probe_words
from sandbox.cluster_api import (
    APPLY_PATCH,
    CONFLICT,
    JSON,
    MERGE_PATCH,
    NOT_FOUND,
    Api,
    NotThere,
    translated,
)
from sandbox.cluster_logs import followed_log
from sandbox.cluster_namespaces import abandon, delete, namespaces
from sandbox.cluster_patience import PATIENCE, patiently
from sandbox.cluster_services import available, default_class
from sandbox.cluster_watching import State, instances, states, watched_events, watched_nodes, watched_pods
from sandbox.engines import ClusterEndpoint
from sandbox.errors import DemoFailed
from sandbox.events import EngineInfo, Instance, Observed, Snapshot
from sandbox.http import ACCEPTED, Answer
from sandbox.manifests import Manifest, client, fences, namespace
from sandbox.names import CLIENT_APP, Tag
from sandbox.observing import (
    TERMINATING,
    Json,
    StorageClass,
    last_warning,
    node_ready,
    pod_instance,
)
from sandbox.quota import PORT
from sandbox.routes import Address, require_local
from sandbox.sandbox import Target
from sandbox.streams import stop, to_the_end

Answered = TypeVar("Answered")

_PAUSE = 0.25
# Nobody waits for a clean-up, and what it cannot look at counts as left; `Lab` bounds the whole of it.
_CLEAN_UP_PATIENCE = 20.0
# How the server says the second time that it has done it the first time, just before it went.
_DONE: Mapping[str, tuple[int, dict[str, Any]]] = {"POST": (CONFLICT, {}), "DELETE": (NOT_FOUND, {})}
_READY_WITHIN = 30.0
# Whoever changes a field of ours by hand meets no conflict when it is declared again.
_APPLY = urlencode({"fieldManager": "portside", "force": "true"})
_GROUPS = {
    "deployments": "/apis/apps/v1",
    "replicasets": "/apis/apps/v1",
    "horizontalpodautoscalers": "/apis/autoscaling/v2",
    "endpointslices": "/apis/discovery.k8s.io/v1",
}
# kube-proxy rewrites a Service's address before it would need a route: without one, and without kube-proxy, it leaves.
_ADVICE = "Start the engines again with portside engines up."


class Cluster:
    """The namespace of one run."""

    def __init__(
        self, api: Api, endpoint: ClusterEndpoint, tag: Tag, info: EngineInfo, patience: float = PATIENCE
    ) -> None:
        self._api = api
        self._patience = patience
        self._endpoint = endpoint
        self._numbers = count(1)
        self.client = choose(self, endpoint.far)
        self.images = endpoint.images
        self.registry = endpoint.registry
        self.tag = tag
        self.info = info
        self.stopped: set[str] = set()

    @classmethod
    async def connect(cls, endpoint: ClusterEndpoint, tag: Tag, patience: float = PATIENCE) -> Self:
        """Reach the cluster; nothing is made yet. From then on its server may be away for less than `patience`."""
        api = await Api.connect(endpoint)
        try:
            with translated():
                version = await api.call("GET", "/version")
                nodes = await api.call("GET", "/api/v1/nodes")
        except BaseException:
            await api.close()
            raise
        # The addresses of a cluster elsewhere may be those of somebody else's containers here.
        far = endpoint.far or not (endpoint.ours or endpoint.kubeconfig is None)
        where = f"{endpoint.where}, asked from a pod beside the app" if far else endpoint.where
        info = EngineInfo(version["gitVersion"].removeprefix("v"), where, len(nodes["items"]))
        return cls(api, replace(endpoint, far=far), tag, info, patience)

    def part(self, tag: Tag) -> "Cluster":
        """Return the namespace of one part of the run, or of another owner, on the same connections."""
        return Cluster(self._api, self._endpoint, tag, self.info, self._patience)

    async def close(self) -> None:
        """Give the connections back."""
        await self._api.close()

    async def create_namespace(self) -> None:
        """Make the run's namespace, and its fences before anything can run in it."""
        await self.create(namespace(self.tag), *fences(self.tag))

    async def create(self, *manifests: Manifest) -> None:
        """Create objects that are not there yet, in this order."""
        for manifest in manifests:
            await self._ask("POST", self._collection(manifest), manifest)

    async def apply(self, *manifests: Manifest) -> list[str]:
        """Make objects what is declared, in this order; say what was created, configured or left unchanged."""
        return [f"{_title(manifest)} {await self._apply(manifest)}" for manifest in manifests]

    async def _apply(self, manifest: Manifest) -> str:
        path = f"{self._collection(manifest)}/{manifest['metadata']['name']}"
        before = await self._found(path)
        after = await self._ask("PATCH", f"{path}?{_APPLY}", manifest, APPLY_PATCH)
        if before is None:
            return "created"
        return "unchanged" if _version(before) == _version(after) else "configured"

    async def _found(self, path: str) -> dict[str, Any] | None:
        try:
            return await self._ask("GET", path)
        except NotThere:
            return None

    async def _ask(self, method: str, path: str, body: Json | None = None, kind: str = JSON) -> dict[str, Any]:
        def send() -> Coroutine[Any, Any, dict[str, Any]]:
            call = self._api.call(method, path, body, kind)
            # A change that is cut off half-way might be made after the clean-up has looked.
            return call if method == "GET" else to_the_end(call)

        with translated():
            return await patiently(send, self._patience, _DONE.get(method))

    def _collection(self, manifest: Manifest) -> str:
        version, kind = manifest["apiVersion"], manifest["kind"].lower()
        plural = kind[:-1] + "ies" if kind.endswith("y") else kind + "s"
        root = f"/api/{version}" if version == "v1" else f"/apis/{version}"
        return f"{root}/namespaces" if kind == "namespace" else f"{root}/namespaces/{self.tag.place}/{plural}"

    def _path(self, resource: str) -> str:
        group = _GROUPS.get(resource.partition("/")[0], "/api/v1")
        return f"{group}/namespaces/{self.tag.place}/{resource}"

    async def get(self, resource: str) -> dict[str, Any]:
        """Return an object or a list, for example `deployments/web` or `events`. Raises NotThere."""
        return await self._ask("GET", self._path(resource))

    async def patch(self, resource: str, changes: Json) -> None:
        """Merge changes into an object, for example into `deployments/web/scale`."""
        await self._ask("PATCH", self._path(resource), changes, MERGE_PATCH)

    async def delete(self, resource: str) -> None:
        """Delete an object, for example `pods/web-1`."""
        await self._ask("DELETE", self._path(resource))

    async def get_pods(self) -> tuple[Instance, ...]:
        """Say which pods there are."""
        return instances((await self.get("pods"))["items"])

    async def available(self, api: str) -> None:
        """Wait for an API that another server gives, for example `v1beta1.metrics.k8s.io`. Raises EngineUnavailable."""
        await available(self._api, api)

    async def default_class(self) -> StorageClass:
        """Return the class that a claim gets which names none. Raises DemoFailed where there is none."""
        return await default_class(self._api)

    async def warning(self) -> str:
        """Say as a sentence what Kubernetes last warned of in the namespace; nothing where it did not."""
        message = last_warning((await self.get("events?fieldSelector=type=Warning"))["items"])
        return f"Kubernetes says: {message}" if message else ""

    async def ready(self, app: str, replicas: int, within: float = _READY_WITHIN) -> None:
        """Wait until so many pods of an app are ready, and others are only going. Raises DemoFailed after a while."""
        try:
            async with asyncio.timeout(within):
                while True:
                    if await self._all_ready(app, replicas):
                        return
                    await asyncio.sleep(_PAUSE)
        except TimeoutError as error:
            sentence = (
                f"{replicas} pods of {app} were not ready within {within:g} s. The cluster may be full or busy: "
                "start the demo again in a moment."
            )
            raise DemoFailed(f"{sentence} {await self.warning()}".strip()) from error

    async def _all_ready(self, app: str, replicas: int) -> bool:
        pods = [pod_instance(pod) for pod in (await self.get(f"pods?labelSelector=app={app}"))["items"]]
        there = [pod for pod in pods if pod.phase != TERMINATING]
        return len(there) == replicas and all(pod.ready for pod in there)

    async def pod_address(self, name: str) -> Address:
        """Return where one pod answers to this run's client: on this machine, if that is this process."""
        return self._local((await self.get(f"pods/{name}"))["status"]["podIP"])

    async def tell(self, name: str, path: str) -> None:
        """Post to the app in a pod, for example to break it. Raises DemoFailed where it does not accept."""
        if (status := (await self.ask(name, "POST", path)).status) != ACCEPTED:
            raise DemoFailed(f"{name} could not be told {path}: {status} was the answer. Start the demo again.")

    async def ask(self, name: str, method: str, path: str, body: bytes = b"") -> Answer:
        """Ask the app in a pod for something, through the API server: it reaches every pod wherever we stand."""
        send = partial(self._api.proxy, method, self._path(f"pods/{name}:{PORT}/proxy{path}"), body)
        with translated():
            return await patiently(send, self._patience)

    async def service_address(self, name: str) -> Address:
        """Return where a Service answers to this run's client: on this machine, if that is this process."""
        return self._local((await self.get(f"services/{name}"))["spec"]["clusterIP"])

    def _local(self, host: str) -> Address:
        """Where Portside itself runs in the cluster, the cluster's own network is the way there."""
        address = Address(host, PORT)
        inside = self._endpoint.kubeconfig is None
        return address if inside or self._endpoint.far else require_local(address, _ADVICE)

    async def follow(self, words: tuple[str, ...], ended: asyncio.Event) -> AsyncGenerator[str, None]:
        """Run our program in a pod beside the apps, as `kubectl logs --follow` shows it; delete it when it is time."""
        name = await self._run_client(words)
        stopping = asyncio.create_task(self._delete_at(ended, name))
        try:
            async with aclosing(self._log(name, ended)) as lines:
                async for line in lines:
                    yield line
        finally:
            await stop(stopping)

    async def first_answer(self, target: Target) -> None:
        """Return once an app answers to a pod of its own for this; so it takes a pod's start longer."""
        name = await self._run_client(probe_words(target))
        async with aclosing(self._log(name, asyncio.Event())) as lines:
            async for line in lines:
                if is_good(line):
                    break
        await self.delete(f"pods/{name}")

    async def _run_client(self, words: tuple[str, ...]) -> str:
        name = f"{CLIENT_APP}-{next(self._numbers)}"
        await self.create(client(self.tag, name, self.images.of("1"), words))
        return name

    def _log(self, name: str, ended: asyncio.Event) -> AsyncGenerator[str, None]:
        return followed_log(self._api, self._path(f"pods/{name}/log?follow=true"), ended)

    async def _delete_at(self, ended: asyncio.Event, name: str) -> None:
        await ended.wait()
        await self.delete(f"pods/{name}")

    def watch(self) -> AsyncGenerator[Snapshot | Observed, None]:
        """Yield the pods whenever one changes, and which of their containers ended and why."""
        return watched_pods(self._follow(self._path("pods")))

    def events(self) -> AsyncGenerator[Observed, None]:
        """Yield what controllers, scheduler and kubelet report about the run's objects."""
        return watched_events(self._follow(self._path("events")))

    def nodes(self) -> AsyncGenerator[dict[str, bool], None]:
        """Yield which nodes there are and whether each is ready, now and whenever that changes."""
        return watched_nodes(self._follow("/api/v1/nodes"))

    def _follow(self, path: str) -> AsyncGenerator[State, None]:
        return states(self._api, path, partial(self._ask, "GET", path))

    async def prune(self) -> list[str]:
        """Delete the run's namespaces and wait until they are gone; return what was removed."""
        found = await self._namespaces()
        for name in found:
            await self._until_done(partial(abandon, self._api, name))
            await self._until_done(partial(delete, self._api, name))
        end = asyncio.get_running_loop().time() + lifetimes.NAMESPACE_GONE
        while left := await self._namespaces():
            if asyncio.get_running_loop().time() > end:
                break
            await asyncio.sleep(_PAUSE)
        return [f"namespace {name}" for name in found if name not in left]

    async def _namespaces(self) -> list[str]:
        return await self._until_done(partial(namespaces, self._api, self.tag.run))

    async def _until_done(self, send: Callable[[], Coroutine[Any, Any, Answered]]) -> Answered:
        with translated():
            return await patiently(send, _CLEAN_UP_PATIENCE)

    async def left(self) -> list[str]:
        """Look what is still there of this run."""
        found = await self._namespaces()
        nodes = (await self._ask("GET", "/api/v1/nodes"))["items"] if self.stopped else []
        away = self.stopped - {name for name, ready in map(node_ready, nodes) if ready}
        return [*(f"namespace {name}" for name in found), *(f"node {name} that is not ready" for name in away)]


def _title(manifest: Manifest) -> str:
    """Name an object as kubectl does."""
    group = manifest["apiVersion"].partition("/")[0] if "/" in manifest["apiVersion"] else ""
    kind = manifest["kind"].lower()
    return f"{kind}.{group}/{manifest['metadata']['name']}" if group else f"{kind}/{manifest['metadata']['name']}"


def _version(thing: Json) -> str:
    return str(thing["metadata"]["resourceVersion"])
