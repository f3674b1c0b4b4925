"""A whole selfheal on the real engines through Slack: real clients over real sockets, Stop, a stranger, the chart."""

import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import docker
import pytest
from browsing import FOUND, chromium
from slack_people import CHANNEL, Pauses, Person, buttons, portside
from slack_pictures import photograph
from slack_server import Rate, SlackServer, running
from slack_workspace import Post

from bot.app import open_knowledge
from bot.delivery import STOPPED
from bot.platforms.slack.actions import OTHERS
from bot.settings import Settings
from bot.tutor import Tutor
from knowledge import Answerer
from sandbox.cluster_api import Api
from sandbox.demos import load_demos
from sandbox.engines import Engines
from sandbox.lab import Lab
from sandbox.names import RUN

pytestmark = [
    pytest.mark.docker,
    pytest.mark.kubernetes,
    pytest.mark.browser,
    pytest.mark.skipif(not FOUND, reason="no Chromium here: apt-get install chromium"),
]

SLACKS = Pauses()  # the pauses of production
SHOTS = Path(os.environ["PORTSIDE_SHOTS"]) if os.environ.get("PORTSIDE_SHOTS") else None
QUESTION = "My container hangs but does not exit. Does anything restart it?"


@pytest.fixture
async def server() -> AsyncIterator[SlackServer]:
    async with running() as found:
        found.rates["chat.update"] = Rate(calls=50, seconds=60.0, retry_after=5)
        yield found


@pytest.fixture
async def tutor(engines: Engines, tmp_path: Path) -> AsyncIterator[Tutor]:
    async with open_knowledge(Settings(PORTSIDE_DATA=tmp_path), lambda _: None) as library:
        yield Tutor(Answerer(library), load_demos(), engines, Lab(engines).open)


def shown(server: SlackServer, words: str) -> Post | None:
    posts = list(server.workspace.posts.values())
    return posts[-1] if posts and words in posts[-1].text else None


async def left(engines: Engines) -> set[str]:
    """The names of all that carries a run's label on either engine."""
    client = docker.DockerClient(base_url=(await engines.docker()).host)
    found = {container.name for container in client.containers.list(all=True, filters={"label": RUN})}
    client.close()
    api = await Api.connect(await engines.cluster())
    spaces = (await api.call("GET", f"/api/v1/namespaces?labelSelector={RUN}"))["items"]
    await api.close()
    return found | {space["metadata"]["name"] for space in spaces}


async def look(server: SlackServer, name: str) -> None:
    async with chromium() as browser:
        await photograph(browser, server.workspace.last, server.workspace, name, SHOTS)


def ended(server: SlackServer) -> Any:
    found = shown(server, "nothing left.")
    return found if found and "image" in [block["type"] for block in found.blocks] else None


async def test_a_whole_selfheal_runs_in_one_message_and_ends_with_what_was_measured(
    server: SlackServer, tutor: Tutor, tmp_path: Path
) -> None:
    ana, ben = Person(server), Person(server, "U00000002")
    async with portside(server, tutor, tmp_path, SLACKS) as memory:
        await ana.command("/demo", "selfheal --fault hang")
        await server.until(lambda: shown(server, "▾ fault"), 120)
        await look(server, "running")
        await ben.click(server.workspace.last, "Stop")
        told = await server.until(lambda: server.responses)
        post = await server.until(lambda: ended(server), 180)
        assert await memory.interrupted("slack:") == ()
    (file,) = server.workspace.files.values()
    await look(server, "demo")

    assert told[0]["text"] == OTHERS
    assert [block["type"] for block in post.blocks] == ["header", "section", "table", "image", "context", "actions"]
    assert "Kubernetes answered again after" in post.blocks[1]["text"]["text"]
    assert "Docker did not within" in post.blocks[1]["text"]["text"]
    assert [row[0]["text"] for row in post.blocks[2]["rows"]] == [
        *("Measured in this run", "Back after", "Failed requests", "Longest outage", "Who acted")
    ]
    assert list(buttons(post.blocks)) == [
        *("Again with another fault", "Again with 3 copies", "Show me the commands", "Take it home", "Explain this")
    ]
    assert file["data"].startswith(b"\x89PNG")
    assert 20 < server.count("chat.update") < 60
    assert server.limited == 0
    assert len(server.workspace.posts) == 1


async def test_stop_leaves_nothing_on_either_engine_and_the_message_says_so(
    server: SlackServer, tutor: Tutor, engines: Engines, tmp_path: Path
) -> None:
    ana = Person(server)
    before = await left(engines)
    async with portside(server, tutor, tmp_path, SLACKS):
        await ana.command("/demo", "selfheal --fault crash")
        await server.until(lambda: shown(server, "You would type"), 120)
        await ana.click(server.workspace.last, "Stop")
        post = await server.until(lambda: shown(server, STOPPED), 60)

    assert post.channel == CHANNEL
    assert list(buttons(post.blocks)) == []
    assert await left(engines) <= before


async def test_a_real_answer_in_a_thread_leads_to_its_demo(server: SlackServer, tutor: Tutor, tmp_path: Path) -> None:
    async with portside(server, tutor, tmp_path, SLACKS):
        await Person(server).mention(QUESTION)
        post = await server.until(lambda: shown(server, "Helpful"))
    await look(server, "answer")

    assert "[1]" in post.streamed
    assert buttons(post.blocks)["See it happen"]["value"] == "U00000001 /demo selfheal --fault hang"
