"""Engines and sandboxes without engines: ordinary adapters that play both lanes in less than a second.

The app of a fake lane is a real HTTP server on 127.0.0.1, so that the real prober measures it. Its Docker restarts what
has ended, marks unhealthy what hangs, and leaves it; its cluster restarts or replaces everything.
"""

import asyncio
import contextlib
import json
import socket
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sandbox import http
from sandbox.clients import Far, Near
from sandbox.docker_run import Build, Container
from sandbox.engines import ClusterEndpoint, DockerEndpoint, EngineStatus, Images, Machines, own_machines
from sandbox.errors import EngineUnavailable, NameTaken, QuotaExceeded, SandboxError
from sandbox.events import Cleanup, Engine, EngineInfo, Instance, Observed, Snapshot
from sandbox.manifests import Manifest
from sandbox.names import Tag
from sandbox.observing import Json, StorageClass
from sandbox.routes import Address
from sandbox.sandbox import Client, Pace, SecondDocker, Target
from sandbox.turns import Turns

# Generous enough for a machine that is busy with other things: a time-out must mean a hung app, not a late one.
QUICK = Pace(
    steady=0.1,
    observe=1.0,
    shortest=0.4,
    settled=0.2,
    interval=0.03,
    timeout=0.5,
    report=0.04,
    look=0.02,
    startup=10.0,
    turn=0.1,
    patience=0.5,
)
REPAIR = 0.06
SAYS = {"1": "1", "2": "2", "never-ready": "3"}


class FakeApp:
    """The demo's web server: answers, or does not, as it was told."""

    def __init__(self, name: str = "web") -> None:
        self._name = name
        self.says = "1"
        self.data: dict[str, bytes] = {}
        self.faults: asyncio.Queue[str] = asyncio.Queue()
        self._listener: socket.socket | None = None
        self._port = 0
        self._hung = asyncio.Event()
        self._out = False
        self._serving: set[asyncio.Task[None]] = set()

    @property
    def address(self) -> Address:
        return Address("127.0.0.1", self._port)

    async def start(self) -> None:
        self._listener = listener = socket.create_server(("127.0.0.1", self._port))
        listener.setblocking(False)
        self._port = listener.getsockname()[1]
        asyncio.get_running_loop().add_reader(listener, self._accept, listener)

    def _close(self) -> None:
        """Listen no more. An asyncio.Server that is closed loses what it has accepted in the same moment."""
        if self._listener:
            asyncio.get_running_loop().remove_reader(self._listener)
            self._listener.close()
            self._listener = None

    async def stop(self) -> None:
        self._close()
        for task in tuple(self._serving):
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)
        self._hung.clear()

    def _accept(self, listener: socket.socket) -> None:
        with contextlib.suppress(BlockingIOError, ConnectionError):
            connection, _ = listener.accept()
            task = asyncio.create_task(self._serve(connection))
            self._serving.add(task)
            task.add_done_callback(self._serving.discard)
            task.add_done_callback(lambda _: connection.close())  # also where it was cancelled before it began

    async def _serve(self, connection: socket.socket) -> None:
        reader, writer = await asyncio.open_connection(sock=connection)
        try:
            await self._answer(reader, writer)
        except (OSError, asyncio.CancelledError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.transport.abort()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        method, path, _ = head.decode().split(maxsplit=2)
        if self._hung.is_set():
            await asyncio.sleep(3600)
        who = f"instance {self._name} version {self.says}\n"
        status = "202 Accepted" if method == "POST" else "503 Service Unavailable" if self._out else "200 OK"
        writer.write(f"HTTP/1.1 {status}\r\n\r\n{'' if method == 'POST' else who}".encode())
        await writer.drain()
        writer.close()
        await writer.wait_closed()
        if method == "POST":
            await self.break_down(path.rpartition("/")[2])

    async def break_down(self, fault: str) -> None:
        if fault in ("unready", "ready"):
            self._out = fault == "unready"
            return
        if fault == "hang":
            self._hung.set()
        else:
            self._close()
        self.faults.put_nowait(fault)


def note(data: dict[str, bytes], method: str, body: bytes) -> http.Answer:
    """What the app does with its note."""
    if method == "PUT":
        data["note"] = body
        return http.Answer(204, b"")
    return http.Answer(200, data["note"]) if "note" in data else http.Answer(404, b"no note here")


class FakeBeside:
    """Where our program runs beside an app: it writes the lines of `web probe`, by a clock of its own."""

    def __init__(self, ahead: float = 0.0, lost: int = 0) -> None:
        self._ahead = ahead
        self._lost = lost

    async def first_answer(self, target: Target) -> None:
        await Near().first_answer(target)

    async def follow(self, words: tuple[str, ...], ended: asyncio.Event) -> AsyncGenerator[str, None]:
        _, wanted, interval, timeout = words
        address, _, path = wanted.partition("/")
        host, _, port = address.rpartition(":")
        pace = Pace(interval=float(interval.rstrip("s")), timeout=float(timeout.rstrip("s")))
        target = Target(Address(host, int(port)), pace, lambda: time.monotonic() + self._ahead, ended, f"/{path}")
        count = 0
        async with aclosing(Near().requests(target)) as requests:
            async for request in requests:
                count += 1
                yield json.dumps(asdict(request)) + "\n"
        yield json.dumps({"requests": count + self._lost}) + "\n"


class FakeDocker:
    """Containers: restarted when they end, left alone when they hang, gone when they are removed."""

    info = EngineInfo("0.0.0", "nowhere")
    registry: str | None = None

    def __init__(self, tag: Tag, gone: bool) -> None:
        self.tag = tag
        self.apps: dict[str, FakeApp] = {}
        self.phases: dict[str, str] = {}
        self.restarts = 0
        self._gone = gone
        self._observed: asyncio.Queue[Observed | None] = asyncio.Queue()
        self._watching: dict[str, asyncio.Task[None]] = {}
        self._volumes: dict[str, dict[str, bytes]] = {}

    async def run(self, container: Container) -> None:
        name = container.name
        if name in self.phases:
            raise NameTaken(f'Conflict. The container name "/{name}" is already in use by container "0".')
        app = self.apps.setdefault(name, FakeApp(name))  # one that is run again keeps its port
        app.says, app.faults = SAYS[container.version], asyncio.Queue()
        app.data = self._volumes[container.volume] if container.volume else {}
        await app.start()
        self.phases[name] = "healthy" if container.check else "running"
        if old := self._watching.pop(name, None):
            old.cancel()
        self._watching[name] = asyncio.create_task(self._watch(name))

    async def memory(self) -> int:
        return 16 * 2**30

    async def build(self, wanted: Build, told: Callable[[str], None]) -> None:
        told("Step 1/1 : FROM scratch")

    async def push(self, image: str, told: Callable[[str], None]) -> str:
        told("Pushed")
        return f"sha256:{64 * '1'}"

    async def free_port(self) -> int:
        return 20_000

    def published(self, port: int) -> Address:
        return next(iter(self.apps.values())).address

    async def ps(self) -> tuple[Instance, ...]:
        return tuple(
            Instance(name, phase, phase in ("healthy", "running"), self.restarts, None, "1")
            for name, phase in self.phases.items()
        )

    async def address(self, name: str) -> Address:
        return self.apps[name].address

    async def tell(self, name: str, path: str) -> None:
        await http.tell(self.apps[name].address, path)

    async def events(self) -> AsyncGenerator[Observed, None]:
        while observed := await self._observed.get():
            yield observed
        raise EngineUnavailable("Docker does not answer any more. Start the demo again.")

    async def _watch(self, name: str) -> None:
        fault = await self.apps[name].faults.get()
        if self._gone:
            self._observed.put_nowait(None)
            return
        await asyncio.sleep(REPAIR)
        if fault == "hang":
            self.phases[name] = "unhealthy"
            self._observed.put_nowait(_docker("health_status: unhealthy"))
        elif fault == "remove":
            self.phases.pop(name, None)
            self._observed.put_nowait(_docker("destroy: web"))
        else:
            self._observed.put_nowait(_docker("die: exit code 1"))
            await self.apps[name].start()
            self.restarts += 1
            self._observed.put_nowait(_docker("start: web"))

    async def stop(self, name: str) -> None:
        await self.apps[name].break_down("remove")

    async def ask(self, name: str, method: str, path: str, body: bytes = b"") -> http.Answer:
        return note(self.apps[name].data, method, body)

    async def volume_create(self, name: str) -> None:
        self._volumes[name] = {}

    async def rm(self, name: str) -> None:
        self.phases.pop(name, None)
        await self.apps[name].break_down("remove")

    async def close(self) -> None:
        for task in self._watching.values():
            task.cancel()
        await asyncio.gather(*self._watching.values(), return_exceptions=True)
        for app in self.apps.values():
            await app.stop()


class FakeDeployment:
    """Rolls out at once what becomes ready, and never what does not; each template has a revision."""

    def __init__(self, manifest: Manifest) -> None:
        self.replicas = int(manifest["spec"]["replicas"])
        self._templates = [manifest["spec"]["template"]]

    @property
    def version(self) -> str:
        return str(self._templates[-1]["metadata"]["labels"]["version"])

    def change(self, template: Json) -> None:
        labels = {**self._templates[-1]["metadata"]["labels"], **template["metadata"].get("labels", {})}
        self._templates.append({"metadata": {"labels": labels}, "spec": template.get("spec", {})})

    def get(self) -> dict[str, Any]:
        wanted = self.replicas
        updated = 1 if self.version == "never-ready" else wanted
        return {
            "metadata": {"name": "web", "uid": "u", "generation": 1, **_revision(len(self._templates))},
            "spec": {"replicas": wanted, "template": self._templates[-1]},
            "status": {
                "observedGeneration": 1,
                "replicas": wanted,
                "updatedReplicas": updated,
                "availableReplicas": wanted,
            },
        }

    def replicasets(self) -> dict[str, Any]:
        owner = {"ownerReferences": [{"uid": "u"}]}
        return {
            "items": [
                {"metadata": {**owner, **_revision(number)}, "spec": {"template": template}}
                for number, template in enumerate(self._templates, 1)
            ]
        }


def _revision(number: int) -> dict[str, Any]:
    return {"annotations": {"deployment.kubernetes.io/revision": str(number)}}


class FakeKeeper:
    """The one pod of a Deployment with data: whenever that changes, it is a new one on the next node."""

    def __init__(self, name: str, claimed: bool) -> None:
        self._name = name
        self._claimed = claimed
        self._number = 1
        self.data: dict[str, bytes] = {}

    @property
    def pod(self) -> Instance:
        return Instance(f"{self._name}-{self._number}", "Running", True, 0, f"node{self._number}", "1")

    def replace(self) -> None:
        self._number += 1
        self.data = self.data if self._claimed else {}


class FakeCluster:
    """One pod behind a Service: restarted when it ends or hangs, replaced when it is deleted.

    Further copies just run, on each node in turn. A bare pod finds no node; the second is over the quota.
    """

    info = EngineInfo("0.0.0", "nowhere", 3)
    images = Images.published("portside/web:1")
    deployment: FakeDeployment
    registry: str | None = None
    warned = ""

    def __init__(self, tag: Tag, lacks: frozenset[str]) -> None:
        self.tag = tag
        self._lacks = lacks
        self.app = FakeApp()
        self.applied: list[Manifest] = []
        self._pod = Instance("web-a", "Running", True, 0, "node1", "1")
        self._bare: list[Instance] = []
        self._keepers: dict[str, FakeKeeper] = {}
        self._changed = asyncio.Event()

    async def apply(self, *manifests: Manifest) -> list[str]:
        before = self.deployment.replicas if self.applied else None
        for manifest in manifests:
            self._declare(manifest)
        if before is None:
            await self.app.start()
        self.applied += manifests
        self._changed.set()
        what = {None: "created", self.deployment.replicas: "unchanged"}.get(before, "configured")
        return [f"deployment.apps/{one['metadata']['name']} {what}" for one in manifests]

    def _declare(self, manifest: Manifest) -> None:
        if manifest["kind"] == "Deployment":
            self.deployment = FakeDeployment(manifest)
            for volume in manifest["spec"]["template"]["spec"]["volumes"]:
                if volume["name"] == "data":
                    name = manifest["metadata"]["name"]
                    self._keepers[name] = FakeKeeper(name, "persistentVolumeClaim" in volume)
        if manifest["kind"] == "Pod":
            if self._bare:
                raise QuotaExceeded("exceeded quota: sandbox")
            self._bare.append(Instance(manifest["metadata"]["name"], "Pending", False, 0, None, "1"))

    async def get(self, resource: str) -> dict[str, Any]:
        if resource.startswith("pods/"):
            return {"status": {"conditions": [{"reason": "Unschedulable", "message": "0/3 nodes are available"}]}}
        return {"deployments/web": self.deployment.get, "replicasets": self.deployment.replicasets}[resource]()

    async def patch(self, resource: str, changes: Json) -> None:
        if keeper := self._keepers.get(resource.removeprefix("deployments/")):
            keeper.replace()
            return
        if resource.endswith("/scale"):
            self.deployment.replicas = changes["spec"]["replicas"]
            return
        if changes["spec"]["template"]["metadata"].get("annotations"):  # as `kubectl rollout restart` does
            self._pod = replace(self._pod, name="web-anew")
        self.deployment.change(changes["spec"]["template"])
        if self.deployment.version != "never-ready":
            self.app.says = SAYS[self.deployment.version]

    async def ask(self, name: str, method: str, path: str, body: bytes = b"") -> http.Answer:
        if path != "/data":
            return await http.request(self.app.address, method, path, 2, body)
        return note(self._keepers[name.partition("-")[0]].data, method, body)

    async def default_class(self) -> StorageClass:
        return StorageClass("portside", "portside.dev/folders")

    async def available(self, api: str) -> None:
        if api in self._lacks:
            raise EngineUnavailable(f"The cluster has no {api} API.")

    async def warning(self) -> str:
        return self.warned

    async def ready(self, app: str, replicas: int) -> None:
        """It is at once."""

    async def watch(self) -> AsyncGenerator[Snapshot | Observed, None]:
        while True:
            await self._changed.wait()
            self._changed.clear()
            yield Snapshot(engine=Engine.KUBERNETES, instances=await self.get_pods())

    async def nodes(self) -> AsyncGenerator[dict[str, bool], None]:
        yield {"node1": True, "node2": True, "node3": True}

    async def events(self) -> AsyncGenerator[Observed, None]:
        fault = await self.app.faults.get()
        await asyncio.sleep(REPAIR)
        if fault == "hang":
            yield _cluster("kubelet", "Unhealthy: Liveness probe failed")
            yield _cluster("kubelet", "Killing: Container web failed liveness probe, will be restarted")
        if fault == "remove":
            yield _cluster("replicaset", "SuccessfulCreate: Created pod: web-b")
            yield _cluster("scheduler", "Scheduled: Successfully assigned web-b to node2")
        self._pod = Instance("web-b" if fault == "remove" else "web-a", "Running", True, 1, "node2", "1")
        await self.app.stop()
        await self.app.start()
        self._changed.set()
        yield _cluster("kubelet", "Started: Container started")
        await asyncio.Event().wait()

    async def get_pods(self) -> tuple[Instance, ...]:
        if not self.applied:
            return ()
        copies = range(1, self.deployment.replicas)
        others = (replace(self._pod, name=f"{self._pod.name}-{n}", ready=True, node=f"node{n % 3 + 1}") for n in copies)
        return (self._pod, *others, *self._bare, *(keeper.pod for keeper in self._keepers.values()))

    async def pod_address(self, name: str) -> Address:
        return self.app.address

    async def tell(self, name: str, path: str) -> None:
        await http.tell(self.app.address, path)

    async def service_address(self, name: str) -> Address:
        return self.app.address

    async def delete(self, resource: str) -> None:
        self._pod = replace(self._pod, phase="Terminating", ready=False)
        await self.app.break_down("remove")


def _docker(text: str) -> Observed:
    return Observed(engine=Engine.DOCKER, actor="dockerd", text=text)


def _cluster(actor: str, text: str) -> Observed:
    return Observed(engine=Engine.KUBERNETES, actor=actor, text=text)


class FakeSandbox:
    """Both sides of one run, without an engine."""

    run = "fake000001"
    settings: Mapping[str, Any] = {}
    machines: Machines | None = None

    def __init__(self, lab: "FakeLab", owner: str, part: str = "", began: float | None = None) -> None:
        tag = Tag(self.run, owner, datetime.now(UTC), part)
        self.pace = lab.pace
        self.docker = FakeDocker(tag, lab.docker_goes)
        self.cluster = FakeCluster(tag, lab.lacks)
        self.cleanups: tuple[Cleanup, ...] = ()
        self.turns = lab.turns
        self._lab = lab
        self._owner = owner
        self._parts: dict[str, FakeSandbox] = {}
        self._began = time.monotonic() if began is None else began

    @property
    def clients(self) -> Mapping[Engine, Client]:
        return {engine: Far(FakeBeside()) if self._lab.far else Near() for engine in Engine}

    def clock(self) -> float:
        return time.monotonic() - self._began

    def part(self, name: str) -> "FakeSandbox":
        if not name:
            return self
        return self._parts.setdefault(name, FakeSandbox(self._lab, self._owner, name, self._began))

    async def prepare(self) -> None:
        if self._lab.refuses:
            raise self._lab.refuses

    def node_stopped(self, node: str) -> AbstractAsyncContextManager[None]:
        return own_machines(self.machines).node_stopped(node)

    def second_docker(self) -> AbstractAsyncContextManager[SecondDocker]:
        raise EngineUnavailable("There is no second machine.")

    async def remove(self) -> None:
        for part in self._parts.values():
            await part.remove()
        await self.docker.close()
        await self.cluster.app.stop()
        left = ("run fake000001",) if self._lab.docker_goes else ()
        self.cleanups = (
            Cleanup(engine=Engine.DOCKER, removed=() if left else ("container web-fake0",), left=left, seconds=0.1),
            Cleanup(engine=Engine.KUBERNETES, removed=("namespace portside-fake000001",), left=(), seconds=0.2),
        )


class FakeLab:
    """Opens fake sandboxes; `unavailable` fails before there is one, `refuses` in it, `docker_goes` after the fault.

    `lacks` names the APIs that its cluster has not.
    """

    far = False

    def __init__(
        self,
        pace: Pace = QUICK,
        unavailable: SandboxError | None = None,
        refuses: SandboxError | None = None,
        docker_goes: bool = False,
        lacks: frozenset[str] = frozenset(),
    ) -> None:
        self.pace = pace
        self.unavailable = unavailable
        self.refuses = refuses
        self.docker_goes = docker_goes
        self.lacks = lacks
        self.opened = self.closed = 0
        self.turns = Turns()

    @asynccontextmanager
    async def open(self, owner: str, seconds: float) -> AsyncIterator[FakeSandbox]:
        if self.unavailable:
            raise self.unavailable
        self.opened += 1
        sandbox = FakeSandbox(self, owner)
        try:
            yield sandbox
        finally:
            await sandbox.remove()
            self.closed += 1


class FakeLabElsewhere(FakeLab):
    """One of whose engines the apps are asked from beside them."""

    far = True


class FakeEngines:
    """A pair of engines in a given state; ready by default."""

    def __init__(self, *statuses: EngineStatus) -> None:
        self.statuses = statuses or (
            EngineStatus(Engine.DOCKER, "ready", "0.0.0", "unix:///nowhere"),
            EngineStatus(Engine.KUBERNETES, "ready", "0.0.0", "https://nowhere"),
        )

    def status(self) -> tuple[EngineStatus, ...]:
        return self.statuses

    async def progress(self) -> AsyncIterator[tuple[EngineStatus, ...]]:
        yield self.statuses

    async def docker(self) -> DockerEndpoint:
        self._require(Engine.DOCKER)
        return DockerEndpoint("unix:///nowhere", Images.published("portside/web:1"), ours=True)

    async def cluster(self) -> ClusterEndpoint:
        self._require(Engine.KUBERNETES)
        return ClusterEndpoint(Path("/nowhere"), None, Images.published("portside/web:1"), ours=True)

    def machines(self) -> None:
        return None

    def _require(self, engine: Engine) -> None:
        for status in self.statuses:
            if status.engine is engine and status.state == "failed":
                raise EngineUnavailable(status.detail)
