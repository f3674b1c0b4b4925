"""The cluster side against an API server that misbehaves: what is waited for, what is told."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from sandbox.clients import Far, Near
from sandbox.cluster import Cluster
from sandbox.cluster_api import NotThere
from sandbox.cluster_namespaces import _is_due, sweep
from sandbox.engines import ClusterEndpoint, Images
from sandbox.errors import DemoFailed, EngineUnavailable, QuotaExceeded
from sandbox.events import EngineInfo
from sandbox.http import Answer
from sandbox.manifests import service
from sandbox.names import CLIENT, EXPIRES_AT, Tag, expired, write_time
from sandbox.observing import StorageClass
from sandbox.routes import Address

NOW = datetime(2030, 1, 1, tzinfo=UTC)
TAG = Tag("abcdefghij", "ada", NOW)
PLACE = "/api/v1/namespaces/portside-abcdefghij"
PAST, FUTURE = "2029-12-31T23:59:00Z", "2030-01-01T00:05:00Z"


class FakeApi:
    """An API server that answers from queues: for each method and path the next answer, the last one for ever."""

    def __init__(self) -> None:
        self.answers: dict[tuple[str, str], list[tuple[int, Any]]] = {
            ("GET", "/version"): [(200, {"gitVersion": "v1.37.2"})],
            ("GET", "/api/v1/nodes"): [(200, {"items": [node("node1"), node("node2"), node("node3")]})],
        }
        self.seen: list[tuple[str, str, Any]] = []

    def on(self, method: str, path: str, *answers: tuple[int, Any]) -> None:
        self.answers[method, path] = list(answers)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.json() if request.can_read_body else None
        method = "WATCH" if "watch" in request.query else request.method
        self.seen.append((method, request.path, body))
        queue = self.answers.get((method, request.path), [(404, {"message": "not found"})])
        status, answer = queue.pop(0) if len(queue) > 1 else queue[0]
        if method == "WATCH":
            return web.Response(text="".join(json.dumps(line) + "\n" for line in answer))
        if isinstance(answer, str):
            return web.Response(text=answer, status=status)
        return web.json_response(answer, status=status)


def node(name: str, ready: str = "True") -> dict[str, Any]:
    return {"metadata": {"name": name}, "status": {"conditions": [{"type": "Ready", "status": ready}]}}


@asynccontextmanager
async def served(api: FakeApi, folder: Path) -> AsyncIterator[ClusterEndpoint]:
    application = web.Application()
    application.router.add_route("*", "/{tail:.*}", api.handle)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = site._server.sockets[0].getsockname()[1]
    try:
        yield ClusterEndpoint(kubeconfig(folder, port), None, Images.published("portside/web:1"), ours=True)
    finally:
        await runner.cleanup()


def kubeconfig(folder: Path, port: int) -> Path:
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "c", "cluster": {"server": f"http://127.0.0.1:{port}"}}],
        "users": [{"name": "u", "user": {"token": "t"}}],
        "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
        "current-context": "x",
    }
    path = folder / "kubeconfig"
    path.write_text(json.dumps(config))
    return path


@pytest.fixture
def api() -> FakeApi:
    return FakeApi()


@pytest.fixture
async def cluster(api: FakeApi, tmp_path: Path) -> AsyncIterator[Cluster]:
    async with served(api, tmp_path) as endpoint:
        connected = await Cluster.connect(endpoint, TAG, patience=0.5)
        yield connected
        await connected.close()


def listing(version: str, *names: str) -> tuple[int, Any]:
    return 200, {"metadata": {"resourceVersion": version}, "items": [pod(name, version) for name in names]}


def pod(name: str, version: str) -> dict[str, Any]:
    return {"metadata": {"name": name, "uid": name, "resourceVersion": version}, "spec": {}, "status": {}}


def change(kind: str, name: str, version: str) -> dict[str, Any]:
    return {"type": kind, "object": pod(name, version)}


def expiring(name: str, moment: str | None, **metadata: Any) -> dict[str, Any]:
    annotations = {EXPIRES_AT: moment} if moment else {}
    return {"metadata": {"name": name, "uid": f"uid-{name}", "annotations": annotations} | metadata}


async def pods_seen(cluster: Cluster, count: int) -> list[tuple[str, ...]]:
    seen = []
    async with aclosing(cluster.watch()) as states:
        async for state in states:
            seen.append(tuple(instance.name for instance in state.instances))
            if len(seen) == count:
                return seen
    raise AssertionError


async def test_a_cluster_tells_its_version_and_its_nodes(cluster: Cluster) -> None:
    assert cluster.info == EngineInfo("1.37.2", "this machine", 3)


@pytest.mark.parametrize(("ours", "far"), [(True, False), (True, True), (False, False)])
async def test_the_apps_of_a_cluster_elsewhere_are_asked_from_a_pod(
    api: FakeApi, tmp_path: Path, ours: bool, far: bool
) -> None:
    api.on("GET", f"{PLACE}/services/web", (200, {"spec": {"clusterIP": "203.0.113.7"}}))
    async with served(api, tmp_path) as endpoint:
        cluster = await Cluster.connect(replace(endpoint, ours=ours, far=far, where="prod"), TAG)
        near = ours and not far
        if near:
            with pytest.raises(EngineUnavailable, match="nothing was sent there"):
                await cluster.service_address("web")
        else:
            assert await cluster.service_address("web") == Address("203.0.113.7", 8080)
        await cluster.close()

    assert cluster.info.where == ("prod" if near else "prod, asked from a pod beside the app")
    assert isinstance(cluster.client, Near if near else Far)


async def test_a_pod_is_told_through_the_api_server(api: FakeApi, cluster: Cluster) -> None:
    api.on("POST", f"{PLACE}/pods/web-a:8080/proxy/fault/crash", (202, ""), (503, {"message": "no endpoint"}))
    await cluster.tell("web-a", "/fault/crash")

    with pytest.raises(DemoFailed, match="web-a could not be told /fault/crash: 503 was the answer"):
        await cluster.tell("web-a", "/fault/crash")


async def test_a_pod_is_asked_through_the_api_server(api: FakeApi, cluster: Cluster) -> None:
    api.on("GET", f"{PLACE}/pods/web-a:8080/proxy/fetch", (200, "instance web-b"), (404, "no such name"))

    assert await cluster.ask("web-a", "GET", "/fetch?service=web") == Answer(200, b"instance web-b")
    assert await cluster.ask("web-a", "GET", "/fetch?service=web") == Answer(404, b"no such name")


async def test_a_server_that_does_not_know_its_rights_yet_is_asked_again_to_tell_a_pod(
    api: FakeApi, cluster: Cluster
) -> None:
    fault = f"{PLACE}/pods/web-a:8080/proxy/fault/crash"
    api.on("POST", fault, (403, {"message": "not yet ready to handle request"}), (429, "too many"), (202, ""))
    await cluster.tell("web-a", "/fault/crash")
    assert [path for method, path, _ in api.seen if method == "POST"] == [fault] * 3

    api.on("POST", fault, (403, {"message": "no right to pods/proxy"}))
    with pytest.raises(DemoFailed, match=r"refused a step of the demo: no right to pods/proxy$"):
        await cluster.tell("web-a", "/fault/crash")


async def test_a_clients_lines_come_once_though_the_connection_was_lost(api: FakeApi, cluster: Cluster) -> None:
    log = f"{PLACE}/pods/client-1/log"
    api.on("POST", f"{PLACE}/pods", (201, {}))
    api.on("DELETE", f"{PLACE}/pods/client-1", (200, {}))
    early = ((404, {"message": "the kubelet knows no such pod"}), (400, {"message": "is waiting to start"}))
    api.on("GET", log, *early, (200, "a\nb\n"), (503, {}), (200, "a\nb\nc\n"))
    ended, read = asyncio.Event(), []
    async with aclosing(cluster.follow(("probe", "10.0.0.1:8080"), ended)) as lines:
        async for line in lines:
            read.append(line)
            if line == "c\n":
                ended.set()

    assert read == ["a\n", "b\n", "c\n"]


async def test_a_client_whose_log_may_not_be_read_is_told(api: FakeApi, cluster: Cluster) -> None:
    api.on("POST", f"{PLACE}/pods", (201, {}))
    api.on("GET", f"{PLACE}/pods/client-1/log", (403, {"message": "no right to pods/log"}))

    with pytest.raises(DemoFailed, match="no right to pods/log"):
        await anext(cluster.follow(("probe", "10.0.0.1:8080"), asyncio.Event()))


async def test_a_client_is_no_copy_of_the_app(api: FakeApi, cluster: Cluster) -> None:
    client = pod("client-1", "5")
    client["metadata"]["labels"] = {CLIENT: "true"}
    api.on("GET", f"{PLACE}/pods", (200, {"items": [client, pod("web-a", "5")]}))

    assert [instance.name for instance in await cluster.get_pods()] == ["web-a"]


def warned(moment: str, message: str, about: str = "web-1") -> dict[str, Any]:
    return {"lastTimestamp": moment, "message": message, "involvedObject": {"name": about}}


FULL = 'Error creating: pods "web-a" is forbidden: exceeded quota: full'


@pytest.mark.parametrize(
    ("events", "why"),
    [
        ([], ""),
        ([warned(PAST, "of the client that asks", "client-1")], ""),
        ([warned(FUTURE, FULL), warned(PAST, "Readiness probe failed")], f" Kubernetes says: {FULL}"),
        ([warned(PAST, "long" * 100)], f" Kubernetes says: {'long' * 75}…"),
        (
            [warned(PAST, "older"), warned("", "no node") | {"lastTimestamp": None, "eventTime": FUTURE}],
            " Kubernetes says: no node",
        ),
    ],
)
async def test_pods_that_do_not_get_ready_are_told_with_what_kubernetes_last_warned_of(
    api: FakeApi, cluster: Cluster, events: list[dict[str, Any]], why: str
) -> None:
    api.on("GET", f"{PLACE}/pods", (200, {"items": []}))
    api.on("GET", f"{PLACE}/events", (200, {"items": events}))

    with pytest.raises(DemoFailed) as failed:
        await cluster.ready("web", 2, within=0.01)

    started_again = "The cluster may be full or busy: start the demo again in a moment."
    assert str(failed.value) == f"2 pods of web were not ready within 0.01 s. {started_again}{why}"


async def test_pods_are_followed_from_the_list_on(api: FakeApi, cluster: Cluster) -> None:
    api.on("GET", f"{PLACE}/pods", listing("5", "a"))
    api.on("WATCH", f"{PLACE}/pods", (200, [change("ADDED", "b", "6"), change("DELETED", "a", "7")]), (200, []))

    assert await pods_seen(cluster, 3) == [("a",), ("a", "b"), ("b",)]


async def test_a_version_that_is_too_old_leads_to_a_new_list(api: FakeApi, cluster: Cluster) -> None:
    api.on("GET", f"{PLACE}/pods", listing("5", "a"), listing("9", "c"))
    too_old = {"type": "ERROR", "object": {"code": 410, "message": "too old"}}
    api.on("WATCH", f"{PLACE}/pods", (200, [too_old]), (200, []))

    assert await pods_seen(cluster, 2) == [("a",), ("c",)]


async def test_a_server_that_is_just_restarting_is_asked_again(api: FakeApi, cluster: Cluster) -> None:
    api.on("GET", f"{PLACE}/pods", (503, {"message": "shutting down"}), listing("5", "a"))
    api.on("WATCH", f"{PLACE}/pods", (200, []))

    assert await pods_seen(cluster, 1) == [("a",)]


async def test_a_right_that_is_not_known_yet_is_waited_for(api: FakeApi, cluster: Cluster) -> None:
    api.on("POST", f"{PLACE}/services", (403, {"message": "forbidden"}), (403, {"message": "forbidden"}), (201, {}))

    await cluster.create(service(TAG, "web"))

    assert len([seen for seen in api.seen if seen[0] == "POST"]) == 3


@pytest.mark.parametrize(
    ("status", "message", "error"),
    [
        (403, "exceeded quota: sandbox", QuotaExceeded),
        (403, "no right", DemoFailed),
        (422, "invalid", DemoFailed),
    ],
)
async def test_what_the_server_refuses_is_told(
    api: FakeApi, cluster: Cluster, status: int, message: str, error: type[Exception]
) -> None:
    api.on("POST", f"{PLACE}/services", (status, {"message": message}))

    with pytest.raises(error, match=message):
        await cluster.create(service(TAG, "web"))


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_a_server_that_cannot_serve_counts_as_away(api: FakeApi, cluster: Cluster, status: int) -> None:
    api.on("POST", f"{PLACE}/services", (status, {"message": "sorry"}))

    with pytest.raises(EngineUnavailable):
        await cluster.create(service(TAG, "web"))


SERVICE = f"{PLACE}/services/web"
AWAY = (503, {"message": "shutting down"})


@pytest.mark.parametrize(
    ("before", "after", "said"), [(None, "1", "created"), ("1", "1", "unchanged"), ("1", "2", "configured")]
)
async def test_to_apply_says_what_it_changed(
    api: FakeApi, cluster: Cluster, before: str | None, after: str, said: str
) -> None:
    if before:
        api.on("GET", SERVICE, (200, {"metadata": {"resourceVersion": before}}))
    api.on("PATCH", SERVICE, (200, {"metadata": {"resourceVersion": after}}))

    assert await cluster.apply(service(TAG, "web")) == [f"service/web {said}"]


async def test_a_server_that_comes_back_in_time_is_asked_again_whatever_was_asked(
    api: FakeApi, cluster: Cluster
) -> None:
    coming = (AWAY, (403, {"message": "rights are not known yet"}))
    for method in ("GET", "POST", "PATCH", "DELETE"):
        api.on(method, SERVICE.removesuffix("/web") if method == "POST" else SERVICE, *coming, (200, {"it": "is"}))

    assert await cluster.get("services/web") == {"it": "is"}
    await cluster.create(service(TAG, "web"))
    await cluster.patch("services/web", {})
    await cluster.delete("services/web")

    asked = [method for method, path, _ in api.seen if "services" in path]
    assert asked == ["GET"] * 3 + ["POST"] * 3 + ["PATCH"] * 3 + ["DELETE"] * 3


@pytest.mark.parametrize(("method", "done"), [("POST", 409), ("DELETE", 404)])
async def test_what_a_server_did_just_before_it_went_is_not_done_twice_and_is_no_error(
    api: FakeApi, cluster: Cluster, method: str, done: int
) -> None:
    api.on("POST", SERVICE.removesuffix("/web"), AWAY, (done, {"message": "already"}))
    api.on("DELETE", SERVICE, AWAY, (done, {"message": "already"}))

    await (cluster.create(service(TAG, "web")) if method == "POST" else cluster.delete("services/web"))

    assert [seen[0] for seen in api.seen[-2:]] == [method, method]


async def test_a_clean_up_rides_out_a_server_that_is_away(api: FakeApi, cluster: Cluster) -> None:
    ours = {"items": [expiring("portside-abcdefghij", FUTURE)]}
    api.on("GET", "/api/v1/namespaces", AWAY, (200, ours), AWAY, (200, {"items": []}))
    api.on("DELETE", PLACE, AWAY, (409, {"message": "it is on its way"}))

    assert await cluster.prune() == ["namespace portside-abcdefghij"]
    assert await cluster.left() == []


async def test_what_is_not_there_is_told_apart_from_what_is_refused(cluster: Cluster) -> None:
    with pytest.raises(NotThere, match="Start the demo again"):
        await cluster.get("deployments/web")


async def test_a_server_that_is_away_is_told_with_what_to_do(tmp_path: Path) -> None:
    endpoint = ClusterEndpoint(kubeconfig(tmp_path, 1), None, Images.published("portside/web:1"), ours=True)

    with pytest.raises(EngineUnavailable, match="portside engines status"):
        await Cluster.connect(endpoint, TAG)


async def test_credentials_that_cannot_be_read_are_told(tmp_path: Path) -> None:
    broken = tmp_path / "kubeconfig"
    broken.write_text("clusters: [")

    with pytest.raises(EngineUnavailable):
        await Cluster.connect(ClusterEndpoint(broken, None, Images.published("portside/web:1"), ours=True), TAG)


async def test_a_namespace_counts_as_removed_only_when_it_is_gone(api: FakeApi, cluster: Cluster) -> None:
    api.on("DELETE", PLACE, (200, {}))
    ours = {"items": [expiring("portside-abcdefghij", FUTURE), expiring("a-strangers", FUTURE)]}
    api.on("GET", "/api/v1/namespaces", (200, ours), (200, ours), (200, {"items": []}))

    assert await cluster.prune() == ["namespace portside-abcdefghij"]
    assert await cluster.left() == []


async def test_pods_of_a_silent_node_go_without_its_word_so_that_their_namespace_can_go(
    api: FakeApi, cluster: Cluster
) -> None:
    ours = {"items": [expiring("portside-abcdefghij", FUTURE)]}
    api.on("GET", "/api/v1/namespaces", (200, ours), (200, {"items": []}))
    api.on("GET", "/api/v1/nodes", (200, {"items": [node("node1"), node("node2", "Unknown")]}))
    pods = [pod(name, "1") | {"spec": {"nodeName": place}} for name, place in (("a", "node1"), ("b", "node2"))]
    api.on("GET", f"{PLACE}/pods", (200, {"items": pods}))
    api.on("DELETE", f"{PLACE}/pods/b", (200, {}))
    api.on("DELETE", PLACE, (200, {}))

    assert await cluster.prune() == ["namespace portside-abcdefghij"]
    assert [(path, body) for method, path, body in api.seen if method == "DELETE"] == [
        (f"{PLACE}/pods/b", {"gracePeriodSeconds": 0}),
        (PLACE, None),
    ]


async def test_a_namespace_that_was_never_made_is_not_counted(api: FakeApi, cluster: Cluster) -> None:
    api.on("GET", "/api/v1/namespaces", (200, {"items": []}))

    assert await cluster.prune() == []


def past(marks: Mapping[str, str]) -> bool:
    return expired(marks, NOW)


async def test_a_sweep_deletes_only_namespaces_of_ours_that_have_expired(api: FakeApi, tmp_path: Path) -> None:
    items = [
        expiring("portside-expired001", PAST),
        expiring("portside-living0001", FUTURE),
        expiring("portside-noexpiry01", None),
        expiring("portside-going00001", PAST, deletionTimestamp=PAST),
        expiring("kube-system", PAST),
        expiring("portside-system", PAST),
    ]
    api.on("GET", "/api/v1/namespaces", (200, {"items": items}))
    api.on("DELETE", "/api/v1/namespaces/portside-expired001", (200, {}))

    async with served(api, tmp_path) as endpoint:
        removed = await sweep(endpoint, past, most=20)

    assert removed == ["namespace portside-expired001"]
    assert [(path, body) for method, path, body in api.seen if method == "DELETE"] == [
        ("/api/v1/namespaces/portside-expired001", {"preconditions": {"uid": "uid-portside-expired001"}})
    ]


@given(
    names=st.sampled_from(["portside-abcdefghij", "portside-system", "default", "portside-ABCDEFGHIJ", "portside-a"]),
    offset=st.integers(-100_000, 100_000),
    going=st.booleans(),
)
def test_a_namespace_is_due_only_if_it_is_ours_past_its_time_and_not_on_its_way(
    names: str, offset: int, going: bool
) -> None:
    moment = write_time(NOW + timedelta(seconds=offset))
    metadata = {"deletionTimestamp": moment} if going else {}

    assert _is_due(expiring(names, moment, **metadata), past) == (
        names == "portside-abcdefghij" and offset < 0 and not going
    )


async def test_a_sweep_deletes_twenty_at_most(api: FakeApi, tmp_path: Path) -> None:
    names = [f"portside-expired{number:03}" for number in range(30)]
    api.on("GET", "/api/v1/namespaces", (200, {"items": [expiring(name, PAST) for name in names]}))
    for name in names:
        api.on("DELETE", f"/api/v1/namespaces/{name}", (200, {}))

    async with served(api, tmp_path) as endpoint:
        assert len(await sweep(endpoint, past, most=20)) == 20


async def test_a_namespace_that_was_made_anew_meanwhile_is_left_alone(api: FakeApi, tmp_path: Path) -> None:
    api.on("GET", "/api/v1/namespaces", (200, {"items": [expiring("portside-expired001", PAST)]}))
    api.on("DELETE", "/api/v1/namespaces/portside-expired001", (409, {"message": "the UID does not match"}))

    async with served(api, tmp_path) as endpoint:
        assert await sweep(endpoint, past, most=20) == []


async def test_a_namespace_that_cannot_be_deleted_does_not_keep_the_others_from_going(
    api: FakeApi, tmp_path: Path
) -> None:
    items = [expiring("portside-guarded001", PAST), expiring("portside-expired001", PAST)]
    api.on("GET", "/api/v1/namespaces", (200, {"items": items}))
    api.on("DELETE", "/api/v1/namespaces/portside-guarded001", (403, {"message": "a policy of somebody else's"}))
    api.on("DELETE", "/api/v1/namespaces/portside-expired001", (200, {}))

    async with served(api, tmp_path) as endpoint:
        assert await sweep(endpoint, past, most=20) == ["namespace portside-expired001"]


def storage_class(name: str, **annotations: str) -> dict[str, Any]:
    marks = {f"storageclass.kubernetes.io/{key.replace('_', '-')}": value for key, value in annotations.items()}
    return {"metadata": {"name": name, "annotations": marks}, "provisioner": f"{name}.example"}


CLASSES = "/apis/storage.k8s.io/v1/storageclasses"


async def test_the_default_class_is_the_one_that_is_marked(api: FakeApi, cluster: Cluster) -> None:
    marked = storage_class("fast", is_default_class="true")
    api.on("GET", CLASSES, (200, {"items": [storage_class("slow", is_default_class="false"), marked]}))

    assert await cluster.default_class() == StorageClass("fast", "fast.example")


@pytest.mark.parametrize("items", [[], [{"metadata": {"name": "slow"}, "provisioner": "slow.example"}]])
async def test_without_a_default_class_it_is_said_how_to_mark_one(
    api: FakeApi, cluster: Cluster, items: list[dict[str, Any]]
) -> None:
    api.on("GET", CLASSES, (200, {"items": items}))

    with pytest.raises(DemoFailed, match="kubectl annotate storageclass NAME"):
        await cluster.default_class()
