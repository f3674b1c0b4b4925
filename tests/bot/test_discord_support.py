"""Support channels and forums on Discord: one answer to a new question, and silence wherever it is not wanted."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import discord_payloads as payloads
import discord_rules as rules
import pytest
import pytest_asyncio
from discord_bot import Bot, Scripted, discord_bot
from discord_payloads import CHANNEL, FORUM, SOLVED, snowflake
from discord_server import DiscordServer, discord_server

QUESTION = "Why does my pod restart all the time?"
OPTED_IN = frozenset({str(CHANNEL), str(FORUM)})


@pytest_asyncio.fixture
async def server() -> AsyncIterator[DiscordServer]:
    async with discord_server() as found:
        found.gateway.allowed = 1 << 15
        yield found


@asynccontextmanager
async def helping(server: DiscordServer, folder: Path, **more: Any) -> AsyncIterator[Bot]:
    async with discord_bot(server, folder, message_events=True, support_channels=OPTED_IN, **more) as bot:
        yield bot


async def settled(bot: Bot) -> None:
    """Wait until no question waits any more."""
    while tasks := [asked.task for asked in bot.client.support._asked.values() if asked.task]:
        await asyncio.wait(tasks)


async def heard(bot: Bot) -> None:
    """Wait until the bot has heard all that was said so far: a mention comes last and is answered."""
    await bot.server.say(f"<@{payloads.APP}> /help", who=9)
    await bot.server.until_shown("The commands are")


async def test_a_new_question_is_answered_once_in_a_thread_of_its_own(server: DiscordServer, tmp_path: Path) -> None:
    async with helping(server, tmp_path) as bot:
        question = await server.say(QUESTION)
        answer = await server.until_shown("About Why does my pod restart", question)
        await server.say("it says CrashLoopBackOff, by the way", place=question)
        await heard(bot)
        await settled(bot)

    assert server.channels[question]["name"] == QUESTION
    assert {"Helpful", "Not helpful"} <= set(rules.buttons(answer["components"]))
    assert len(server.of_bot(question)) == 1


async def test_a_question_in_pieces_is_one_question_in_its_newest_words(server: DiscordServer, tmp_path: Path) -> None:
    async with helping(server, tmp_path) as bot:
        first = await server.say("Why does my pot restart?")
        await server.say("It exits with code 137")
        await server.edit(first, "Why does my pod restart?")
        await server.until_shown("About Why does my pod restart?", first)

    assert [text for text, _ in bot.answers.heard] == ["Why does my pod restart?\nIt exits with code 137"]


async def test_a_forums_post_is_answered_with_its_title_in_mind(server: DiscordServer, tmp_path: Path) -> None:
    async with helping(server, tmp_path) as bot:
        post = await server.begin_thread(snowflake(), FORUM, name="Pod restarts, why?")
        await server.say("It exits with code 137", place=post, number=post)
        await server.until_shown("About Pod restarts, why?", post)

    assert bot.answers.heard[0][0] == "Pod restarts, why?\nIt exits with code 137"


@pytest.mark.parametrize(
    ("said", "answers"),
    [
        (["Good morning everyone"], {}),
        (["New release of our chart is out"], {}),
        ([QUESTION], {"pod": ""}),
    ],
)
async def test_where_nothing_was_asked_or_nothing_is_known_the_bot_is_silent(
    server: DiscordServer, tmp_path: Path, said: list[str], answers: dict[str, str]
) -> None:
    async with helping(server, tmp_path, answers=Scripted(answers)) as bot:
        for text in said:
            await server.say(text)
        await heard(bot)
        await settled(bot)

    assert len(server.of_bot()) == 1


@pytest.mark.parametrize("how", ["reply", "next", "thread", "deleted"])
async def test_once_a_human_has_answered_the_bot_is_silent(server: DiscordServer, tmp_path: Path, how: str) -> None:
    async with helping(server, tmp_path) as bot:
        question = await server.say(QUESTION)
        match how:
            case "reply":
                reference = {"message_id": str(question), "channel_id": str(CHANNEL), "type": 0}
                await server.say("Is it out of memory?", who=2, type=19, message_reference=reference)
            case "next":
                await server.say("Look at its logs first.", who=2)
            case "thread":
                await server.begin_thread(question, owner=2)
            case "deleted":
                await server.delete(question)
        await heard(bot)
        await settled(bot)

    assert bot.answers.heard == []


async def test_a_question_in_pieces_is_left_to_a_human_too(server: DiscordServer, tmp_path: Path) -> None:
    async with helping(server, tmp_path) as bot:
        question = await server.say(QUESTION)
        await heard(bot)
        await server.say("It exits with code 137")
        await server.say(f"<@{payloads.APP}> and here?", who=9)
        await server.until_shown("About and here?")
        waits = set(bot.client.support._asked)
        reference = {"message_id": str(question), "channel_id": str(CHANNEL), "type": 0}
        await server.say("Is it out of memory?", who=2, type=19, message_reference=reference)
        await server.say(f"<@{payloads.APP}> and now?", who=9)
        await server.until_shown("About and now?")
        waits_still = set(bot.client.support._asked)

    assert (waits, waits_still) == ({question}, set())
    assert [text for text, _ in bot.answers.heard] == ["and here?", "and now?"]


async def test_two_questions_of_two_people_are_both_answered(server: DiscordServer, tmp_path: Path) -> None:
    async with helping(server, tmp_path):
        first = await server.say(QUESTION, who=1)
        second = await server.say("How do I roll back a deployment?", who=2)
        await server.until_shown("About Why", first)
        await server.until_shown("About How", second)


@pytest.mark.parametrize(
    "more",
    [
        {"applied_tags": [str(SOLVED)]},
        {"thread_metadata": payloads.thread(1)["thread_metadata"] | {"locked": True}},
        {"thread_metadata": payloads.thread(1)["thread_metadata"] | {"archived": True}},
    ],
)
async def test_a_post_that_is_solved_or_closed_is_left_alone(
    server: DiscordServer, tmp_path: Path, more: dict[str, Any]
) -> None:
    async with helping(server, tmp_path) as bot:
        post = await server.begin_thread(snowflake(), FORUM, name="Pod restarts, why?", **more)
        await server.say("It exits with code 137", place=post, number=post)
        await heard(bot)
        await settled(bot)

    assert bot.answers.heard == []


async def test_a_channel_that_nobody_opted_in_is_left_alone(server: DiscordServer, tmp_path: Path) -> None:
    server.channels[55] = payloads.channel(55)
    async with helping(server, tmp_path) as bot:
        await server.say(QUESTION, place=55)
        await heard(bot)
        await settled(bot)

    assert bot.answers.heard == []
