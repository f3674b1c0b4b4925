"""Shows a growing reply on a surface that tolerates only so many edits."""

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace
from typing import Protocol

from bot.errors import trouble
from bot.parts import Card, Failure, Part, Progress, Reply, Text, update

STOPPED = "Stopped. What the run had made is removed, at the latest when it expires."

log = logging.getLogger(__name__)


class DeliveryError(Exception):
    """A platform refused or lost an edit."""


class Surface(Protocol):
    """Where one reply appears: a web page, a terminal."""

    interval: float  # seconds between two edits

    async def show(self, reply: Reply) -> None:
        """Show the whole reply as it is now. Raises `DeliveryError` if this form of it was lost."""
        ...


async def deliver(parts: AsyncGenerator[Part, None], surface: Surface) -> Reply:
    """Show the reply as it grows, at most once per interval, and always in its final form."""
    painter = _Painter(surface)
    painting = asyncio.create_task(painter.paint())
    try:
        async with aclosing(parts):
            async for part in parts:
                painter.reply = update(painter.reply, part)
    except asyncio.CancelledError:
        painter.reply = stopped(painter.reply)
        raise
    except Exception as error:  # noqa: BLE001 - the outer boundary: whatever failed is told, with a reference to the log
        told = trouble(error)
        painter.reply = update(painter.reply, Failure(told.text, told.advice, told.reference))
    finally:
        painting.cancel()
        await painter.finish()
    return painter.reply


def stopped(reply: Reply) -> Reply:
    """A reply that was cut short says so: its running card, or the progress that it showed."""
    if any(isinstance(part, Card) for part in reply):
        return tuple(replace(p, state="stopped", narration=STOPPED) if isinstance(p, Card) else p for p in reply)
    kept = tuple(part for part in reply if not isinstance(part, Progress))
    return (*kept, Text("Stopped."))


class _Painter:
    """Holds the newest form of the reply and the one that was shown last."""

    def __init__(self, surface: Surface) -> None:
        self.reply: Reply = ()
        self._shown: Reply = ()
        self._surface = surface

    async def paint(self) -> None:
        """Show what is new, again and again, at the surface's pace."""
        while True:
            await self._show()
            await asyncio.sleep(self._surface.interval)

    async def finish(self) -> None:
        """Show the final form."""
        await self._show()

    async def _show(self) -> None:
        latest = self.reply
        if latest == self._shown:
            return
        try:
            await self._surface.show(latest)
            self._shown = latest
        except DeliveryError as error:  # the next edit carries the same parts and more
            log.warning("edit lost: %s", error)
