"""One process, three places: the page, Slack and Discord at once, with the real tutor and the real engines."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from discord_payloads import APP
from discord_server import DiscordServer, discord_server
from slack_people import Person
from slack_server import APP_TOKEN, BOT_TOKEN, SlackServer, running

from sandbox.engines import EngineConfig

pytestmark = [pytest.mark.docker, pytest.mark.kubernetes]

QUESTION = "Does Docker restart a container that hangs?"
ANSWER = "A restart policy does not notice a process that hangs"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


@asynccontextmanager
async def serving(
    config: EngineConfig, slack: SlackServer, discord: DiscordServer, port: int
) -> AsyncIterator[asyncio.subprocess.Process]:
    """`portside serve`, from its start to its end by SIGTERM."""
    environment = os.environ | {
        "PORTSIDE_DATA": str(config.data),
        "PORTSIDE_ENGINE_RANGE": config.network,
        "PORTSIDE_WEB_PORT": str(port),
        "SLACK_BOT_TOKEN": BOT_TOKEN,
        "SLACK_APP_TOKEN": APP_TOKEN,
        "SLACK_API_URL": f"{slack.base}/api/",
        "DISCORD_TOKEN": discord.token,
        "DISCORD_API_URL": discord.base,
    }
    program = Path(sys.executable).with_name("portside")
    process = await asyncio.create_subprocess_exec(program, "serve", env=environment)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        await process.wait()


@pytest.mark.usefixtures("engines")
async def test_one_process_answers_on_the_page_on_slack_and_on_discord(engine_config: EngineConfig) -> None:
    port = free_port()
    async with (
        running() as slack,
        discord_server() as discord,
        serving(engine_config, slack, discord, port) as process,
        asyncio.timeout(120),
    ):
        await slack.connected.wait()
        await discord.until(lambda: discord.gateway.ready, 60)
        async with httpx.AsyncClient() as visitor:
            page = await visitor.get(f"http://127.0.0.1:{port}")
        await Person(slack).mention(QUESTION)
        await discord.say(f"<@{APP}> {QUESTION}")
        await slack.until(lambda: slack.workspace.posts and ANSWER in slack.workspace.last.text, 60)
        await discord.until_shown(ANSWER, seconds=60)

    assert page.status_code == 200
    assert process.returncode == 128 + signal.SIGTERM
