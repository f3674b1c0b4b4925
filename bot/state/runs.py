"""Finished runs are kept: each has a number, and the newest of a demo and fault can be cited."""

import logging
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

import sqlalchemy as sa

from bot.errors import NoMemory
from bot.state.database import Database
from bot.state.tables import RUNS
from sandbox.events import Engine, Event, Fault, Finding, Result, Started
from sandbox.runs import from_json, to_json

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Finished:
    """One run that came to its end: what started, what it found first, and its result."""

    demo: str
    fault: Fault | None
    replicas: int
    at: str
    engines: Mapping[Engine, str]
    headline: str
    result: Result


@dataclass(frozen=True)
class Kept:
    """A finished run with the number that it has here."""

    number: int
    run: Finished


class Runs(Protocol):
    """Where finished runs are kept."""

    async def keep(self, run: Finished) -> int:
        """Keep a run and return its number. Raises `NoMemory`."""
        ...

    async def newest(self, demo: str, fault: Fault | None) -> Kept | None:
        """Find the newest run of a demo and fault. Raises `NoMemory`."""
        ...


class RunsHere:
    """Runs of this process alone."""

    def __init__(self) -> None:
        self.kept: list[Finished] = []

    async def keep(self, run: Finished) -> int:
        """Keep a run."""
        self.kept.append(run)
        return len(self.kept)

    async def newest(self, demo: str, fault: Fault | None) -> Kept | None:
        """Find the newest run."""
        fitting = [Kept(n, run) for n, run in enumerate(self.kept, 1) if (run.demo, run.fault) == (demo, fault)]
        return fitting[-1] if fitting else None


class KeptRuns:
    """Runs of all processes that share a data folder, across restarts."""

    def __init__(self, folder: Path) -> None:
        self._database = Database(folder)

    async def keep(self, run: Finished) -> int:
        """Keep a run."""
        row = {
            "demo": run.demo,
            "fault": run.fault,
            "replicas": run.replicas,
            "at": run.at,
            "engines": dict(run.engines),
            "headline": run.headline,
            "result": to_json(run.result),
        }
        return await self._database.insert(RUNS.insert().values(row))

    async def newest(self, demo: str, fault: Fault | None) -> Kept | None:
        """Find the newest run."""
        of_it = sa.select(RUNS).where(RUNS.c.demo == demo, RUNS.c.fault.is_not_distinct_from(fault))
        rows = await self._database.rows(of_it.order_by(RUNS.c.number.desc()).limit(1))
        return next((Kept(row.number, _run(row)) for row in rows), None)


def _run(row: sa.Row[tuple[object, ...]]) -> Finished:
    result = from_json(row.result)
    assert isinstance(result, Result)  # noqa: S101 - nothing else is ever written there
    engines = {Engine(engine): version for engine, version in row.engines.items()}
    return Finished(row.demo, result.fault, row.replicas, row.at, engines, row.headline, result)


async def keeping(events: AsyncGenerator[Event, None], runs: Runs) -> AsyncGenerator[Event, None]:
    """Pass a run's events on, and keep it once it has come to its end. That it cannot be kept does not end it."""
    started: Started | None = None
    headline = ""
    async with aclosing(events):
        async for event in events:
            match event:
                case Started():
                    started = event
                case Finding(text=text):
                    headline = headline or text
                case Result(completed=True) if started:
                    await _keep(runs, finished(started, headline, event))
            yield event


def finished(started: Started, headline: str, result: Result) -> Finished:
    """A run that has just ended."""
    versions = {engine: info.version for engine, info in started.engines.items()}
    at = f"{datetime.now(UTC):%Y-%m-%d %H:%M}"
    return Finished(result.demo, result.fault, started.replicas, at, versions, headline, result)


async def _keep(runs: Runs, run: Finished) -> None:
    try:
        number = await runs.keep(run)
    except NoMemory as error:
        log.warning("a run of %s is not kept: %s", run.demo, error)
    else:
        log.info("run %s is kept: %s", number, run.demo)
