"""Whole runs of demos on the real engines, and what their tests read from the events."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable

from sandbox.demo import choose, perform
from sandbox.demos import load_demos
from sandbox.engines import ClusterEndpoint, DockerEndpoint, Engines, EngineStatus, Machines
from sandbox.events import Command, Engine, Event, Result
from sandbox.lab import Lab

Runs = dict[str, list[Event]]
ChangeDocker = Callable[[DockerEndpoint], DockerEndpoint]
ChangeCluster = Callable[[ClusterEndpoint], ClusterEndpoint]


class Changed:
    """The same engines, reached in another way."""

    def __init__(
        self,
        engines: Engines,
        docker: ChangeDocker = lambda endpoint: endpoint,
        cluster: ChangeCluster = lambda endpoint: endpoint,
    ) -> None:
        self._engines = engines
        self._docker = docker
        self._cluster = cluster

    def status(self) -> tuple[EngineStatus, ...]:
        return self._engines.status()

    def progress(self) -> AsyncIterator[tuple[EngineStatus, ...]]:
        return self._engines.progress()

    async def docker(self) -> DockerEndpoint:
        return self._docker(await self._engines.docker())

    async def cluster(self) -> ClusterEndpoint:
        return self._cluster(await self._engines.cluster())

    def machines(self) -> Machines | None:
        return self._engines.machines()


async def run(engines: Engines, name: str) -> list[Event]:
    demo, options = choose(load_demos(), name)
    return [event async for event in perform(demo, options, "live-test", Lab(engines).open)]


async def side_by_side(engines: Engines, names: Iterable[str]) -> Runs:
    """Each in a sandbox of its own."""
    wanted = list(names)
    return dict(zip(wanted, await asyncio.gather(*(run(engines, name) for name in wanted)), strict=True))


def result(events: list[Event]) -> Result:
    last = events[-1]
    assert isinstance(last, Result)
    return last


def typed(events: list[Event], *engines: Engine) -> list[str]:
    """What a learner would have typed, on the engines that are named or on both."""
    wanted = engines or tuple(Engine)
    return [event.text for event in events if isinstance(event, Command) and event.engine in wanted]
