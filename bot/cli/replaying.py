"""`portside replay`: a recorded run through the very renderer of a live one."""

import asyncio
import sys
from contextlib import aclosing
from pathlib import Path

from bot.cli.printing import out_json
from bot.cli.running import DONE, INTERRUPTED
from bot.delivery import deliver
from bot.platforms.terminal.screen import open_screen
from bot.replays import replayed
from bot.settings import Settings
from sandbox.demos import load_demos
from sandbox.errors import BadRequest
from sandbox.replaying import find, play, read
from sandbox.runs import to_json


async def replay(_: Settings, name: str, fault: str | None, speed: float, as_json: bool) -> int:
    """Play a recording of a name or in a file to its end."""
    demos = load_demos()
    recording = await asyncio.to_thread(read, _path(name, fault), demos)
    if as_json:
        async with aclosing(play(recording.events, speed)) as events:
            async for event in events:
                out_json(to_json(event))
        return DONE
    with open_screen(sys.stdout) as screen:
        reply = await screen.until_quit(deliver(replayed(recording, speed), screen))
    return INTERRUPTED if reply is None else DONE


def _path(name: str, fault: str | None) -> Path:
    """A file is what is spelled like one or is there; everything else is a name."""
    if not (name.endswith(".jsonl") or "/" in name or Path(name).exists()) or name in load_demos():
        return find(load_demos(), name, fault)
    if fault is not None:
        raise BadRequest(f"--fault chooses among a demo's recordings; the file {name} is one run. Leave it out.")
    return Path(name)
