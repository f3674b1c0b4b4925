"""The lab: makes both sides of a sandbox, removes them at the end of its block, and looks whether they are gone."""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sandbox import lifetimes
from sandbox.cluster import Cluster
from sandbox.containers import Containers
from sandbox.engines import ClusterEndpoint, DockerEndpoint, Engines, Machines, own_machines
from sandbox.errors import SandboxError
from sandbox.events import Cleanup, Engine
from sandbox.local.programs import SETTINGS
from sandbox.names import Tag, new_run
from sandbox.sandbox import Client, Pace, Sandbox
from sandbox.second import SecondContainers
from sandbox.streams import both, to_the_end
from sandbox.turns import Turns

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Shared:
    """What all sandboxes of one lab have in common."""

    pace: Pace
    settings: Mapping[str, Any]
    machines: Machines | None
    turns: Turns


class LabSandbox:
    """Both sides of one run on real engines, or of one part of it."""

    def __init__(self, docker: Containers, cluster: Cluster, shared: Shared) -> None:
        self.run = docker.tag.run
        self.pace = shared.pace
        self.docker = docker
        self.cluster = cluster
        self.settings = shared.settings
        self.machines = shared.machines
        self.turns = shared.turns
        self.cleanups: tuple[Cleanup, ...] = ()
        self._shared = shared
        self._parts = {docker.tag.part: self}
        self._prepared = False
        self._began = time.monotonic()

    @property
    def clients(self) -> Mapping[Engine, Client]:
        """Who asks the apps of each side."""
        return {Engine.DOCKER: self.docker.client, Engine.KUBERNETES: self.cluster.client}

    @property
    def expires(self) -> datetime:
        """When the sweep may take what is left of it."""
        return self.docker.tag.expires

    def clock(self) -> float:
        """Return the seconds since the run began."""
        return time.monotonic() - self._began

    def part(self, name: str) -> "LabSandbox":
        """Return a part of the run with a network and a namespace of its own; it goes when the run goes."""
        if name not in self._parts:
            tag = replace(self.docker.tag, part=name)
            part = self._parts[name] = LabSandbox(self.docker.part(tag), self.cluster.part(tag), self._shared)
            part._began = self._began
        return self._parts[name]

    async def prepare(self) -> None:
        """Make the network and the namespace with everything that limits them, where they do not stand already."""
        if not self._prepared:
            await both(self.docker.network_create(), self.cluster.create_namespace())
            self._prepared = True

    async def stands(self) -> bool:
        """Look whether network and namespace are still there."""
        return all(await both(self.docker.left(), self.cluster.left()))

    def given(self, owner: str, seconds: float) -> "LabSandbox":
        """Return it as the sandbox of an owner whose run begins now; what stands keeps its labels and its expiry."""
        tag = replace(_tag(owner, seconds), run=self.run)
        given = LabSandbox(self.docker.part(tag), self.cluster.part(tag), self._shared)
        given._prepared = self._prepared
        return given

    @asynccontextmanager
    async def node_stopped(self, node: str) -> AsyncGenerator[None, None]:
        """Cut a node's power; after the block it is back, and the clean-up looks whether it is ready."""
        self.cluster.stopped.add(node)
        async with own_machines(self.machines).node_stopped(node):
            yield

    @asynccontextmanager
    async def second_docker(self) -> AsyncGenerator[SecondContainers, None]:
        """Have a second machine with a Docker of its own; after the block nothing of it is left."""
        async with own_machines(self.machines).second_docker() as spare:
            second = await SecondContainers.on(spare, self.docker.tag)
            try:
                await second.network_create()
                yield second
            finally:
                await second.close()

    async def remove(self) -> None:
        """Remove both sides, each within a bounded time, and give the connections back."""
        async with self.turns.share(self.run, lifetimes.CLEANUP_TURN):
            self.cleanups = await both(_removed(Engine.DOCKER, self.docker), _removed(Engine.KUBERNETES, self.cluster))
        await both(self.docker.close(), self.cluster.close())


async def _removed(engine: Engine, side: Containers | Cluster) -> Cleanup:
    """What cannot be verified counts as left."""
    began = time.monotonic()
    cleanup = Cleanup(engine=engine, removed=(), left=(f"run {side.tag.run}",), seconds=0.0)
    try:
        async with asyncio.timeout(lifetimes.CLEANUP):
            cleanup = replace(cleanup, removed=tuple(await side.prune()))
            cleanup = replace(cleanup, left=tuple(await side.left()))
    except (SandboxError, TimeoutError) as error:
        log.warning("clean-up of run %s on %s could not be verified: %s", side.tag.run, engine.value, repr(error))
    return replace(cleanup, seconds=round(time.monotonic() - began, 3))


@asynccontextmanager
async def removed_after(sandbox: LabSandbox) -> AsyncGenerator[LabSandbox, None]:
    """Remove a sandbox at the end of the block, also if cancelled."""
    try:
        yield sandbox
    finally:
        await to_the_end(sandbox.remove())


class Lab:
    """Opens sandboxes on one pair of engines; their runs stand in one line for what they measure."""

    def __init__(self, engines: Engines, pace: Pace | None = None) -> None:
        self._engines = engines
        self._pace = pace or Pace()
        self._turns = Turns()

    @asynccontextmanager
    async def open(self, owner: str, seconds: float) -> AsyncGenerator[Sandbox, None]:
        """Wait for both engines and open a sandbox; what was made in it is removed at the end, also if cancelled."""
        async with removed_after(await self.connect(owner, seconds)) as sandbox:
            yield sandbox

    async def connect(self, owner: str, seconds: float) -> LabSandbox:
        """Wait for both engines and reach them: a sandbox in which nothing is made yet."""
        docker, cluster = await both(self._engines.docker(), self._engines.cluster())
        return await self._connected(docker, cluster, _tag(owner, seconds))

    async def _connected(self, docker: DockerEndpoint, cluster: ClusterEndpoint, tag: Tag) -> LabSandbox:
        containers = await Containers.connect(docker, tag)
        try:
            namespace = await Cluster.connect(cluster, tag)
        except BaseException:
            await containers.close()
            raise
        settings = SETTINGS if cluster.ours else {}
        return LabSandbox(containers, namespace, Shared(self._pace, settings, self._engines.machines(), self._turns))


def _tag(owner: str, seconds: float) -> Tag:
    return Tag(new_run(), owner, datetime.now(UTC) + timedelta(seconds=seconds + lifetimes.MARGIN))
