"""Where one reply appears on Discord: a message that is edited in place."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import replace

from bot.budgets import Budget
from bot.palette import DARK  # as most see Discord
from bot.parts import Card, Part, Reply, Table
from bot.platforms.discord.blocks import Picture
from bot.platforms.discord.cards import in_words, too_wide
from bot.platforms.discord.errors import Never, Unreachable
from bot.platforms.discord.layout import Layout, lay_out
from bot.platforms.discord.posts import Post
from bot.platforms.discord.render import Frame, render_reply

CHART = "run.png"
LONGEST_PAUSE = 60.0
TRIES = 20

log = logging.getLogger(__name__)


class MessageSurface:
    """A message of the bot. `lost` is called once it can never be edited again; nothing is tried twice in a hurry."""

    def __init__(
        self, post: Post, frame: Frame, budget: Budget, lost: Callable[[], None], in_a_hurry: Callable[[], bool]
    ) -> None:
        self._post = post
        self._frame = frame
        self._budget = budget
        self._lost = lost
        self._in_a_hurry = in_a_hurry
        self._paced = False

    async def pace(self) -> None:
        """Wait until the channel may be edited again. The first edit waited for nothing: its place is taken now."""
        if not self._paced:
            self._paced = True
            await self._budget.turn()
        await self._budget.turn()

    async def show(self, reply: Reply, final: bool) -> None:
        """Show the reply as it is now; the final form is tried again until it is shown or never can be."""
        frame = replace(self._frame, final=final, pictures=await _pictures(reply) if final else {})
        blocks = render_reply(reply, frame)
        for pause in _pauses(final):
            try:
                await self._post.edit(lay_out(blocks, final))
            except Never:
                self._lost()
                raise
            except Unreachable as error:
                if not final or self._in_a_hurry():
                    raise
                log.warning("the final form is tried again in %.0f s: %s", pause, error)
                await asyncio.sleep(pause)
            else:
                return
        raise Unreachable(f"Discord has not taken the final form in {TRIES} tries")


def _pauses(final: bool) -> list[float]:
    return [min(2.0**n, LONGEST_PAUSE) for n in range(TRIES if final else 1)]


async def _pictures(reply: Reply) -> Mapping[Part, Picture]:
    """The chart of a run that has ended, and each table of figures that has no room for its columns."""
    drawn: dict[Part, Picture] = {}
    for number, part in enumerate(reply):
        if isinstance(part, Card) and part.charted:
            drawn[part] = await asyncio.to_thread(_chart, part)
        elif isinstance(part, Table) and too_wide(part) and not part.words:  # words are as good row by row
            drawn[part] = await asyncio.to_thread(_table, part, number)
    return drawn


def _chart(card: Card) -> Picture:
    from bot import charts  # noqa: PLC0415 - what draws takes a second to import, which no answer has to wait for

    return Picture(CHART, charts.draw(card, DARK), charts.describe(card))


def _table(part: Table, number: int) -> Picture:
    from bot import pictures  # noqa: PLC0415 - as in `_chart`

    return Picture(f"table-{number}.png", pictures.draw(part, DARK), in_words(part))


def working(frame: Frame) -> Layout:
    """What stands there before anything is said."""
    return lay_out(render_reply((), replace(frame, final=False)), final=False)
