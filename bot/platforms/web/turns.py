"""Turns: a message and the reply to it as it grows, for as long as a page is watching."""

import asyncio
import secrets
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing, contextmanager
from typing import Protocol

from bot.delivery import deliver
from bot.messages import Message
from bot.parts import Part, Reply
from bot.platforms.web.latest import Latest

PAUSE = 0.2  # seconds between two forms of a reply
KEPT = 100  # finished turns that a page may still ask for after a lost connection


class Replies(Protocol):
    """What answers a message: the tutor."""

    def reply(self, message: Message) -> AsyncGenerator[Part, None]:
        """Yield the parts of the reply to one message."""
        ...


class Turn:
    """One turn. It is a surface for `deliver`, and is stopped when no page has watched it for `patience` seconds."""

    def __init__(self, owner: str, patience: float) -> None:
        self.id = secrets.token_urlsafe(12)
        self.owner = owner
        self._patience = patience
        self._reply: Latest[Reply] = Latest(())
        self._watchers = 0
        self._stopping = False
        self._task: asyncio.Task[None] | None = None
        self._leaving: asyncio.TimerHandle | None = None

    @property
    def done(self) -> bool:
        """Whether the reply has its final form."""
        return self._reply.closed

    def start(self, parts: AsyncGenerator[Part, None]) -> None:
        """Begin to reply."""
        self._task = asyncio.create_task(self._run(parts))
        self._await_watcher()

    async def pace(self) -> None:
        """Five times a second, so that the strip moves."""
        await asyncio.sleep(PAUSE)

    async def show(self, reply: Reply, final: bool) -> None:  # noqa: ARG002 - `done` is told when the task ends
        """Take a newer form of the reply."""
        self._reply.set(reply)

    async def changes(self) -> AsyncGenerator[tuple[int, Part], None]:
        """Watch: yield each part that is new or changed with its place, the whole reply first, until it is done."""
        seen: Reply = ()
        with self._watched():
            async with aclosing(self._reply.follow()) as replies:
                async for reply in replies:
                    for place, part in enumerate(reply):
                        if place >= len(seen) or part != seen[place]:
                            yield place, part
                    seen = reply

    def stop(self) -> None:
        """Stop the reply, which gives back what it holds. Once only: a second time would cut the clean-up short."""
        if self._task and not self._stopping:
            self._stopping = True
            self._task.cancel()

    async def ended(self) -> None:
        """Wait until the reply has its final form and holds nothing more."""
        if self._task:
            await asyncio.wait([self._task])

    async def _run(self, parts: AsyncGenerator[Part, None]) -> None:
        try:
            await deliver(parts, self)
        finally:
            self._reply.close()
            self._cancel_leaving()

    @contextmanager
    def _watched(self) -> Iterator[None]:
        self._watchers += 1
        self._cancel_leaving()
        try:
            yield
        finally:
            self._watchers -= 1
            self._await_watcher()

    def _await_watcher(self) -> None:
        if not self._watchers and not self.done:
            self._leaving = asyncio.get_running_loop().call_later(self._patience, self.stop)

    def _cancel_leaving(self) -> None:
        if self._leaving:
            self._leaving.cancel()


class Turns:
    """All turns of this process."""

    def __init__(self, tutor: Replies, patience: float = 15.0) -> None:
        self._tutor = tutor
        self._patience = patience
        self._turns: dict[str, Turn] = {}

    def start(self, message: Message) -> Turn:
        """Begin to reply to a message."""
        self._forget()
        turn = Turn(message.author, self._patience)
        self._turns[turn.id] = turn
        turn.start(self._tutor.reply(message))
        return turn

    def find(self, turn: str, owner: str) -> Turn | None:
        """One's own turn; nobody watches or stops another's."""
        found = self._turns.get(turn)
        return found if found and secrets.compare_digest(found.owner.encode(), owner.encode()) else None

    async def close(self) -> None:
        """Stop every turn and wait until nothing of theirs is left."""
        running = [turn for turn in self._turns.values() if not turn.done]
        for turn in running:
            turn.stop()
        await asyncio.gather(*(turn.ended() for turn in running))

    def _forget(self) -> None:
        done = [name for name, turn in self._turns.items() if turn.done]
        for name in done[: max(0, len(done) - KEPT)]:
            del self._turns[name]
