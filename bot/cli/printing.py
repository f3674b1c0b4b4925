"""What commands print: results on standard output, progress on standard error."""

import json
import sys
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from knowledge import Ingested, IngestEvent
from knowledge import Progress as Pages


def out(text: str) -> None:
    """Print a result."""
    print(text, flush=True)  # noqa: T201 - a command speaks by printing


def out_json(value: dict[str, Any]) -> None:
    """Print a result as one line of JSON, at once."""
    out(json.dumps(value, ensure_ascii=False))


def err(text: str) -> None:
    """Print what is no result."""
    print(f"portside: {text}", file=sys.stderr, flush=True)  # noqa: T201 - a command speaks by printing


class IngestBar:
    """A bar on standard error while pages are taken in; nothing where there was nothing to do."""

    def __init__(self) -> None:
        columns = (TextColumn("Reading the pages"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        self._bar = Progress(*columns, console=Console(stderr=True), transient=True)
        self._task = self._bar.add_task("pages", total=None)

    def __call__(self, event: IngestEvent) -> None:
        """Show one event of an ingest."""
        match event:
            case Pages(done=done, total=total):
                self._bar.start()
                self._bar.update(self._task, completed=done, total=total)
            case Ingested():
                self._bar.stop()
