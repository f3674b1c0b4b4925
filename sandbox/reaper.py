"""Removes what carries our label and is past its expiry, on both engines. It needs no memory of who made it."""

import asyncio
import logging
from dataclasses import dataclass
from datetime import UTC, datetime

from sandbox import cluster_namespaces, containers
from sandbox.engines import Engines
from sandbox.errors import EngineUnavailable, SandboxError
from sandbox.events import NAMES, Engine
from sandbox.names import RUN, Due, expired

log = logging.getLogger(__name__)

# A sweep that finds much more than demos can leave has found a mistake: it goes slowly, and the log says so.
MOST = 20


@dataclass(frozen=True)
class Swept:
    """What was removed, and a sentence about each engine that could not be looked at."""

    removed: tuple[str, ...]
    missed: tuple[str, ...]


async def sweep(engines: Engines, now: datetime | None = None) -> Swept:
    """Remove what has expired on both engines; one that is absent, or still on its way, has nothing of ours."""
    moment = now or datetime.now(UTC)
    return await _remove(engines, lambda marks: expired(marks, moment))


async def remove_run(engines: Engines, run: str) -> Swept:
    """Remove what one run has left, before its expiry: its process is gone."""
    return await _remove(engines, lambda marks: marks.get(RUN) == run)


async def _remove(engines: Engines, due: Due) -> Swept:
    removed: list[str] = []
    missed: list[str] = []
    for status in engines.status():
        try:
            if status.state == "failed":
                raise EngineUnavailable(status.detail)
            if status.state == "ready":
                removed += await _remove_from(engines, status.engine, due)
        except SandboxError as error:
            missed.append(f"{NAMES[status.engine]} could not be swept: {error}")
    if removed:
        log.info("removed what was due: %s", ", ".join(removed))
    for sentence in missed:
        log.warning("%s", sentence)
    return Swept(tuple(removed), tuple(missed))


async def _remove_from(engines: Engines, engine: Engine, due: Due) -> list[str]:
    if engine is Engine.DOCKER:
        return await containers.sweep(await engines.docker(), due, MOST)
    return await cluster_namespaces.sweep(await engines.cluster(), due, MOST)


async def patrol(engines: Engines, seconds: float = 30.0) -> None:
    """Sweep now and again, until cancelled."""
    while True:
        await sweep(engines)
        await asyncio.sleep(seconds)
