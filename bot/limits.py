"""How much one person may have at once."""

from collections.abc import Iterator
from contextlib import contextmanager

from bot.errors import Busy

DEMOS_AT_ONCE = 4


class Limits:
    """Counts the demos that run now: one for each person, four in all."""

    def __init__(self) -> None:
        self._running: set[str] = set()

    @contextmanager
    def demo(self, author: str) -> Iterator[None]:
        """Hold a place for one demo. Raises `Busy` if there is none."""
        if author in self._running:
            raise Busy("A demo of yours is still running. Stop it, or wait until it has ended.")
        if len(self._running) >= DEMOS_AT_ONCE:
            raise Busy(f"{DEMOS_AT_ONCE} demos are running, as many as may at once. Try again in a minute.")
        self._running.add(author)
        try:
            yield
        finally:
            self._running.discard(author)
