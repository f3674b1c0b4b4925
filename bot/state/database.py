"""The SQLite file that the processes of one data folder share: runs and self-tests. Reads and writes in threads."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sa

from bot.errors import NoMemory
from bot.state.tables import RUNS_METADATA

FILE = "runs.db"
_BUSY_SECONDS = 5

Value = TypeVar("Value")


class Database:
    """Opens the file for each piece of work: a bot that runs for months holds nothing of it meanwhile."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / FILE
        self._prepared = False
        url, busy = f"sqlite:///{self._file}", {"timeout": _BUSY_SECONDS}
        self._engine = sa.create_engine(url, connect_args=busy, poolclass=sa.NullPool)

    async def insert(self, statement: sa.Insert) -> int:
        """Add a row and return its number. Raises `NoMemory`."""

        def work(connection: sa.Connection) -> int:
            (number,) = connection.execute(statement).inserted_primary_key or (0,)
            return int(number)

        return await self._do(work)

    async def rows(self, statement: sa.Select[Any]) -> list[Any]:
        """Read rows. Raises `NoMemory`."""
        return await self._do(lambda connection: list(connection.execute(statement)))

    async def _do(self, work: Callable[[sa.Connection], Value]) -> Value:
        return await asyncio.to_thread(self._done, work)

    def _done(self, work: Callable[[sa.Connection], Value]) -> Value:
        try:
            if not self._prepared:
                self._file.parent.mkdir(parents=True, exist_ok=True)
            with self._engine.begin() as connection:
                if not self._prepared:
                    RUNS_METADATA.create_all(connection)
                value = work(connection)
            self._prepared = True
        except (OSError, sa.exc.SQLAlchemyError) as error:
            raise NoMemory(self._file) from error
        return value
