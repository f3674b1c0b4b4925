"""What the engines of our own do not let through: packets out of the machine, and a bot beyond its rights."""

import http.client
import os
import signal
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio
from boxes import chain, connect, held, processes, program, until
from machine import output

from sandbox.docker_run import Container
from sandbox.engines import EngineConfig, Engines
from sandbox.lab import Lab
from sandbox.local.api import Api, Refused
from sandbox.local.layout import API_PORT, METRICS_PORT, Layout
from sandbox.manifests import DNS_PORT, App, deployment
from sandbox.routes import Address

pytestmark = [pytest.mark.machine, pytest.mark.docker, pytest.mark.kubernetes]

SERVICES = "/api/v1/namespaces/default/services"
POD: dict[str, Any] = {"metadata": {"name": "intruder"}, "spec": {"containers": [{"name": "web", "image": "web"}]}}
FORBIDDEN = {
    "list the secrets": ("GET", "/api/v1/secrets", {}),
    "read a config map": ("GET", "/api/v1/namespaces/kube-system/configmaps", {}),
    "create a pod in kube-system": ("POST", "/api/v1/namespaces/kube-system/pods", POD),
    "create a pod beside its own account": ("POST", "/api/v1/namespaces/portside-system/pods", POD),
    "create a namespace without the labels": (
        "POST",
        "/api/v1/namespaces",
        {"metadata": {"name": "portside-abcdefgh"}},
    ),
    "bind itself to the administrator": (
        "POST",
        "/apis/rbac.authorization.k8s.io/v1/namespaces/kube-system/rolebindings",
        {
            "metadata": {"name": "intruder"},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
            "subjects": [{"kind": "ServiceAccount", "name": "bot", "namespace": "portside-system"}],
        },
    ),
    "reach a kubelet through the API server": ("GET", "/api/v1/nodes/node1/proxy/pods", {}),
}


@dataclass(frozen=True)
class Copies:
    """One container and one pod: where each answers, and its process as the host sees it."""

    container: Address
    pod: Address
    container_process: int
    pod_process: int


@pytest_asyncio.fixture
async def copies(engines: Engines, engine_config: EngineConfig) -> AsyncIterator[Copies]:
    layout = Layout.of(engine_config)
    async with Lab(engines).open("live-test", 60) as sandbox:
        await sandbox.prepare()
        name = sandbox.docker.tag.container("web")
        await sandbox.docker.run(Container(name))
        await sandbox.cluster.apply(deployment(sandbox.cluster.tag, App("web", sandbox.cluster.images.of("1"))))
        async with aclosing(sandbox.cluster.watch()) as states:
            async for state in states:
                if pods := [pod for pod in getattr(state, "instances", ()) if pod.ready]:
                    break
        yield Copies(
            await sandbox.docker.address(name),
            await sandbox.cluster.pod_address(pods[0].name),
            processes(layout, "docker", "/web")[0],
            processes(layout, "node", "/web")[0],
        )


def test_pods_ask_cluster_dns_and_open_no_other_connection_but_answer_the_host_as_containers_do(
    copies: Copies, engine_config: EngineConfig
) -> None:
    layout = Layout.of(engine_config)
    container, pod = copies.container, copies.pod
    with socket.create_server((str(layout.host_address), 0)) as server:
        port = server.getsockname()[1]
        attempts = {
            "the host to the container": connect(container.host, container.port),
            "the host to the pod": connect(pod.host, pod.port),
            "the container to the API server": connect(layout.box_address, API_PORT, copies.container_process),
            "the container to the host": connect(layout.host_address, port, copies.container_process),
            "the container to the pod": connect(pod.host, pod.port, copies.container_process),
            "the pod to the API server": connect(layout.box_address, API_PORT, copies.pod_process),
            "the pod to the API server's Service": connect(layout.services[1], 443, copies.pod_process),
            "the pod past cluster DNS": connect(layout.dns_address, API_PORT, copies.pod_process),
            "the pod to metrics-server": connect(layout.box_address, METRICS_PORT, copies.pod_process),
            "the pod to a kubelet": connect(layout.box_address, 10260, copies.pod_process),
            "the container to cluster DNS": connect(layout.dns_service, DNS_PORT, copies.container_process),
            "the pod to cluster DNS": connect(layout.dns_service, DNS_PORT, copies.pod_process),
            "the pod to the outside": connect("192.0.2.1", 80, copies.pod_process),
            "the pod to the host": connect(layout.host_address, port, copies.pod_process),
            "the pod to the container": connect(container.host, container.port, copies.pod_process),
        }

    assert {name for name, outcome in attempts.items() if outcome == "connected"} == {
        "the host to the container",
        "the host to the pod",
        "the pod to cluster DNS",
    }


async def test_nothing_for_the_range_leaves_though_kube_proxy_or_the_whole_box_is_dead(own: EngineConfig) -> None:
    layout = Layout.of(own)
    async with held(own) as engines:
        await engines.cluster()
        service = layout.services[1000]

        proxy = program(layout, "kube-proxy")
        os.kill(proxy, signal.SIGSTOP)
        assert list(output("nsenter", "--target", str(proxy), "--net", "iptables", "-t", "nat", "-F")) == []
        without_proxy = connect(service, 80)
        way = " ".join(output("ip", "route", "get", str(service)))
        os.kill(chain(layout)["keeper"], signal.SIGKILL)
        until(lambda: not any(layout.link in line for line in output("ip", "-oneline", "link")))
        without_box = connect(service, 80)

    assert without_proxy in {"OSError", "ConnectionRefusedError"}
    assert layout.link in way
    assert without_box == "OSError"


@pytest.mark.usefixtures("engines")
@pytest.mark.parametrize("wish", FORBIDDEN)
def test_the_bot_may_not(engine_config: EngineConfig, wish: str) -> None:
    layout = Layout.of(engine_config)
    api = Api(layout, layout.bot_token.read_text())
    method, path, body = FORBIDDEN[wish]

    with pytest.raises(Refused) as refused:
        api.get(path) if method == "GET" else api.post(path, body)

    assert refused.value.status in {403, 422}
    assert layout.bot_token.stat().st_mode & 0o077 == 0


def kubelet_answers(layout: Layout, token: str | None) -> int:
    """Ask a node's kubelet for its pods, past the API server."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # it has signed its certificate itself
    connection = http.client.HTTPSConnection(str(layout.box_address), 10260, timeout=5, context=context)
    try:
        connection.request("GET", "/pods", headers={"Authorization": f"Bearer {token}"} if token else {})
        return connection.getresponse().status
    finally:
        connection.close()


@pytest.mark.usefixtures("engines")
def test_a_kubelet_obeys_neither_strangers_nor_the_bot(engine_config: EngineConfig) -> None:
    layout = Layout.of(engine_config)

    assert kubelet_answers(layout, None) == 401
    assert kubelet_answers(layout, layout.bot_token.read_text()) == 403


@pytest.mark.usefixtures("engines")
def test_an_operator_asks_a_kubelet_through_the_api_server(engine_config: EngineConfig) -> None:
    pods = Api(Layout.of(engine_config)).get("/api/v1/nodes/node1/proxy/pods")

    assert pods["kind"] == "PodList"
