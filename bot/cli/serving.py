"""`portside web` and `portside chat`: the tutor for as long as it is wanted."""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bot.cli.printing import IngestBar, out
from bot.cli.running import DONE
from bot.platforms import web
from bot.platforms.terminal.chat import converse
from bot.platforms.terminal.text import render
from bot.presenting import present_help
from bot.settings import Settings, engine_config
from bot.tutor import Tutor
from sandbox.local import open_engines


async def serve_web(settings: Settings) -> int:
    """Serve the page until stopped."""
    with web.listen(settings.web_host, settings.web_port) as listener:
        async with tutoring(settings) as tutor:
            await web.serve(tutor, settings, listener)
    return DONE


async def chat(settings: Settings) -> int:
    """Talk in the terminal until the end of input."""
    out(render(present_help()))
    if sys.stdin.isatty():
        out("\nCtrl-D ends the conversation.")
    async with tutoring(settings) as tutor:
        await converse(tutor, sys.stdin, sys.stdout)
    return DONE


@asynccontextmanager
async def tutoring(settings: Settings) -> AsyncIterator[Tutor]:
    """A tutor with engines behind it, which are given back at the end."""
    async with open_engines(engine_config(settings)) as engines:
        # The clients of both engines take seconds to import: the engines use them to come up.
        from bot.app import build  # noqa: PLC0415

        async with build(settings, engines, IngestBar()) as tutor:
            yield tutor
