"""Finished runs are kept: each has a number, and the newest of a demo and fault can be cited."""

import logging
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

import sqlalchemy as sa

from bot.errors import NoMemory
from bot.state.database import Database
from bot.state.tables import RUNS, SELFTESTS
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


@dataclass(frozen=True)
class Spread:
    """Of some runs' seconds the middle, and what 95 % of them do not exceed."""

    p50: float
    p95: float


@dataclass(frozen=True)
class SelfTest:
    """What runs of one demo and fault did here; `reason` is how they differ from the lesson, None if they do not."""

    demo: str
    fault: Fault | None
    at: str
    runs: int
    reason: str | None
    duration: Spread
    recovery: Mapping[Engine, Spread | None]


class Runs(Protocol):
    """Where finished runs and self-tests are kept."""

    async def keep(self, run: Finished) -> int:
        """Keep a run and return its number. Raises `NoMemory`."""
        ...

    async def newest(self, demo: str, fault: Fault | None) -> Kept | None:
        """Find the newest run of a demo and fault. Raises `NoMemory`."""
        ...

    async def tested(self, test: SelfTest) -> None:
        """Keep a self-test. Raises `NoMemory`."""
        ...

    async def tests(self) -> tuple[SelfTest, ...]:
        """List the newest self-test of each demo and fault. Raises `NoMemory`."""
        ...


class RunsHere:
    """Runs of this process alone."""

    def __init__(self) -> None:
        self.kept: list[Finished] = []
        self._tests: dict[tuple[str, Fault | None], SelfTest] = {}

    async def keep(self, run: Finished) -> int:
        """Keep a run."""
        self.kept.append(run)
        return len(self.kept)

    async def newest(self, demo: str, fault: Fault | None) -> Kept | None:
        """Find the newest run."""
        fitting = [Kept(n, run) for n, run in enumerate(self.kept, 1) if (run.demo, run.fault) == (demo, fault)]
        return fitting[-1] if fitting else None

    async def tested(self, test: SelfTest) -> None:
        """Keep a self-test."""
        self._tests[test.demo, test.fault] = test

    async def tests(self) -> tuple[SelfTest, ...]:
        """List the newest self-tests."""
        return tuple(self._tests.values())


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

    async def tested(self, test: SelfTest) -> None:
        """Keep a self-test."""
        await self._database.insert(SELFTESTS.insert().values(asdict(test)))

    async def tests(self) -> tuple[SelfTest, ...]:
        """List the newest self-tests."""
        newest = sa.select(sa.func.max(SELFTESTS.c.number)).group_by(SELFTESTS.c.demo, SELFTESTS.c.fault)
        rows = await self._database.rows(sa.select(SELFTESTS).where(SELFTESTS.c.number.in_(newest)))
        return tuple(map(_test, rows))


def _run(row: sa.Row[tuple[object, ...]]) -> Finished:
    result = from_json(row.result)
    assert isinstance(result, Result)  # noqa: S101 - nothing else is ever written there
    engines = {Engine(engine): version for engine, version in row.engines.items()}
    return Finished(row.demo, result.fault, row.replicas, row.at, engines, row.headline, result)


def _test(row: sa.Row[tuple[object, ...]]) -> SelfTest:
    recovery = {Engine(engine): Spread(**one) if one else None for engine, one in row.recovery.items()}
    fault = Fault(row.fault) if row.fault else None
    return SelfTest(row.demo, fault, row.at, row.runs, row.reason, Spread(**row.duration), recovery)


def now() -> str:
    """The time as it is kept."""
    return f"{datetime.now(UTC):%Y-%m-%d %H:%M}"


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
    return Finished(result.demo, result.fault, started.replicas, now(), versions, headline, result)


async def _keep(runs: Runs, run: Finished) -> None:
    try:
        number = await runs.keep(run)
    except NoMemory as error:
        log.warning("a run of %s is not kept: %s", run.demo, error)
    else:
        log.info("run %s is kept: %s", number, run.demo)
