"""Recorded runs: found by name or read from a file, and played at their own times without an engine."""

import asyncio
import difflib
import json
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sandbox.checking import check
from sandbox.demo import Demo, Options, choose
from sandbox.errors import BadRecording, NoRecording
from sandbox.events import Event, Started
from sandbox.runs import from_json

MOST_BYTES = 5_000_000  # the longest of our own has a hundredth of that
_SHIPPED = Path(__file__).with_name("recordings")
_SHOWN = 60


@dataclass(frozen=True)
class Recording:
    """One whole recorded run; `date` is the day it ran."""

    demo: Demo
    options: Options
    date: str
    events: tuple[Event, ...]


def shipped() -> dict[str, Path]:
    """The recordings that come with the package, by name: a demo's, or a demo's and a fault's with a dash between."""
    return {file.stem: file for file in sorted(_SHIPPED.glob("*.jsonl"))}


def find(demos: Mapping[str, Demo], name: str, fault: str | None) -> Path:
    """The shipped recording of a demo and one of its faults, the first unless named. Raises `NoRecording`."""
    there = shipped()
    if name in there and fault is None:
        return there[name]
    if name not in demos:
        near = difflib.get_close_matches(name, there, cutoff=0.4) or sorted(there)
        raise NoRecording(f'There is no recording "{_short(name)}". Nearest: {", ".join(near)}.')
    demo, chosen = choose(demos, name, fault)
    stem = f"{demo.name}-{chosen.fault}" if chosen.fault else demo.name
    if stem not in there:
        raise NoRecording(f'There is no recording "{stem}". There are: {", ".join(sorted(there))}.')
    return there[stem]


def read(path: Path, demos: Mapping[str, Demo]) -> Recording:
    """Read a recording. Raises `NoRecording` where there is no such file, and `BadRecording` with what is wrong."""
    lines = _lines(path)
    if problems := check(lines):
        more = f" And {len(problems) - 1} more of the kind." if len(problems) > 1 else ""
        raise _bad(path, problems[0] + more)
    try:
        events = tuple(map(from_json, lines))
        demo, options = choose(demos, lines[0]["demo"], lines[0]["fault"])
        options = replace(options, replicas=lines[0]["replicas"])
    except (KeyError, TypeError, ValueError) as error:
        raise _bad(path, "It holds what this version does not know.") from error
    date = lines[0]["recorded"] or _day(path)
    return Recording(demo, options, date, tuple(_dated(event, date) for event in events))


def _lines(path: Path) -> list[Any]:
    if not path.exists():
        raise NoRecording(f"There is no file {path}. Give a recording's file or name: {', '.join(shipped())}.")
    if not path.is_file():
        raise _bad(path, "It is no file.")
    try:
        if path.stat().st_size > MOST_BYTES:
            raise _bad(path, f"It has more than {MOST_BYTES // 1_000_000} MB, and no run's events take so much.")
        words = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise _bad(path, f"It cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise _bad(path, "It is not UTF-8 text.") from error
    return [_parsed(path, n, line) for n, line in enumerate(words, 1)]


def _parsed(path: Path, n: int, line: str) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError) as error:
        raise _bad(path, f"Line {n} is no JSON.") from error


def _bad(path: Path, problem: str) -> BadRecording:
    return BadRecording(
        f"{path} is no recording that can be played. {problem} Record the run again: portside demo NAME --record"
    )


def _day(path: Path) -> str:
    """Lines that were kept by hand have no date; the day they were written is the day of the run."""
    return f"{datetime.fromtimestamp(path.stat().st_mtime, UTC):%Y-%m-%d}"


def _dated(event: Event, date: str) -> Event:
    return replace(event, recorded=date) if isinstance(event, Started) else event


async def play(events: tuple[Event, ...], speed: float) -> AsyncGenerator[Event, None]:
    """Yield the events at their times, so many times as fast."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    for event in events:
        if (wait := began + event.t / speed - loop.time()) > 0:
            await asyncio.sleep(wait)
        yield event


def _short(text: str) -> str:
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"
