"""Who brings it back? The same fault on both sides, and the outage that a user would have felt."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from sandbox.demo import Demo, Options
from sandbox.events import Event, Fault, Narration, Result
from sandbox.healing import SETTINGS, Healing, differs
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
    yield Result(demo="selfheal", fault=options.fault, completed=True, error=None, cleaned_up=False, engines=measured)


def lesson(result: Result) -> str | None:
    """Hold a run against this demo."""
    return differs(result.fault or Fault.CRASH, result.engines)


DEMO = Demo(
    name="selfheal",
    title="Self-healing",
    question="Who brings it back?",
    run=selfheal,
    faults=(Fault.CRASH, Fault.HANG, Fault.OOM, Fault.REMOVE),
    replicas=(1, 2, 3),
    seconds=45,
    lesson=lesson,
    settings=SETTINGS,
)
