"""Questions on Discord: by mention, alone with the tutor, by command, menu and modal; answered over real sockets."""

from collections.abc import AsyncIterator
from pathlib import Path

import discord_payloads as payloads
import discord_rules as rules
import pytest_asyncio
from discord_bot import discord_bot
from discord_payloads import APP
from discord_server import DiscordServer, discord_server


@pytest_asyncio.fixture
async def server() -> AsyncIterator[DiscordServer]:
    async with discord_server() as found:
        yield found


async def test_a_mention_is_answered_in_a_reply_with_its_sources(server: DiscordServer, tmp_path: Path) -> None:
    async with discord_bot(server, tmp_path) as bot:
        question = await server.say(f"<@{APP}> why do pods restart?")
        answer = await server.until_shown("About why do pods restart?")
        await server.until(lambda: "Helpful" in rules.buttons(answer["components"]))

    assert answer["message_reference"]["message_id"] == question
    assert "**1** Restart policies" in rules.texts(answer["components"])
    assert bot.answers.heard[0][0] == "why do pods restart?"


async def test_a_direct_message_needs_no_mention(server: DiscordServer, tmp_path: Path) -> None:
    server.channels[77] = payloads.channel(77, payloads.DM)
    async with discord_bot(server, tmp_path):
        await server.say("what is a pod?", place=77)
        await server.until_shown("About what is a pod?", 77)


async def test_a_command_is_acknowledged_at_once_and_answered_in_its_own_message(
    server: DiscordServer, tmp_path: Path
) -> None:
    async with discord_bot(server, tmp_path):
        asked = await server.command("ask", {"question": "what is a pod?"})
        answer = await server.until_shown("About what is a pod?")

    assert asked.answer == {"type": 5}
    assert asked.after < 1
    assert int(answer["id"]) == asked.message
    assert set(rules.buttons(answer["components"])) == {"See it happen", "Helpful", "Not helpful"}
