"""What a process holds of the engines: it starts their keeper where there is none, and is counted while it lives."""

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import IO

import sandbox
from sandbox.engines import ClusterEndpoint, DockerEndpoint, EngineConfig, EngineStatus
from sandbox.errors import EngineUnavailable
from sandbox.events import NAMES, Engine
from sandbox.local import box, files, foreign
from sandbox.local.borrowing import LocalMachines
from sandbox.local.layout import REGISTRY, Layout
from sandbox.local.locks import Locks
from sandbox.local.plans import Plan
from sandbox.local.reports import ABSENT, Report, read_report

UNDERWAY = frozenset({"building", "starting"})

_TICK = 0.1
_EVERY = 1.0
_STOP_PATIENCE = 20.0
_PACKAGES = {
    "docker.io": ("dockerd", "docker"),
    "containerd": ("containerd", "ctr"),
    "runc": ("runc",),
    "docker-registry": ("docker-registry",),
    "iptables": ("iptables-restore",),
    "iproute2": ("ip",),
    "tini": ("tini",),
    "util-linux": ("unshare", "setpriv", "setsid"),
}


def missing() -> str | None:
    """Say why engines of our own cannot be had here, and what to do; None where they can."""
    if os.geteuid() != 0:
        return (
            "Engines of our own need root. Run portside as root, or name engines of yours: DOCKER_HOST for Docker and "
            "PORTSIDE_KUBE_CONTEXT for Kubernetes."
        )
    lacking = [package for package, programs in _PACKAGES.items() if not all(map(shutil.which, programs))]
    if not files.cni_folder():
        lacking.append("containernetworking-plugins")
    if lacking:
        return f"Engines of our own need programs that are not here. On Debian: apt-get install {' '.join(lacking)}."
    return None


class LocalEngines:
    """The pair of engines of one process: the operator's where they are named or there, else ours."""

    def __init__(self, config: EngineConfig, choice: foreign.Choice) -> None:
        self._config = config
        self._choice = choice
        self._layout = Layout.of(config)
        self._locks = Locks(self._layout.home)
        self._missing = missing()
        self._held: IO[bytes] | None = None
        self._docker = asyncio.create_task(self._reach_docker()) if choice.docker_host else None
        self._cluster = asyncio.create_task(self._reach_cluster()) if choice.cluster else None

    async def enter(self) -> None:
        """Be counted as one that needs the engines, and have a keeper for them."""
        if self._missing or (self._docker and self._cluster):
            return
        try:
            self._held = await asyncio.to_thread(self._locks.hold)
            await asyncio.to_thread(self._require_keeper)
        except OSError as error:
            self._missing = (
                f"The data folder {self._layout.home.parent} cannot be written: {error}. Name another one in "
                "PORTSIDE_DATA."
            )
        except EngineUnavailable as error:
            self._missing = str(error)

    def keep(self) -> None:
        """Have ours kept though nobody needs them, if both are ready; else whoever needs them next begins anew."""
        if not self._held:
            return
        if all(status.state == "ready" for status in self.status()):
            self._layout.keep_mark.touch()
        else:
            self._layout.keep_mark.unlink(missing_ok=True)

    async def leave(self) -> None:
        """Be counted no longer; whoever is the last waits until the machine is put back."""
        for task in (self._docker, self._cluster):
            if task:
                task.cancel()
        if self._held:
            await asyncio.to_thread(self._let_go, self._held)

    def status(self) -> tuple[EngineStatus, ...]:
        """How each engine does now: Docker first, then Kubernetes."""
        report = self._report()
        return (
            _outcome(self._docker, Engine.DOCKER) or report.status(Engine.DOCKER),
            _outcome(self._cluster, Engine.KUBERNETES) or report.status(Engine.KUBERNETES),
        )

    async def settled(self) -> tuple[EngineStatus, ...]:
        """How each engine does once the operator's have been asked; ours are not waited for."""
        await asyncio.gather(*filter(None, (self._docker, self._cluster)), return_exceptions=True)
        return self.status()

    async def progress(self) -> AsyncIterator[tuple[EngineStatus, ...]]:
        """Yield the status at once, whenever it changes and each second, until no engine is on its way."""
        shown, when = self.status(), time.monotonic()
        yield shown
        while any(status.state in UNDERWAY for status in shown):
            await asyncio.sleep(_TICK)
            fresh = self.status()
            if _without_clock(fresh) != _without_clock(shown) or time.monotonic() - when >= _EVERY:
                shown, when = fresh, time.monotonic()
                yield shown

    async def docker(self) -> DockerEndpoint:
        """Wait for Docker. Raises `EngineUnavailable` with what is wrong and what to do."""
        if self._docker:
            return (await asyncio.shield(self._docker))[1]
        report = await self._ready(Engine.DOCKER)
        image, publish = report.images[Engine.DOCKER], str(self._layout.box_address)
        return DockerEndpoint(self._layout.docker_host, image, ours=True, publish=publish, registry=REGISTRY)

    async def cluster(self) -> ClusterEndpoint:
        """Wait for Kubernetes. Raises `EngineUnavailable` with what is wrong and what to do."""
        if self._cluster:
            return (await asyncio.shield(self._cluster))[1]
        report = await self._ready(Engine.KUBERNETES)
        registry = None if self._docker else REGISTRY
        return ClusterEndpoint(self._layout.bot, None, report.images[Engine.KUBERNETES], ours=True, registry=registry)

    def machines(self) -> LocalMachines | None:
        """Return what may fail; None where the cluster is not ours."""
        return None if self._cluster else LocalMachines(self._layout)

    async def _ready(self, engine: Engine) -> Report:
        """Wait for an engine of ours, making the keeper again where it has been killed."""
        while True:
            if self._held and not self._locks.keeper():
                await asyncio.to_thread(self._require_keeper)
            report = self._report()
            status = report.status(engine)
            if report.ours and engine not in report.ours:
                raise EngineUnavailable(_not_kept(engine))
            if status.state == "ready":
                return report
            if status.state not in UNDERWAY:
                raise EngineUnavailable(status.detail or _not_kept(engine))
            await asyncio.sleep(_TICK)

    def _report(self) -> Report:
        if self._missing:
            return Report(tuple(EngineStatus(engine, "failed", detail=self._missing) for engine in Engine))
        return current_report(self._layout, self._locks)

    def _require_keeper(self) -> None:
        with self._locks.starting():
            if not self._locks.keeper():
                _spawn(self._config, self._choice, self._layout)
                if not self._locks.keeper():
                    raise EngineUnavailable(
                        f"The keeper of the engines ended at once. {self._layout.logs / 'keeper.log'} says why."
                    )

    def _let_go(self, held: IO[bytes]) -> None:
        last = self._locks.claim(held)
        if last:
            with last:
                if not self._layout.keep_mark.exists():
                    stop(self._layout, self._locks)

    async def _reach_docker(self) -> tuple[EngineStatus, DockerEndpoint]:
        return await foreign.docker(self._choice.docker_host or "", self._config)

    async def _reach_cluster(self) -> tuple[EngineStatus, ClusterEndpoint]:
        return await asyncio.to_thread(foreign.kubernetes, self._choice, self._config)


@contextlib.asynccontextmanager
async def open_engines(config: EngineConfig) -> AsyncIterator[LocalEngines]:
    """Hold a pair of engines for the length of a block. Raises `EngineUnavailable` for a range that cannot be."""
    engines = LocalEngines(config, await foreign.choose(config))
    try:
        await engines.enter()
        yield engines
    finally:
        await engines.leave()


def current_report(layout: Layout, locks: Locks) -> Report:
    """Read how our engines do; what a dead keeper has left behind is not believed."""
    if not locks.keeper():
        return Report()
    report = read_report(layout.report)
    if report.statuses == ABSENT:  # the keeper is there, and has not said anything yet
        return replace(report, statuses=tuple(replace(status, state="starting") for status in ABSENT))
    return report


def stop(layout: Layout, locks: Locks) -> None:
    """End keeper and engines whoever needs them, and put the machine back, whatever is left of them."""
    with locks.starting():
        deadline = time.monotonic() + _STOP_PATIENCE
        number = signal.SIGTERM
        while keeper := locks.keeper():
            with contextlib.suppress(ProcessLookupError):
                os.kill(keeper, number)
            number = signal.SIGKILL if time.monotonic() > deadline else signal.SIGTERM
            time.sleep(_TICK / 2)
        box.clean(layout)
        layout.report.unlink(missing_ok=True)


def _spawn(config: EngineConfig, choice: foreign.Choice, layout: Layout) -> None:
    """Start a keeper that outlives this process; return when it has become the keeper, or ended."""
    plan = Plan(replace(config, docker_host=choice.docker_host), cluster=not choice.cluster)
    layout.logs.mkdir(parents=True, exist_ok=True)
    layout.report.unlink(missing_ok=True)
    with (layout.logs / "keeper.log").open("ab") as log:
        subprocess.run(
            ["setsid", "--fork", sys.executable, "-m", "sandbox.local.keeper", plan.to_text()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            cwd="/",
            env=os.environ | {"PYTHONPATH": str(Path(sandbox.__file__).parent.parent)},
            check=False,
            timeout=_STOP_PATIENCE,
        )


Reached = tuple[EngineStatus, DockerEndpoint] | tuple[EngineStatus, ClusterEndpoint]


def _outcome(task: "asyncio.Task[Reached] | None", engine: Engine) -> EngineStatus | None:
    """Say how an engine of the operator's does; None where it is not the operator's."""
    if task is None:
        return None
    if not task.done():
        return EngineStatus(engine, "starting")
    if error := task.exception():
        return EngineStatus(engine, "failed", detail=str(error))
    return task.result()[0]


def _without_clock(statuses: tuple[EngineStatus, ...]) -> list[EngineStatus]:
    return [replace(status, steps=tuple(replace(step, seconds=None) for step in status.steps)) for status in statuses]


def _not_kept(engine: Engine) -> str:
    return (
        f"The engines of this data folder were started without {NAMES[engine]}, because one of yours was named "
        "then. Stop them with portside engines down, or use another PORTSIDE_DATA."
    )
