"""What commands print: results on standard output, progress on standard error."""

import json
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from bot.platforms.terminal.text import coloured, render, written
from bot.presenting import present_engines
from knowledge import Ingested, IngestEvent
from knowledge import Progress as Pages
from sandbox.engines import EngineStatus


def out(text: str) -> None:
    """Print a result."""
    print(written(text, sys.stdout.encoding), flush=True)  # noqa: T201 - a command speaks by printing


def out_json(value: dict[str, Any]) -> None:
    """Print a result as one line of JSON in UTF-8, at once."""
    sys.stdout.buffer.write(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace") + b"\n")
    sys.stdout.buffer.flush()


def err(text: str) -> None:
    """Print what is no result."""
    line = written(f"portside: {text}", sys.stderr.encoding)
    print(line, file=sys.stderr, flush=True)  # noqa: T201 - a command speaks by printing


class IngestBar:
    """A bar on standard error while pages are taken in; nothing where there was nothing to do."""

    def __init__(self) -> None:
        columns = (TextColumn("Reading the pages"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        self._bar = Progress(*columns, console=Console(stderr=True), transient=True)
        self._task = self._bar.add_task("pages", total=None)

    def __call__(self, event: IngestEvent) -> None:
        """Show one event of an ingest."""
        match event:
            case Pages(done=done, total=total) if done < total or self._bar.live.is_started:
                self._bar.start()
                self._bar.update(self._task, completed=done, total=total)
            case Ingested():
                self._bar.stop()


async def until_up(progress: AsyncIterator[tuple[EngineStatus, ...]]) -> tuple[EngineStatus, ...]:
    """Show on standard error how the engines come up, until none is on its way; a line a step if it is no terminal."""
    console = Console(stderr=True)
    states: tuple[EngineStatus, ...] = ()
    said: set[str] = set()
    with Live(console=console, transient=True, auto_refresh=False) as live:
        async for states in progress:
            if not (part := present_engines(states)):
                continue
            live.update(coloured(render(replace(part, note="")), console.encoding), refresh=True)
            for step in part.steps if not console.is_terminal else ():
                if step.state == "now" and step.title not in said:
                    said.add(step.title)
                    err(f"getting ready: {step.title}")
    return states
