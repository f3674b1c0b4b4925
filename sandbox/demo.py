"""Demos: data about a lesson, plus the async function that performs it."""

import asyncio
import difflib
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterator, Mapping
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from sandbox.engines import Machines, common_registry, own_machines
from sandbox.errors import BadRequest, DemoTimedOut, SandboxError, UnknownDemo
from sandbox.events import UNSTAMPED, Engine, EngineInfo, Event, Fault, Measured, Narration, Result, Started
from sandbox.figures import Row, outages
from sandbox.plan import Plan
from sandbox.predicting import BACK, Prediction
from sandbox.sandbox import OpenSandbox, Sandbox
from sandbox.streams import together


async def _at_once() -> None:
    """Nobody is asked to guess."""


@dataclass(frozen=True)
class Options:
    """What a learner chose: what breaks, and how many copies. A demo awaits `guesses` just before it acts."""

    fault: Fault | None = None
    replicas: int = 1
    guesses: Callable[[], Coroutine[Any, Any, None]] = _at_once


Run = Callable[[Sandbox, Options], AsyncGenerator[Event, None]]
# What a learner would type for a run, and take home: nothing is run for it.
Planned = Callable[[Options], Plan]
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

    `run` ends with a `Result` that has what was measured; `perform` holds it back until the sandbox is gone. `setup`
    says in a sentence what runs, `explain` is what to ask about what was seen, `rows` what of the result stands in the
    table, and `headline` what above it, where no finding is of the whole run. `faults` and `replicas` are what may be
    chosen, first what is taken unless told otherwise. Each of `parts` is a namespace and a network of its own.
    `needs` are the cluster's APIServices that it cannot do without. `plan` is the run as a learner would type it.
    `prediction` is what a room is asked before it acts.
    A demo that breaks machines runs `alone`, and on engines of ours only. One that `ships` needs a registry that both
    engines have.
    """

    name: str
    title: str
    question: str
    run: Run
    faults: tuple[Fault, ...] = ()
    replicas: tuple[int, ...] = (1,)
    explain: str = "What is the difference between Docker and Kubernetes?"
    setup: str = "Same image, one clock, 10 requests a second to each."
    rows: Callable[[Result], tuple[Row, ...]] = outages
    settings: Mapping[str, Setting] = field(default_factory=dict)
    parts: tuple[str, ...] = ("",)
    needs: tuple[str, ...] = ()
    seconds: float = 60
    deadline: float = 120
    lesson: Lesson | None = None
    headline: Callable[[Result], str] | None = None
    plan: Planned = lambda _: Plan()
    prediction: Prediction = BACK
    alone: bool = False
    ships: bool = False

    def require(self, docker: str | None, cluster: str | None, machines: Machines | None) -> None:
        """Refuse engines, known by their registries and machines, that cannot show it. Raises `EngineUnavailable`."""
        if self.alone:
            own_machines(machines)
        if self.ships:
            common_registry(docker, cluster)


def choose(
    demos: Mapping[str, Demo], name: str, fault: str | None = None, replicas: int | None = None
) -> tuple[Demo, Options]:
    """Find a demo and what it is to do; what is not named is its first. Raises UnknownDemo, BadRequest."""
    demo = demos.get(name)
    if demo is None:
        near = difflib.get_close_matches(name, demos, cutoff=0.4) or sorted(demos)
        raise UnknownDemo(f'There is no demo "{_short(name)}". Nearest: {", ".join(near)}.')
    return demo, Options(_fault(demo, fault), _replicas(demo, replicas))


def _fault(demo: Demo, fault: str | None) -> Fault | None:
    if fault is None:
        return next(iter(demo.faults), None)
    if not demo.faults:
        raise BadRequest(f"{demo.name} takes no fault. Start it without one: portside demo {demo.name}")
    if fault not in demo.faults:
        raise BadRequest(f'{demo.name} has no fault "{_short(fault)}". It takes: {", ".join(demo.faults)}.')
    return Fault(fault)


def _replicas(demo: Demo, replicas: int | None) -> int:
    if replicas is None:
        return demo.replicas[0]
    if replicas not in demo.replicas:
        known = ", ".join(map(str, sorted(demo.replicas)))
        raise BadRequest(f"{demo.name} cannot run with {replicas} replicas. It takes: {known}.")
    return replicas


def _short(text: str) -> str:
    return text if len(text) <= 40 else text[:40] + "…"  # noqa: PLR2004 - as much as reads well in a sentence


async def perform(demo: Demo, options: Options, owner: str, open_sandbox: OpenSandbox) -> AsyncGenerator[Event, None]:
    """Run a demo in a sandbox of its own: `Started` first, `Result` last, whatever happens in between.

    What goes wrong in the sandbox stands in the result. An error of ours is raised after it. A run that is closed or
    cancelled can tell nothing more, but its sandbox is gone before that returns.
    """
    run = _Run(demo, options)
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


def unfinished(demo: Demo, options: Options, error: str | None = None) -> Result:
    """Return the result of a run that has not come to its end."""
    return Result(demo=demo.name, fault=options.fault, completed=False, error=error, cleaned_up=False, engines={})


def completed(
    demo: str,
    engines: Mapping[Engine, Measured],
    measured: Mapping[str, Any] | None = None,
    fault: Fault | None = None,
) -> Result:
    """Return the result of a run that has come to its end; whether it was cleaned up `perform` says."""
    return Result(
        demo=demo, fault=fault, completed=True, error=None, cleaned_up=False, engines=engines, measured=measured or {}
    )


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

    def __init__(self, demo: Demo, options: Options) -> None:
        self._demo = demo
        self._options = options
        self._sandbox: Sandbox | None = None
        self._result = unfinished(demo, options)

    async def events(self, owner: str, open_sandbox: OpenSandbox) -> AsyncGenerator[Event, None]:
        """Yield everything up to the clean-up; the demo's own result is held back until then."""
        async with open_sandbox(owner, self._demo.deadline) as sandbox:
            self._demo.require(sandbox.docker.registry, sandbox.cluster.registry, sandbox.machines)
            self._sandbox = sandbox
            async with aclosing(self._within_deadline(sandbox)) as events:
                async for event in events:
                    yield _stamped(event, sandbox)

    async def _within_deadline(self, sandbox: Sandbox) -> AsyncGenerator[Event, None]:
        """Prepare the sandbox and run the demo, for as long as it may take."""
        infos = {Engine.DOCKER: sandbox.docker.info, Engine.KUBERNETES: sandbox.cluster.info}
        used = {name: setting.used for name, setting in self._demo.settings.items()}
        yield self._started(infos, used | dict(sandbox.settings))
        if sandbox.turns.sharing(sandbox.run):
            yield Narration(text="Another run is being measured. This one starts when that no longer disturbs it.")
        end = asyncio.get_running_loop().time() + self._demo.deadline
        try:
            async with AsyncExitStack() as start:
                await start.enter_async_context(sandbox.turns.share(sandbox.run, sandbox.pace.turn))
                async with asyncio.timeout_at(end):
                    await together(*(sandbox.cluster.available(api) for api in self._demo.needs))
                    await together(*(sandbox.part(part).prepare() for part in self._demo.parts))
                options = replace(self._options, guesses=partial(self._started_up, start))
                async with aclosing(self._demo.run(sandbox, options)) as events:
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

    async def _started_up(self, start: AsyncExitStack) -> None:
        """Give the turn to start to others, and have the guesses made."""
        await start.aclose()
        await self._options.guesses()

    def fail(self, sentence: str) -> None:
        """Remember what went wrong."""
        self._result = replace(self._result, completed=False, error=sentence)

    def ending(self) -> Iterator[Event]:
        """Say what was cleaned up, and the result."""
        if self._sandbox is None:
            yield self._started({}, {})
        yield from endings(self._sandbox, self._result)

    def _started(self, engines: Mapping[Engine, EngineInfo], settings: Mapping[str, Any]) -> Started:
        return Started(
            t=UNSTAMPED if engines else 0.0,
            demo=self._demo.name,
            fault=self._options.fault,
            replicas=self._options.replicas,
            engines=engines,
            settings=settings,
        )


def _stamped(event: Event, sandbox: Sandbox) -> Event:
    return replace(event, run=sandbox.run, t=sandbox.clock() if event.t == UNSTAMPED else event.t)
