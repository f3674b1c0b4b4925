"""Answers that grow on Slack: what was streamed is what was said, whatever happens to the stream meanwhile."""

from collections.abc import AsyncGenerator, AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import slack_rules
from chat_fakes import ChatTutor
from hypothesis import given
from hypothesis import strategies as st
from slack_people import Person, buttons, portside
from slack_server import Fault, SlackServer, running
from test_slack_text import HOSTILE

from bot.messages import Message
from bot.parts import Code, Part, Text
from bot.platforms.slack.surface import whole_words
from bot.platforms.slack.text import markdown

WORDS = "A restart policy acts when the main process exits; `docker ps` shows it. **Nothing** restarts what hangs. [1]"


@pytest.fixture
async def server() -> AsyncIterator[SlackServer]:
    async with running() as found:
        yield found


class Growing(ChatTutor):
    """Says more and more, each time when the last was seen, and at last all of it."""

    def __init__(self, server: SlackServer, said: list[str], *end: Part) -> None:
        super().__init__()
        self.server = server
        self.said = said
        self.end = end

    async def reply(self, message: Message) -> AsyncGenerator[Part, None]:
        for text in self.said:
            yield Text(text, key="answer")
            appends = self.server.count("chat.appendStream")
            await self.server.until(lambda: self.server.count("chat.appendStream") > appends)  # noqa: B023
        for part in self.end:
            yield part


async def ended(server: SlackServer, tutor: Any, folder: Path) -> Any:
    async with portside(server, tutor, folder):
        await Person(server).mention("Does anything restart it?")
        return await server.until(lambda: answered(server))


def answered(server: SlackServer) -> Any:
    posts = list(server.workspace.posts.values())
    return posts[-1] if posts and "Helpful" in buttons(posts[-1].blocks) else None


def grown(pieces: int) -> list[str]:
    return [WORDS[: len(WORDS) * n // pieces] for n in range(1, pieces)]


async def test_a_growing_answer_is_appended_word_by_word(server: SlackServer, tmp_path: Path) -> None:
    post = await ended(server, Growing(server, grown(5), Text(WORDS, key="answer")), tmp_path)

    assert post.streamed == markdown(WORDS)
    assert server.count("chat.appendStream") == 4
    assert server.count("chat.update") == 0


async def test_code_that_came_with_the_text_stands_in_a_block_of_its_own(server: SlackServer, tmp_path: Path) -> None:
    said = [*grown(3), f"{WORDS} and then"]
    end = (Text(f"{WORDS} and then", key="answer"), Code("$ docker ps"))
    post = await ended(server, Growing(server, said, *end), tmp_path)

    assert post.blocks[0]["type"] == "rich_text"
    assert post.streamed == markdown(f"{WORDS} and then")
    assert "```" not in post.text


async def test_an_answer_that_ends_otherwise_than_it_began_is_replaced(server: SlackServer, tmp_path: Path) -> None:
    post = await ended(server, Growing(server, grown(3), Text("The pages do not say that.", key="answer")), tmp_path)

    assert "restart policy" not in post.text
    assert "The pages do not say that." in post.text


@pytest.mark.parametrize(
    "fault",
    [Fault("message_not_in_streaming_state"), Fault("ratelimited", 429, {"Retry-After": "1"}), Fault("", 502)],
    ids=["ended by Slack", "too many calls", "lost"],
)
async def test_a_piece_that_is_refused_or_lost_is_in_the_answer_once(
    server: SlackServer, tmp_path: Path, fault: Fault
) -> None:
    server.faults["chat.appendStream"] += [Fault(), fault]
    post = await ended(server, Growing(server, grown(3), Text(WORDS, key="answer")), tmp_path)

    assert post.text.count("main process exits") == 1
    assert post.text.count("what hangs") == 1


@given(HOSTILE, st.integers(0, 60))
def test_what_is_sent_early_is_never_more_than_whole_words(text: str, most: int) -> None:
    sent = whole_words((Text(text[:most]),))

    slack_rules.streamed(sent)
    assert "```" not in sent
