"""A sandbox: one owner's throwaway containers and namespace, gone when its block ends."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, Protocol

from sandbox.docker_run import Build, Container
from sandbox.engines import Images, Machines
from sandbox.events import Cleanup, Engine, EngineInfo, Instance, Observed, Snapshot
from sandbox.http import Answer
from sandbox.manifests import Manifest
from sandbox.measuring import Request
from sandbox.names import Tag
from sandbox.observing import Json, StorageClass
from sandbox.routes import Address
from sandbox.turns import Turns

Clock = Callable[[], float]


@dataclass(frozen=True)
class Pace:
    """How fast a demo goes, in seconds: real runs take these figures, quick tests smaller ones.

    A run shows `steady` seconds of normal service, and after the fault `observe` seconds, or `shortest` where both
    lanes have answered for the last `settled` seconds. A request goes out every `interval`, and may take `timeout`.
    What was answered is told every `report` seconds or one request later, so that a probe covers at most 0.5 s; Docker
    is asked what runs every `look`; and an app may take `startup` until its first answer. What is measured has the
    machine to itself, among the runs of one process, for its first `turn` seconds, and waits up to `patience` for that.
    """

    steady: float = 5.0
    observe: float = 30.0
    shortest: float = 10.0
    settled: float = 5.0
    interval: float = 0.1
    timeout: float = 1.0
    report: float = 0.3
    look: float = 0.5
    startup: float = 20.0
    turn: float = 6.0
    patience: float = 40.0


@dataclass(frozen=True)
class Target:
    """What a client is to ask for, at which pace, on which clock, and until when."""

    address: Address
    pace: Pace
    clock: Clock
    ended: asyncio.Event
    path: str = "/"


class Client(Protocol):
    """Asks an app for a lane, from where it stands: in this process, or beside the app.

    Only a client and `tell` send anything to an app.
    """

    def requests(self, target: Target) -> AsyncGenerator[Request, None]:
        """Yield each request once it is over, to the last one that was under way when the target ended."""
        ...

    async def first_answer(self, target: Target) -> None:
        """Return once the app gives a good answer; what it takes until then is not told."""
        ...


class Docker(Protocol):
    """One run's containers, in docker's verbs. Everything raises a `SandboxError` where the engine does not do it."""

    info: EngineInfo
    tag: Tag
    registry: str | None

    async def run(self, container: Container) -> None:
        """Start a container of the demo image."""
        ...

    async def memory(self) -> int:
        """Return how much memory the host has, in bytes, as `docker info` says."""
        ...

    async def build(self, wanted: Build, told: Callable[[str], None]) -> None:
        """Build an image of the run's own, and tell what the builder says."""
        ...

    async def push(self, image: str, told: Callable[[str], None]) -> str:
        """Push an image to the registry of its name, tell what is said, and return its digest."""
        ...

    async def free_port(self) -> int:
        """Return a port of the machine that no container of this engine has published."""
        ...

    async def ps(self) -> tuple[Instance, ...]:
        """Say what runs now, and what has stopped."""
        ...

    def published(self, port: int) -> Address:
        """Return where this run's client finds a published port."""
        ...

    async def address(self, name: str) -> Address:
        """Return where a container answers by itself to this run's client."""
        ...

    async def tell(self, name: str, path: str) -> None:
        """Post to the app in a container, for example to break it."""
        ...

    async def ask(self, name: str, method: str, path: str, body: bytes = b"") -> Answer:
        """Ask the app in a container for something of its own, for example its note."""
        ...

    def events(self) -> AsyncGenerator[Observed, None]:
        """Yield what the engine reports about the run's containers from now on."""
        ...

    async def stop(self, name: str) -> None:
        """Stop a container, as `docker stop` does."""
        ...

    async def volume_create(self, name: str) -> None:
        """Make a named volume of the run."""
        ...

    async def rm(self, name: str) -> None:
        """Remove a container, running or not."""
        ...


class SecondDocker(Docker, Protocol):
    """Docker on a second machine, which can lose its power. Without power nothing runs, and nothing is reported."""

    async def cut(self) -> None:
        """Cut the machine's power: the engine and all its containers end at once."""
        ...

    async def start(self) -> None:
        """Give the machine its power back; return when its engine answers."""
        ...


class Cluster(Protocol):
    """One run's namespace, in kubectl's verbs. Everything raises a `SandboxError` where the cluster does not do it."""

    info: EngineInfo
    tag: Tag
    images: Images
    registry: str | None

    async def apply(self, *manifests: Manifest) -> list[str]:
        """Make objects what is declared, in this order; say what was created, configured or left unchanged."""
        ...

    async def get(self, resource: str) -> dict[str, Any]:
        """Return an object or a list, for example `deployments/web` or `events`."""
        ...

    async def patch(self, resource: str, changes: Json) -> None:
        """Merge changes into an object, for example into `deployments/web/scale`."""
        ...

    async def delete(self, resource: str) -> None:
        """Delete an object, for example `pods/web-1`."""
        ...

    async def available(self, api: str) -> None:
        """Wait for an API that another server gives, for example `v1beta1.metrics.k8s.io`. Raises EngineUnavailable."""
        ...

    async def default_class(self) -> StorageClass:
        """Return the class that a claim gets which names none. Raises DemoFailed where there is none."""
        ...

    async def warning(self) -> str:
        """Say as a sentence what Kubernetes last warned of in the run; nothing where it did not."""
        ...

    async def ready(self, app: str, replicas: int) -> None:
        """Wait until so many pods of an app are ready. Raises DemoFailed after the time an app may take to start."""
        ...

    def watch(self) -> AsyncGenerator[Snapshot | Observed, None]:
        """Yield the pods whenever one changes, and which of their containers ended and why."""
        ...

    def nodes(self) -> AsyncGenerator[dict[str, bool], None]:
        """Yield which nodes there are and whether each is ready, now and whenever that changes."""
        ...

    def events(self) -> AsyncGenerator[Observed, None]:
        """Yield what controllers, scheduler and kubelet report about the run's objects."""
        ...

    async def get_pods(self) -> tuple[Instance, ...]:
        """Say which pods there are."""
        ...

    async def pod_address(self, name: str) -> Address:
        """Return where one pod answers to this run's client."""
        ...

    async def tell(self, name: str, path: str) -> None:
        """Post to the app in a pod, for example to break it."""
        ...

    async def ask(self, name: str, method: str, path: str, body: bytes = b"") -> Answer:
        """Ask the app in a pod for something of its own, for example its note."""
        ...

    async def service_address(self, name: str) -> Address:
        """Return where a Service answers to this run's client."""
        ...


class Sandbox(Protocol):
    """Both sides of one run, or of a part of it.

    `cleanups` is filled when its block ends; `settings` is how its engines are tuned, `machines` what may be broken,
    `turns` the line in which the runs of this process stand.
    """

    run: str
    pace: Pace
    settings: Mapping[str, Any]
    machines: Machines | None
    turns: Turns
    cleanups: tuple[Cleanup, ...]

    @property
    def docker(self) -> Docker:
        """The run's containers."""
        ...

    @property
    def cluster(self) -> Cluster:
        """The run's namespace."""
        ...

    @property
    def clients(self) -> Mapping[Engine, Client]:
        """Who asks the apps of each side."""
        ...

    def clock(self) -> float:
        """Return the seconds since the run began."""
        ...

    def part(self, name: str) -> "Sandbox":
        """Return a part of the run with a network and a namespace of its own; without a name, the run itself."""
        ...

    async def prepare(self) -> None:
        """Make the network and the namespace with everything that limits them."""
        ...

    def node_stopped(self, node: str) -> AbstractAsyncContextManager[None]:
        """Cut a node's power; after the block it is back, and the clean-up looks whether it is ready."""
        ...

    def second_docker(self) -> AbstractAsyncContextManager[SecondDocker]:
        """Have a second machine with a Docker of its own; after the block nothing of it is left."""
        ...


class OpenSandbox(Protocol):
    """What makes sandboxes: a `Lab`, or a fake one."""

    def __call__(self, owner: str, seconds: float) -> AbstractAsyncContextManager[Sandbox]:
        """Wait for both engines and open a sandbox for an owner, to be used at most for some seconds."""
        ...
