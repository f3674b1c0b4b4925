"""Six learners at once against each of their demos alone; and what one run costs the bot, beside the engines' tools."""

import asyncio
import os
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import aclosing, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import aiohttp
import psutil

from benchmarks.serving import kubectl
from benchmarks.tables import table
from sandbox.demo import choose, perform
from sandbox.demos import load_demos
from sandbox.engines import EngineConfig, Engines
from sandbox.events import NAMES, Command, Engine, Result, Snapshot
from sandbox.lab import Lab
from sandbox.local import kubeconfig, open_engines
from sandbox.pool import Pool
from sandbox.sandbox import OpenSandbox
from sandbox.streams import stop

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "portside"
RANGE = "10.199.0.0/16"
SELFHEAL = ("crash", "hang", "oom", "remove")
CHOICES = [("selfheal", fault) for fault in SELFHEAL] + [("scale", None), ("rollout", None)]
NEAR_SECONDS, NEAR_PART = 0.5, 0.1
ALONE = 5
STARTS = 5

Figures = dict[tuple[str, str], float]


async def run(open_sandbox: OpenSandbox, name: str, fault: str | None = None) -> Result:
    """Run one demo to its end."""
    events = [event async for event in perform(*choose(load_demos(), name, fault), f"{name}-{fault}", open_sandbox)]
    assert isinstance(events[-1], Result)  # noqa: S101 - the last event of every run
    return events[-1]


def figures(result: Result) -> Figures:
    """What a run measured in seconds, by its demo and the figure's name."""
    demo = f"{result.demo} {result.fault or ''}".strip()
    if result.error:
        raise SystemExit(f"Not measured: {demo} ended with: {result.error}")
    found = {
        (demo, f"{NAMES[engine]}, {word}"): seconds
        for engine, lane in result.engines.items()
        for word, seconds in (("back after", lane.recovery_seconds), ("outage", lane.longest_outage_seconds))
        if seconds is not None
    }
    serving = result.measured.get("seconds", {})
    return found | {(demo, f"{NAMES[engine]}, all serving"): serving[engine] for engine in Engine if engine in serving}


async def at_once(lab: Lab) -> str:
    """Each demo alone, some times since no two runs are the same, then all of them at the same time."""
    alone: dict[tuple[str, str], list[float]] = {}
    for choice in CHOICES * ALONE:
        for key, seconds in figures(await run(lab.open, *choice)).items():
            alone.setdefault(key, []).append(seconds)
    together: Figures = {}
    for result in await asyncio.gather(*(run(lab.open, *choice) for choice in CHOICES)):
        together |= figures(result)
    rows = [(*key, *compared(alone.get(key, []), together.get(key))) for key in sorted(alone.keys() | together)]
    within = sum(row[-1] == "yes" for row in rows)
    title = f"Six demos at once: {within} of {len(rows)} figures within 0.5 s or 10 % of the same demo alone"
    shown = table(title, ("demo", "figure", f"alone, {ALONE} times", "at once", "within"), rows)
    return f"{shown}\nOf the figures alone, {among_themselves(alone)} are as near to one of the other {ALONE - 1}.\n"


def compared(alone: list[float], together: float | None) -> tuple[str, str, str]:
    """What was measured alone and at once, and whether that is near to one of the first; what is missing is not."""
    at_once = "none" if together is None else f"{together:.2f} s"
    within = "yes" if together is not None and near(together, alone) else "no"
    return " / ".join(f"{one:.2f}" for one in sorted(alone)) + " s", at_once, within


def near(seconds: float, others: list[float]) -> bool:
    """Whether one of the others is within half a second or a tenth."""
    return any(abs(one - seconds) <= max(NEAR_SECONDS, NEAR_PART * one) for one in others)


def among_themselves(alone: Mapping[tuple[str, str], list[float]]) -> str:
    """The yardstick: checks and back-offs come when they come, so that runs alone differ from each other too."""
    found = [near(one, [*times[:n], *times[n + 1 :]]) for times in alone.values() for n, one in enumerate(times)]
    return f"{sum(found)} of {len(found)}"


async def seen(open_sandbox: OpenSandbox) -> tuple[float, float]:
    """Seconds from the command to the first typed line and to the first container or pod."""
    begun, typed = time.monotonic(), 0.0
    async with aclosing(perform(*choose(load_demos(), "selfheal"), "bench", open_sandbox)) as events:
        async for event in events:
            typed = typed or (time.monotonic() - begun if isinstance(event, Command) else 0.0)
            if isinstance(event, Snapshot) and event.instances:
                return typed, time.monotonic() - begun
    raise SystemExit("Not measured: a demo showed no container and no pod.")


@asynccontextmanager
async def kept(pool: Pool) -> AsyncIterator[None]:
    """Keep a pool while the block runs."""
    keeping = asyncio.create_task(pool.keep())
    try:
        yield
    finally:
        await stop(keeping)


async def starts(lab: Lab) -> str:
    """How soon a demo is seen, with and without a prepared sandbox."""
    cold = [await seen(lab.open) for _ in range(STARTS)]
    pool, warm = Pool(lab, 1), []
    async with kept(pool):
        for _ in range(STARTS):
            await pool.full.wait()
            warm.append(await seen(pool.open))
    rows = [
        (what, *(f"{min(times):.2f} / {sorted(times)[STARTS // 2]:.2f} / {max(times):.2f} s" for times in both))
        for what, both in zip(
            ("first command", "first container or pod"),
            zip(zip(*cold, strict=True), zip(*warm, strict=True), strict=True),
            strict=True,
        )
    ]
    return table("From the command on, lowest / middle / highest of 5", ("until", "made then", "prepared"), rows)


@contextmanager
def counted() -> Iterator[list[str]]:
    """Count what is asked of the API server while the block runs."""
    asked: list[str] = []
    trace = aiohttp.TraceConfig()

    async def note(_: aiohttp.ClientSession, __: Any, request: aiohttp.TraceRequestStartParams) -> None:
        asked.append(f"{request.method} {request.url.path}")

    trace.on_request_start.append(note)
    create = aiohttp.ClientSession.__init__

    def traced(session: aiohttp.ClientSession, *positional: Any, **named: Any) -> None:
        create(session, *positional, **named, trace_configs=[trace])

    aiohttp.ClientSession.__init__ = traced  # type: ignore[method-assign]
    try:
        yield asked
    finally:
        aiohttp.ClientSession.__init__ = create  # type: ignore[method-assign]


async def costs(config: EngineConfig, engines: Engines, lab: Lab) -> str:
    """One run of selfheal in this process, while the engines' own tools watch."""
    docker, _ = await engines.docker(), await engines.cluster()
    admin = kubeconfig(config)
    watching = {
        "kubectl get pods -A --watch": [
            kubectl(), "--kubeconfig", str(admin), "get", "pods", "-A", "--watch"
        ],
        "docker events": ["docker", "--host", docker.host, "events"],
    }  # fmt: skip
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    tools = {name: psutil.Popen(words, **quiet) for name, words in watching.items()}
    bot = psutil.Process()
    before = cpu(bot)
    with counted() as asked:
        await run(lab.open, "selfheal", "hang")
    rows = [("the bot, both sides and the measuring", f"{cpu(bot) - before:.2f} s", megabytes(bot), str(len(asked)))]
    for name, tool in tools.items():
        if tool.poll() is not None:
            raise SystemExit(f"Not measured: {name} has ended with {tool.returncode}.")
        rows.append((name, f"{cpu(tool):.2f} s", megabytes(tool), "list and watch" if "kubectl" in name else "none"))
        tool.terminate()
        tool.wait()
    return table("What a run of selfheal --fault hang costs", ("who", "CPU", "memory", "requests to the API"), rows)


def cpu(process: Any) -> float:
    """CPU seconds of a process so far."""
    times = process.cpu_times()
    return float(times.user + times.system)


def megabytes(process: Any) -> str:
    """Its resident memory."""
    return f"{process.memory_info().rss / 1e6:.0f} MB"


async def measured() -> str:
    """All figures of this module as Markdown."""
    with tempfile.TemporaryDirectory() as folder:
        config = EngineConfig(Path(folder), CACHE, RANGE)
        async with open_engines(config) as engines:
            lab = Lab(engines)
            await run(lab.open, "scale")  # what is slower the first time is no part of what is measured
            tables = [await starts(lab), await costs(config, engines, lab), await at_once(lab)]
    return "\n".join(
        [*tables, f"The load of the machine at the end: {os.getloadavg()[0]:.1f} on {os.cpu_count()} CPUs.\n"]
    )


def measure() -> str:
    """All figures of this module as Markdown."""
    return asyncio.run(measured())
