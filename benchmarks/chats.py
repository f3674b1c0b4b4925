"""What is measured of every chat, as one table: the two platforms are told in the same words."""

import asyncio
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.tables import percentile, table


@dataclass(frozen=True)
class Chat:
    """How one platform is measured; each takes a folder of its own.

    `threads`: megabytes for 1,000 answered threads. `answers`: milliseconds until acknowledged and until seen.
    `demos`: edits for each of four, and how many of 1,000 were refused. `flood`: milliseconds until each command was
    acknowledged, and the seconds until all had a visible reply.
    """

    title: str
    threads: Callable[[Path], Awaitable[float]]
    answers: Callable[[Path], Awaitable[tuple[list[float], list[float]]]]
    demos: Callable[[Path], Awaitable[tuple[float, float]]]
    flood: Callable[[Path], Awaitable[tuple[list[float], float]]]

    def measure(self) -> str:
        """All figures as Markdown."""
        return asyncio.run(self._measured())

    async def _measured(self) -> str:
        with tempfile.TemporaryDirectory() as folder:
            data = Path(folder)
            grown = await self.threads(data / "threads")  # first, before there is freed memory to be used again
            acknowledged, seen = await self.answers(data / "answers")
            edits, refused = await self.demos(data / "demos")
            flooded, whole = await self.flood(data / "flood")
        rows = [
            ("event received to acknowledged, p50 / p95", _spread(acknowledged)),
            ("event received to first visible text, p50 / p95", _spread(seen)),
            ("edits for each of four demos of 40 s at once", f"{edits:.0f}"),
            ("429 for 1,000 edits", f"{refused:.0f}"),
            ("500 commands in 10 s from 100 people: acknowledged, p95", f"{percentile(flooded, 95):.0f} ms"),
            ("the same: all have a visible reply after", f"{whole:.1f} s"),
            (f"memory of 1,000 open threads, with the tests' {self.title}", f"{grown:.0f} MB"),
        ]
        return table(self.title, ("figure", "measured"), rows)


def _spread(values: list[float]) -> str:
    return f"{percentile(values, 50):.0f} / {percentile(values, 95):.0f} ms"
