"""Kubernetes in kubectl's verbs: one run's namespace on one cluster."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any, Self
from urllib.parse import urlencode

import aiohttp

from sandbox.cluster_api import CONFLICT, FORBIDDEN, NOT_FOUND, Api, Refused, translated
from sandbox.engines import ClusterEndpoint
from sandbox.errors import EngineUnavailable
from sandbox.events import Engine, EngineInfo, Instance, Observed, Snapshot
from sandbox.manifests import Manifest, fences, namespace
from sandbox.names import BOT, MANAGED_BY, NAMESPACE, Due, Tag
from sandbox.observing import Json, cluster_observation, ended_containers, pod_instance
from sandbox.quota import PORT
from sandbox.routes import Address, require_local
from sandbox.streams import to_the_end

log = logging.getLogger(__name__)

# An API server that restarts is back within seconds; a RoleBinding or a quota takes a moment to be known.
_PATIENCE = 3.0
_FORBIDDEN_PATIENCE = 2.0
_PAUSE = 0.25
_GONE_WITHIN = 15.0
# kube-proxy rewrites a Service's address before it would need a route: without one, and without kube-proxy, it leaves.
_ADVICE = (
    "Run Portside in the cluster; or on one of its nodes, with routes for its pods and Services that end there "
    "(ip route add RANGE dev BRIDGE); or unset PORTSIDE_KUBE_CONTEXT for a cluster of ours."
)


class Cluster:
    """The namespace of one run."""

    def __init__(self, api: Api, endpoint: ClusterEndpoint, tag: Tag, info: EngineInfo) -> None:
        self._api = api
        self._inside = endpoint.kubeconfig is None
        self.image = endpoint.image
        self.tag = tag
        self.info = info

    @classmethod
    async def connect(cls, endpoint: ClusterEndpoint, tag: Tag) -> Self:
        """Reach the cluster; nothing is made yet."""
        api = await Api.connect(endpoint)
        try:
            with translated():
                version = await api.call("GET", "/version")
                nodes = await api.call("GET", "/api/v1/nodes")
        except BaseException:
            await api.close()
            raise
        info = EngineInfo(version["gitVersion"].removeprefix("v"), endpoint.where, len(nodes["items"]))
        return cls(api, endpoint, tag, info)

    async def close(self) -> None:
        """Give the connections back."""
        await self._api.close()

    async def create_namespace(self) -> None:
        """Make the run's namespace, and its fences before anything can run in it."""
        await self.apply(namespace(self.tag), *fences(self.tag))

    async def apply(self, *manifests: Manifest) -> None:
        """Create objects, in this order."""
        for manifest in manifests:
            with translated():
                await self._create(manifest)

    async def _create(self, manifest: Manifest) -> None:
        end = asyncio.get_running_loop().time() + _FORBIDDEN_PATIENCE
        while True:
            try:
                # Cut off half-way, it might be made after the clean-up has looked.
                await to_the_end(self._api.call("POST", self._collection(manifest), manifest))
            except Refused as error:
                if error.status != FORBIDDEN or asyncio.get_running_loop().time() > end:
                    raise
                await asyncio.sleep(_PAUSE / 5)
            else:
                return

    def _collection(self, manifest: Manifest) -> str:
        version, kind = manifest["apiVersion"], manifest["kind"].lower()
        plural = kind[:-1] + "ies" if kind.endswith("y") else kind + "s"
        root = f"/api/{version}" if version == "v1" else f"/apis/{version}"
        return f"{root}/namespaces" if kind == "namespace" else f"{root}/namespaces/{self.tag.place}/{plural}"

    def _path(self, resource: str) -> str:
        return f"/api/v1/namespaces/{self.tag.place}/{resource}"

    async def _get(self, resource: str) -> dict[str, Any]:
        with translated():
            return await self._api.call("GET", self._path(resource))

    async def get_pods(self) -> tuple[Instance, ...]:
        """Say which pods there are."""
        return _instances((await self._get("pods"))["items"])

    async def pod_address(self, name: str) -> Address:
        """Return where one pod answers; it is on this machine."""
        return self._local((await self._get(f"pods/{name}"))["status"]["podIP"])

    async def service_address(self, name: str) -> Address:
        """Return where a Service answers; it is on this machine."""
        return self._local((await self._get(f"services/{name}"))["spec"]["clusterIP"])

    def _local(self, host: str) -> Address:
        """Where Portside itself runs in the cluster, the cluster's own network is the way there."""
        address = Address(host, PORT)
        return address if self._inside else require_local(address, _ADVICE)

    async def delete_pod(self, name: str) -> None:
        """Delete a pod, as `kubectl delete pod` does."""
        with translated():
            await self._api.call("DELETE", self._path(f"pods/{name}"))

    async def watch(self) -> AsyncGenerator[Snapshot | Observed, None]:
        """Yield the pods whenever one changes, and which of their containers ended and why."""
        pods: dict[str, Json] = {}
        shown = None
        async with aclosing(self._follow(self._path("pods"))) as states:
            async for listed, changed, gone in states:
                before, pods = pods, ({} if listed else pods) | {_uid(pod): pod for pod in changed}
                for pod in changed:
                    for observed in ended_containers(before.get(_uid(pod)), pod):
                        yield observed
                for pod in gone:
                    pods.pop(_uid(pod), None)
                if (now := _instances(pods.values())) != shown:
                    shown = now
                    yield Snapshot(engine=Engine.KUBERNETES, instances=now)

    async def events(self) -> AsyncGenerator[Observed, None]:
        """Yield what controllers, scheduler and kubelet report about the run's objects."""
        seen: set[str] = set()
        async with aclosing(self._follow(self._path("events"))) as states:
            async for _, changed, _ in states:
                for event in changed:
                    version = event["metadata"]["resourceVersion"]
                    if version not in seen and (observed := cluster_observation(event)):
                        yield observed
                    seen.add(version)

    async def _follow(self, path: str) -> AsyncGenerator[tuple[bool, list[Json], list[Json]], None]:
        """List, then watch from there; list again where the version is too old or the connection was lost.

        Yields whether this is a whole list, what is there or changed, and what has gone.
        """
        while True:
            listing = await self._list_patiently(path)
            yield True, listing["items"], []
            version = listing["metadata"]["resourceVersion"]
            with contextlib.suppress(Refused, aiohttp.ClientError, TimeoutError, OSError, ValueError):
                while True:
                    async with aclosing(self._api.watch(path, version)) as changes:
                        async for change in changes:
                            thing = change["object"]
                            version = thing["metadata"]["resourceVersion"]
                            gone = change["type"] == "DELETED"
                            yield False, [] if gone else [thing], [thing] if gone else []
            await asyncio.sleep(_PAUSE)  # a server that lists and refuses to be watched is not asked without a break

    async def _list_patiently(self, path: str) -> dict[str, Any]:
        end = asyncio.get_running_loop().time() + _PATIENCE
        while True:
            try:
                with translated():
                    return await self._api.call("GET", path)
            except EngineUnavailable:
                if asyncio.get_running_loop().time() > end:
                    raise
                await asyncio.sleep(_PAUSE)

    async def prune(self) -> list[str]:
        """Delete the namespace and wait until it is gone; return what was removed."""
        with translated():
            found = await _delete(self._api, self.tag.place)
            end = asyncio.get_running_loop().time() + _GONE_WITHIN
            while found and await self._exists():
                if asyncio.get_running_loop().time() > end:
                    return []
                await asyncio.sleep(_PAUSE)
        return [f"namespace {self.tag.place}"] if found else []

    async def _exists(self) -> bool:
        try:
            await self._api.call("GET", f"/api/v1/namespaces/{self.tag.place}")
        except Refused as error:
            if error.status != NOT_FOUND:
                raise
            return False
        return True

    async def left(self) -> list[str]:
        """Look what is still there of this run."""
        with translated():
            return [f"namespace {self.tag.place}"] if await self._exists() else []


async def sweep(endpoint: ClusterEndpoint, due: Due, most: int) -> list[str]:
    """Delete at most so many namespaces of ours that are due by their labels and annotations, whoever made them."""
    api = await Api.connect(endpoint)
    try:
        with translated():
            found = await api.call("GET", "/api/v1/namespaces?" + urlencode({"labelSelector": f"{MANAGED_BY}={BOT}"}))
            chosen = [one["metadata"] for one in found["items"] if _is_due(one, due)][:most]
            removed = [f"namespace {one['name']}" for one in chosen if await _delete_due(api, one)]
    finally:
        await api.close()
    return removed


def _is_due(one: Json, due: Due) -> bool:
    """Only names that we give: whoever copies our label onto a namespace of theirs keeps it."""
    metadata = one["metadata"]
    named = NAMESPACE.fullmatch(metadata["name"]) is not None
    marks = {**(metadata.get("labels") or {}), **(metadata.get("annotations") or {})}
    return named and "deletionTimestamp" not in metadata and due(marks)


async def _delete_due(api: Api, metadata: Json) -> bool:
    """Delete an expired namespace; one that the server does not delete must not keep the others from going."""
    try:
        return await _delete(api, metadata["name"], metadata["uid"])
    except Refused as error:
        log.warning("namespace %s could not be deleted: %s", metadata["name"], str(error))
        return False


async def _delete(api: Api, name: str, uid: str | None = None) -> bool:
    """Delete a namespace, by its uid where a new one may have its name; say whether it was there."""
    body: Mapping[str, Any] | None = {"preconditions": {"uid": uid}} if uid else None
    try:
        await api.call("DELETE", f"/api/v1/namespaces/{name}", body)
    except Refused as error:
        if error.status in (NOT_FOUND, CONFLICT):
            return False
        raise
    return True


def _uid(thing: Json) -> str:
    return str(thing["metadata"]["uid"])


def _instances(pods: Any) -> tuple[Instance, ...]:
    return tuple(sorted((pod_instance(pod) for pod in pods), key=lambda instance: instance.name))
