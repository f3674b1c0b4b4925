"""Makes a box and both engines in it, everything at the same time that can be, and says how far it is."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import TypeVar

from sandbox.engines import EngineConfig, EngineStatus, EngineStep, Images
from sandbox.errors import EngineUnavailable
from sandbox.events import Engine
from sandbox.local import build, cgroups, dns, files, foreign, images, lent, power, programs
from sandbox.local.api import Api
from sandbox.local.box import Box
from sandbox.local.certificates import write_private
from sandbox.local.layout import NODES, Layout
from sandbox.local.loans import Kinds, lending
from sandbox.local.logs import Logs
from sandbox.local.reports import Board, Report
from sandbox.local.toolchain import Workshop

log = logging.getLogger("portside.engines")

Answer = TypeVar("Answer")

DOCKER_STEP = "Docker engine"
MODULES_STEP = "Go modules, checked against go.sum"
COMPILE_STEP = "Compile control plane and kubelet"
NODES_STEP = "Start three nodes"
IMAGE_STEP = "Load the demo image"

_TICK = 0.1
_PATIENCE = 180.0
_TOKEN_RENEWAL = 8 * 3600


class Starting:
    """One box from its beginning to its end."""

    def __init__(self, config: EngineConfig, layout: Layout, *, cluster: bool) -> None:
        self._layout = layout
        self._host = config.docker_host
        self._cluster = cluster
        self._workshop = Workshop(layout.cache, (*cgroups.entering(layout), "nice"))
        self._logs = Logs(layout.logs)
        self._board = Board(layout.report, _first_report(config, cluster=cluster))
        self._archive: asyncio.Future[Path] = asyncio.get_running_loop().create_future()

    async def run(self) -> None:
        """Make the box and its engines; return when the box has ended."""
        try:
            box = await Box.open(self._layout, self._died)
        except EngineUnavailable as error:
            await self._give_up(error)
            return
        lives = [asyncio.create_task(self._live(box, Engine.DOCKER, self._docker(box)))]
        if self._cluster:
            lives.append(asyncio.create_task(self._live(box, Engine.KUBERNETES, self._kubernetes(box))))
        try:
            await box.wait()
            self._board.restart()
        finally:
            for life in lives:
                life.cancel()
            await asyncio.wait(lives)
            await box.close()

    async def _give_up(self, error: EngineUnavailable) -> None:
        """Say why there is no box, for as long as somebody listens: it would fail again."""
        log.warning("no box: %s", error)
        said = (self._layout.logs / "box.log").read_text(errors="replace").strip()[-300:]
        for engine in self._board.report.ours:
            self._board.fail(engine, EngineUnavailable(f"{error} {said}".strip()))
        await asyncio.Event().wait()

    async def _live(self, box: Box, engine: Engine, life: Coroutine[None, None, None]) -> None:
        try:
            await life
        except Exception as error:  # of whatever kind: whoever waits must be told
            log.warning("%s: %r", engine, error, exc_info=not isinstance(error, EngineUnavailable))
            if box.alive:  # else everything begins again
                self._board.fail(engine, EngineUnavailable(f"{error} {self._logs.limit()}".strip()))

    def _died(self, name: str, code: int) -> None:
        log.warning("%s ended with %d and is started again", name, code)

    async def _docker(self, box: Box) -> None:
        host = self._host or self._layout.docker_host
        engine = images.Docker(host)
        with _failing(self._archive), self._board.step(Engine.DOCKER, DOCKER_STEP):
            if self._host:
                version = await foreign.docker_version(self._host)
            else:
                files.write_docker(self._layout)
                files.write_registry(self._layout)
                self._run(box, (programs.dockerd(self._layout), programs.registry(self._layout)))
                version = await _patiently(engine.version)
            loaded, archive = await engine.load_demo_images(self._workshop)
        self._archive.set_result(archive)
        self._board.images(Engine.DOCKER, loaded)
        self._board.set(Engine.DOCKER, state="ready", version=version)

    async def _kubernetes(self, box: Box) -> None:
        binary = await self._build()
        self._board.set(Engine.KUBERNETES, state="starting")
        loading = asyncio.create_task(self._load(box))
        api = Api(self._layout)
        with self._board.step(Engine.KUBERNETES, NODES_STEP):
            await self._start(box, binary, api)
        with self._board.step(Engine.KUBERNETES, IMAGE_STEP):
            self._board.images(Engine.KUBERNETES, await loading)
            version = await _patiently(lambda: asyncio.to_thread(api.version))
        self._run(box, (programs.storage(self._layout),))
        async with lending(self._layout.loans, self._kinds(box, binary, api)):
            self._board.set(Engine.KUBERNETES, state="ready", version=version)
            while True:
                await asyncio.sleep(_TOKEN_RENEWAL)
                await self._renew_token(api)

    def _kinds(self, box: Box, binary: Path, api: Api) -> Kinds:
        """Say what is lent."""
        layout, docker = self._layout, images.Docker(self._layout.spare_host)

        def node(name: str) -> lent.Node:
            machine = power.node(layout, binary, name)
            return lent.Node(box, layout, machine, lambda since: _until(lambda: api.ready_since(name, since)))

        def second_docker(_: str) -> lent.SecondDocker:
            return lent.SecondDocker(box, layout, self._archive, answers)

        async def answers() -> None:
            await _patiently(docker.version)

        return {"node": node, "docker": second_docker}

    async def _build(self) -> Path:
        with self._board.step(Engine.KUBERNETES, MODULES_STEP):
            await build.fetch_modules(self._workshop, self._part(MODULES_STEP))
        with self._board.step(Engine.KUBERNETES, COMPILE_STEP):
            return await build.build_kubernetes(self._workshop, self._part(COMPILE_STEP))

    async def _start(self, box: Box, binary: Path, api: Api) -> None:
        """Start the cluster; the kubelets once there is somebody to register with."""
        files.write_cluster(self._layout)
        self._run(box, programs.control_plane(self._layout, binary), programs.containerds(self._layout))
        await _until(api.ready)
        self._run(box, programs.kubelets(self._layout, binary), programs.controllers(self._layout, binary))
        await _patiently(lambda: asyncio.to_thread(api.apply_manifests))
        self._run(box, programs.services(self._layout, binary))
        token = await self._renew_token(api)
        await _until(lambda: api.ready_nodes() == len(NODES) and api.controlled())
        await _until(Api(self._layout, token).guarded)
        await _until(lambda: dns.answers(self._layout.dns_service))

    def _run(self, box: Box, *groups: tuple[programs.Program, ...]) -> None:
        for group in groups:
            for program in group:
                box.run(program, self._layout.logs)

    async def _load(self, box: Box) -> Images:
        archive = await asyncio.shield(self._archive)
        await _until(lambda: all(self._layout.containerd_socket(node).exists() for node in NODES))
        return await images.load_into_nodes(box, self._layout, archive)

    async def _renew_token(self, api: Api) -> str:
        token = await _patiently(lambda: asyncio.to_thread(api.bot_token))
        write_private(self._layout.bot_token, token.encode())
        return token

    def _part(self, title: str) -> Callable[[float | None], None]:
        return lambda fraction: self._board.part(Engine.KUBERNETES, title, fraction)


@contextlib.contextmanager
def _failing(archive: "asyncio.Future[Path]") -> Iterator[None]:
    """Let whoever waits for the archive know that there will be none."""
    try:
        yield
    except EngineUnavailable as error:
        archive.set_exception(error)
        archive.exception()  # without a cluster nobody waits
        raise


async def _patiently(ask: Callable[[], Coroutine[None, None, Answer]]) -> Answer:
    """Ask until there is an answer: a busy machine is slow. Raises the last `EngineUnavailable` after three minutes."""
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            return await ask()
        except EngineUnavailable:
            if time.monotonic() > deadline:
                raise
        await asyncio.sleep(_TICK)


async def _until(holds: Callable[[], bool]) -> None:
    """Wait until something holds. Raises `EngineUnavailable` after three minutes."""

    async def ask() -> None:
        if not await asyncio.to_thread(holds):
            raise EngineUnavailable(
                'The cluster does not get ready. Its logs are in the data folder, under "engines/logs". Stop it with '
                '"portside engines down" and start again.'
            )

    await _patiently(ask)


def _first_report(config: EngineConfig, *, cluster: bool) -> Report:
    """Say what is going to be done."""
    layout = Layout.of(config)
    docker = EngineStatus(
        Engine.DOCKER,
        "starting",
        address=config.docker_host or layout.docker_host,
        steps=(EngineStep(DOCKER_STEP, "next"),),
    )
    titles = (MODULES_STEP, COMPILE_STEP, NODES_STEP, IMAGE_STEP)
    kubernetes = EngineStatus(Engine.KUBERNETES, "absent")
    if cluster:
        built = build.kubernetes_binary(layout.cache).exists()
        kubernetes = EngineStatus(
            Engine.KUBERNETES,
            "starting" if built else "building",
            address=layout.api,
            steps=tuple(EngineStep(title, "next") for title in titles),
        )
    ours = {Engine.DOCKER: not config.docker_host, Engine.KUBERNETES: cluster}
    return Report((docker, kubernetes), frozenset(engine for engine, own in ours.items() if own))
