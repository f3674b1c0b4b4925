"""What `portside engines` does: plain functions over the keeper, the report and the locks."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from sandbox.engines import EngineConfig, EngineStatus
from sandbox.errors import EngineUnavailable
from sandbox.events import Engine
from sandbox.local import foreign
from sandbox.local.engines import LocalEngines, current_report, open_engines, stop
from sandbox.local.layout import Layout
from sandbox.local.locks import Locks


async def up(config: EngineConfig) -> AsyncIterator[tuple[EngineStatus, ...]]:
    """Start the engines and yield how they do until none is on its way any more; if both are ready, they are kept."""
    async with open_engines(config) as engines:
        async for statuses in engines.progress():
            yield statuses
        engines.keep()


async def down(config: EngineConfig) -> None:
    """End engines of ours, whoever needs them, and put the machine back. Engines of the operator's are left alone."""
    layout = Layout.of(config)
    layout.keep_mark.unlink(missing_ok=True)
    if layout.home.exists():
        await asyncio.to_thread(stop, layout, Locks(layout.home))


@asynccontextmanager
async def reach(config: EngineConfig) -> AsyncIterator[LocalEngines]:
    """Use the engines that are up for the length of a block, without starting or holding any."""
    engines = LocalEngines(config, await foreign.choose(config))
    try:
        await engines.settled()
        yield engines
    finally:
        await engines.leave()


async def status(config: EngineConfig) -> tuple[EngineStatus, ...]:
    """Say how the engines do, without starting any."""
    async with reach(config) as engines:
        return engines.status()


def kubeconfig(config: EngineConfig) -> Path:
    """Return the operator's kubeconfig of our cluster. Raises `EngineUnavailable` where there is none."""
    layout = Layout.of(config)
    report = current_report(layout, Locks(layout.home))
    if report.status(Engine.KUBERNETES).state != "ready":
        raise EngineUnavailable("There is no cluster of ours now. Start it with portside engines up.")
    return layout.admin
