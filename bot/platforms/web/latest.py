"""The newest state of something that changes, and those who follow it."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Generic, TypeVar

T = TypeVar("T")


class Latest(Generic[T]):
    """A value that any number of readers follow: a slow one misses states in between, never the last."""

    def __init__(self, value: T) -> None:
        self.value = value
        self.closed = False
        self._news = asyncio.Event()

    def set(self, value: T) -> None:
        """Tell every reader of a newer value."""
        self.value = value
        self._tell()

    def close(self) -> None:
        """End: every reader gets the last value and is done."""
        self.closed = True
        self._tell()

    async def follow(self) -> AsyncGenerator[T, None]:
        """Yield the value now and after each change, until the end."""
        while True:
            news, closed = self._news, self.closed  # taken before the yield, so that nothing told meanwhile is missed
            yield self.value
            if closed:
                return
            await news.wait()

    def _tell(self) -> None:
        self._news.set()
        self._news = asyncio.Event()
