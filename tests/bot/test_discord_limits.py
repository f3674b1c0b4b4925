"""Discord's limits and its refusals: waited for, named, and never met with a traceback."""

import asyncio
import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import discord_payloads as payloads
import discord_rules as rules
import pytest
import pytest_asyncio
from discord_bot import Scripted, Settings, discord_bot
from discord_payloads import APP, CHANNEL, snowflake
from discord_server import DiscordServer, discord_server
from fakes import FakeEngines, FakeLab
from pydantic import SecretStr

from bot.delivery import STOPPED
from bot.errors import BadSettings, BadToken, BotError, NotAllowed
from bot.platforms import discord as platform
from bot.state.memory import open_memory
from bot.tutor import Tutor
from sandbox.demos import load_demos

DEMO = {"name": "selfheal", "fault": "hang"}


@pytest_asyncio.fixture
async def server() -> AsyncIterator[DiscordServer]:
    async with discord_server() as found:
        yield found


async def started(server: DiscordServer, folder: Path, **settings: Any) -> None:
    """Serve as `portside discord` does, until that fails."""
    chosen = {"discord_token": SecretStr(server.token), "discord_api_url": server.base} | settings
    tutor = Tutor(Scripted(), load_demos(), FakeEngines(), FakeLab().open)
    async with open_memory(folder) as memory, asyncio.timeout(20):
        await platform.serve(tutor, Settings(**chosen), memory)


@pytest.mark.parametrize(
    ("settings", "error", "told"),
    [
        ({"discord_token": None}, BadToken, "DISCORD_TOKEN is not set. Make a new one at https://discord.com/dev"),
        ({"discord_token": SecretStr("wrong")}, BadToken, "Discord does not take DISCORD_TOKEN. Make a new one"),
        ({"message_events": True}, NotAllowed, "Discord refuses the message-content intent. Switch it on"),
        ({"discord_api_url": "http://127.0.0.1:9/api/v10"}, NotAllowed, "Discord cannot be reached."),
        ({"discord_helpers": "@helpers"}, BadSettings, "PORTSIDE_DISCORD_HELPERS cannot be used: it is a role's id"),
        ({"support_channels": frozenset({"123"})}, BadSettings, "PORTSIDE_SUPPORT_CHANNELS names channels of Discord"),
    ],
)
async def test_what_keeps_the_bot_from_starting_is_said_in_a_sentence(
    server: DiscordServer, tmp_path: Path, settings: dict[str, Any], error: type[BotError], told: str
) -> None:
    with pytest.raises(error) as raised:
        await started(server, tmp_path, **settings)

    assert str(raised.value).startswith(told)


async def test_a_token_that_is_revoked_while_the_bot_runs_ends_it_with_a_sentence(
    server: DiscordServer, tmp_path: Path
) -> None:
    serving = asyncio.create_task(started(server, tmp_path))
    await server.until(lambda: server.gateway.ready)
    await server.gateway.revoke()
    with pytest.raises(BadToken, match="it was revoked"):
        await serving


async def test_the_invitation_asks_for_the_least_permissions(server: DiscordServer) -> None:
    settings = Settings(SecretStr(server.token), server.base)

    assert await platform.invite(settings) == (
        f"https://discord.com/oauth2/authorize?client_id={APP}&scope=bot+applications.commands&permissions=309237746688"
    )


async def test_edits_keep_to_the_servers_limit_and_the_final_form_arrives(
    server: DiscordServer, tmp_path: Path
) -> None:
    server.limit(r"/(channels|webhooks)/.*/messages/.*", most=2, seconds=0.7)
    async with discord_bot(server, tmp_path):
        await server.command("demo", DEMO)
        ended = await server.until_shown("Kubernetes answered again after")
        await server.until(lambda: "Explain this" in rules.buttons(ended["components"]))
        edits = len(server.history[int(ended["id"])])

    assert edits <= 12
    assert server.limited <= 1


async def test_two_messages_in_a_channel_share_its_budget(server: DiscordServer, tmp_path: Path) -> None:
    answers = Scripted()
    answers.gate.clear()
    server.limit(rf"/channels/{CHANNEL}/messages.*", most=5, seconds=0.5)
    async with discord_bot(server, tmp_path, answers):
        for who in range(4):
            await server.say(f"<@{APP}> question {who}", who=who + 1)
        await server.until(lambda: len(server.of_bot()) == 4)
        answers.gate.set()
        for who in range(4):
            await server.until_shown(f"About question {who}")

    assert server.limited <= 1


async def test_a_final_form_that_is_not_taken_at_once_is_tried_again(server: DiscordServer, tmp_path: Path) -> None:
    async with discord_bot(server, tmp_path):
        server.refuse("PATCH", r"/webhooks/.*", 503, 0)
        await server.command("ask", {"question": "what is a pod?"})
        await server.until(lambda: [one for one in server.requests if one.method == "PATCH"])
        server.refusals.clear()
        await server.until_shown("About what is a pod?")


@pytest.mark.parametrize(
    ("refused", "named"),
    [
        ((403, 50013), "the bot needs Send Messages"),
        ((403, 50001), "the bot cannot see the channel"),
        ((400, 50083), "the thread is archived"),
        ((403, 50007), "takes no direct messages"),
        ((404, 10003), "the channel was deleted"),
        ((400, 12345), "Discord answers 400, code 12345"),
    ],
)
async def test_a_question_that_cannot_be_answered_there_is_named_in_the_log(
    server: DiscordServer, tmp_path: Path, caplog: pytest.LogCaptureFixture, refused: tuple[int, int], named: str
) -> None:
    caplog.set_level(logging.INFO)
    async with discord_bot(server, tmp_path):
        server.refuse("POST", r"/channels/\d+/messages", *refused)
        await server.say(f"<@{APP}> what is a pod?")
        await server.until(lambda: [one for one in server.requests if one.path.endswith("/messages")])
        server.refusals.clear()
        await server.say(f"<@{APP}> and a node?")
        await server.until_shown("About and a node?")

    assert named in caplog.text
    assert "Traceback" not in caplog.text


HOSTILE = {
    "40,000 characters": "x" * 40_000,
    "100 mentions": f"<@{APP}> " + " ".join(f"<@{n}>" for n in range(100)),
    "zero-width and right to left": "\u200b\u202ewhy\u2066?\u200d",
    "everyone": "@everyone @here <@&9000000000000000004> why?",
    "a fence": "``` why? ```` `",
    "an address": "https://evil.example [why?](https://evil.example)",
    "a control sign": "why\x00?",
    "nothing": " ",
    "an unknown command": "/frobnicate now",
    "a demo that is not there": "/demo [x](https://evil.example)",
    "a quotation mark": "/demo 'selfheal",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
async def test_whatever_is_said_gets_a_clear_reply(
    server: DiscordServer, tmp_path: Path, caplog: pytest.LogCaptureFixture, text: str
) -> None:
    server.channels[77] = payloads.channel(77, payloads.DM)
    async with discord_bot(server, tmp_path):
        await server.say(text, place=77)
        await server.until(lambda: server.of_bot(77))
        await server.until(lambda: "Working on it" not in rules.texts(server.of_bot(77)[0]["components"]))

    assert rules.texts(server.of_bot(77)[0]["components"])
    assert "Traceback" not in caplog.text


@pytest.mark.parametrize(
    ("name", "options", "told"),
    [
        ("demo", {"name": "selfheel"}, "selfheal"),
        ("demo", {"name": "selfheal", "fault": "flood"}, "hang"),
        ("ask", {"question": "  "}, "/ask What is a pod?"),
        ("frobnicate", {}, "There is no command of this form any more."),
    ],
)
async def test_a_command_that_cannot_be_done_is_refused_in_private(
    server: DiscordServer, tmp_path: Path, name: str, options: dict[str, Any], told: str
) -> None:
    async with discord_bot(server, tmp_path):
        asked = await server.command(name, options)

    assert asked.answer["data"]["flags"] & rules.EPHEMERAL
    assert told in rules.texts(asked.answer["data"]["components"])
    assert all(message["flags"] & rules.EPHEMERAL for message in server.of_bot())


async def test_an_interaction_that_comes_twice_is_answered_once(server: DiscordServer, tmp_path: Path) -> None:
    async with discord_bot(server, tmp_path) as bot:
        asked = await server.command("ask", {"question": "what is a pod?"})
        await server.gateway.dispatch("INTERACTION_CREATE", asked.payload)
        await server.command("ask", {"question": "and a node?"})
        await server.until_shown("About and a node?")
        await server.until_shown("About what is a pod?")

    assert sorted(text for text, _ in bot.answers.heard) == ["and a node?", "what is a pod?"]


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("MESSAGE_CREATE", {"id": "1"}),
        ("MESSAGE_CREATE", {"id": "x", "channel_id": str(CHANNEL), "author": None}),
        ("INTERACTION_CREATE", {"id": "1", "type": 2}),
        ("MESSAGE_DELETE", {}),
        ("THREAD_CREATE", {"guild_id": str(payloads.GUILD)}),
        ("NEWER_THAN_ALL_OF_US", {"a": 1}),
    ],
)
async def test_an_event_of_a_strange_form_ends_nothing(
    server: DiscordServer, tmp_path: Path, name: str, data: dict[str, Any]
) -> None:
    async with discord_bot(server, tmp_path):
        await server.gateway.dispatch(name, data)
        await server.say(f"<@{APP}> still there?")
        await server.until_shown("About still there?")

    assert server.gateway.identified == 1


async def test_events_out_of_order_leave_nothing_behind(server: DiscordServer, tmp_path: Path) -> None:
    number = snowflake()
    gone = {"id": str(number), "channel_id": str(CHANNEL), "guild_id": str(payloads.GUILD)}
    async with discord_bot(server, tmp_path) as bot:
        await server.gateway.dispatch("MESSAGE_DELETE", gone)
        await server.say(f"<@{APP}> deleted before it came", number=number)
        await server.say(f"<@{APP}> still there?")
        await server.until_shown("About still there?")

    assert [text for text, _ in bot.answers.heard] == ["still there?"]


async def test_an_attachment_alone_is_told_what_can_be_read(server: DiscordServer, tmp_path: Path) -> None:
    server.channels[77] = payloads.channel(77, payloads.DM)
    url = "https://cdn.example/dump.bin"
    file = {"id": "5", "filename": "dump.bin", "size": 25 * 2**20, "url": url, "proxy_url": url}
    async with discord_bot(server, tmp_path):
        await server.say("", place=77, attachments=[file])
        await server.until_shown("That message is empty.", 77)


async def test_a_demo_that_a_restart_interrupted_says_so_and_can_be_run_again(
    server: DiscordServer, tmp_path: Path
) -> None:
    lost = payloads.message(snowflake(), CHANNEL, payloads.BOT, "", flags=rules.V2)
    server.messages[int(lost["id"])] = lost
    async with open_memory(tmp_path) as memory:
        await memory.began(f"discord:{CHANNEL}:{lost['id']}", "discord:1", "/demo selfheal --fault hang")
    async with discord_bot(server, tmp_path) as bot:
        await server.until_shown("carries an expiry and is removed then")
        await server.click(lost, "Run it again")
        again = await server.until_shown("Kubernetes answered again after")
        await bot.desk.stopped(int(again["id"]))

        assert await bot.memory.interrupted("discord:") == ()
    assert "The bot was restarted in the middle of this demo" in rules.texts(lost["components"])


async def test_the_end_of_the_bot_stops_what_runs_and_says_so(server: DiscordServer, tmp_path: Path) -> None:
    async with discord_bot(server, tmp_path) as bot:
        await server.command("demo", DEMO)
        live = await server.until_shown("live")

    assert STOPPED in rules.texts(live["components"])
    assert bot.desk.tutor._limits._running == []


async def test_five_hundred_commands_of_a_hundred_people_are_all_acknowledged_in_time(
    server: DiscordServer, tmp_path: Path
) -> None:
    async with discord_bot(server, tmp_path):
        for number in range(500):
            await server.ask(2, payloads.command("ask", {"question": f"question {number}?"}), who=number % 100 + 1)
        await server.until(lambda: all(asked.answer for asked in server.asked.values()))
        await server.until(lambda: all("About" in rules.texts(one["components"]) for one in server.of_bot()))

    assert len(server.of_bot()) == 500
    assert max(asked.after for asked in server.asked.values()) < 3
