"""Replies that are being made now, so that a Stop button or a deleted message finds them."""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any


@dataclass
class _Work:
    task: asyncio.Task[Any]
    stopping: bool = False


class Running:
    """The work of each reply under a key of the platform's own."""

    def __init__(self) -> None:
        self._works: dict[str, _Work] = {}

    def start(self, key: str, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Begin to work; it is forgotten when it ends."""
        task = asyncio.create_task(work)
        self._works[key] = _Work(task)
        task.add_done_callback(lambda _: self._works.pop(key, None))
        return task

    def stop(self, key: str) -> bool:
        """Stop it and say whether it ran. Once only: a second time would cut its clean-up short."""
        work = self._works.get(key)
        if work is None:
            return False
        if not work.stopping:
            work.stopping = True
            work.task.cancel()
        return True

    async def stopped(self, key: str) -> bool:
        """Stop it and wait until it holds nothing more; say whether it ran."""
        ran = False
        while work := self._works.get(key):  # another may have begun under this key meanwhile
            ran = self.stop(key)
            await asyncio.wait([work.task])
        return ran

    async def close(self) -> None:
        """Stop everything and wait until nothing is left of it."""
        tasks = [work.task for work in self._works.values()]
        for key in list(self._works):
            self.stop(key)
        if tasks:
            await asyncio.wait(tasks)
