"""Tables that do not fit Slack's own, over real sockets: a picture with its text twin, wherever the answer stands."""

from collections.abc import AsyncGenerator, AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from chat_fakes import ChatTutor
from slack_people import CHANNEL, Person, portside
from slack_server import Fault, SlackServer, running
from slack_workspace import Post

from bot.messages import Message
from bot.parts import Cell, Part, Table, Text

COLUMNS = tuple(f"node {n}" for n in range(21))
WIDE = Table(COLUMNS, (tuple(Cell(f"pod-{n}") for n in range(21)),), "Pods by node")
SAID = "Each node runs one pod. "


class Tabular(ChatTutor):
    """It answers with a table of more columns than Slack's has."""

    async def reply(self, message: Message) -> AsyncGenerator[Part, None]:
        self.heard.append(message)
        yield Text(SAID)
        yield WIDE


@pytest.fixture
async def server() -> AsyncIterator[SlackServer]:
    async with running() as found:
        yield found


@pytest.fixture
def ana(server: SlackServer) -> Person:
    return Person(server)


def pictured(server: SlackServer) -> Any:
    """The last message, once a picture stands in it."""
    posts = list(server.workspace.posts.values())
    return posts[-1] if posts and "image" in kinds(posts[-1]) else None


def kinds(post: Post) -> list[str]:
    return [block["type"] for block in post.blocks]


@pytest.mark.parametrize("how", ["by a command", "in a stream"])
async def test_a_table_that_does_not_fit_becomes_a_picture_with_a_text_twin(
    server: SlackServer, ana: Person, tmp_path: Path, how: str
) -> None:
    async with portside(server, Tabular(), tmp_path):
        await (ana.command("/ask", "what runs where?") if how == "by a command" else ana.mention("what runs where?"))
        post = await server.until(lambda: pictured(server))
    (file,) = server.workspace.files.values()

    assert len(server.workspace.posts) == 1
    assert kinds(post)[:3] == ["section", "image", "rich_text"]
    assert SAID.strip() in post.text
    assert "pod-20" in post.text
    assert post.blocks[1]["alt_text"].startswith("Pods by node. Columns: node 0, node 1,")
    assert file["alt_txt"] == post.blocks[1]["alt_text"]
    assert file["data"].startswith(b"\x89PNG")


async def test_a_picture_of_a_table_that_slack_never_shows_is_put_into_the_thread(
    server: SlackServer, ana: Person, tmp_path: Path
) -> None:
    server.workspace.processing = 100
    async with portside(server, Tabular(), tmp_path):
        await ana.command("/ask", "what runs where?")
        shares = await server.until(
            lambda: [file["shares"] for file in server.workspace.files.values() if file["shares"]]
        )
    server.violations.clear()  # that it was refused meanwhile is what this test is about

    assert shares == [[(CHANNEL, server.workspace.last.ts)]]
    assert "pod-20" in server.workspace.last.text


async def test_where_no_picture_can_be_uploaded_the_text_twin_stands(
    server: SlackServer, ana: Person, tmp_path: Path
) -> None:
    server.faults["files.getUploadURLExternal"].append(Fault("missing_scope"))
    async with portside(server, Tabular(), tmp_path):
        await ana.command("/ask", "what runs where?")
        await server.until(lambda: server.count("files.getUploadURLExternal"))
        assert "pod-20" in server.workspace.last.text
        await ana.command("/ask", "and now?")
        post = await server.until(lambda: pictured(server))

    assert len(server.workspace.posts) == 2
    assert "pod-20" in post.text
