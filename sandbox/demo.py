"""Demos: data about a lesson, plus the async function that performs it."""

import asyncio
import difflib
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import Any

from sandbox.errors import BadRequest, DemoTimedOut, SandboxError, UnknownDemo
from sandbox.events import UNSTAMPED, Engine, Event, Fault, Result, Started
from sandbox.sandbox import OpenSandbox, Sandbox

Run = Callable[[Sandbox, Fault | None], AsyncGenerator[Event, None]]
# Says in a sentence how a run differs from what the demo teaches: never shown as a result, only held against it.
Lesson = Callable[[Result], str | None]


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
    lesson: Lesson | None = None


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
    run = _Run(demo, fault)
    bug: Exception | None = None
    try:
        async with aclosing(run.events(owner, open_sandbox)) as events:
            async for event in events:
                yield event
    except SandboxError as error:
        run.fail(str(error))
    except Exception as error:  # noqa: BLE001 - the result comes last also after a fault of our own; then it is raised
        run.fail("The demo stopped at a fault in Portside itself.")
        bug = error
    for event in run.ending():
        yield event
    if bug:
        raise bug


def unfinished(demo: Demo, fault: Fault | None, error: str | None = None) -> Result:
    """Return the result of a run that has not come to its end."""
    return Result(demo=demo.name, fault=fault, completed=False, error=error, cleaned_up=False, engines={})


def endings(sandbox: Sandbox | None, result: Result) -> Iterator[Event]:
    """Say what was cleaned up, and the result. What nobody has looked at is not clean; what was never made is."""
    if sandbox is None:
        yield replace(result, t=0.0, cleaned_up=True)
        return
    cleaned_up = bool(sandbox.cleanups) and not any(cleanup.left for cleanup in sandbox.cleanups)
    last: tuple[Event, ...] = (*sandbox.cleanups, replace(result, cleaned_up=cleaned_up))
    yield from (_stamped(event, sandbox) for event in last)


class _Run:
    """One run of a demo; its sandbox outlives its events, to say what was cleaned up."""

    def __init__(self, demo: Demo, fault: Fault | None) -> None:
        self._demo = demo
        self._fault = fault
        self._sandbox: Sandbox | None = None
        self._result = unfinished(demo, fault)

    async def events(self, owner: str, open_sandbox: OpenSandbox) -> AsyncGenerator[Event, None]:
        """Yield everything up to the clean-up; the demo's own result is held back until then."""
        async with open_sandbox(owner, self._demo.deadline) as sandbox:
            self._sandbox = sandbox
            async with aclosing(self._within_deadline(sandbox)) as events:
                async for event in events:
                    yield _stamped(event, sandbox)

    async def _within_deadline(self, sandbox: Sandbox) -> AsyncGenerator[Event, None]:
        """Prepare the sandbox and run the demo, for as long as it may take."""
        yield self._started(sandbox)
        end = asyncio.get_running_loop().time() + self._demo.deadline
        try:
            async with asyncio.timeout_at(end):
                await sandbox.prepare()
            async with aclosing(self._demo.run(sandbox, self._fault)) as events:
                while event := await self._next(events, end):
                    yield event
        except TimeoutError as error:
            raise DemoTimedOut(
                f"The demo took longer than {self._demo.deadline:g} s and was stopped; what it had made is removed, "
                "at the latest when it expires. "
                "This machine may be busy: start it again in a moment."
            ) from error

    async def _next(self, events: AsyncGenerator[Event, None], end: float) -> Event | None:
        async with asyncio.timeout_at(end):  # around the waiting, never across a yield: see PEP 789
            event = await anext(events, None)
        if not isinstance(event, Result):
            return event
        self._result = event
        return None

    def fail(self, sentence: str) -> None:
        """Remember what went wrong."""
        self._result = replace(self._result, completed=False, error=sentence)

    def ending(self) -> Iterator[Event]:
        """Say what was cleaned up, and the result."""
        if self._sandbox is None:
            yield Started(t=0.0, demo=self._demo.name, fault=self._fault, replicas=1, engines={})
        yield from endings(self._sandbox, self._result)

    def _started(self, sandbox: Sandbox) -> Started:
        used = {name: setting.used for name, setting in self._demo.settings.items()}
        return Started(
            demo=self._demo.name,
            fault=self._fault,
            replicas=1,
            engines={Engine.DOCKER: sandbox.docker.info, Engine.KUBERNETES: sandbox.cluster.info},
            settings=used | dict(sandbox.settings),
        )


def _stamped(event: Event, sandbox: Sandbox) -> Event:
    return replace(event, run=sandbox.run, t=sandbox.clock() if event.t == UNSTAMPED else event.t)
