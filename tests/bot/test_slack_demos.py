"""Demos on Slack, over real sockets: one message that is edited, its buttons, its chart, and what may become of it."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from chat_fakes import ChatTutor
from slack_people import CHANNEL, DIRECT, QUICK, Person, buttons, portside
from slack_server import Fault, Rate, SlackServer, running
from slack_workspace import Post
from web_fakes import finished

from bot.delivery import STOPPED
from bot.platforms.slack.actions import ASKED, ENDED, OTHERS, UNKNOWN
from bot.platforms.slack.api import Pauses


@pytest.fixture
async def server() -> AsyncIterator[SlackServer]:
    async with running() as found:
        yield found


@pytest.fixture
def ana(server: SlackServer) -> Person:
    return Person(server)


@pytest.fixture
def ben(server: SlackServer) -> Person:
    return Person(server, "U00000002")


def kinds(post: Post) -> list[str]:
    return [block["type"] for block in post.blocks]


def shown(server: SlackServer, words: str) -> Post | None:
    """The last message, once it holds these words."""
    posts = list(server.workspace.posts.values())
    return posts[-1] if posts and words in posts[-1].text else None


async def runs(server: SlackServer, ana: Person) -> Post:
    """A demo that runs in the channel."""
    await ana.command("/demo", "selfheal --fault hang")
    post: Post = await server.until(lambda: shown(server, "0 s of 40 s"))
    return post


async def test_a_demo_is_one_message_that_ends_with_headline_table_and_chart(
    server: SlackServer, ana: Person, tmp_path: Path
) -> None:
    async with portside(server, ChatTutor(speed=40), tmp_path):
        await ana.command("/demo", "selfheal --fault hang")
        post = await server.until(
            lambda: (found := shown(server, finished().headline)) and "image" in kinds(found) and found
        )
    (file,) = server.workspace.files.values()

    assert len(server.workspace.posts) == 1
    assert kinds(post) == ["header", "section", "table", "image", "context", "actions"]
    assert list(buttons(post.blocks)) == ["Again with another fault"]
    assert file["data"].startswith(b"\x89PNG")
    assert file["shares"] == []
    assert post.blocks[3]["alt_text"].startswith(f"Two lanes over 40 seconds. {finished().headline}")
    assert any("Stop" in buttons(form["blocks"]) for form in post.forms)


async def test_a_picture_that_slack_still_processes_is_shown_a_moment_later(
    server: SlackServer, ana: Person, tmp_path: Path
) -> None:
    server.workspace.processing = 2
    async with portside(server, ChatTutor(begin=40), tmp_path):
        await ana.command("/demo", "selfheal")
        await server.until(lambda: (found := shown(server, finished().headline)) and "image" in kinds(found))
    server.violations.clear()  # that it was refused meanwhile is what this test is about


async def test_a_picture_that_slack_never_shows_is_put_into_the_thread(
    server: SlackServer, ana: Person, tmp_path: Path
) -> None:
    server.workspace.processing = 100
    async with portside(server, ChatTutor(begin=40), tmp_path):
        await ana.command("/demo", "selfheal")
        shares = await server.until(
            lambda: [file["shares"] for file in server.workspace.files.values() if file["shares"]]
        )
    server.violations.clear()

    assert shares == [[(CHANNEL, server.workspace.last.ts)]]
    assert finished().headline in server.workspace.last.text


async def test_stop_cleans_up_and_says_so(server: SlackServer, ana: Person, tmp_path: Path) -> None:
    tutor = ChatTutor(speed=1)
    async with portside(server, tutor, tmp_path) as memory:
        post = await runs(server, ana)
        await ana.click(post, "Stop")
        await server.until(lambda: shown(server, STOPPED))
        assert tutor.cleaned_up.is_set()
        assert list(buttons(post.blocks)) == []
        assert await memory.interrupted("slack:") == ()


async def test_a_stranger_who_clicks_stop_is_refused_privately_and_the_demo_goes_on(
    server: SlackServer, ana: Person, ben: Person, tmp_path: Path
) -> None:
    tutor = ChatTutor(speed=1)
    async with portside(server, tutor, tmp_path):
        post = await runs(server, ana)
        await ben.click(post, "Stop")
        (told,) = await server.until(lambda: server.responses)
        forms = len(post.forms)
        await server.until(lambda: len(post.forms) > forms)
        assert not tutor.cleaned_up.is_set()

    assert (told["text"], told["response_type"]) == (OTHERS, "ephemeral")


async def test_stop_on_a_demo_that_has_ended_says_so(server: SlackServer, ana: Person, tmp_path: Path) -> None:
    async with portside(server, ChatTutor(speed=1), tmp_path):
        post = await runs(server, ana)
    async with portside(server, ChatTutor(), tmp_path):
        post.forms.pop()  # as a client shows it that did not get the last edit
        await ana.click(post, "Stop")
        (told,) = await server.until(lambda: server.responses)

    assert told["text"] == ENDED


async def test_a_message_that_is_deleted_stops_its_demo(server: SlackServer, ana: Person, tmp_path: Path) -> None:
    tutor = ChatTutor(speed=1)
    async with portside(server, tutor, tmp_path):
        post = await runs(server, ana)
        post.deleted = True
        await asyncio.wait_for(tutor.cleaned_up.wait(), 10)


async def test_being_thrown_out_of_the_channel_stops_the_demo(server: SlackServer, ana: Person, tmp_path: Path) -> None:
    tutor = ChatTutor(speed=1)
    async with portside(server, tutor, tmp_path):
        await runs(server, ana)
        server.workspace.channels[CHANNEL].member = False
        await asyncio.wait_for(tutor.cleaned_up.wait(), 10)


async def test_the_end_of_the_bot_stops_its_demos_and_their_messages_say_so(
    server: SlackServer, ana: Person, tmp_path: Path
) -> None:
    tutor = ChatTutor(speed=1)
    async with portside(server, tutor, tmp_path):
        await runs(server, ana)

    assert tutor.cleaned_up.is_set()
    assert shown(server, STOPPED)


async def test_a_demo_that_a_restart_interrupted_says_so_and_can_be_run_again(
    server: SlackServer, ana: Person, ben: Person, tmp_path: Path
) -> None:
    async with portside(server, ChatTutor(speed=1), tmp_path) as memory:
        post = await runs(server, ana)
        await ana.click(post, "Stop")
        await server.until(lambda: shown(server, STOPPED))
        await memory.began(f"slack:{CHANNEL}:{post.ts}", ana.user, "/demo selfheal --fault hang")
    tutor = ChatTutor(begin=40)
    async with portside(server, tutor, tmp_path) as memory:
        await server.until(lambda: shown(server, "A restart of the bot interrupted this demo. Its sandbox is gone."))
        await ben.click(post, "Run it again")
        assert (await server.until(lambda: server.responses))[0]["text"] == OTHERS
        await ana.click(post, "Run it again")
        await server.until(lambda: shown(server, finished().headline))

    assert [message.text for message in tutor.heard] == ["/demo selfheal --fault hang"]
    assert server.workspace.last.thread == post.ts


async def test_edits_stay_within_slacks_rate_and_the_last_form_arrives(
    server: SlackServer, ana: Person, tmp_path: Path
) -> None:
    server.rates["chat.update"] = Rate(calls=8, seconds=1.0)
    async with portside(server, ChatTutor(speed=20, step=0.02), tmp_path, pauses=Pauses(0.14, 0.02, 0.01)):
        await ana.command("/demo", "selfheal")
        await server.until(lambda: shown(server, finished().headline), 30)

    assert server.limited == 0
    assert server.count("chat.update") < 40


async def test_after_a_429_nothing_is_asked_before_retry_after_has_passed(
    server: SlackServer, ana: Person, ben: Person, tmp_path: Path
) -> None:
    server.rates["chat.update"] = Rate(calls=3, seconds=1.0)
    other = Person(server, "U00000001")
    async with portside(server, ChatTutor(speed=20), tmp_path, pauses=QUICK):
        await asyncio.gather(*(one.command("/demo", "selfheal") for one in (ana, ben, other)))
        posts = lambda: list(server.workspace.posts.values())  # noqa: E731
        await server.until(lambda: len(posts()) == 3 and all(finished().headline in post.text for post in posts()), 60)

    assert server.limited > 0


async def test_a_lost_connection_to_slack_loses_an_edit_and_not_the_end(
    server: SlackServer, ana: Person, tmp_path: Path
) -> None:
    server.faults["chat.update"] += [Fault("internal_error"), Fault("", 502), Fault("fatal_error"), Fault("", 500)]
    async with portside(server, ChatTutor(begin=40), tmp_path):
        await ana.command("/demo", "selfheal")
        await server.until(lambda: shown(server, finished().headline))


async def test_app_home_lists_the_catalogue_and_its_button_runs_a_demo_in_a_direct_message(
    server: SlackServer, ana: Person, tmp_path: Path
) -> None:
    async with portside(server, ChatTutor(begin=40), tmp_path):
        await ana.event(
            {"type": "app_home_opened", "user": ana.user, "tab": "home", "channel": DIRECT, "event_ts": "1"}
        )
        view = await server.until(lambda: server.workspace.views.get(ana.user))
        (label, start), *_ = buttons(view["blocks"]).items()
        container = {"type": "view", "view_id": "V1"}
        await server.deliver("interactive", ana.pressed(start, container, view={"id": "V1", "type": "home"}))
        post = await server.until(lambda: shown(server, finished().headline))

    assert label
    assert post.channel == DIRECT


async def test_the_assistants_pane_suggests_questions_and_a_demo(
    server: SlackServer, ana: Person, tmp_path: Path
) -> None:
    pane = {"user_id": ana.user, "channel_id": DIRECT, "thread_ts": "1.0", "context": {}}
    async with portside(server, ChatTutor(), tmp_path):
        await ana.event({"type": "assistant_thread_started", "assistant_thread": pane, "event_ts": "1"})
        (told,) = await server.until(lambda: server.workspace.prompts)

    assert [prompt["message"] for prompt in told["prompts"]][-1].startswith("/demo ")
    assert 1 < len(told["prompts"]) <= 4


async def answer(server: SlackServer, ana: Person) -> Any:
    server.workspace.links.add("https://example.org/probes")
    await ana.mention("Does anything restart it?")
    return await server.until(lambda: shown(server, "Helpful"))


async def test_anybody_may_judge_an_answer_and_the_last_verdict_counts(
    server: SlackServer, ana: Person, ben: Person, tmp_path: Path
) -> None:
    async with portside(server, ChatTutor(), tmp_path) as memory:
        post = await answer(server, ana)
        await ana.click(post, "Helpful")
        await ben.click(post, "Helpful")
        await server.until(lambda: len(server.responses) == 2)
        await ben.click(post, "Not helpful")
        await server.until(lambda: len(server.responses) == 3)

        assert await memory.verdicts(f"slack:{post.channel}:{post.ts}") == (1, 1)


async def test_ask_a_human_mentions_the_group_of_the_setting_once_and_only_for_the_invoker(
    server: SlackServer, ana: Person, ben: Person, tmp_path: Path
) -> None:
    server.workspace.links.add("!subteam^S00000001")
    async with portside(server, ChatTutor(), tmp_path, PORTSIDE_SLACK_HELPERS="S00000001"):
        post = await answer(server, ana)
        await ben.click(post, "Ask a human")
        await server.until(lambda: len(server.responses) == 1)
        await ana.click(post, "Ask a human")
        await server.until(
            lambda: shown(server, "") and server.workspace.last.forms[0]["text"].startswith("<!subteam^S00000001>")
        )
        await ana.click(post, "Ask a human")
        await server.until(lambda: len(server.responses) == 2)

    assert [told["text"] for told in server.responses] == [OTHERS, ASKED]
    assert server.workspace.last.thread == post.thread


async def test_see_it_happen_runs_the_demo_in_the_thread_of_the_answer(
    server: SlackServer, ana: Person, tmp_path: Path
) -> None:
    tutor = ChatTutor(begin=40)
    async with portside(server, tutor, tmp_path):
        post = await answer(server, ana)
        await ana.click(post, "See it happen")
        await server.until(lambda: shown(server, finished().headline))

    assert tutor.heard[-1].text == "/demo selfheal --fault hang"
    assert server.workspace.last.thread == post.thread


@pytest.mark.parametrize("element", [{"action_id": "ballot.5", "value": "x"}, {"action_id": "say.0", "value": ""}])
async def test_an_unknown_or_broken_button_gets_a_private_sentence(
    server: SlackServer, ana: Person, tmp_path: Path, element: dict[str, str]
) -> None:
    container = {"type": "message", "channel_id": CHANNEL, "message_ts": "1.0", "is_ephemeral": False}
    async with portside(server, ChatTutor(), tmp_path):
        await server.deliver("interactive", ana.pressed(element, container))
        (told,) = await server.until(lambda: server.responses)

    assert told["text"] in {UNKNOWN, OTHERS}


async def test_two_deliveries_of_one_click_start_one_demo(server: SlackServer, ana: Person, tmp_path: Path) -> None:
    tutor = ChatTutor(begin=40)
    async with portside(server, tutor, tmp_path):
        command = ana.slash("/demo", "selfheal")
        await server.deliver("slash_commands", command)
        await server.deliver("slash_commands", command, attempt=1)
        await server.until(lambda: shown(server, finished().headline))

    assert len(tutor.heard) == 1
