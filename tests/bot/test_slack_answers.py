"""Answers on Slack, over real sockets: asked in every way, streamed or edited, once, not where they may not be."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from chat_fakes import ChatTutor
from slack_people import CHANNEL, DIRECT, Person, buttons, portside
from slack_server import Fault, SlackServer, running
from slack_workspace import BOT, TEAM

QUESTION = "My container hangs but does not exit. Does anything restart it?"
LINK = "https://example.org/probes"


@pytest.fixture
async def server() -> AsyncIterator[SlackServer]:
    async with running() as found:
        found.workspace.links.add(LINK)
        yield found


@pytest.fixture
def ana(server: SlackServer) -> Person:
    return Person(server)


def answered(server: SlackServer) -> Any:
    """The last message, once it has its final form."""
    posts = list(server.workspace.posts.values())
    return posts[-1] if posts and "Helpful" in buttons(posts[-1].blocks) else None


async def test_a_mention_is_answered_by_a_stream_in_its_thread(
    server: SlackServer, ana: Person, tmp_path: Path
) -> None:
    tutor = ChatTutor()
    async with portside(server, tutor, tmp_path):
        event = await ana.mention(QUESTION)
        post = await server.until(lambda: answered(server))
    (start,) = [args for method, args, _ in server.calls if method == "chat.startStream"]

    assert post.thread == event["ts"]
    assert post.streamed.startswith("A restart policy acts when the container's main process exits. [1]")
    assert list(buttons(post.blocks)) == ["See it happen", "Helpful", "Not helpful"]
    assert post.blocks[-1]["elements"][0]["text"] == "Mention me to go on."
    assert (start["recipient_team_id"], start["recipient_user_id"]) == (TEAM, "U00000001")
    assert [message.text for message in tutor.heard] == [QUESTION]
    assert tutor.heard[0].author == f"slack:{TEAM}:U00000001"


async def test_a_direct_message_is_answered_with_status_and_title(
    server: SlackServer, ana: Person, tmp_path: Path
) -> None:
    async with portside(server, ChatTutor(), tmp_path):
        pane = ana.said("hello", DIRECT)
        await ana.say(QUESTION, DIRECT, thread=pane["ts"])
        post = await server.until(lambda: answered(server))

        await server.until(lambda: server.workspace.titles)

    assert (post.channel, post.thread) == (DIRECT, pane["ts"])
    assert server.workspace.statuses[0]["status"] == "is reading the pages"
    assert server.workspace.titles[0]["title"] == QUESTION[:60]
    assert "Mention me" not in post.text


async def test_ask_is_an_ordinary_message_that_is_edited(server: SlackServer, ana: Person, tmp_path: Path) -> None:
    async with portside(server, ChatTutor(), tmp_path):
        assert await ana.command("/ask", QUESTION) is None
        post = await server.until(lambda: answered(server))

    assert post.thread is None
    assert post.forms[0]["text"] == "On it."
    assert server.count("chat.startStream") == 0


async def test_a_private_answer_is_seen_by_the_asker_alone_until_it_is_shared(
    server: SlackServer, ana: Person, tmp_path: Path
) -> None:
    async with portside(server, ChatTutor(), tmp_path):
        await ana.command("/ask", f"--private {QUESTION}")
        (private,) = await server.until(lambda: server.responses)
        assert private["response_type"] == "ephemeral"
        assert server.workspace.posts == {}

        share = buttons(private["blocks"])["Share"]
        container = {"type": "message", "channel_id": CHANNEL, "message_ts": "1.0", "is_ephemeral": True}
        await server.deliver("interactive", ana.pressed(share, container, channel={"id": CHANNEL}))
        post = await server.until(lambda: answered(server))

    assert post.thread is None
    assert "A restart policy acts" in post.text


async def test_a_private_answer_is_shared_once_also_after_a_restart(
    server: SlackServer, ana: Person, tmp_path: Path
) -> None:
    async with portside(server, ChatTutor(), tmp_path):
        await ana.command("/ask", f"--private {QUESTION}")
        (private,) = await server.until(lambda: server.responses)
    share = buttons(private["blocks"])["Share"]
    container = {"type": "message", "channel_id": CHANNEL, "message_ts": "1.0", "is_ephemeral": True}
    tutor = ChatTutor()
    async with portside(server, tutor, tmp_path):
        for _ in range(2):
            await server.deliver("interactive", ana.pressed(share, container, channel={"id": CHANNEL}))
        await server.until(lambda: answered(server))
        await server.until(lambda: len(server.responses) == 2)

    assert [message.text.split() for message in tutor.heard] == [["/ask", *QUESTION.split()]]
    assert server.responses[-1]["text"] == "This answer was shared already."


async def test_where_the_tutor_is_not_a_member_ask_answers_privately(
    server: SlackServer, ana: Person, tmp_path: Path
) -> None:
    server.workspace.channels[CHANNEL].member = False
    async with portside(server, ChatTutor(), tmp_path):
        await ana.command("/ask", QUESTION)
        (private,) = await server.until(lambda: server.responses)

    assert "A restart policy acts" in private["text"]


@pytest.mark.parametrize(
    ("trouble", "sentence"),
    [({"member": False}, "Type /invite @Portside"), ({"archived": True}, "This channel is archived.")],
)
async def test_a_demo_where_nothing_can_be_posted_is_refused_in_a_sentence(
    server: SlackServer, ana: Person, tmp_path: Path, trouble: dict[str, bool], sentence: str
) -> None:
    vars(server.workspace.channels[CHANNEL]).update(trouble)
    async with portside(server, ChatTutor(), tmp_path):
        await ana.command("/demo", "selfheal")
        (private,) = await server.until(lambda: server.responses)

    assert sentence in private["text"]


async def test_explain_this_answers_in_the_thread_of_the_message(
    server: SlackServer, ana: Person, tmp_path: Path
) -> None:
    tutor = ChatTutor()
    async with portside(server, tutor, tmp_path):
        said = Person(server, "U00000002").said("CrashLoopBackOff again, what is <https://a.example|it>?")
        payload = ana.pressed({"action_id": "x", "value": ""}, {}, message=said, channel={"id": CHANNEL})
        await server.deliver("interactive", {**payload, "type": "message_action", "callback_id": "explain"})
        post = await server.until(lambda: answered(server))

    assert post.thread == said["ts"]
    assert tutor.heard[0].text == "CrashLoopBackOff again, what is it (https://a.example)?"


@pytest.mark.parametrize(("command", "words"), [("/help", "Ask about Docker"), ("/demo", "selfheal")])
async def test_help_and_the_catalogue_are_for_the_asker_alone(
    server: SlackServer, ana: Person, tmp_path: Path, command: str, words: str
) -> None:
    async with portside(server, ChatTutor(), tmp_path):
        await ana.command(command)
        (private,) = await server.until(lambda: server.responses)

    assert private["response_type"] == "ephemeral"
    assert server.workspace.posts == {}


async def test_a_follow_up_in_a_thread_brings_what_was_said_with_display_names(
    server: SlackServer, ana: Person, tmp_path: Path
) -> None:
    tutor = ChatTutor()
    async with portside(server, tutor, tmp_path):
        root = Person(server, "U00000002").said("our pod <@U00000001> is stuck")
        server.workspace.said.append(
            {"user": BOT, "text": "It waits.", "ts": server.workspace.ts(), "thread_ts": root["ts"]}
        )
        await ana.mention("why?", thread=root["ts"])
        await server.until(lambda: answered(server))
    (message,) = tutor.heard

    assert message.text == "why?"
    assert [(said.name, said.text, said.ours) for said in message.earlier] == [
        ("Ben", "our pod @Ana is stuck", False),
        ("Portside", "It waits.", True),
    ]


async def test_an_event_that_comes_again_is_answered_once_also_after_a_restart(
    server: SlackServer, ana: Person, tmp_path: Path
) -> None:
    tutor = ChatTutor()
    event = {**ana.said(f"<@{BOT}> {QUESTION}"), "type": "app_mention"}
    async with portside(server, tutor, tmp_path):
        await ana.event(event, number="Ev77")
        await server.until(lambda: answered(server))
        await ana.event(event, attempt=1, number="Ev77")
    async with portside(server, tutor, tmp_path):
        await ana.event(event, attempt=2, number="Ev77")
        await ana.event({**event, "type": "message"}, number="Ev78")

    assert len(tutor.heard) == 1
    assert len(server.workspace.posts) == 1


async def test_the_connection_is_renewed_when_slack_asks_and_nothing_is_lost(
    server: SlackServer, ana: Person, tmp_path: Path
) -> None:
    async with portside(server, ChatTutor(), tmp_path):
        await server.drop()
        await ana.mention(QUESTION)
        await server.until(lambda: answered(server))

    assert server.connections == 2


async def test_a_stream_that_slack_has_ended_is_replaced_by_an_edit(
    server: SlackServer, ana: Person, tmp_path: Path
) -> None:
    server.faults["chat.stopStream"].append(Fault("message_not_in_streaming_state"))
    async with portside(server, ChatTutor(), tmp_path):
        await ana.mention(QUESTION)
        post = await server.until(lambda: answered(server))

    assert len(server.workspace.posts) == 1
    assert post.forms[-1]["text"].startswith("A restart policy acts")


@pytest.mark.parametrize("error", ["ratelimited", "unknown_method", "internal_error"])
async def test_where_there_can_be_no_stream_the_answer_is_a_message_in_the_thread(
    server: SlackServer, ana: Person, tmp_path: Path, error: str
) -> None:
    limited = {"status": 429, "headers": {"Retry-After": "30"}} if error == "ratelimited" else {}
    server.faults["chat.startStream"].append(Fault(error, **limited))
    async with portside(server, ChatTutor(), tmp_path):
        event = await ana.mention(QUESTION)
        post = await server.until(lambda: answered(server))

    assert (post.thread, post.forms[0]["text"]) == (event["ts"], "On it.")


async def test_an_answer_is_delivered_after_the_patience_that_slack_asks_for(
    server: SlackServer, ana: Person, tmp_path: Path
) -> None:
    server.faults["chat.stopStream"].append(Fault("ratelimited", 429, {"Retry-After": "1"}))
    server.faults["chat.stopStream"].append(Fault("", 503))
    async with portside(server, ChatTutor(), tmp_path):
        await ana.mention(QUESTION)
        post = await server.until(lambda: answered(server))
    times = [at for method, _, at in server.calls if method == "chat.stopStream"]

    assert times[1] - times[0] >= 1
    assert post.streamed.startswith("A restart policy acts")


@pytest.mark.parametrize(
    ("text", "words"),
    [("", "That message is empty."), ("x" * 40_000, "more than 8000"), ("/nothing", "There is no command /nothing")],
)
async def test_what_cannot_be_read_is_told_in_a_sentence(
    server: SlackServer, ana: Person, tmp_path: Path, text: str, words: str
) -> None:
    from fakes import FakeEngines, FakeLab  # noqa: PLC0415

    from bot.tutor import Tutor as Real  # noqa: PLC0415
    from sandbox.demos import load_demos  # noqa: PLC0415

    tutor = Real(None, load_demos(), FakeEngines(), FakeLab().open)
    async with portside(server, tutor, tmp_path):
        await ana.mention(text)
        await server.until(lambda: any(words in post.text for post in server.workspace.posts.values()))


async def test_explain_this_on_a_message_without_words_is_told_privately(
    server: SlackServer, ana: Person, tmp_path: Path
) -> None:
    async with portside(server, ChatTutor(), tmp_path):
        payload = ana.pressed({"action_id": "x", "value": ""}, {}, message=ana.said(""), channel={"id": CHANNEL})
        await server.deliver("interactive", {**payload, "type": "message_action", "callback_id": "explain"})
        (told,) = await server.until(lambda: server.responses)

    assert told["text"].startswith("That message is empty.")
    assert server.workspace.posts == {}


async def test_a_message_that_mentions_a_hundred_people_asks_for_ten_names(
    server: SlackServer, ana: Person, tmp_path: Path
) -> None:
    async with portside(server, ChatTutor(), tmp_path):
        await ana.mention(" ".join(f"<@U{number:08d}>" for number in range(1, 101)) + " who restarts it?")
        await server.until(lambda: answered(server))

    assert server.count("users.info") == 10


async def test_hostile_text_mentions_nobody_and_links_nothing(server: SlackServer, ana: Person, tmp_path: Path) -> None:
    async with portside(server, ChatTutor(), tmp_path):
        await ana.mention("/hostile " + "<@U00000002> " * 100)
        await server.until(lambda: server.count("chat.update") or server.count("chat.stopStream"))
