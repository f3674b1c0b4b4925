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
STOPPED_REPLAY = "Stopped."

log = logging.getLogger(__name__)


class DeliveryError(Exception):
    """A platform refused or lost an edit."""


class Surface(Protocol):
    """Where one reply appears: a web page, a terminal, a message in a chat."""

    async def pace(self) -> None:
        """Wait until this surface may be edited again."""
        ...

    async def show(self, reply: Reply, final: bool) -> None:
        """Show the whole reply as it is now. Raises `DeliveryError` if this form of it was lost.

        An intermediate form may be lost; a final one only where it can never be shown.
        """
        ...


async def deliver(parts: AsyncGenerator[Part, None], surface: Surface) -> Reply:
    """Show the reply as it grows, at the surface's pace, never two forms at once, and always in its final form."""
    painter = _Painter(surface)
    painting = asyncio.create_task(painter.paint())
    try:
        async with aclosing(parts):
            async for part in parts:
                painter.take(update(painter.reply, part))
    except asyncio.CancelledError:
        painter.take(stopped(painter.reply))
        raise
    except Exception as error:  # noqa: BLE001 - the outer boundary: whatever failed is told, with a reference to the log
        told = trouble(error)
        painter.take(update(painter.reply, Failure(told.text, told.advice, told.reference)))
    finally:
        await painter.finish(painting)
    return painter.reply


def stopped(reply: Reply) -> Reply:
    """A reply that was cut short says so: its running card, or the progress that it showed."""
    if any(isinstance(part, Card) for part in reply):
        return tuple(_stopped(part) if isinstance(part, Card) else part for part in reply)
    kept = tuple(part for part in reply if not isinstance(part, Progress))
    return (*kept, Text("Stopped."))


def _stopped(card: Card) -> Card:
    return replace(card, state="stopped", narration=STOPPED_REPLAY if card.recorded else STOPPED)


class _Painter:
    """Holds the newest form of the reply and the one that was shown last."""

    def __init__(self, surface: Surface) -> None:
        self.reply: Reply = ()
        self._shown: Reply = ()
        self._surface = surface
        self._news = asyncio.Event()
        self._brush = asyncio.Lock()

    def take(self, reply: Reply) -> None:
        """Have a newer form."""
        self.reply = reply
        self._news.set()

    async def paint(self) -> None:
        """Show what is new, again and again, at the surface's pace."""
        while True:
            await self._news.wait()
            self._news.clear()
            async with self._brush:
                await self._show(final=False)
            await self._surface.pace()

    async def finish(self, painting: asyncio.Task[None]) -> None:
        """Show the final form, after an edit that is on its way has arrived: it would overwrite this one."""
        async with self._brush:
            painting.cancel()
            await self._show(final=True)

    async def _show(self, *, final: bool) -> None:
        latest = self.reply
        if latest == self._shown and not final:
            return
        try:
            await self._surface.show(latest, final)
            self._shown = latest
        except DeliveryError as error:  # the next edit carries the same parts and more
            log.warning("edit lost: %s", error)
