"""Namespaces of ours as a whole: which there are, and how they go."""

import logging
from urllib.parse import urlencode

from sandbox.cluster_api import CONFLICT, NOT_FOUND, Api, Refused, translated
from sandbox.engines import ClusterEndpoint
from sandbox.names import BOT, MANAGED_BY, NAMESPACE, RUN, Due
from sandbox.observing import Json, node_ready

log = logging.getLogger(__name__)


async def namespaces(api: Api, run: str) -> list[str]:
    """Find the namespaces of a run that have our kind of name."""
    query = urlencode({"labelSelector": f"{MANAGED_BY}={BOT},{RUN}={run}"})
    found = (await api.call("GET", f"/api/v1/namespaces?{query}"))["items"]
    return [name for one in found if NAMESPACE.fullmatch(name := one["metadata"]["name"])]


async def abandon(api: Api, namespace: str) -> None:
    """Delete the pods of nodes that are not ready without waiting for these, as `kubectl delete --force` does.

    A namespace goes when its pods have gone, and a node that is silent never says so.
    """
    nodes = map(node_ready, (await api.call("GET", "/api/v1/nodes"))["items"])
    silent = {name for name, ready in nodes if not ready}
    pods = (await api.call("GET", f"/api/v1/namespaces/{namespace}/pods"))["items"] if silent else []
    for pod in pods:
        if pod["spec"].get("nodeName") in silent:
            await _force(api, f"/api/v1/namespaces/{namespace}/pods/{pod['metadata']['name']}")


async def _force(api: Api, path: str) -> None:
    try:
        await api.call("DELETE", path, {"gracePeriodSeconds": 0})
    except Refused as error:
        if error.status != NOT_FOUND:
            raise


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
        return await delete(api, metadata["name"], metadata["uid"])
    except Refused as error:
        log.warning("namespace %s could not be deleted: %s", metadata["name"], str(error))
        return False


async def delete(api: Api, name: str, uid: str | None = None) -> bool:
    """Delete a namespace, by its uid where a new one may have its name; say whether it was there."""
    body: Json | None = {"preconditions": {"uid": uid}} if uid else None
    try:
        await api.call("DELETE", f"/api/v1/namespaces/{name}", body)
    except Refused as error:
        if error.status in (NOT_FOUND, CONFLICT):
            return False
        raise
    return True
