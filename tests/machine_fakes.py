"""A cluster that loses a node, and a second machine with a Docker, without either: for the demo that cuts power."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime

from fakes import QUICK, REPAIR, FakeCluster, FakeDocker, FakeLab, FakeSandbox

from sandbox.engines import SpareDocker
from sandbox.errors import EngineUnavailable
from sandbox.events import Engine, Instance, Observed, Snapshot
from sandbox.names import Tag
from sandbox.sandbox import SecondDocker

NODES = ("node1", "node2", "node3")


class FailingCluster(FakeCluster):
    """Three pods on three nodes: whoever was on a node without power comes up on another one."""

    def __init__(self, tag: Tag, away: tuple[str, ...], replaces: bool) -> None:
        super().__init__(tag, frozenset())
        self._replaces = replaces
        self._ready = {node: node not in away for node in NODES}
        self._pods = [Instance(f"web-{node}", "Running", True, 0, node, "1") for node in NODES]
        self._told: asyncio.Queue[Observed] = asyncio.Queue()
        self._states: asyncio.Queue[dict[str, bool]] = asyncio.Queue()
        self._shown: asyncio.Queue[tuple[Instance, ...]] = asyncio.Queue()

    async def get_pods(self) -> tuple[Instance, ...]:
        return tuple(self._pods) if self.applied else ()

    async def watch(self) -> AsyncGenerator[Snapshot | Observed, None]:
        await self._changed.wait()
        yield Snapshot(engine=Engine.KUBERNETES, instances=await self.get_pods())
        while True:
            yield Snapshot(engine=Engine.KUBERNETES, instances=await self._shown.get())

    async def nodes(self) -> AsyncGenerator[dict[str, bool], None]:
        yield dict(self._ready)
        while True:
            yield await self._states.get()

    async def events(self) -> AsyncGenerator[Observed, None]:
        while True:
            yield await self._told.get()

    async def lose(self, node: str) -> None:
        await self.app.stop()
        await asyncio.sleep(REPAIR)
        self._tell_state(node, False)
        await asyncio.sleep(REPAIR)
        gone = next(pod for pod in self._pods if pod.node == node)
        self._show(replace(gone, phase="Terminating", ready=False))
        self._act("node-controller", "TaintManagerEviction: Marking for deletion Pod")
        if not self._replaces:
            return
        new = Instance("web-new", "Pending", False, 0, "node1" if node != "node1" else "node2", "1")
        self._act("replicaset", "SuccessfulCreate: Created pod: web-new")
        self._act("scheduler", "Scheduled: Successfully assigned web-new")
        self._show(new)
        await asyncio.sleep(REPAIR)
        await self.app.start()
        self._act("kubelet", "Started: Container started")
        self._show(replace(new, phase="Running", ready=True))

    def _tell_state(self, node: str, ready: bool) -> None:
        self._ready[node] = ready
        self._states.put_nowait(dict(self._ready))

    def _show(self, changed: Instance) -> None:
        self._pods = [*(pod for pod in self._pods if pod.name != changed.name), changed]
        self._shown.put_nowait(tuple(self._pods))

    def _act(self, actor: str, text: str) -> None:
        self._told.put_nowait(Observed(engine=Engine.KUBERNETES, actor=actor, text=text))

    @asynccontextmanager
    async def node_stopped(self, node: str) -> AsyncIterator[None]:
        losing = asyncio.create_task(self.lose(node))
        try:
            yield
        finally:
            await losing
            self._tell_state(node, True)

    def second_docker(self) -> AbstractAsyncContextManager[SpareDocker]:
        raise EngineUnavailable("The sandbox has a second Docker of its own.")


class FakeSecond(FakeDocker):
    """A second machine's Docker: all of it ends, and some of it returns."""

    def __init__(self, tag: Tag, returns: bool) -> None:
        super().__init__(tag, gone=False)
        self._returns = returns
        self._power = True

    async def ps(self) -> tuple[Instance, ...]:
        return await super().ps() if self._power else ()

    async def cut(self) -> None:
        self._power = False
        for app in self.apps.values():
            await app.stop()

    async def start(self) -> None:
        self._power = True
        for app in self.apps.values() if self._returns else ():
            await app.start()


class MachineSandbox(FakeSandbox):
    """Both sides of one run, whose machines may be broken."""

    def __init__(self, lab: "MachineLab", owner: str) -> None:
        super().__init__(lab, owner)
        self.cluster: FailingCluster = FailingCluster(Tag(self.run, owner, datetime.now(UTC)), lab.away, lab.replaces)
        self.machines = self.cluster
        self._returns = lab.returns

    @asynccontextmanager
    async def second_docker(self) -> AsyncIterator[SecondDocker]:
        second = FakeSecond(self.docker.tag, self._returns)
        try:
            yield second
        finally:
            await second.close()


class MachineLab(FakeLab):
    """Opens such sandboxes; `away` are nodes that are not ready, and not all comes back where it is told so."""

    def __init__(self, away: tuple[str, ...] = (), replaces: bool = True, returns: bool = True) -> None:
        super().__init__(replace(QUICK, observe=1.5, startup=2.0))
        self.away = away
        self.replaces = replaces
        self.returns = returns

    @asynccontextmanager
    async def open(self, owner: str, seconds: float) -> AsyncIterator[FakeSandbox]:
        self.opened += 1
        sandbox = MachineSandbox(self, owner)
        try:
            yield sandbox
        finally:
            await sandbox.remove()
            self.closed += 1
