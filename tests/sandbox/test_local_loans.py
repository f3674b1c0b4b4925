"""Loans: a connection is one, so it ends with its asker, and after a time in any case."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from sandbox.errors import EngineUnavailable
from sandbox.local.borrowing import borrowed
from sandbox.local.loans import Answer, lending


class Machine:
    """Something to lend that writes down what happens to it."""

    def __init__(self, fault: str = "") -> None:
        self.story: list[str] = []
        self.back = asyncio.Event()
        self._fault = fault

    async def take(self) -> Answer:
        self.story.append("taken")
        if self._fault:
            raise EngineUnavailable(self._fault)
        return {"images": {"1": "web"}}

    async def do(self, word: str) -> Answer:
        self.story.append(word)
        return {}

    async def give_back(self) -> None:
        self.story.append("back")
        self.back.set()


@asynccontextmanager
async def lent(machine: Machine, limit: float = 60) -> AsyncIterator[Path]:
    with tempfile.TemporaryDirectory() as folder:  # a socket's path must be short
        async with lending(Path(folder, "s"), {"node": lambda _: machine, "docker": lambda _: machine}, limit):
            yield Path(folder, "s")


async def test_what_is_borrowed_is_back_when_the_block_has_ended() -> None:
    machine = Machine()

    async with lent(machine) as path, borrowed(path, "docker") as loan:
        answer = loan.answer
        await loan.ask({"do": "cut"})
        during = tuple(machine.story)
    assert answer == {"images": {"1": "web"}}
    assert during == ("taken", "cut")
    assert machine.story == ["taken", "cut", "back"]


async def test_it_is_back_when_the_asker_is_gone_without_a_word() -> None:
    machine = Machine()

    async with lent(machine) as path:
        reader, writer = await asyncio.open_unix_connection(path)
        writer.write(b'{"take": "node", "name": "node1"}\n')
        await reader.readline()
        writer.transport.abort()
        await asyncio.wait_for(machine.back.wait(), 5)

    assert machine.story == ["taken", "back"]


async def test_it_is_back_after_its_time_and_the_asker_is_told_why() -> None:
    machine = Machine()

    async with lent(machine, limit=0.05) as path, borrowed(path, "docker") as loan:
        await asyncio.wait_for(machine.back.wait(), 5)
        with pytest.raises(EngineUnavailable, match="away for too long"):
            await loan.ask({"do": "start"})

    assert machine.story == ["taken", "back"]


async def test_a_second_asker_is_refused_and_changes_nothing_for_the_first() -> None:
    machine = Machine()

    async with lent(machine) as path, borrowed(path, "node", "node1"):
        with pytest.raises(EngineUnavailable, match="Another demo has the node"):
            async with borrowed(path, "node", "node2"):
                """Not reached."""
        assert machine.story == ["taken"]


async def test_what_goes_wrong_in_lending_is_told_and_put_back() -> None:
    machine = Machine("It has no power.")

    async with lent(machine) as path:
        with pytest.raises(EngineUnavailable, match="It has no power"):
            async with borrowed(path, "node", "node1"):
                """Not reached."""

    assert machine.story == ["taken", "back"]


@pytest.mark.parametrize("order", [b"", b"\n", b"null\n", b"[]\n", b'{"take": "node"}\n', b'{"take": "moon"}\n'])
async def test_an_order_that_makes_no_sense_takes_nothing(order: bytes) -> None:
    machine = Machine()

    async with lent(machine) as path:
        reader, writer = await asyncio.open_unix_connection(path)
        writer.write(order)
        writer.write_eof()
        said = await reader.read()
        writer.close()

    assert said == b""
    assert machine.story == []


async def test_only_root_may_ask() -> None:
    async with lent(Machine()) as path:
        assert path.stat().st_mode & 0o777 == 0o600


async def test_where_nothing_is_lent_the_asker_is_told_so(tmp_path: Path) -> None:
    with pytest.raises(EngineUnavailable, match="lends nothing now"):
        async with borrowed(tmp_path / "s", "node", "node1"):
            """Not reached."""
