"""What a cluster of our own has beside Kubernetes: names for Services, and figures of pods; and what hangs on them."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio
from boxes import connect, processes, program, until

from sandbox.engines import EngineConfig, Engines
from sandbox.lab import Lab
from sandbox.local.api import Api, Refused
from sandbox.local.layout import Layout
from sandbox.manifests import App, deployment, service
from sandbox.routes import Address
from sandbox.sandbox import Sandbox

pytestmark = [pytest.mark.machine, pytest.mark.docker, pytest.mark.kubernetes]

METRICS = "/apis/metrics.k8s.io/v1beta1"
METRICS_WITHIN = 30
BACK_WITHIN = 20
UNAVAILABLE = 503


@pytest_asyncio.fixture
async def sandbox(engines: Engines) -> AsyncIterator[Sandbox]:
    async with Lab(engines).open("live-test", 120) as sandbox:
        await sandbox.prepare()
        yield sandbox


@pytest.fixture
def api(engines: Engines, engine_config: EngineConfig) -> Api:
    """The API server as the bot sees it."""
    layout = Layout.of(engine_config)
    return Api(layout, layout.bot_token.read_text())


def available(api: Api) -> bool:
    status = api.get("/apis/apiregistration.k8s.io/v1/apiservices/v1beta1.metrics.k8s.io").get("status", {})
    return any(one["type"] == "Available" and one["status"] == "True" for one in status.get("conditions", ()))


def served(api: Api, path: str) -> dict[str, Any]:
    """Ask metrics-server; nothing while it is away, which the API server notices late."""
    try:
        return api.get(path)
    except Refused as refused:
        if refused.status != UNAVAILABLE:
            raise
        return {}


async def pods(sandbox: Sandbox, copies: int) -> list[Address]:
    """Have a Service with some pods; return where each answers."""
    tag = sandbox.cluster.tag
    app = App("web", sandbox.cluster.images.of("1"), replicas=copies)
    await sandbox.cluster.apply(deployment(tag, app), service(tag, "web"))
    await sandbox.cluster.ready("web", copies)
    return [await sandbox.cluster.pod_address(pod.name) for pod in await sandbox.cluster.get_pods()]


async def fetch(pod: Address, name: str) -> tuple[int, str]:
    """Have a pod ask a Service by its name."""
    async with httpx.AsyncClient(trust_env=False) as client:
        answer = await client.get(f"http://{pod.host}:{pod.port}/fetch", params={"service": name})
    return answer.status_code, answer.text


async def test_pods_find_a_service_by_its_name_and_reach_its_pods_at_the_apps_port_alone(
    sandbox: Sandbox, engine_config: EngineConfig
) -> None:
    addresses = await pods(sandbox, 2)
    process = processes(Layout.of(engine_config), "node", "/web")[0]

    found = await asyncio.gather(*(fetch(addresses[0], "web") for _ in range(40)))
    status, reason = await fetch(addresses[0], "nobody")
    at_its_port = {connect(address.host, address.port, process) for address in addresses}
    at_others = {connect(address.host, 80, process) for address in addresses}

    assert {code for code, _ in found} == {200}
    assert len({text for _, text in found}) == len(addresses)
    assert status == 502
    assert "nobody" in reason
    assert at_its_port == {"connected"}
    assert at_others <= {"OSError", "ConnectionRefusedError"}


async def test_the_bot_reads_what_a_pod_uses(sandbox: Sandbox, api: Api) -> None:
    path = f"{METRICS}/namespaces/{sandbox.cluster.tag.place}/pods"
    found: list[dict[str, Any]] = []

    def measured() -> bool:
        found[:] = served(api, path).get("items", [])
        return bool(found)

    await pods(sandbox, 1)
    await asyncio.to_thread(until, measured, METRICS_WITHIN)

    assert [set(container["usage"]) for pod in found for container in pod["containers"]] == [{"cpu", "memory"}]


async def test_a_killed_metrics_server_comes_back_and_a_namespace_that_ends_meanwhile_goes(
    engines: Engines, api: Api, engine_config: EngineConfig
) -> None:
    layout = Layout.of(engine_config)
    await asyncio.to_thread(until, lambda: available(api), METRICS_WITHIN)
    async with Lab(engines).open("live-test", 60) as sandbox:
        await sandbox.prepare()
        dead = program(layout, "metrics-server")
        os.kill(dead, signal.SIGKILL)
    await asyncio.to_thread(until, lambda: available(api) and served(api, METRICS), BACK_WITHIN)

    assert program(layout, "metrics-server") != dead
    assert [cleanup.left for cleanup in sandbox.cleanups] == [(), ()]
