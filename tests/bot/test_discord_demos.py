"""Demos on Discord: one message that is edited in place, its buttons, and what becomes of it when a part goes."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import discord
import discord_payloads as payloads
import discord_rules as rules
import pytest_asyncio
from discord_bot import discord_bot
from discord_payloads import APP, CHANNEL, snowflake
from discord_server import DiscordServer, discord_server

from bot.delivery import STOPPED
from bot.parts import Text
from bot.platforms.discord.layout import lay_out
from bot.platforms.discord.posts import InteractionPost
from bot.platforms.discord.render import Frame, render_reply

DEMO = {"name": "selfheal", "fault": "hang"}


@pytest_asyncio.fixture
async def server() -> AsyncIterator[DiscordServer]:
    async with discord_server() as found:
        yield found


async def test_a_demo_is_one_message_that_ends_with_headline_table_and_chart(
    server: DiscordServer, tmp_path: Path
) -> None:
    async with discord_bot(server, tmp_path):
        asked = await server.command("demo", DEMO)
        await server.until_shown("live")
        ended = await server.until_shown("Kubernetes answered again after")
        await server.until(lambda: "Explain this" in rules.buttons(ended["components"]))

    [message] = server.of_bot()
    parts = list(rules.walk(message["components"]))
    [picture] = [item for part in parts if part["type"] == rules.GALLERY for item in part["items"]]

    assert int(message["id"]) == asked.message
    assert "Docker did not within" in rules.texts(message["components"])
    assert "Failed requests" in rules.texts(message["components"])
    assert "nothing left." in rules.texts(message["components"])
    assert picture["description"].startswith("Kubernetes answered again after") or "requests" in picture["description"]
    assert message["attachments"][0]["filename"] == "run.png"
    assert server.files[f"{message['id']}/run.png"].startswith(b"\x89PNG")


async def test_stop_stands_beside_the_title_and_ends_the_run_and_its_sandbox(
    server: DiscordServer, tmp_path: Path
) -> None:
    async with discord_bot(server, tmp_path) as bot:
        await server.command("demo", DEMO)
        live = await server.until_shown("live")
        section = next(part for part in rules.walk(live["components"]) if part["type"] == rules.SECTION)
        clicked = await server.click(live, "Stop")
        stopped = await server.until_shown(STOPPED)
        await bot.desk.stopped(int(live["id"]))

        assert section["accessory"]["label"] == "Stop"
        assert clicked.answer == {"type": 6}
        assert "Stop" not in rules.buttons(stopped["components"])
        assert bot.desk.tutor._limits._running == []
        assert await bot.memory.interrupted("discord:") == ()


async def test_a_strangers_click_is_refused_in_private_and_changes_nothing(
    server: DiscordServer, tmp_path: Path
) -> None:
    async with discord_bot(server, tmp_path):
        await server.command("demo", DEMO, who=1)
        live = await server.until_shown("live")
        clicked = await server.click(live, "Stop", who=2)
        await server.until_shown("Kubernetes answered again after")

    assert clicked.answer
    assert clicked.answer["data"]["flags"] & rules.EPHEMERAL
    assert "belongs to who asked" in rules.texts(clicked.answer["data"]["components"])


async def test_a_button_runs_what_it_says_also_after_a_restart(server: DiscordServer, tmp_path: Path) -> None:
    async with discord_bot(server, tmp_path):
        await server.say(f"<@{APP}> what if it hangs?")
        answer = await server.until_shown("About what if it hangs?")
        await server.until(lambda: "See it happen" in rules.buttons(answer["components"]))
    await server.gateway.forget()
    async with discord_bot(server, tmp_path):
        await server.click(answer, "See it happen")
        await server.until_shown("Kubernetes answered again after")


async def test_a_run_whose_message_is_deleted_is_stopped(server: DiscordServer, tmp_path: Path) -> None:
    async with discord_bot(server, tmp_path) as bot:
        await server.command("demo", DEMO)
        live = await server.until_shown("live")
        del server.messages[int(live["id"])]
        gone = {"id": live["id"], "channel_id": live["channel_id"], "guild_id": live["guild_id"]}
        await server.gateway.dispatch("MESSAGE_DELETE", gone)
        async with asyncio.timeout(10):
            await bot.desk.stopped(int(live["id"]))

        assert bot.desk.tutor._limits._running == []


async def test_a_run_whose_edits_are_refused_for_good_is_stopped(server: DiscordServer, tmp_path: Path) -> None:
    async with discord_bot(server, tmp_path) as bot:
        await server.say(f"<@{APP}> /demo selfheal --fault hang")
        live = await server.until_shown("live")
        server.refuse("PATCH", r"/channels/.*", 403, 50001, "Missing Access")
        async with asyncio.timeout(10):
            while works := bot.desk.running._works:
                await asyncio.wait([work.task for work in works.values()])

        assert "live" in rules.texts(live["components"])
        assert bot.desk.tutor._limits._running == []


async def test_after_fifteen_minutes_the_end_comes_by_the_bots_own_token(server: DiscordServer, tmp_path: Path) -> None:
    async with discord_bot(server, tmp_path):
        asked = await server.command("demo", DEMO)
        await server.until_shown("live")
        server.dead_tokens.add(asked.payload["token"])
        await server.until_shown("Kubernetes answered again after")

    assert any(one.method == "PATCH" and one.path.startswith("/channels/") for one in server.requests)


async def test_an_interaction_whose_time_is_over_is_not_tried_by_its_token(
    server: DiscordServer, tmp_path: Path
) -> None:
    async with discord_bot(server, tmp_path) as bot:
        asked = await server.command("ask", {"question": "what is a pod?"})
        old = payloads.interaction(
            2, payloads.command("help", {}), 1, server.channels[CHANNEL], number=snowflake(ago=901)
        )
        interaction = discord.Interaction(data=old, state=bot.client._connection)
        form = lay_out(render_reply((Text("The end of it"),), Frame(1)))
        await InteractionPost(interaction, asked.message, private=False).edit(form)

    assert not any(old["token"] in request.path for request in server.requests)
    assert f"/channels/{CHANNEL}/messages/{asked.message}" in [request.path for request in server.requests]


async def test_a_lost_connection_in_the_middle_of_a_run_is_resumed(server: DiscordServer, tmp_path: Path) -> None:
    async with discord_bot(server, tmp_path):
        await server.command("demo", DEMO)
        await server.until_shown("live")
        await server.gateway.drop()
        clicked = await server.say(f"<@{APP}> said while nobody listened")
        await server.until_shown("Kubernetes answered again after")
        await server.until_shown("said while nobody listened")

    assert clicked
    assert server.gateway.resumed == 1


async def test_a_session_that_is_lost_is_begun_anew_at_the_same_server(server: DiscordServer, tmp_path: Path) -> None:
    async with discord_bot(server, tmp_path):
        await server.command("demo", DEMO)
        await server.until_shown("live")
        await server.gateway.forget()
        await server.until(lambda: server.gateway.ready)
        await server.say(f"<@{APP}> there again?")
        await server.until_shown("About there again?")
        await server.until_shown("Kubernetes answered again after")

    assert server.gateway.identified == 2


async def test_a_second_demo_in_a_channel_waits_in_sight_and_can_be_stopped(
    server: DiscordServer, tmp_path: Path
) -> None:
    async with discord_bot(server, tmp_path) as bot:
        await server.command("demo", DEMO, who=1)
        await server.until_shown("live")
        await server.command("demo", DEMO, who=2)
        waiting = await server.until_shown("One demo comes first")
        await server.click(waiting, "Stop", who=2)
        await server.until_shown("Stopped.")
        await bot.desk.stopped(int(waiting["id"]))
        await server.until_shown("Kubernetes answered again after")

    assert rules.texts(waiting["components"]) == "Stopped."
