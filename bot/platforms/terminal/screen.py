"""Where a demo appears: redrawn in place on a terminal, one line for each event elsewhere."""

import asyncio
import os
import sys
import termios
import tty
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Protocol, TextIO

from rich.console import Console
from rich.live import Live
from rich.text import Text as Styled

from bot.parts import Card, Part, Reply
from bot.platforms.terminal.text import ASCII, render, render_reply

STYLES = {"[✓▀]": "green", "[×]": "red", "◆": "magenta", "[◌▞]": "yellow"}


class Screen(Protocol):
    """A surface that a person may quit."""

    interval: float

    async def show(self, reply: Reply) -> None:
        """Show the reply as it is now."""
        ...

    async def until_quit(self, work: Coroutine[Any, Any, Reply]) -> Reply | None:
        """Do the work; stop it cleanly when the person quits."""
        ...


@contextmanager
def open_screen(file: TextIO) -> Iterator[Screen]:
    """The right kind of screen for where output goes."""
    if not file.isatty():
        yield Lines(file)
        return
    console = Console(file=file, highlight=False)
    with Live(console=console, auto_refresh=False, vertical_overflow="visible") as live:
        yield Redrawn(live)


def written(text: str, encoding: str | None) -> str:
    """The text with ASCII twins for its marks where the encoding has no others."""
    return text if (encoding or "").lower().replace("-", "") == "utf8" else text.translate(ASCII)


class Redrawn:
    """A terminal: the whole reply is drawn anew in its place; `q` quits."""

    interval = 0.25

    def __init__(self, live: Live) -> None:
        self._live = live

    async def show(self, reply: Reply) -> None:
        """Draw the reply where it stood."""
        styled = Styled(written(render_reply(reply), self._live.console.encoding))
        for signs, style in STYLES.items():
            styled.highlight_regex(signs, style)
        self._live.update(styled, refresh=True)

    async def until_quit(self, work: Coroutine[Any, Any, Reply]) -> Reply | None:
        """Do the work until it ends or `q` is pressed."""
        task = asyncio.ensure_future(work)
        with keys(sys.stdin, task), suppress(asyncio.CancelledError):
            return await task
        if (me := asyncio.current_task()) and me.cancelling():
            raise asyncio.CancelledError
        return None


@contextmanager
def keys(source: TextIO, task: "asyncio.Future[Reply]") -> Iterator[None]:
    """Cancel the task when `q` is pressed, if there is a keyboard."""
    if not source.isatty():
        yield
        return
    descriptor = source.fileno()
    before = termios.tcgetattr(descriptor)
    tty.setcbreak(descriptor)

    def pressed() -> None:
        if b"q" in os.read(descriptor, 64):
            task.cancel()

    loop = asyncio.get_running_loop()
    loop.add_reader(descriptor, pressed)
    try:
        yield
    finally:
        loop.remove_reader(descriptor)
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)


class Lines:
    """No terminal: what is new is written once, and the whole at the end."""

    interval = 0.25

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._said: set[str] = set()

    async def show(self, reply: Reply) -> None:
        """Write what has not been said yet."""
        for part in reply:
            for line in news(part):
                if line not in self._said:
                    self._said.add(line)
                    self._write(line)

    async def until_quit(self, work: Coroutine[Any, Any, Reply]) -> Reply | None:
        """Do the work; there is no key to quit with."""
        return await work

    def _write(self, line: str) -> None:
        self._file.write(written(line, self._file.encoding) + "\n")
        self._file.flush()


def news(part: Part) -> Iterator[str]:
    """The lines of a part that stay true once they are written."""
    if not isinstance(part, Card):
        yield render(part)
        return
    if part.fault_at is not None:
        yield f"{part.fault_at:6.1f} s  both        fault: {part.fault}"
    acts = [(act, lane.engine) for lane in part.lanes for act in lane.acts]
    for act, engine in sorted(acts, key=lambda pair: pair[0].t):
        yield f"{act.t:6.1f} s  {engine:10}  {act.actor}: {act.text}"
    if part.state == "running" and part.narration:
        yield f"          {part.narration}"
    elif part.state != "running":
        yield "\n" + render(part)
