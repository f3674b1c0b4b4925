"""`portside demo` and `portside reaper`: runs on real engines, and what removes their leftovers."""

import getpass
import sys
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, aclosing

from rich.console import Console
from rich.live import Live

from bot.app import engine_config
from bot.cards import advance, begin
from bot.cli.printing import err, out, out_json
from bot.cli.running import COULD_NOT, DONE
from bot.delivery import deliver
from bot.parts import Part
from bot.platforms.terminal import text
from bot.platforms.terminal.screen import open_screen
from bot.presenting import present_engines
from bot.settings import Settings
from sandbox.demo import Demo, choose, perform
from sandbox.demos import load_demos
from sandbox.engines import Engines
from sandbox.events import Event, Fault, Result
from sandbox.lab import Lab
from sandbox.local import open_engines
from sandbox.reaper import patrol, sweep
from sandbox.runs import to_json


async def demo(settings: Settings, name: str, fault: str | None, as_json: bool) -> int:
    """Run a demo; done only if it came to its end and its clean-up is verified."""
    chosen, its_fault = choose(load_demos(), name, fault)
    async with AsyncExitStack() as stack:
        engines = await stack.enter_async_context(open_engines(engine_config(settings)))
        await until_ready(engines)
        for removed in await sweep(engines):
            err(f"removed what an earlier run had left: {removed}")
        events = await stack.enter_async_context(aclosing(perform(chosen, its_fault, _owner(), Lab(engines).open)))
        result = await (_as_json(events) if as_json else _on_screen(events, chosen, its_fault))
    return DONE if result.completed and result.cleaned_up else COULD_NOT


def _owner() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a user id without a name, as in a container
        return "operator"


async def until_ready(engines: Engines) -> None:
    """Show on standard error how the engines come up."""
    console = Console(stderr=True)
    with Live(console=console, transient=True, auto_refresh=False) as live:
        async for states in engines.progress():
            if progress := present_engines(states):
                live.update(text.render(progress), refresh=True)


async def _as_json(events: AsyncGenerator[Event, None]) -> Result:
    async for event in events:
        out_json(to_json(event))
        if isinstance(event, Result):
            last = event
    if last.error:
        err(last.error)
    return last


async def _on_screen(events: AsyncGenerator[Event, None], demo: Demo, fault: Fault | None) -> Result:
    results: list[Result] = []

    async def parts() -> AsyncGenerator[Part, None]:
        card = begin(demo, fault)
        async for event in events:
            card = advance(card, event)
            yield card
            if isinstance(event, Result):
                results.append(event)

    with open_screen(sys.stdout) as screen:
        await screen.until_quit(deliver(parts(), screen))
    return results[0]


async def reaper(settings: Settings, once: bool) -> int:
    """Remove whatever of ours is past its expiry, once or every 30 s."""
    async with open_engines(engine_config(settings)) as engines:
        await until_ready(engines)
        if not once:
            await patrol(engines)
        for removed in await sweep(engines):
            out(f"removed {removed}")
    return DONE
