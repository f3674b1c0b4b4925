"""Discord with the real engines behind it: a whole demo, Stop, a stranger's click, the chart, and a restart."""

import asyncio
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path

import discord_rules as rules
import docker
import pytest
from discord_bot import Bot, Scripted, discord_bot
from discord_payloads import APP, CHANNEL
from discord_server import DiscordServer, discord_server

from bot.delivery import STOPPED
from bot.platforms.discord.patience import PAUSE
from bot.state.memory import open_memory
from bot.tutor import Tutor
from sandbox.cluster_api import Api
from sandbox.demos import load_demos
from sandbox.engines import Engines
from sandbox.lab import Lab
from sandbox.names import RUN

pytestmark = [pytest.mark.docker, pytest.mark.kubernetes]


@asynccontextmanager
async def serving(engines: Engines, folder: Path) -> AsyncIterator[Bot]:
    """A bot with real engines, and a server with the limit that Discord is seen to have."""
    tutor = Tutor(Scripted(), load_demos(), engines, Lab(engines).open)
    async with discord_server() as server:
        server.limit(r"/channels/\d+/messages.*", most=5, seconds=5)
        server.limit(r"/webhooks/.*", most=5, seconds=2)
        async with discord_bot(server, folder, tutor=tutor, pause=PAUSE) as bot:
            yield bot


async def left(engines: Engines, run: str) -> list[str]:
    """What of a run is left on either engine."""
    client = docker.DockerClient(base_url=(await engines.docker()).host)
    found = [one.name for one in client.containers.list(all=True, filters={"label": f"{RUN}={run}"})]
    client.close()
    api = await Api.connect(await engines.cluster())
    spaces = (await api.call("GET", f"/api/v1/namespaces?labelSelector={RUN}={run}"))["items"]
    await api.close()
    return found + [space["metadata"]["name"] for space in spaces]


def keep(server: DiscordServer, name: str) -> None:
    """Keep what was shown, if somebody wants to look at it."""
    if folder := os.environ.get("PORTSIDE_SHOTS"):
        (Path(folder) / f"{name}.json").write_text(json.dumps(list(server.messages.values())))
        for path, body in server.files.items():
            (Path(folder) / path.rpartition("/")[2]).write_bytes(body)


async def test_a_whole_demo_is_one_message_that_ends_with_what_was_measured(engines: Engines, tmp_path: Path) -> None:
    async with serving(engines, tmp_path) as bot:
        server = bot.server
        asked = await server.command("demo", {"name": "selfheal", "fault": "crash"}, who=1)
        live = await server.until_shown("answering", seconds=60)
        keep(server, "running")
        stranger = await server.click(live, "Stop", who=2)
        ended = await server.until_shown("answered again after", seconds=120)
        await server.until(lambda: "Explain this" in rules.buttons(ended["components"]))
        keep(server, "ended")
        edits = [at for at, _ in server.history[int(ended["id"])]]
        await bot.desk.stopped(int(ended["id"]))
        [place] = {message["channel_id"] for message in (live, ended)}
        memory = await bot.memory.interrupted("discord:")

    text = rules.texts(ended["components"])
    assert asked.after < 1
    assert stranger.answer["data"]["flags"] & rules.EPHEMERAL
    assert live["id"] == ended["id"]
    assert place == str(CHANNEL)
    assert "◆ dockerd" in text
    assert "◆ kubelet" in text
    assert text.count("nothing left.") == 2
    assert [one["filename"] for one in ended["attachments"]] == ["run.png"]
    assert min(after - before for before, after in pairwise(edits[1:-1])) > PAUSE / 2
    assert len(edits) > 5
    assert server.limited == 0
    assert memory == ()


async def test_stop_gives_back_what_the_run_had_made_and_says_so(engines: Engines, tmp_path: Path) -> None:
    async with serving(engines, tmp_path) as bot:
        server = bot.server
        await server.say(f"<@{APP}> /demo selfheal --fault hang")
        live = await server.until_shown("answering", seconds=60)
        [demo] = await bot.memory.interrupted("discord:")
        await server.click(live, "Stop")
        await server.until_shown(STOPPED, seconds=60)

        assert demo.run
        assert await left(engines, demo.run) == []


async def test_a_demo_that_a_restart_interrupted_says_so_and_its_sandbox_is_gone(
    engines: Engines, tmp_path: Path
) -> None:
    async with discord_server() as server:
        lost = await server.say("a demo's message of the process before")
        server.messages[lost]["author"] = {"id": str(APP), "username": "Portside", "discriminator": "0", "avatar": None}
        opened = Lab(engines).open("discord:1", 60)
        sandbox = await opened.__aenter__()
        await sandbox.prepare()
        async with open_memory(tmp_path) as memory:
            place = f"discord:{CHANNEL}:{lost}"
            await memory.began(place, "discord:1", "/demo selfheal --fault hang")
            await memory.ran(place, sandbox.run)
        tutor = Tutor(Scripted(), load_demos(), engines, Lab(engines).open)
        async with discord_bot(server, tmp_path, tutor=tutor):
            told = await server.until_shown("What it had made is deleted", seconds=60)
            async with asyncio.timeout(30):
                while await left(engines, sandbox.run):  # noqa: ASYNC110 - the engine tells nobody when it has gone
                    await asyncio.sleep(0.2)
        await opened.__aexit__(None, None, None)

    assert "Run it again" in rules.buttons(told["components"])
