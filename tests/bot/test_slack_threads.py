"""Threads and channels on Slack: follow-ups, edited and deleted questions, and support channels."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from pathlib import Path

import pytest
from chat_fakes import ChatTutor
from slack_people import CHANNEL, Person, buttons, portside
from slack_server import Fault, SlackServer, running
from slack_workspace import BOT, Post
from web_fakes import finished

from bot.messages import Message
from bot.parts import Part, Text

QUESTION = "Does anything restart a container that hangs?"
FOLLOW = {"PORTSIDE_MESSAGE_EVENTS": "true"}
SUPPORT = {**FOLLOW, "PORTSIDE_SUPPORT_CHANNELS": CHANNEL}


@pytest.fixture
async def server() -> AsyncIterator[SlackServer]:
    async with running() as found:
        found.workspace.links.add("https://example.org/probes")
        yield found


@pytest.fixture
def ana(server: SlackServer) -> Person:
    return Person(server)


@pytest.fixture
def ben(server: SlackServer) -> Person:
    return Person(server, "U00000002")


def answers(server: SlackServer) -> list[Post]:
    return [post for post in server.workspace.posts.values() if "Helpful" in buttons(post.blocks) and not post.deleted]


async def answers_are(server: SlackServer, number: int) -> list[Post]:
    return await server.until(lambda: len(found := answers(server)) == number and found)  # type: ignore[no-any-return]


async def test_with_message_events_a_follow_up_needs_no_mention_and_no_hint_is_given(
    server: SlackServer, ana: Person, ben: Person, tmp_path: Path
) -> None:
    async with portside(server, ChatTutor(), tmp_path, **FOLLOW):
        event = await ana.mention(QUESTION)
        (first,) = await answers_are(server, 1)
        await ben.say("and on Kubernetes?", thread=event["ts"])
        await answers_are(server, 2)

    assert "Mention me" not in first.text


async def test_a_follow_up_to_a_demo_in_the_channel_needs_no_mention_either(
    server: SlackServer, ana: Person, tmp_path: Path
) -> None:
    async with portside(server, ChatTutor(begin=40), tmp_path, **FOLLOW):
        await ana.command("/demo", "selfheal")
        await server.until(lambda: server.workspace.posts and finished().headline in server.workspace.last.text)
        await ana.say("why did Docker not?", thread=server.workspace.last.ts)
        await answers_are(server, 1)


@pytest.mark.parametrize("more", [{}, FOLLOW])
async def test_talk_among_people_is_left_alone(
    server: SlackServer, ana: Person, ben: Person, tmp_path: Path, more: dict[str, str]
) -> None:
    tutor = ChatTutor()
    async with portside(server, tutor, tmp_path, **more):
        root = await ana.say("does anybody know docker?")
        await ben.say("what about it?", thread=root["ts"])
        await ana.mention(QUESTION)
        await answers_are(server, 1)

    assert [message.text for message in tutor.heard] == [QUESTION]


async def test_a_mention_that_comes_as_a_message_too_is_answered_once(
    server: SlackServer, ana: Person, tmp_path: Path
) -> None:
    tutor = ChatTutor()
    async with portside(server, tutor, tmp_path, **FOLLOW):
        event = await ana.mention(QUESTION)
        await ana.event({**event, "type": "message"})
        await answers_are(server, 1)
        await ana.say("thanks, and?", thread=event["ts"])
        await answers_are(server, 2)

    assert [message.text for message in tutor.heard] == [QUESTION, "thanks, and?"]


async def test_an_edited_question_gets_its_answer_edited(server: SlackServer, ana: Person, tmp_path: Path) -> None:
    tutor = ChatTutor()
    async with portside(server, tutor, tmp_path, **FOLLOW):
        event = await ana.mention(QUESTION)
        (post,) = await answers_are(server, 1)
        forms = len(post.forms)
        await ana.edit(event, f"<@{BOT}> What is a pod?")
        await server.until(lambda: len(post.forms) > forms and "Helpful" in buttons(post.blocks))
        await ana.edit(event, event["text"])  # an edit of nothing, as an unfurled link makes one
        await ana.edit({**event, "text": f"<@{BOT}> /demo selfheal"}, "something else")

    assert [message.text for message in tutor.heard] == [QUESTION, "What is a pod?"]
    assert len(server.workspace.posts) == 1


class Slow(ChatTutor):
    """Does not come to an end with its first answer."""

    async def reply(self, message: Message) -> AsyncGenerator[Part, None]:
        if not self.heard:
            self.heard.append(message)
            yield Text("A restart policy acts when it", key="answer")
            self.running.set()
            await asyncio.Event().wait()
        async with aclosing(super().reply(message)) as parts:
            async for part in parts:
                yield part


async def test_a_question_that_is_edited_while_it_is_answered_gets_the_other_answer(
    server: SlackServer, ana: Person, tmp_path: Path
) -> None:
    tutor = Slow()
    async with portside(server, tutor, tmp_path, **FOLLOW):
        event = await ana.mention(QUESTION)
        await server.until(lambda: server.workspace.posts and server.workspace.last.streamed)
        await ana.edit(event, f"<@{BOT}> What is a pod?")
        (post,) = await answers_are(server, 1)
        await server.until(lambda: "main process exits" in post.text)

    assert "Stopped." not in post.text
    assert [message.text for message in tutor.heard] == [QUESTION, "What is a pod?"]


async def test_a_stream_that_a_person_stopped_stops_the_answer(
    server: SlackServer, ana: Person, tmp_path: Path
) -> None:
    tutor = Slow()
    server.faults["chat.appendStream"].append(Fault("stopped_by_user"))
    async with portside(server, tutor, tmp_path) as memory:
        event = await ana.mention(QUESTION)
        await server.until(lambda: server.count("chat.stopStream"))
        assert await memory.answer_to(f"slack:{CHANNEL}:{event['ts']}")


async def test_a_deleted_question_takes_its_answer_with_it(server: SlackServer, ana: Person, tmp_path: Path) -> None:
    async with portside(server, ChatTutor(), tmp_path, **FOLLOW):
        event = await ana.mention(QUESTION)
        (post,) = await answers_are(server, 1)
        await ana.delete(CHANNEL, event["ts"])
        await server.until(lambda: post.deleted)
        await ana.delete(CHANNEL, event["ts"])  # there is nothing any more that could go with it

    assert server.count("chat.delete") == 1


async def test_a_deleted_command_stops_its_demo_and_takes_its_message_with_it(
    server: SlackServer, ana: Person, tmp_path: Path
) -> None:
    tutor = ChatTutor(speed=1)
    async with portside(server, tutor, tmp_path, **FOLLOW):
        event = await ana.mention("/demo selfheal")
        await asyncio.wait_for(tutor.running.wait(), 10)
        await ana.delete(CHANNEL, event["ts"])
        await server.until(lambda: server.workspace.last.deleted)
        await asyncio.wait_for(tutor.cleaned_up.wait(), 10)


async def test_a_new_question_in_a_support_channel_is_answered_in_its_thread(
    server: SlackServer, ana: Person, tmp_path: Path
) -> None:
    async with portside(server, ChatTutor(), tmp_path, **SUPPORT):
        event = await ana.say(QUESTION)
        (post,) = await answers_are(server, 1)
        await ana.event({**event})

    assert post.thread == event["ts"]
    assert len(server.workspace.posts) == 1


async def test_what_the_asker_adds_in_the_thread_belongs_to_the_question(
    server: SlackServer, ana: Person, tmp_path: Path
) -> None:
    tutor = ChatTutor()
    async with portside(server, tutor, tmp_path, debounce=0.3, **SUPPORT):
        event = await ana.say(QUESTION)
        await ana.say("it is web-1", thread=event["ts"])
        await answers_are(server, 1)

    assert tutor.heard[0].text == f"{QUESTION}\nit is web-1"


@pytest.mark.parametrize("why", ["not asked", "a human answered", "solved", "deleted", "a picture", "far too long"])
async def test_a_support_channel_is_left_in_silence(
    server: SlackServer, ana: Person, ben: Person, tmp_path: Path, why: str
) -> None:
    texts = {"not asked": "good morning everybody", "a picture": "", "far too long": "why? " * 8_000}
    async with portside(server, ChatTutor(), tmp_path, debounce=0.2, **SUPPORT):
        event = await ana.say(texts.get(why, QUESTION))
        if why == "a human answered":
            await ben.say("set a liveness probe", thread=event["ts"])
        if why == "solved":
            event["reactions"] = [{"name": "white_check_mark", "users": [ana.user], "count": 1}]
        if why == "deleted":
            await ana.delete(CHANNEL, event["ts"])
        later = await ben.say(QUESTION)  # whose answer comes after the other would have come
        (post,) = await answers_are(server, 1)

    assert post.thread == later["ts"]
    assert len(server.workspace.posts) == 1


async def test_other_channels_are_no_support_channels(server: SlackServer, ana: Person, tmp_path: Path) -> None:
    tutor = ChatTutor()
    async with portside(server, tutor, tmp_path, **{**SUPPORT, "PORTSIDE_SUPPORT_CHANNELS": "C00000009"}):
        await ana.say(QUESTION)
        await ana.mention("what is a pod?")
        await answers_are(server, 1)

    assert [message.text for message in tutor.heard] == ["what is a pod?"]


@pytest.mark.parametrize("what", ["edited", "deleted"])
async def test_what_is_told_of_a_message_before_or_without_its_question_does_no_harm(
    server: SlackServer, ana: Person, tmp_path: Path, what: str
) -> None:
    tutor = ChatTutor()
    async with portside(server, tutor, tmp_path, **FOLLOW):
        event = ana.said(f"<@{BOT}> {QUESTION}")
        await (ana.edit(event, "something else") if what == "edited" else ana.delete(CHANNEL, event["ts"]))
        await ana.mention(QUESTION)
        await answers_are(server, 1)

    assert len(tutor.heard) == 1


async def test_a_message_with_files_is_answered_by_its_words(server: SlackServer, ana: Person, tmp_path: Path) -> None:
    tutor = ChatTutor()
    async with portside(server, tutor, tmp_path):
        files = [{"id": "F1", "size": 25 * 2**20, "mimetype": "video/mp4", "url_private": "https://a.example/x"}]
        event = {**ana.said(QUESTION, "D00000001"), "subtype": "file_share", "files": files}
        await ana.event(event)
        await answers_are(server, 1)

    assert [message.text for message in tutor.heard] == [QUESTION]
