"""`portside web` and `portside chat`: the tutor for as long as it is wanted."""

import sys

from bot.app import build
from bot.cli.printing import IngestBar, out
from bot.cli.running import DONE
from bot.platforms import web
from bot.platforms.terminal.chat import converse
from bot.platforms.terminal.text import render
from bot.presenting import present_help
from bot.settings import Settings


async def serve_web(settings: Settings) -> int:
    """Serve the page until stopped."""
    with web.listen(settings.web_host, settings.web_port) as listener:
        async with build(settings, IngestBar()) as tutor:
            await web.serve(tutor, settings, listener)
    return DONE


async def chat(settings: Settings) -> int:
    """Talk in the terminal until the end of input."""
    out(render(present_help()))
    async with build(settings, IngestBar()) as tutor:
        await converse(tutor, sys.stdin, sys.stdout)
    return DONE
