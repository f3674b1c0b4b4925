"""`portside chat`: the conversation of the page, line by line in a terminal."""

import asyncio
import os
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import TextIO

from bot.delivery import deliver
from bot.messages import Message
from bot.parts import Part
from bot.platforms.terminal.screen import open_screen
from bot.platforms.terminal.text import in_chat, written
from bot.tutor import Tutor

PROMPT = "\n> "
MOST_BYTES = 64 * 1024


async def converse(tutor: Tutor, source: TextIO, target: TextIO) -> None:
    """Answer line after line until the end of input."""
    prompt = PROMPT if source.isatty() else "\n"
    _say(target, prompt)
    async with aclosing(lines(source.fileno())) as said:
        async for line in said:
            if line.strip():
                with open_screen(target, in_chat, lambda key: _cast(tutor, key)) as screen:
                    await screen.until_quit(deliver(tutor.reply(_message(line)), screen))
            _say(target, prompt)
    _say(target, "\n" if source.isatty() else "")


def _message(text: str) -> Message:
    return Message(text, "terminal", "terminal")


async def _cast(tutor: Tutor, command: str) -> list[Part]:
    """A guess: what it changes is seen on the demo's card."""
    return [part async for part in tutor.reply(_message(command))]


def _say(target: TextIO, text: str) -> None:
    target.write(written(text, target.encoding))
    target.flush()


async def lines(descriptor: int) -> AsyncGenerator[str, None]:
    """Yield what is typed, line by line. Unlike a thread that reads, this can be interrupted."""
    rest = b""
    while chunk := await _chunk(descriptor):
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            yield line.decode("utf-8", "replace")
    if rest:
        yield rest.decode("utf-8", "replace")


async def _chunk(descriptor: int) -> bytes:
    loop = asyncio.get_running_loop()
    readable = asyncio.Event()
    try:
        loop.add_reader(descriptor, readable.set)
    except PermissionError:  # a plain file can always be read, and not be waited for
        return os.read(descriptor, MOST_BYTES)
    try:
        await readable.wait()
    finally:
        loop.remove_reader(descriptor)
    return os.read(descriptor, MOST_BYTES)
