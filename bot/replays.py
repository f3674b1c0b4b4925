"""A recorded run as parts: the cards of the live one, at their times, with what it is labelled on them."""

import logging
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing

from bot.cards import advance, begin
from bot.parts import Choice, Choices, Part, Text
from bot.presenting import next_fault, of_a_run
from sandbox.demo import Demo, Options
from sandbox.errors import SandboxError
from sandbox.events import Fault, Result
from sandbox.replaying import Recording, find, play, read

log = logging.getLogger(__name__)


async def replayed(recording: Recording, speed: float) -> AsyncGenerator[Part, None]:
    """Yield the parts of a run that is played so many times as fast as it happened."""
    card = begin(recording.demo, recording.options)
    async with aclosing(play(recording.events, speed)) as events:
        async for event in events:
            card = advance(recording.demo, card, event)
            yield card
            if isinstance(event, Result) and event.error:
                yield Text(event.error)
    yield onward(recording.demo, recording.options)


def recorded(demos: Mapping[str, Demo], name: str, fault: str | None) -> Recording:
    """The recording of a demo and fault that ships. Raises `SandboxError` with what there is instead."""
    return read(find(demos, name, fault), demos)


def offer(demos: Mapping[str, Demo], demo: Demo, options: Options) -> Choices | None:
    """What can be watched in place of a run that cannot be had, if it was recorded."""
    try:
        recording = recorded(demos, demo.name, options.fault)
    except SandboxError as error:
        log.warning("no recording of %s is offered: %s", demo.name, error)
        return None
    label = f"Watch the recorded run of {recording.date}"
    return Choices((Choice(label, watch(demo, options.fault), primary=True),))


def onward(demo: Demo, options: Options) -> Choices:
    """What may be done after a recorded run: see another one, do the same by oneself, and ask what was seen."""
    if following := next_fault(demo, options.fault):
        first = Choice("Watch another fault", watch(demo, following), primary=True)
    else:
        first = Choice("Watch it again", watch(demo, options.fault))
    return Choices((first, *of_a_run(demo, options)))


def watch(demo: Demo, fault: Fault | None) -> str:
    """The message that plays a shipped recording."""
    return f"/replay {demo.name} --fault {fault}" if fault else f"/replay {demo.name}"
