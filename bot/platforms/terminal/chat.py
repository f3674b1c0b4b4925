"""`portside chat`: the conversation of the page, line by line in a terminal."""

import asyncio
import sys
from contextlib import suppress

from bot.delivery import deliver
from bot.messages import Message
from bot.platforms.terminal.screen import open_screen
from bot.platforms.terminal.text import render
from bot.presenting import present_help
from bot.tutor import Tutor

PROMPT = "\n> "


async def converse(tutor: Tutor) -> None:
    """Answer line after line until the end of input."""
    print(render(present_help()))  # noqa: T201 - a terminal is spoken to by printing
    while line := await asyncio.to_thread(_read):
        if not line.strip():
            continue
        with open_screen(sys.stdout) as screen:
            await screen.until_quit(deliver(tutor.reply(Message(line, "terminal", "terminal")), screen))


def _read() -> str:
    with suppress(EOFError):
        return input(PROMPT if sys.stdin.isatty() else "") + "\n"
    return ""
