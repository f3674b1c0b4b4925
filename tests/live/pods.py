"""Pods of the live tests: on a node of their own choice, and asked over HTTP from the host."""

import asyncio
import contextlib
import http.client
import time
from collections.abc import Callable
from typing import Any

from sandbox.local.api import Api, Refused
from sandbox.manifests import App, deployment
from sandbox.names import Tag
from sandbox.quota import PORT


def pod(tag: Tag, name: str, image: str, node: str, claim: str = "") -> dict[str, Any]:
    """Make one pod on one node, with a claim's volume at /data if it is named."""
    template = deployment(tag, App(name, image, claim=claim or None))["spec"]["template"]
    spec = template["spec"] | {"nodeSelector": {"kubernetes.io/hostname": node}}
    metadata = {"name": name, "namespace": tag.place, "labels": template["metadata"]["labels"]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def claim(tag: Tag, size: str = "8Mi", **spec: object) -> dict[str, Any]:
    wanted = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": size}}}
    metadata = {"name": "data", "namespace": tag.place, "labels": tag.labels()}
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": metadata, "spec": wanted | spec}


async def wait(holds: Callable[[], Any], seconds: float = 30) -> Any:
    """Wait until something true comes back, and return it."""
    deadline = time.monotonic() + seconds
    while not (found := await asyncio.to_thread(holds)):
        assert time.monotonic() < deadline, "it does not come to hold"
        await asyncio.sleep(0.1)
    return found


async def serving(api: Api, tag: Tag, name: str) -> str:
    """Wait until a pod is ready, and return its address."""

    def address() -> str:
        with contextlib.suppress(Refused):
            status = api.get(f"/api/v1/namespaces/{tag.place}/pods/{name}")["status"]
            ready = [one for one in status.get("conditions", ()) if (one["type"], one["status"]) == ("Ready", "True")]
            return str(status["podIP"]) if ready else ""
        return ""

    return str(await wait(address))


def ask(host: str, method: str = "GET", path: str = "/", body: str | None = None) -> tuple[int, str]:
    connection = http.client.HTTPConnection(host, PORT, timeout=3)
    try:
        connection.request(method, path, body)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()
