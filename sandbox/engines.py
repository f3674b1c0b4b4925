"""Which engines there are, how they do, and how a sandbox reaches them: plain values and one seam."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol, Self, get_args

from sandbox.errors import EngineUnavailable, ImageMissing
from sandbox.events import Engine

State = Literal["absent", "building", "starting", "ready", "failed"]
StepState = Literal["done", "now", "next", "failed"]
Version = Literal["1", "2", "never-ready"]

VERSIONS: tuple[Version, ...] = get_args(Version)


@dataclass(frozen=True)
class EngineConfig:
    """Where engines may come from; read from the settings once.

    `data` is the folder for everything kept, `cache` for what can be built again, `network` a free /16 for engines of
    our own. `docker_host` and `kube_context` name engines of the operator's; without them our own are started.
    `demo_image` names a published image for engines of the operator's; our own pull nothing, and get the built one.
    `registry` is where these push to and pull from, the beginning of an image's name; our own have one of their own.
    """

    data: Path
    cache: Path
    network: str = "10.196.0.0/16"
    docker_host: str | None = None
    kube_context: str | None = None
    demo_image: str | None = None
    registry: str | None = None


@dataclass(frozen=True)
class EngineStep:
    """One step of getting an engine ready; `seconds` it took, or has taken so far.

    `fraction` is which part of it is done, where that can be counted.
    """

    title: str
    state: StepState
    seconds: float | None = None
    fraction: float | None = None


@dataclass(frozen=True)
class EngineStatus:
    """How one engine does; `address` is `unix:///…` for Docker and `https://…` for Kubernetes."""

    engine: Engine
    state: State
    version: str | None = None
    address: str | None = None
    detail: str = ""
    steps: tuple[EngineStep, ...] = ()


@dataclass(frozen=True)
class Images:
    """What an engine calls each version of the demo image: 1, 2 of another colour, and one that is never ready."""

    names: Mapping[str, str]

    @classmethod
    def published(cls, name: str) -> Self:
        """Name the versions of a published image: beside its own tag stand `:2` and `:never-ready`.

        A digest stands for one version alone.
        """
        if "@" in name:
            return cls({"1": name})
        folder, slash, last = name.rpartition("/")
        repository = folder + slash + last.partition(":")[0]
        return cls({**{version: f"{repository}:{version}" for version in VERSIONS}, "1": name})

    def of(self, version: Version) -> str:
        """Return what a version is called. Raises `ImageMissing` where there is none."""
        if version not in self.names:
            raise ImageMissing(
                f"Version {version} of the demo image is not known. An image that PORTSIDE_DEMO_IMAGE names must have "
                f"a tag, for example :1; then the tag :{version} beside it is used."
            )
        return self.names[version]


@dataclass(frozen=True)
class DockerEndpoint:
    """A Docker engine that answers; `images` are the ids of the demo image in it, `ours` whether we started it.

    `publish` is the address that ports are published on: loopback, or our own engine's box, which only this machine
    reaches.
    `registry` is where it may push to, the beginning of an image's name; None where there is none.
    `far` says that apps are asked from a container beside them even where their addresses lead there from here.
    """

    host: str
    images: Images
    ours: bool
    where: str = "this machine"
    publish: str = "127.0.0.1"
    registry: str | None = None
    far: bool = False

    @property
    def image(self) -> str:
        """Version 1, which most demos run."""
        return self.images.of("1")


@dataclass(frozen=True)
class ClusterEndpoint:
    """A cluster that answers; `kubeconfig` None means in-cluster credentials, `images` are what a pod names.

    `registry` is where it pulls from what a Docker engine of the same `registry` has pushed.
    `far` says that apps are asked from a pod beside them even where their addresses lead there from here.
    """

    kubeconfig: Path | None
    context: str | None
    images: Images
    ours: bool
    where: str = "this machine"
    registry: str | None = None
    far: bool = False

    @property
    def image(self) -> str:
        """Version 1, which most demos run."""
        return self.images.of("1")


class SpareDocker(Protocol):
    """A Docker engine that is there to fail: a second machine, as far as Docker is concerned."""

    endpoint: DockerEndpoint

    async def cut(self) -> None:
        """Cut its power: the engine and all its containers end at once."""
        ...

    async def start(self) -> None:
        """Give it its power back; return when it answers. What its containers do then is its own affair."""
        ...


class Machines(Protocol):
    """What may fail because it is ours alone. It is back after the block, after 150 s, and if its asker dies."""

    def node_stopped(self, node: str) -> AbstractAsyncContextManager[None]:
        """Cut a node's power; after the block it is back, and ready."""
        ...

    def second_docker(self) -> AbstractAsyncContextManager[SpareDocker]:
        """Have a Docker engine of one's own, with the demo image in it; after the block nothing of it is left."""
        ...


def own_machines(machines: Machines | None) -> Machines:
    """Return what may fail. Raises `EngineUnavailable` where nothing is ours to break."""
    if machines is None:
        raise EngineUnavailable(
            "This demo cuts the power of a node, and does that to nothing but a cluster of Portside's own. Unset "
            "PORTSIDE_KUBE_CONTEXT to have one, or watch the recorded run with portside replay."
        )
    return machines


def common_registry(docker: str | None, cluster: str | None) -> str:
    """Return the registry that both sides have. Raises `EngineUnavailable` where they have none in common."""
    if docker is None or docker != cluster:
        raise EngineUnavailable(
            "There is no registry that this Docker pushes to and this cluster pulls from. Two engines of Portside's "
            "own have one, two of yours have the one that PORTSIDE_REGISTRY names, for example "
            "registry.example.com/team; one of each have none, since those of Portside's own have no way out."
        )
    return docker


class Engines(Protocol):
    """The pair of engines that one process holds; ours live as long as somebody holds them."""

    def status(self) -> tuple[EngineStatus, ...]:
        """How each engine does now: Docker first, then Kubernetes."""
        ...

    def progress(self) -> AsyncIterator[tuple[EngineStatus, ...]]:
        """Yield the status at once, whenever it changes and each second, until no engine is on its way."""
        ...

    async def docker(self) -> DockerEndpoint:
        """Wait for Docker. Raises `EngineUnavailable` with what is wrong and what to do."""
        ...

    async def cluster(self) -> ClusterEndpoint:
        """Wait for Kubernetes. Raises `EngineUnavailable` with what is wrong and what to do."""
        ...

    def machines(self) -> Machines | None:
        """Return what may fail; None where the cluster is not ours."""
        ...


async def while_hopeful(progress: AsyncIterator[tuple[EngineStatus, ...]]) -> AsyncIterator[tuple[EngineStatus, ...]]:
    """Yield how the engines come up, and end with the first failure: a demo needs both."""
    async for states in progress:
        yield states
        if any(state.state == "failed" for state in states):
            return
