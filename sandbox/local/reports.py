"""How the engines do, in one file: written by their keeper alone, read by everybody."""

import contextlib
import json
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, get_args

from sandbox.engines import EngineStatus, EngineStep, Images, State
from sandbox.events import Engine

ABSENT = tuple(EngineStatus(engine, "absent") for engine in Engine)


@dataclass(frozen=True)
class Report:
    """The engines that a keeper has: how they do, which are its own, and what the demo image is called in each."""

    statuses: tuple[EngineStatus, ...] = ABSENT
    ours: frozenset[Engine] = frozenset()
    images: dict[Engine, Images] = field(default_factory=dict)

    def status(self, engine: Engine) -> EngineStatus:
        """Return how one engine does."""
        return next(status for status in self.statuses if status.engine is engine)


def write_report(path: Path, report: Report) -> None:
    """Replace the file at once. A running step is written as the moment it began, so that it need not be renewed."""
    content = {
        "engines": [_from_status(status) for status in report.statuses],
        "ours": sorted(report.ours),
        "images": {engine: images.names for engine, images in report.images.items()},
    }
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps(content, indent=1))
    fresh.replace(path)


def read_report(path: Path) -> Report:
    """Read the file; an absent one, or one that we did not write, says that there are no engines."""
    try:
        content = json.loads(path.read_text())
        return Report(
            tuple(_to_status(status) for status in content["engines"]),
            frozenset(Engine(name) for name in content["ours"]),
            {Engine(name): Images(dict(names)) for name, names in content["images"].items()},
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return Report()


def _from_status(status: EngineStatus) -> dict[str, Any]:
    now = time.time()
    steps = [
        asdict(step) | ({"seconds": None, "began": now - (step.seconds or 0)} if step.state == "now" else {})
        for step in status.steps
    ]
    return asdict(status) | {"steps": steps}


def _to_status(content: dict[str, Any]) -> EngineStatus:
    if content["state"] not in get_args(State):
        raise ValueError(content["state"])
    steps = tuple(_to_step(dict(step)) for step in content["steps"])
    return EngineStatus(**(content | {"engine": Engine(content["engine"]), "steps": steps}))


def _to_step(content: dict[str, Any]) -> EngineStep:
    began = content.pop("began", None)
    step = EngineStep(**content)
    return step if began is None else replace(step, seconds=max(0.0, time.time() - began))


class Board:
    """The report while it is being made: each change is written at once."""

    def __init__(self, path: Path, report: Report) -> None:
        self._path = path
        self._begun: dict[str, float] = {}
        self.report = report
        write_report(path, report)

    def set(self, engine: Engine, **changes: Any) -> None:
        """Change what is said of one engine."""
        statuses = tuple(
            replace(status, **changes) if status.engine is engine else status for status in self.report.statuses
        )
        self._change(statuses=statuses)

    def images(self, engine: Engine, images: Images) -> None:
        """Say what the demo image is called in an engine."""
        self._change(images=self.report.images | {engine: images})

    def restart(self) -> None:
        """Say that everything begins again."""
        for engine in self.report.ours:
            self.set(engine, state="starting", detail="")

    def fail(self, engine: Engine, error: Exception) -> None:
        """Say that an engine cannot be had, and why."""
        steps = tuple(
            replace(step, state="failed", seconds=self._elapsed(step.title)) if step.state == "now" else step
            for step in self.report.status(engine).steps
        )
        self.set(engine, state="failed", detail=str(error), steps=steps)

    @contextlib.contextmanager
    def step(self, engine: Engine, title: str) -> Iterator[None]:
        """Show a step as being done while the block runs, and as done after it."""
        self._begun[title] = time.monotonic()
        self._step(engine, EngineStep(title, "now", 0.0))
        yield
        self._step(engine, EngineStep(title, "done", self._elapsed(title)))

    def part(self, engine: Engine, title: str, fraction: float | None) -> None:
        """Say which part of the running step is done."""
        self._step(engine, EngineStep(title, "now", self._elapsed(title), fraction))

    def _step(self, engine: Engine, fresh: EngineStep) -> None:
        steps = tuple(fresh if step.title == fresh.title else step for step in self.report.status(engine).steps)
        self.set(engine, steps=steps)

    def _timed(self, status: EngineStatus) -> EngineStatus:
        """Bring the running steps' seconds up to now, whatever it is that has changed."""
        steps = tuple(
            replace(step, seconds=self._elapsed(step.title)) if step.state == "now" else step for step in status.steps
        )
        return replace(status, steps=steps)

    def _elapsed(self, title: str) -> float:
        return time.monotonic() - self._begun[title]

    def _change(self, **changes: Any) -> None:
        fresh = replace(self.report, **changes)
        if fresh != self.report:
            self.report = replace(fresh, statuses=tuple(map(self._timed, fresh.statuses)))
            write_report(self._path, self.report)
