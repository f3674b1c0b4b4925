"""Demos: data about a lesson, plus the async function that performs it."""

import asyncio
import difflib
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import Any

from sandbox.errors import BadRequest, DemoTimedOut, SandboxError, UnknownDemo
from sandbox.events import UNSTAMPED, Cleanup, Engine, Event, Fault, Result, Started
from sandbox.sandbox import OpenSandbox, Sandbox

Run = Callable[[Sandbox, Fault | None], AsyncGenerator[Event, None]]


@dataclass(frozen=True)
class Setting:
    """What a demo uses in place of an engine's default, so that it is quicker."""

    used: Any
    default: Any


@dataclass(frozen=True)
class Demo:
    """One live lesson: `seconds` is how long it takes as a rule, `deadline` how long it may.

    `run` ends with a `Result` that has what was measured; `perform` holds it back until the sandbox is gone.
    """

    name: str
    title: str
    question: str
    faults: tuple[Fault, ...]
    run: Run
    settings: Mapping[str, Setting] = field(default_factory=dict)
    seconds: float = 60
    deadline: float = 120


def choose(demos: Mapping[str, Demo], name: str, fault: str | None) -> tuple[Demo, Fault | None]:
    """Find a demo and one of its faults (its first where none is named). Raises UnknownDemo, BadRequest."""
    demo = demos.get(name)
    if demo is None:
        near = difflib.get_close_matches(name, demos, cutoff=0.4) or sorted(demos)
        raise UnknownDemo(f'There is no demo "{_short(name)}". Nearest: {", ".join(near)}.')
    if fault is None:
        return demo, next(iter(demo.faults), None)
    if fault not in demo.faults:
        raise BadRequest(f'{demo.name} has no fault "{_short(fault)}". It takes: {", ".join(demo.faults)}.')
    return demo, Fault(fault)


def _short(text: str) -> str:
    return text if len(text) <= 40 else text[:40] + "…"  # noqa: PLR2004 - as much as reads well in a sentence


async def perform(
    demo: Demo, fault: Fault | None, owner: str, open_sandbox: OpenSandbox
) -> AsyncGenerator[Event, None]:
    """Run a demo in a sandbox of its own: `Started` first, `Result` last, whatever happens in between.

    What goes wrong in the sandbox stands in the result. An error of ours is raised after it. A run that is closed or
    cancelled can tell nothing more, but its sandbox is gone before that returns.
    """
    sandbox: Sandbox | None = None
    result = Result(demo=demo.name, fault=fault, completed=False, error=None, cleaned_up=True, engines={})
    bug: Exception | None = None
    try:
        async with open_sandbox(owner, demo.deadline) as sandbox:
            yield _stamped(_started(demo, fault, sandbox), sandbox)
            async with aclosing(_within(demo, sandbox, fault)) as events:
                async for event in events:
                    if isinstance(event, Result):
                        result = event
                    else:
                        yield _stamped(event, sandbox)
    except SandboxError as error:
        result = replace(result, completed=False, error=str(error))
    except Exception as error:  # noqa: BLE001 - the result comes last also after a fault of our own; then it is raised
        bug = error
        result = replace(result, completed=False, error="The demo stopped at a fault in Portside itself.")
    if sandbox is None:
        yield _started(demo, fault, None)
    for cleanup in sandbox.cleanups if sandbox else ():
        yield _stamped(cleanup, sandbox)
    yield _stamped(replace(result, cleaned_up=_all_gone(sandbox)), sandbox)
    if bug:
        raise bug


async def _within(demo: Demo, sandbox: Sandbox, fault: Fault | None) -> AsyncGenerator[Event, None]:
    """Prepare the sandbox and run the demo, for as long as it may take."""
    end = asyncio.get_running_loop().time() + demo.deadline
    try:
        async with asyncio.timeout_at(end):
            await sandbox.prepare()
        async with aclosing(demo.run(sandbox, fault)) as events:
            while True:
                async with asyncio.timeout_at(end):  # never across a yield: see PEP 789
                    event = await anext(events, None)
                if event is None:
                    return
                yield event
    except TimeoutError as error:
        raise DemoTimedOut(
            f"The demo took longer than {demo.deadline:g} s and was stopped; what it had made is removed. "
            "This machine may be busy: start it again in a moment."
        ) from error


def _started(demo: Demo, fault: Fault | None, sandbox: Sandbox | None) -> Started:
    if sandbox is None:
        return Started(t=0.0, demo=demo.name, fault=fault, replicas=1, engines={})
    return Started(
        demo=demo.name,
        fault=fault,
        replicas=1,
        engines={Engine.DOCKER: sandbox.docker.info, Engine.KUBERNETES: sandbox.cluster.info},
        settings={name: setting.used for name, setting in demo.settings.items()} | dict(sandbox.settings),
    )


def _stamped(event: Event, sandbox: Sandbox | None) -> Event:
    if sandbox is None:
        return replace(event, t=0.0)
    return replace(event, run=sandbox.run, t=sandbox.clock() if event.t == UNSTAMPED else event.t)


def _all_gone(sandbox: Sandbox | None) -> bool:
    cleanups: tuple[Cleanup, ...] = sandbox.cleanups if sandbox else ()
    return not any(cleanup.left for cleanup in cleanups)
