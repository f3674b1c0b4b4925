"""An engine that goes in mid-run: the run ends with one sentence, and what cannot be looked at counts as left."""

import asyncio
import contextlib
import gc
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml

from sandbox.demo import choose, perform
from sandbox.demos import load_demos
from sandbox.engines import ClusterEndpoint, DockerEndpoint, Engines
from sandbox.events import Engine, Injected, Result, Started
from sandbox.lab import Lab
from sandbox.reaper import sweep

pytestmark = [pytest.mark.docker, pytest.mark.kubernetes]


class Wire:
    """A connection to an engine that can be cut, or fall silent."""

    def __init__(self, target: Path | tuple[str, int]) -> None:
        self._target = target
        self._open: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None
        self._flowing = asyncio.Event()
        self._flowing.set()

    async def listen(self, path: Path) -> int:
        if isinstance(self._target, Path):
            self._server = await asyncio.start_unix_server(self._pass, path)
            return 0
        self._server = await asyncio.start_server(self._pass, "127.0.0.1", 0)
        return int(self._server.sockets[0].getsockname()[1])

    async def freeze(self) -> None:
        self._flowing.clear()

    async def cut(self) -> None:
        self._flowing.set()
        if self._server:
            self._server.close()
        for writer in tuple(self._open):
            writer.transport.abort()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if isinstance(self._target, Path):
            there = await asyncio.open_unix_connection(self._target)
        else:
            there = await asyncio.open_connection(*self._target)
        self._open |= {writer, there[1]}
        await asyncio.gather(self._copy(reader, there[1]), self._copy(there[0], writer))
        self._open -= {writer, there[1]}

    async def _copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                await self._flowing.wait()
                writer.write(data)
                await writer.drain()
        writer.transport.abort()


class Wired:
    """The engines, reached through wires."""

    def __init__(self, docker: DockerEndpoint, cluster: ClusterEndpoint, wires: dict[Engine, Wire]) -> None:
        self._docker = docker
        self._cluster = cluster
        self.wires = wires

    async def docker(self) -> DockerEndpoint:
        return self._docker

    async def cluster(self) -> ClusterEndpoint:
        return self._cluster

    def machines(self) -> None:
        """None that may fail."""


@asynccontextmanager
async def wired(engines: Engines, folder: Path) -> AsyncIterator[Wired]:
    docker, cluster = await engines.docker(), await engines.cluster()
    assert cluster.kubeconfig is not None
    config = yaml.safe_load(cluster.kubeconfig.read_text())
    server = urlsplit(config["clusters"][0]["cluster"]["server"])
    wires = {
        Engine.DOCKER: Wire(Path(docker.host.removeprefix("unix://"))),
        Engine.KUBERNETES: Wire((str(server.hostname), server.port or 443)),
    }
    await wires[Engine.DOCKER].listen(folder / "docker.sock")
    port = await wires[Engine.KUBERNETES].listen(folder)
    config["clusters"][0]["cluster"] |= {"server": f"https://127.0.0.1:{port}", "tls-server-name": server.hostname}
    (folder / "kubeconfig").write_text(yaml.safe_dump(config))
    yield Wired(
        replace(docker, host=f"unix://{folder}/docker.sock"), replace(cluster, kubeconfig=folder / "kubeconfig"), wires
    )
    for wire in wires.values():
        await wire.cut()


# docker's client leaves its socket to the garbage collector where connecting fails.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("engine", Engine)
@pytest.mark.parametrize("goes", [Wire.cut, Wire.freeze])
async def test_a_run_ends_with_a_sentence_when_an_engine_goes_or_falls_silent(
    engines: Engines, engine: Engine, goes: Callable[[Wire], Awaitable[None]], tmp_path: Path
) -> None:
    demo, chosen = choose(load_demos(), "selfheal", "crash")
    events = []
    async with wired(engines, tmp_path) as through:
        async for event in perform(demo, chosen, "live-test", Lab(through).open):
            events.append(event)
            if isinstance(event, Injected):
                await goes(through.wires[engine])
    started, end = events[0], events[-1]

    assert isinstance(started, Started)
    assert isinstance(end, Result)
    assert (end.completed, end.cleaned_up) == (False, False)
    assert "does not answer any more" in (end.error or "")
    assert "portside engines status" in (end.error or "")
    assert end.t - next(event.t for event in events if isinstance(event, Injected)) < 45

    gc.collect()
    swept = await sweep(engines, datetime.now(UTC) + timedelta(minutes=10))
    assert any(started.run in one for one in swept.removed)
