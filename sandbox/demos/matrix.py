"""Every fault on both sides: the four faults of selfheal at one moment, each in a part of the run of its own."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from contextlib import aclosing
from dataclasses import asdict, replace
from typing import Any

from sandbox.demo import Demo, Options, completed
from sandbox.docker_run import docker_run
from sandbox.events import NAMES, Engine, Event, Fault, Finding, Injected, Measured, Narration, Result
from sandbox.figures import Outcomes, Row, actors, back_after, outcomes_of
from sandbox.healing import APP, FAULTS, SETTINGS, Healing, broken, containers, differs, docker_ps, manifests
from sandbox.names import Plain
from sandbox.plan import APPLY, IMAGES, PLAIN, Plan, Step, rollout_status
from sandbox.predicting import Prediction
from sandbox.runs import SIDE_BY_SIDE
from sandbox.sandbox import Sandbox
from sandbox.stage import Stage
from sandbox.streams import Stream, together
from sandbox.telling import back


async def matrix(sandbox: Sandbox, options: Options) -> AsyncGenerator[Event, None]:
    """Break four copies on each side, each in another way, and watch them all."""
    stream = Stream(sandbox.clock)
    barrier = asyncio.Barrier(len(FAULTS))

    async def guesses() -> None:
        """Wait until all parts serve, have the guesses made once, and let all go on at one moment."""
        if await barrier.wait() == 0:
            await options.guesses()
            stream.tell(Narration(text="All of them serve. Now each is broken in its own way."))
        await barrier.wait()

    healings = {fault: Healing(Stage(sandbox.part(fault)), Options(fault, guesses=guesses)) for fault in FAULTS}
    async with aclosing(stream.until(_play(stream, healings))) as events:
        async for event in events:
            yield event
    outcomes = {fault: healing.stage.measured() for fault, healing in healings.items()}
    for finding in findings(outcomes):
        yield finding
    yield completed("matrix", {}, {"faults": _plain(outcomes)})


async def _play(stream: Stream, healings: Mapping[Fault, Healing]) -> None:
    stream.tell(Narration(text="Four copies of the same web server on each side, one for each fault."))
    await together(*(_tell(stream, fault, healing) for fault, healing in healings.items()))


async def _tell(stream: Stream, fault: Fault, healing: Healing) -> None:
    """Tell what happens in one part as its own; four narrators at once would drown each other."""
    async with aclosing(healing.stage.play(healing.script())) as events:
        async for event in events:
            if isinstance(event, SIDE_BY_SIDE):
                stream.tell(replace(event, fault=fault))
            elif isinstance(event, Injected):
                stream.tell(event)


def _plain(outcomes: Outcomes) -> dict[str, Any]:
    return {
        fault.value: {engine.value: asdict(lane) | {"acted_by": list(lane.acted_by)} for engine, lane in lanes.items()}
        for fault, lanes in outcomes.items()
    }


def findings(outcomes: Outcomes) -> list[Finding]:
    """Say for each fault who was back, the quicker first."""
    return [Finding(text=f"{fault.value}: {back(lanes)}", fault=fault) for fault, lanes in outcomes.items()]


def headline(result: Result) -> str:
    """Say how many copies each side brought back, and where it was the quicker one."""
    outcomes = outcomes_of(result)
    return " ".join(_won(engine, outcomes) for engine in Engine)


def _won(engine: Engine, outcomes: Outcomes) -> str:
    recovered = _recovered(engine, outcomes)
    quicker = [fault.value for fault, lanes in outcomes.items() if _quickest(lanes) is engine]
    won = f", first at {', '.join(quicker)}" if quicker else ""
    return f"{NAMES[engine]} was back after {recovered} of {len(outcomes)} faults{won}."


def _recovered(engine: Engine, outcomes: Outcomes) -> int:
    return sum(lanes[engine].recovered is True for lanes in outcomes.values())


def _quickest(lanes: Mapping[Engine, Measured]) -> Engine | None:
    times = {engine: lane.recovery_seconds for engine, lane in lanes.items() if lane.recovery_seconds is not None}
    return min(times, key=times.__getitem__, default=None)


def _healed(result: Result, engine: Engine) -> str:
    outcomes = outcomes_of(result)
    return f"{_recovered(engine, outcomes)} of {len(outcomes)}"


PREDICTION = Prediction(
    "From how many of the four faults is it back by itself?", ("All four", "Three", "Two or fewer"), _healed
)


def rows(result: Result) -> tuple[Row, ...]:
    """Return the measured table: for each fault when each side was back, then who acted."""
    return tuple(_rows(outcomes_of(result)))


def _rows(outcomes: Outcomes) -> Iterator[Row]:
    for fault, lanes in outcomes.items():
        yield Row(f"{fault.value}: back after", *(back_after(lanes[engine]) for engine in Engine))
    for fault, lanes in outcomes.items():
        yield Row(f"{fault.value}: who acted", *(actors(lanes[engine]) for engine in Engine))


def plan(options: Options) -> Plan:
    """Return the run as a learner would type it: in one place, so that each copy is called by its fault."""
    wanted = {fault: container for fault in FAULTS for container in containers(Plain(fault), options.replicas)}
    names = {fault: container.name for fault, container in wanted.items()}
    return Plan(
        docker=(
            Step("Start four copies, each with a restart policy and a health check.", _lines(docker_run, wanted)),
            *(Step(f"Break one: {fault}.", broken(fault, Engine.DOCKER, name)) for fault, name in names.items()),
            Step("Who is back? Look again.", (f"{docker_ps(APP)} --all",)),
        ),
        kubernetes=(
            Step("Declare four copies.", (APPLY, *_lines(rollout_status, names))),
            *(Step(f"Break one: {fault}.", broken(fault, Engine.KUBERNETES, name)) for fault, name in names.items()),
            Step("Who is back? Look again.", ("kubectl get pods", "kubectl get events")),
        ),
        containers=tuple(wanted.values()),
        manifests=tuple(one for name in names.values() for one in manifests(PLAIN, IMAGES, options.replicas, name)),
    )


def _lines(line: Callable[[Any], str], things: Mapping[Fault, Any]) -> tuple[str, ...]:
    return tuple(map(line, things.values()))


def lesson(result: Result) -> str | None:
    """Hold a run against this demo: each fault shows what it shows by itself."""
    told = ((fault, differs(fault, lanes)) for fault, lanes in outcomes_of(result).items())
    return next((f"{fault.value}: {sentence}" for fault, sentence in told if sentence), None)


DEMO = Demo(
    name="matrix",
    title="All faults",
    question="Every fault on both sides",
    explain="What does Docker not heal by itself?",
    run=matrix,
    setup="Four copies a side, each broken in its own way at one moment. One clock, 10 requests a second to each.",
    rows=rows,
    headline=headline,
    lesson=lesson,
    plan=plan,
    parts=tuple(fault.value for fault in FAULTS),
    prediction=PREDICTION,
    seconds=60,
    deadline=120,
    settings=SETTINGS,
)
