"""Removes whatever carries our label and is past its expiry, on both engines. It needs no memory of who made it."""

import asyncio
import logging
from datetime import UTC, datetime

from sandbox import cluster, containers
from sandbox.engines import Engines
from sandbox.errors import SandboxError
from sandbox.events import Engine

log = logging.getLogger(__name__)

# A sweep that finds much more than demos can leave has found a mistake: it goes slowly, and the log says so.
MOST = 20


async def sweep(engines: Engines, now: datetime | None = None) -> tuple[str, ...]:
    """Remove what has expired on the engines that are ready, and say what; an engine that is away is passed over."""
    moment = now or datetime.now(UTC)
    ready = {status.engine for status in engines.status() if status.state == "ready"}
    removed: list[str] = []
    for engine in Engine:
        if engine not in ready:
            continue
        try:
            removed += await _sweep_one(engines, engine, moment)
        except SandboxError as error:
            log.warning("%s could not be swept: %s", engine.value, str(error))
    if removed:
        log.info("removed what had expired: %s", ", ".join(removed))
    return tuple(removed)


async def _sweep_one(engines: Engines, engine: Engine, now: datetime) -> list[str]:
    if engine is Engine.DOCKER:
        return await containers.sweep(await engines.docker(), now, MOST)
    return await cluster.sweep(await engines.cluster(), now, MOST)


async def patrol(engines: Engines, seconds: float = 30.0) -> None:
    """Sweep now and again, until cancelled."""
    while True:
        await sweep(engines)
        await asyncio.sleep(seconds)
