"""`portside demo` and `portside reaper`: runs on real engines, and what removes their leftovers."""

import asyncio
import getpass
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bot.cards import advance, begin
from bot.cli.printing import err, out, out_json, until_up
from bot.cli.running import COULD_NOT, DONE, INTERRUPTED, fail
from bot.delivery import deliver
from bot.menu import dated, read_menu
from bot.parts import Part
from bot.platforms.terminal.screen import open_screen
from bot.presenting import again
from bot.settings import Settings, engine_config
from bot.state.runs import KeptRuns, Runs, RunsHere, keeping
from sandbox import local
from sandbox.demo import Demo, Options, choose, endings, perform, unfinished
from sandbox.demos import load_demos
from sandbox.engines import while_hopeful
from sandbox.errors import DemoFailed
from sandbox.events import Event, Result, Started
from sandbox.lab import Lab
from sandbox.reaper import patrol, sweep
from sandbox.recording import Recorder
from sandbox.runs import to_json
from sandbox.sandbox import OpenSandbox, Sandbox

Choice = tuple[str, str | None, int | None]  # a demo's name, its fault, how many copies


async def demo(settings: Settings, choice: Choice, as_json: bool, record: str | None) -> int:
    """Run a demo; done only if it came to its end and its clean-up is verified."""
    chosen = choose(load_demos(), *choice)
    with recording(settings, record) as note:
        run = Run(*chosen, lab(settings), note, KeptRuns(settings.data))
        result = await (as_lines(run) if as_json else on_screen(run))
    if result is None:
        return INTERRUPTED
    if result.error:
        fail(DemoFailed(result.error))
    return DONE if result.completed and result.cleaned_up else COULD_NOT


@contextmanager
def recording(settings: Settings, record: str | None) -> Iterator[Callable[[Event], None]]:
    """Write what it is given to the named file, or for "" to one of its own; keep nothing where none was asked for."""
    if record is None:
        yield lambda _: None
        return
    recorder = Recorder(settings.data / "recordings", Path(record) if record else None)
    try:
        yield recorder.take
    finally:
        file = recorder.close()
        err(f"recorded in {file}" if file else "nothing is recorded: the run did not come to a result")


@asynccontextmanager
async def lab(settings: Settings) -> AsyncIterator[OpenSandbox]:
    """Hold both engines, once they are up or one cannot be had, with nothing on them that has expired."""
    async with local.open_engines(engine_config(settings)) as engines:
        await until_up(while_hopeful(engines.progress()))
        for removed in (await sweep(engines)).removed:
            err(f"removed what an earlier run had left: {removed}")
        yield Lab(engines).open


@dataclass
class Run:
    """One run of a demo, which remembers its sandbox: so that it can tell of its clean-up also when it was stopped.

    To wait for the engines, as its `lab` does, is a part of it: it may be stopped there too.
    """

    demo: Demo
    options: Options
    lab: AbstractAsyncContextManager[OpenSandbox]
    note: Callable[[Event], None] = lambda _: None
    runs: Runs = field(default_factory=RunsHere)
    sandbox: Sandbox | None = None

    async def events(self, open_sandbox: OpenSandbox) -> AsyncGenerator[Event, None]:
        """Perform the demo, and note every event."""

        @asynccontextmanager
        async def remembered(owner: str, seconds: float) -> AsyncIterator[Sandbox]:
            async with open_sandbox(owner, seconds) as sandbox:
                self.sandbox = sandbox
                yield sandbox

        async with aclosing(self._performed(remembered)) as events:
            async for event in events:
                self.note(event)
                yield event

    def _performed(self, open_sandbox: OpenSandbox) -> AsyncGenerator[Event, None]:
        return keeping(perform(self.demo, self.options, owner(), open_sandbox), self.runs)

    def stopped(self) -> Iterator[Event]:
        """Tell how a run ended that was stopped, once its events are closed."""
        return endings(self.sandbox, unfinished(self.demo, self.options, "The run was stopped."))


def owner() -> str:
    """Whoever runs this command."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a user id without a name, as in a container
        return "operator"


async def as_lines(run: Run) -> Result | None:
    """Write every event as JSON; the last is the result, also of a run that was stopped."""
    result = None
    try:
        async with run.lab as open_sandbox, aclosing(run.events(open_sandbox)) as events:
            async for event in events:
                out_json(to_json(event))
                result = event if isinstance(event, Result) else result
    except asyncio.CancelledError:
        for event in () if result else run.stopped():
            out_json(to_json(event))
        raise
    return result


async def on_screen(run: Run) -> Result | None:
    """Draw the run as it goes; None if it was quit."""
    results: list[Result] = []
    async with run.lab as open_sandbox:
        with open_screen(sys.stdout) as screen:
            await screen.until_quit(deliver(_parts(run, open_sandbox, results), screen))
    return results[0] if results else None


async def _parts(run: Run, open_sandbox: OpenSandbox, results: list[Result]) -> AsyncGenerator[Part, None]:
    menu = await read_menu({run.demo.name: run.demo}, run.runs)
    card = dated(begin(run.demo, run.options), menu.verified.get(run.demo.name))
    drawn = True
    async with aclosing(run.events(open_sandbox)) as events:
        async for event in events:
            if isinstance(event, Started):
                drawn = bool(event.engines)  # without engines there is nothing to draw, only to say
            card = advance(run.demo, card, event)
            if drawn:
                yield card
            if isinstance(event, Result):
                results.append(event)
    if card.state == "done":
        yield again(run.demo, run.options)


async def reaper(settings: Settings, once: bool) -> int:
    """Remove whatever of ours is past its expiry on the engines that are up, once or every 30 s."""
    async with local.reach(engine_config(settings)) as engines:
        if not once:
            await patrol(engines)
        swept = await sweep(engines)
    for removed in swept.removed:
        out(f"removed {removed}")
    for missed in swept.missed:
        err(missed)
    return COULD_NOT if swept.missed else DONE
