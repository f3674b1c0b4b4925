"""What a chat's bot remembers is there again after a restart."""

from pathlib import Path

import pytest

from bot.errors import NoMemory
from bot.state.memory import Interrupted, open_memory


async def test_an_event_comes_first_only_once_also_across_a_restart(tmp_path: Path) -> None:
    async with open_memory(tmp_path) as memory:
        assert await memory.first("Ev1")
        assert not await memory.first("Ev1")
    async with open_memory(tmp_path) as memory:
        assert not await memory.first("Ev1")
        assert await memory.first("Ev2")


async def test_a_question_finds_its_newest_answer_until_it_is_forgotten(tmp_path: Path) -> None:
    async with open_memory(tmp_path) as memory:
        await memory.answered("slack:C1:1", "slack:C1:2")
        await memory.answered("slack:C1:1", "slack:C1:3")

        assert await memory.answer_to("slack:C1:1") == "slack:C1:3"
        await memory.forget("slack:C1:1")
        assert await memory.answer_to("slack:C1:1") is None


async def test_a_thread_of_ours_is_known_again(tmp_path: Path) -> None:
    async with open_memory(tmp_path) as memory:
        await memory.begin_thread("slack:C1:1")
        await memory.begin_thread("slack:C1:1")
    async with open_memory(tmp_path) as memory:
        assert await memory.ours("slack:C1:1")
        assert not await memory.ours("slack:C1:2")


async def test_a_demo_that_did_not_end_is_an_interrupted_one_of_its_platform(tmp_path: Path) -> None:
    async with open_memory(tmp_path) as memory:
        await memory.began("slack:C1:1", "ada", "/demo selfheal")
        await memory.ran("slack:C1:1", "abcdefghij")
        await memory.began("slack:C1:2", "bob", "/demo selfheal")
        await memory.ended("slack:C1:2")
        await memory.began("discord:9:1", "eve", "/demo selfheal --fault oom")
    async with open_memory(tmp_path) as memory:
        assert await memory.interrupted("slack:") == (Interrupted("slack:C1:1", "ada", "/demo selfheal", "abcdefghij"),)
        assert await memory.interrupted("discord:") == (
            Interrupted("discord:9:1", "eve", "/demo selfheal --fault oom", ""),
        )


async def test_a_persons_last_verdict_of_an_answer_counts(tmp_path: Path) -> None:
    async with open_memory(tmp_path) as memory:
        await memory.judged("slack:C1:2", "ada", helpful=True)
        await memory.judged("slack:C1:2", "ada", helpful=False)
        await memory.judged("slack:C1:2", "bob", helpful=True)

        assert await memory.verdicts("slack:C1:2") == (1, 1)


async def test_a_folder_that_cannot_be_used_is_named_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(NoMemory, match=r"chats\.db cannot be used\. Correct"):
        async with open_memory(tmp_path / "file"):
            pass
