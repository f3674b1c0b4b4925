"""`portside demo NAME --commands` and `--export`: what a learner types and takes home. Nothing is run for it."""

import asyncio
from pathlib import Path

from bot.cli.printing import out
from bot.cli.running import DONE
from bot.settings import Settings
from sandbox.demo import choose
from sandbox.demos import load_demos
from sandbox.listing import listing
from sandbox.takehome import export, files

Choice = tuple[str, str | None, int | None]  # a demo's name, its fault, how many copies


async def print_commands(_: Settings, choice: Choice) -> int:
    """Print what a learner would type."""
    out(listing(*choose(load_demos(), *choice)))
    return DONE


async def export_files(_: Settings, choice: Choice, folder: Path) -> int:
    """Write the files and name them."""
    for path in await asyncio.to_thread(export, folder, files(*choose(load_demos(), *choice))):
        out(f"wrote {path}")
    return DONE
