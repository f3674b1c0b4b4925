"""Demos: data about a lesson, plus the async function that performs it."""

from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass

from sandbox.events import Event, Fault
from sandbox.sandbox import Sandbox

Run = Callable[[Sandbox, Fault | None], AsyncGenerator[Event, None]]


@dataclass(frozen=True)
class Demo:
    """One live lesson: `seconds` is how long it takes as a rule, `deadline` how long it may."""

    name: str
    title: str
    question: str
    faults: tuple[Fault, ...]
    run: Run
    seconds: float = 60
    deadline: float = 120
