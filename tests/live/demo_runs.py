"""Whole runs of demos on the real engines, and what their tests read from the events."""

import asyncio
from collections.abc import Iterable

from sandbox.demo import choose, perform
from sandbox.demos import load_demos
from sandbox.engines import Engines
from sandbox.events import Command, Engine, Event, Result
from sandbox.lab import Lab

Runs = dict[str, list[Event]]


async def run(engines: Engines, name: str) -> list[Event]:
    demo, options = choose(load_demos(), name)
    return [event async for event in perform(demo, options, "live-test", Lab(engines).open)]


async def side_by_side(engines: Engines, names: Iterable[str]) -> Runs:
    """Each in a sandbox of its own."""
    wanted = list(names)
    return dict(zip(wanted, await asyncio.gather(*(run(engines, name) for name in wanted)), strict=True))


def result(events: list[Event]) -> Result:
    last = events[-1]
    assert isinstance(last, Result)
    return last


def typed(events: list[Event], *engines: Engine) -> list[str]:
    """What a learner would have typed, on the engines that are named or on both."""
    wanted = engines or tuple(Engine)
    return [event.text for event in events if isinstance(event, Command) and event.engine in wanted]
