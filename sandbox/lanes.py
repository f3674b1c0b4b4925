"""Both sides of a demo: its script on a stage, and from what that measured its findings and its result."""

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping
from contextlib import aclosing
from typing import Any

from sandbox.demo import Options, completed
from sandbox.events import Event, Finding
from sandbox.sandbox import Sandbox
from sandbox.stage import Stage

Findings = Callable[[Mapping[str, Any]], Iterable[Finding]]


class Lanes(ABC):
    """What a demo does on both sides: a demo writes its script and its figures, and the rest is the same for all."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.stage = Stage(sandbox)
        self._docker = sandbox.docker
        self._cluster = sandbox.cluster
        self._pace = sandbox.pace

    async def run(self, demo: str, options: Options, findings: Findings) -> AsyncGenerator[Event, None]:
        """Yield everything that happens, then what it showed, and the result."""
        async with aclosing(self.stage.play(self.script(options))) as events:
            async for event in events:
                self.see(event)
                yield event
        measured = self.figures()
        for finding in findings(measured):
            yield finding
        yield completed(demo, self.stage.measured(), measured)

    @abstractmethod
    async def script(self, options: Options) -> None:
        """Do what the demo shows, from its start to the last answer."""

    @abstractmethod
    def figures(self) -> dict[str, Any]:
        """Return what this demo alone measures."""

    def see(self, event: Event) -> None:  # noqa: B027 - few demos measure what others than they themselves tell
        """Note something of an event, as it happens."""
