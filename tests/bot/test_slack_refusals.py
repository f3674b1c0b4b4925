"""What Slack says no to, by name: the log has it in a line, nobody sees a traceback, the next question is answered."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from chat_fakes import ChatTutor
from slack_people import CHANNEL, DIRECT, Person, buttons, portside
from slack_server import Fault, SlackServer, running

QUESTION = "Does anything restart a container that hangs?"
NO_SCOPE = Fault("missing_scope", needed="chat:write")
REFUSALS = {
    "missing scope": (CHANNEL, NO_SCOPE, "Slack says missing_scope (chat.startStream needs chat:write)."),
    "missing scope in a direct message": (DIRECT, NO_SCOPE, "chat.startStream needs chat:write"),
    "DM closed": (DIRECT, Fault("messages_tab_disabled"), "Slack says messages_tab_disabled."),
    "kicked from the channel": (CHANNEL, Fault("not_in_channel"), "Slack says not_in_channel."),
}


@pytest.fixture
async def server() -> AsyncIterator[SlackServer]:
    async with running() as found:
        found.workspace.links.add("https://example.org/probes")
        yield found


@pytest.fixture
def ana(server: SlackServer) -> Person:
    return Person(server)


def answered(server: SlackServer) -> Any:
    """The last message, once it has its final form."""
    posts = list(server.workspace.posts.values())
    return posts[-1] if posts and "Helpful" in buttons(posts[-1].blocks) else None


@pytest.mark.parametrize("why", REFUSALS)
async def test_where_nothing_can_be_said_the_log_names_it_and_the_next_question_is_answered(
    server: SlackServer, ana: Person, tmp_path: Path, caplog: pytest.LogCaptureFixture, why: str
) -> None:
    where, fault, named = REFUSALS[why]
    server.faults["chat.startStream"].append(fault)
    async with portside(server, ChatTutor(), tmp_path):
        for _ in range(2):
            await (ana.mention(QUESTION) if where == CHANNEL else ana.say(QUESTION, DIRECT))
            await server.until(lambda: server.count("chat.startStream"))
        post = await server.until(lambda: answered(server))

    assert named in caplog.text
    assert "Traceback" not in caplog.text
    assert list(server.workspace.posts.values()) == [post]


@pytest.mark.parametrize("command", ["/demo", "/ask"])
async def test_a_missing_scope_is_told_to_whoever_gave_a_command_for_all(
    server: SlackServer, ana: Person, tmp_path: Path, caplog: pytest.LogCaptureFixture, command: str
) -> None:
    server.faults["chat.postMessage"].append(NO_SCOPE)
    async with portside(server, ChatTutor(begin=40), tmp_path):
        await ana.command(command, "selfheal")
        (told,) = await server.until(lambda: server.responses)
        await ana.command("/ask", QUESTION)
        await server.until(lambda: answered(server))

    expected = "I lack a permission here." if command == "/demo" else "A restart policy acts"
    assert told["text"].startswith(expected)
    assert "Traceback" not in caplog.text


async def test_being_kicked_under_an_answer_is_named_and_the_next_question_is_answered(
    server: SlackServer, ana: Person, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    server.faults["chat.stopStream"].append(Fault("not_in_channel"))
    async with portside(server, ChatTutor(), tmp_path):
        await ana.mention(QUESTION)
        await server.until(lambda: server.count("chat.stopStream"))
        await ana.mention(QUESTION)
        await server.until(lambda: answered(server))

    assert "edit lost: Slack says not_in_channel." in caplog.text
    assert "Traceback" not in caplog.text


async def test_a_scope_that_only_files_need_costs_the_chart_and_not_the_result(
    server: SlackServer, ana: Person, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    server.faults["files.getUploadURLExternal"].append(Fault("missing_scope", needed="files:write"))
    async with portside(server, ChatTutor(begin=40), tmp_path):
        await ana.command("/demo", "selfheal")
        await server.until(lambda: server.count("files.getUploadURLExternal"))
        await ana.mention(QUESTION)
        await server.until(lambda: answered(server))

    first, _ = server.workspace.posts.values()
    assert "Kubernetes answered again" in first.text
    assert "Slack says missing_scope (files.getUploadURLExternal needs files:write)." in caplog.text
    assert "Traceback" not in caplog.text
