"""Who brings it back? The same fault on both sides, and the outage that a user would have felt."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from sandbox.demo import Demo, Options, completed
from sandbox.docker_run import docker_run
from sandbox.events import Engine, Event, Fault, Narration, Result
from sandbox.healing import APP, FAULTS, SETTINGS, Healing, broken, containers, differs, docker_ps, get_pods, manifests
from sandbox.plan import APPLY, IMAGES, PLAIN, Plan, Step, rollout_status
from sandbox.sandbox import Sandbox
from sandbox.stage import Stage
from sandbox.telling import Story, findings


async def selfheal(sandbox: Sandbox, options: Options) -> AsyncGenerator[Event, None]:
    """Start one copy on each side, break both at once, and watch who brings them back."""
    lanes = Healing(Stage(sandbox), options)
    story = Story()
    async with aclosing(lanes.stage.play(lanes.script())) as events:
        async for event in events:
            yield event
            if sentence := story.sentence(event):
                yield Narration(t=event.t, text=sentence)
    measured = lanes.stage.measured()
    for finding in findings(measured):
        yield finding
    yield completed("selfheal", measured, fault=options.fault)


def plan(options: Options) -> Plan:
    """Return the run as a learner would type it."""
    fault, wanted = options.fault or Fault.CRASH, containers(PLAIN, options.replicas)
    name = wanted[0].name
    waits, asks = f"Wait for its first answer, and break it. The fault is {fault}.", "Who brings it back? Look again."
    return Plan(
        docker=(
            Step("Start it, with a restart policy and a health check.", tuple(map(docker_run, wanted))),
            Step("See it run.", (docker_ps(name),)),
            Step(waits, broken(fault, Engine.DOCKER, name)),
            Step(asks, (f"{docker_ps(name)} --all",)),
        ),
        kubernetes=(
            Step("Declare it: a Deployment with two probes, and a Service.", (APPLY, rollout_status(APP))),
            Step("See it run.", (get_pods(APP),)),
            Step(waits, broken(fault, Engine.KUBERNETES, APP)),
            Step(asks, (get_pods(APP), "kubectl get events")),
        ),
        containers=wanted,
        manifests=manifests(PLAIN, IMAGES, options.replicas),
    )


def lesson(result: Result) -> str | None:
    """Hold a run against this demo."""
    return differs(result.fault or Fault.CRASH, result.engines)


DEMO = Demo(
    name="selfheal",
    title="Self-healing",
    question="Who brings it back?",
    run=selfheal,
    faults=FAULTS,
    replicas=(1, 2, 3),
    seconds=45,
    lesson=lesson,
    plan=plan,
    settings=SETTINGS,
)
