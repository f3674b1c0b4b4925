"""Where a reply appears: redrawn in place on a terminal, one line for each event elsewhere."""

import asyncio
import os
import sys
import termios
import tty
from collections.abc import Callable, Coroutine, Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from typing import Any, Protocol, TextIO

from rich.console import Console
from rich.live import Live

from bot.parts import Card, Part, Progress, Reply
from bot.platforms.terminal.text import Typed, coloured, in_shell, render_reply, written
from bot.platforms.terminal.votes import pressed

STOPPING = "Stopping: what the run has made is being removed."
_PAUSE = 0.25

Say = Callable[[str], Coroutine[Any, Any, object]]


async def _unheard(_: str) -> None:
    """Nobody listens to guesses here."""


class Screen(Protocol):
    """A surface that a person may quit."""

    async def pace(self) -> None:
        """Wait until it may be drawn again."""
        ...

    async def show(self, reply: Reply, final: bool) -> None:
        """Show the reply as it is now."""
        ...

    async def until_quit(self, work: Coroutine[Any, Any, Reply]) -> Reply | None:
        """Do the work; stop it cleanly when the person quits, and return None then."""
        ...


@contextmanager
def open_screen(file: TextIO, typed: Typed = in_shell, say: Say = _unheard) -> Iterator[Screen]:
    """The right kind of screen for where output goes; `say` takes what a key says while a reply grows."""
    if not file.isatty():
        yield Lines(file, typed)
        return
    # What is longer than the screen is cut off while it grows, and left whole at the end.
    with Live(console=Console(file=file, highlight=False), auto_refresh=False) as live:
        yield Redrawn(live, typed, say)


class Redrawn:
    """A terminal: the whole reply is drawn anew in its place; `q` quits, other keys guess while there is a vote."""

    def __init__(self, live: Live, typed: Typed, say: Say) -> None:
        self._live = live
        self._typed = typed
        self._say = say
        self._said: list[asyncio.Future[object]] = []
        self._reply: Reply = ()
        self._keys = ExitStack()
        self._work: asyncio.Task[Reply] | None = None

    async def pace(self) -> None:
        """Four times a second is live to the eye."""
        await asyncio.sleep(_PAUSE)

    async def show(self, reply: Reply, final: bool) -> None:  # noqa: ARG002 - every form is drawn alike
        """Draw the reply where it stood; from its first demo on, `q` quits."""
        self._reply = reply
        if self._work and any(isinstance(part, Card | Progress) for part in reply):
            self._keys.enter_context(keys(sys.stdin, partial(self._pressed, self._work)))
            self._work = None
        self._live.update(coloured(render_reply(reply, self._typed), self._live.console.encoding), refresh=True)

    def _pressed(self, task: asyncio.Task[Reply], key: str) -> None:
        if key == "q":
            self._quit(task)
        elif command := pressed(self._reply, key):
            self._said.append(asyncio.ensure_future(self._say(command)))

    def _quit(self, task: asyncio.Task[Reply]) -> None:
        if not task.cancelling():  # once only: a second time would cut the clean-up short
            self._live.console.print(STOPPING)  # above the reply, which may still be drawn anew
            task.cancel()

    async def until_quit(self, work: Coroutine[Any, Any, Reply]) -> Reply | None:
        """Do the work until it ends or `q` is pressed."""
        task = self._work = asyncio.ensure_future(work)
        with self._keys, suppress(asyncio.CancelledError):
            reply = await task
            await asyncio.gather(*self._said)
            return reply
        if (me := asyncio.current_task()) and me.cancelling():
            raise asyncio.CancelledError
        return None


@contextmanager
def keys(source: TextIO, take: Callable[[str], None]) -> Iterator[None]:
    """Call `take` with each key that is pressed, if there is a keyboard."""
    if not source.isatty():
        yield
        return
    descriptor = source.fileno()
    before = termios.tcgetattr(descriptor)
    tty.setcbreak(descriptor)

    def read() -> None:
        for key in os.read(descriptor, 64).decode("ascii", "ignore"):
            take(key)

    loop = asyncio.get_running_loop()
    loop.add_reader(descriptor, read)
    try:
        yield
    finally:
        loop.remove_reader(descriptor)
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)


class Lines:
    """No terminal: a demo's events are written as they come, everything else once it has its final form."""

    def __init__(self, file: TextIO, typed: Typed) -> None:
        self._file = file
        self._typed = typed
        self._said: set[str] = set()
        self._reply: Reply = ()

    async def pace(self) -> None:
        """Write as often as a terminal is drawn."""
        await asyncio.sleep(_PAUSE)

    async def show(self, reply: Reply, final: bool) -> None:  # noqa: ARG002 - the whole is written by `until_quit`
        """Write what has happened and was not said yet."""
        self._reply = reply
        for part in reply:
            for line in news(part):
                if line not in self._said:
                    self._said.add(line)
                    self._write(line)

    async def until_quit(self, work: Coroutine[Any, Any, Reply]) -> Reply | None:
        """Do the work, and write the reply at its end; there is no key to quit with."""
        try:
            return await work
        finally:
            if self._said and self._reply:
                self._write("")
            if final := tuple(part for part in self._reply if not isinstance(part, Progress)):
                self._write(render_reply(final, self._typed))

    def _write(self, line: str) -> None:
        self._file.write(written(line, self._file.encoding) + "\n")
        self._file.flush()


def news(part: Part) -> Iterator[str]:
    """The lines of a part in the making that stay true once they are written."""
    if isinstance(part, Progress):
        yield from (f"{step.title} ..." for step in part.steps if step.state == "now")
    if not isinstance(part, Card):
        return
    happened = [(act.t, lane.engine, f"{act.actor}: {act.text}") for lane in part.lanes for act in lane.acts]
    if part.fault_at is not None:
        happened.append((part.fault_at, "both", f"fault: {part.fault}"))
    if part.state == "running":
        happened += [(lane.back_at, lane.engine, "answers again") for lane in part.lanes if lane.back_at is not None]
    if part.recorded:
        yield f"{0:6.1f} s  {'both':10}  {part.recorded}"
    yield f"{0:6.1f} s  {'both':10}  started{f', fault: {part.fault}' if part.fault else ''}"
    for t, who, what in sorted(happened):
        yield f"{t:6.1f} s  {who:10}  {what}"
