"""What a chat's bot remembers across a restart, in one SQLite file: no message's text, only ids."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert

from bot.errors import NoMemory
from bot.state.tables import ANSWERS, DEMOS, EVENTS, METADATA, THREADS, VERDICTS

FILE = "chats.db"
EVENTS_KEPT = 24 * 3600.0  # platforms redeliver for minutes, at most an hour
PLACES_KEPT = 30 * 24 * 3600.0
_BUSY_SECONDS = 5


@dataclass(frozen=True)
class Interrupted:
    """A demo whose process went away in the middle: where its message is, whose it was, and its run, if it had one."""

    place: str
    owner: str
    command: str
    run: str


class Memory:
    """Reads and writes the file, in threads of its own."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._writing = asyncio.Lock()  # first come, first served: SQLite lets its writers wait in no order

    async def first(self, event: str) -> bool:
        """Say whether an event comes for the first time: platforms deliver some again."""
        fresh = insert(EVENTS).values(id=event, at=time.time()).on_conflict_do_nothing()
        return await self._write(fresh) == 1

    async def answered(self, question: str, answer: str) -> None:
        """Remember which message answers which."""
        row = insert(ANSWERS).values(question=question, answer=answer, at=time.time())
        await self._write(row.on_conflict_do_update(index_elements=["question"], set_={"answer": answer}))

    async def answer_to(self, question: str) -> str | None:
        """Find the message that answers a question."""
        answer: str | None = await self._value(sa.select(ANSWERS.c.answer).where(ANSWERS.c.question == question))
        return answer

    async def forget(self, question: str) -> None:
        """Forget a question and what answered it."""
        await self._write(ANSWERS.delete().where(ANSWERS.c.question == question))

    async def begin_thread(self, place: str) -> None:
        """Remember a thread in which follow-ups need no mention."""
        await self._write(insert(THREADS).values(place=place, at=time.time()).on_conflict_do_nothing())

    async def ours(self, place: str) -> bool:
        """Say whether a thread is one of those."""
        return await self._value(sa.select(THREADS.c.place).where(THREADS.c.place == place)) is not None

    async def began(self, place: str, owner: str, command: str) -> None:
        """Remember that a demo runs in a message."""
        row = {"owner": owner, "command": command, "run": ""}
        begun = insert(DEMOS).values(place=place, **row)
        await self._write(begun.on_conflict_do_update(index_elements=["place"], set_=row))

    async def ran(self, place: str, run: str) -> None:
        """Remember the id of its run."""
        await self._write(DEMOS.update().where(DEMOS.c.place == place).values(run=run))

    async def ended(self, place: str) -> None:
        """Forget a demo that has ended and is cleaned up."""
        await self._write(DEMOS.delete().where(DEMOS.c.place == place))

    async def interrupted(self, prefix: str) -> tuple[Interrupted, ...]:
        """List a platform's demos that run in no process any more: at its start, all that are remembered."""
        rows = await self._read(sa.select(DEMOS).where(DEMOS.c.place.startswith(prefix, autoescape=True)))
        return tuple(Interrupted(row.place, row.owner, row.command, row.run) for row in rows)

    async def judged(self, answer: str, author: str, helpful: bool) -> None:
        """Keep a person's verdict of an answer; the last counts."""
        row = insert(VERDICTS).values(answer=answer, author=author, helpful=helpful)
        update = row.on_conflict_do_update(index_elements=["answer", "author"], set_={"helpful": helpful})
        await self._write(update)

    async def verdicts(self, answer: str) -> tuple[int, int]:
        """Count who found an answer helpful, and who did not."""
        rows = await self._read(sa.select(VERDICTS.c.helpful).where(VERDICTS.c.answer == answer))
        good = sum(bool(row.helpful) for row in rows)
        return good, len(rows) - good

    async def _write(self, statement: sa.Executable) -> int:
        def work() -> int:
            with self._engine.begin() as connection:
                return connection.execute(statement).rowcount

        async with self._writing:
            return await asyncio.to_thread(work)

    async def _read(self, statement: sa.Executable) -> list[Any]:
        def work() -> list[Any]:
            with self._engine.connect() as connection:
                return list(connection.execute(statement))

        return await asyncio.to_thread(work)

    async def _value(self, statement: sa.Executable) -> Any:
        rows = await self._read(statement)
        return rows[0][0] if rows else None


@asynccontextmanager
async def open_memory(folder: Path) -> AsyncIterator[Memory]:
    """Open the file, made where it is missing. Raises `NoMemory`."""
    engine = sa.create_engine(f"sqlite:///{folder / FILE}", connect_args={"timeout": _BUSY_SECONDS})
    # A crash of the bot loses nothing; to be sure of a loss of power too would cost a sync with each delivery.
    sa.event.listen(engine, "connect", lambda connection, _: connection.execute("PRAGMA synchronous=NORMAL"))
    try:
        await asyncio.to_thread(_prepare, engine, folder)
        yield Memory(engine)
    finally:
        engine.dispose()


def _prepare(engine: sa.Engine, folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with engine.begin() as connection:
            connection.exec_driver_sql("PRAGMA journal_mode=WAL")
            METADATA.create_all(connection)
            for table, kept in ((EVENTS, EVENTS_KEPT), (ANSWERS, PLACES_KEPT), (THREADS, PLACES_KEPT)):
                connection.execute(table.delete().where(table.c.at < time.time() - kept))
    except (OSError, sa.exc.SQLAlchemyError) as error:
        raise NoMemory(folder / FILE) from error
