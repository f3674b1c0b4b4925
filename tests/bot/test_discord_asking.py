"""Questions on Discord: by mention, alone with the tutor, by command, menu and modal; answered over real sockets."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from pathlib import Path

import discord_payloads as payloads
import discord_rules as rules
import pytest
import pytest_asyncio
from chat_fakes import ChatTutor
from discord_bot import Scripted, discord_bot
from discord_payloads import APP, CHANNEL, snowflake
from discord_server import DiscordServer, discord_server

from bot.commands import COMMANDS
from bot.messages import Message
from bot.parts import Cell, Part, Table
from sandbox.demos import load_demos

ROLE = "9000000000000000004"
YAML = "```yaml\n" + "replicas: 3\n" * 300 + "```"


@pytest_asyncio.fixture
async def server() -> AsyncIterator[DiscordServer]:
    async with discord_server() as found:
        yield found


async def answered(server: DiscordServer, text: str, place: int | None = None) -> dict:
    """Wait for an answer in its final form."""
    answer = await server.until_shown(text, place)
    await server.until(lambda: "Helpful" in rules.buttons(answer["components"]))
    return answer


def private(asked: payloads.Any) -> str:
    """What only the person can read who clicked."""
    assert asked.answer["data"]["flags"] & rules.EPHEMERAL
    return rules.texts(asked.answer["data"]["components"])


async def test_a_mention_is_answered_in_a_reply_with_its_sources(server: DiscordServer, tmp_path: Path) -> None:
    async with discord_bot(server, tmp_path) as bot:
        question = await server.say(f"<@{APP}> why do pods restart?")
        answer = await answered(server, "About why do pods restart?")

    assert answer["message_reference"]["message_id"] == question
    assert "**1** Restart policies" in rules.texts(answer["components"])
    assert bot.answers.heard[0][0] == "why do pods restart?"


async def test_a_direct_message_needs_no_mention(server: DiscordServer, tmp_path: Path) -> None:
    server.channels[77] = payloads.channel(77, payloads.DM)
    async with discord_bot(server, tmp_path):
        await server.say("what is a pod?", place=77)
        await server.until_shown("About what is a pod?", 77)


async def test_a_command_is_acknowledged_at_once_and_answered_in_its_own_message(
    server: DiscordServer, tmp_path: Path
) -> None:
    async with discord_bot(server, tmp_path):
        asked = await server.command("ask", {"question": "what is a pod?"})
        answer = await answered(server, "About what is a pod?")

    assert asked.answer == {"type": 5}
    assert asked.after < 1
    assert int(answer["id"]) == asked.message
    assert set(rules.buttons(answer["components"])) == {"See it happen", "Helpful", "Not helpful"}


async def test_an_answer_grows_in_sight_while_it_is_written(server: DiscordServer, tmp_path: Path) -> None:
    answers = Scripted({"pod": "A pod is a group of containers. [1]"})
    answers.gate.clear()
    async with discord_bot(server, tmp_path, answers):
        await server.command("ask", {"question": "what is a pod?"})
        growing = await server.until_shown("Working on it")
        assert "A pod" in rules.texts(growing["components"])
        answers.gate.set()
        await answered(server, "A pod is a group of containers. [1]")


async def test_commands_are_those_of_the_one_list(server: DiscordServer, tmp_path: Path) -> None:
    async with discord_bot(server, tmp_path):
        assert {f"/{one['name']}" for one in server.commands if one["type"] == 1} == set(COMMANDS)
        assert [one["name"] for one in server.commands if one["type"] == 3] == ["Explain this"]
        assert all(one["contexts"] == [0, 1, 2] and one["integration_types"] == [0, 1] for one in server.commands)


@pytest.mark.parametrize(
    ("options", "focused", "values"),
    [
        ({"name": "self"}, "name", ["selfheal"]),
        ({"name": "nothing of this name"}, "name", []),
        ({"name": "selfheal", "fault": ""}, "fault", ["crash", "hang", "oom", "remove"]),
        ({"name": "selfheal", "fault": "ha"}, "fault", ["hang"]),
    ],
)
async def test_demos_and_their_faults_are_completed(
    server: DiscordServer, tmp_path: Path, options: dict[str, str], focused: str, values: list[str]
) -> None:
    async with discord_bot(server, tmp_path):
        asked = await server.ask(4, payloads.command("demo", options, focused=focused))
        await server.until(lambda: asked.answer)

    assert sorted(choice["value"] for choice in asked.answer["data"]["choices"]) == values


class Tabular(ChatTutor):
    """It answers with a table whose columns have no room beside each other."""

    async def reply(self, message: Message) -> AsyncGenerator[Part, None]:
        yield Table(("Pod", "What it says"), ((Cell("web-0"), Cell("It is ready to serve. " * 4)),))


async def test_a_table_without_room_for_its_columns_comes_with_a_picture(server: DiscordServer, tmp_path: Path) -> None:
    async with discord_bot(server, tmp_path, tutor=Tabular()):  # type: ignore[arg-type]
        await server.command("ask", {"question": "what do the pods say?"})
        listed = await server.until_shown("web-0")
        await server.until(lambda: listed["attachments"])

    name = listed["attachments"][0]["filename"]
    assert name.startswith("table-")
    assert server.files[f"{listed['id']}/{name}"].startswith(b"\x89PNG")
    assert "What it says: It is ready to serve." in rules.texts(listed["components"])


async def test_the_catalogue_has_a_button_for_each_demo_that_runs_it(server: DiscordServer, tmp_path: Path) -> None:
    async with discord_bot(server, tmp_path):
        await server.command("demo")
        listed = await server.until_shown("Who brings it back?")
        await server.until(lambda: "Self-healing" in rules.buttons(listed["components"]))
        await server.click(listed, "Self-healing")
        await server.until_shown("Kubernetes answered again after")

    assert len(rules.buttons(listed["components"])) == len(load_demos())
    assert "About 45 s. Ways: crash, hang, oom, remove, 2 copies, 3 copies." in rules.texts(listed["components"])


async def test_copies_are_completed_for_the_demo_and_refused_in_private_where_it_has_not_as_many(
    server: DiscordServer, tmp_path: Path
) -> None:
    async with discord_bot(server, tmp_path):
        typed = payloads.command("demo", {"name": "selfheal", "replicas": ""}, focused="replicas")
        asked = await server.ask(4, typed)
        await server.until(lambda: asked.answer)
        refused = await server.command("demo", {"name": "selfheal", "replicas": 9})
        await server.until(lambda: refused.answer)
        await server.command("demo", {"name": "selfheal", "fault": "crash", "replicas": 3})
        await server.until_shown("Kubernetes answered again after")

    assert [choice["value"] for choice in asked.answer["data"]["choices"]] == [1, 2, 3]  # type: ignore[index]
    assert "selfheal cannot run with 9 replicas." in rules.texts(refused.answer["data"]["components"])  # type: ignore[index]
    assert refused.answer["data"]["flags"] & rules.EPHEMERAL  # type: ignore[index]


async def test_a_message_is_explained_by_its_menu_and_never_taken_as_a_command(
    server: DiscordServer, tmp_path: Path
) -> None:
    async with discord_bot(server, tmp_path) as bot:
        target = payloads.message(snowflake(), CHANNEL, payloads.user(2), "/demo selfheal fails with exit code 137")
        data = payloads.command("Explain this", {}, kind=3) | {"target_id": target["id"]}
        asked = await server.ask(2, data | {"resolved": {"messages": {target["id"]: target}}})
        await answered(server, "exit code 137")

    assert asked.answer == {"type": 5}
    assert bot.answers.heard[0][0] == "/demo selfheal fails with exit code 137"


async def test_a_longer_question_is_asked_in_a_modal(server: DiscordServer, tmp_path: Path) -> None:
    async with discord_bot(server, tmp_path):
        asked = await server.command("ask")
        modal = asked.answer["data"]
        field = modal["components"][0]["component"]
        said = {"type": 4, "custom_id": field["custom_id"], "value": "why?\n" + "a line of a log\n" * 100}
        parts = [{"type": 18, "component": said}]
        sent = await server.ask(5, {"custom_id": modal["custom_id"], "components": parts})
        await server.until(lambda: sent.answer)
        await answered(server, "About why?")

    assert asked.answer["type"] == 9
    assert sent.answer == {"type": 5}


async def test_a_private_answer_is_seen_by_who_asked_until_it_is_shared(server: DiscordServer, tmp_path: Path) -> None:
    async with discord_bot(server, tmp_path, Scripted({"yaml": f"Like this. [1]\n{YAML}"})):
        asked = await server.command("ask", {"question": "yaml?", "private": True})
        answer = await answered(server, "Like this.")
        shared = await server.click(answer, "Share")

    [_, public] = server.of_bot()
    assert asked.answer == {"type": 5, "data": {"flags": rules.EPHEMERAL}}
    assert answer["flags"] & rules.EPHEMERAL
    assert shared.answer["type"] == 4
    assert not public["flags"] & rules.EPHEMERAL
    assert "Like this." in rules.texts(public["components"])
    assert "Share" not in rules.buttons(public["components"])
    assert [one["filename"] for one in public["attachments"]] == ["code-1.yaml"]


@pytest.mark.parametrize(("label", "verdicts"), [("Helpful", (1, 0)), ("Not helpful", (0, 1))])
async def test_anybody_may_judge_an_answer_once(
    server: DiscordServer, tmp_path: Path, label: str, verdicts: tuple[int, int]
) -> None:
    async with discord_bot(server, tmp_path) as bot:
        await server.command("ask", {"question": "what is a pod?"}, who=1)
        answer = await answered(server, "About what is a pod?")
        clicked = await server.click(answer, label, who=2)
        await server.click(answer, label, who=2)

        assert private(clicked).startswith("Noted: ")
        assert await bot.memory.verdicts(f"discord:{CHANNEL}:{answer['id']}") == verdicts


async def test_a_human_is_asked_once_by_who_asked_and_only_the_helpers_are_mentioned(
    server: DiscordServer, tmp_path: Path
) -> None:
    async with discord_bot(server, tmp_path, discord_helpers=ROLE):
        await server.command("ask", {"question": "what is a pod?"}, who=1)
        answer = await answered(server, "About what is a pod?")
        stranger = await server.click(answer, "Ask a human", who=2)
        called = await server.click(answer, "Ask a human", who=1)
        again = await server.click(answer, "Ask a human", who=1)

    data = called.answer["data"]
    assert "belongs to who asked" in private(stranger)
    assert f"<@&{ROLE}> User 1 asks a human" in rules.texts(data["components"])
    assert data["allowed_mentions"] == {"parse": [], "roles": [int(ROLE)]}
    assert "asked already" in private(again)


async def test_without_a_group_of_helpers_there_is_no_such_button(server: DiscordServer, tmp_path: Path) -> None:
    async with discord_bot(server, tmp_path):
        await server.command("ask", {"question": "what is a pod?"})
        answer = await answered(server, "About what is a pod?")

    assert "Ask a human" not in rules.buttons(answer["components"])


@pytest.mark.parametrize("custom_id", ["ballot:5:old-run", "say:1:", "stop:xyz:", "x" * 100, "share::"])
async def test_a_button_that_nobody_knows_any_more_gets_a_private_answer(
    server: DiscordServer, tmp_path: Path, custom_id: str
) -> None:
    button = {"type": 2, "style": 2, "label": "Old", "custom_id": custom_id}
    old = payloads.message(snowflake(), CHANNEL, payloads.BOT, "", flags=rules.V2)
    old["components"] = [{"type": 1, "components": [button]}]
    async with discord_bot(server, tmp_path):
        clicked = await server.click(old, "Old")

    assert "not known here any more" in private(clicked)


async def test_what_people_said_in_a_thread_is_known_where_the_bot_may_read_it(
    server: DiscordServer, tmp_path: Path
) -> None:
    server.gateway.allowed = 1 << 15
    async with discord_bot(server, tmp_path, message_events=True) as bot:
        thread = await server.begin_thread(snowflake())
        await server.say("my container hangs", who=2, place=thread)
        await server.say(f"<@{APP}> what restarts it?", place=thread)
        await answered(server, "About what restarts it?", thread)

    assert "my container hangs" in str(bot.answers.heard[0][1])


async def test_a_thread_is_read_before_an_answer_and_told_once_how_to_go_on(
    server: DiscordServer, tmp_path: Path
) -> None:
    async with discord_bot(server, tmp_path) as bot:
        thread = await server.begin_thread(snowflake())
        await server.say("my container hangs", who=2, place=thread)
        await server.say(f"<@{APP}> what restarts it?", place=thread)
        await answered(server, "About what restarts it?", thread)
        first = await server.until_shown("Mention me to go on here.", thread)
        await server.say(f"<@{APP}> and on Kubernetes?", place=thread)
        second = await answered(server, "About and on Kubernetes?", thread)

        assert "my container hangs" not in str(bot.answers.heard[0][1])
        assert "what restarts it?" in str(bot.answers.heard[1][1])
        assert first["id"] != second["id"]
        assert "Mention me" not in rules.texts(second["components"])


async def test_with_the_content_of_messages_a_thread_of_ours_needs_no_mention(
    server: DiscordServer, tmp_path: Path
) -> None:
    server.gateway.allowed = 1 << 15
    async with discord_bot(server, tmp_path, message_events=True) as bot:
        await server.say(f"<@{APP}> what restarts it?")
        answer = await answered(server, "About what restarts it?")
        thread = await server.begin_thread(int(answer["id"]))
        elsewhere = await server.begin_thread(snowflake())
        await server.say("nobody asked the bot here", place=elsewhere)
        await server.say("and on Kubernetes?", place=thread)
        await answered(server, "About and on Kubernetes?", thread)

    assert [text for text, _ in bot.answers.heard] == ["what restarts it?", "and on Kubernetes?"]
    assert "Mention me" not in rules.texts(server.of_bot(thread)[0]["components"])


async def test_an_edited_question_gets_its_answer_edited(server: DiscordServer, tmp_path: Path) -> None:
    async with discord_bot(server, tmp_path):
        question = await server.say(f"<@{APP}> what is a pot?")
        await answered(server, "About what is a pot?")
        await server.edit(question, f"<@{APP}> what is a pod?")
        await answered(server, "About what is a pod?")

    assert len(server.of_bot()) == 1


async def test_an_edit_never_runs_a_demo_and_counts_once(server: DiscordServer, tmp_path: Path) -> None:
    async with discord_bot(server, tmp_path) as bot:
        question = await server.say(f"<@{APP}> what is a pot?")
        await answered(server, "About what is a pot?")
        await server.edit(question, f"<@{APP}> /demo selfheal --fault hang")
        await server.edit(question, f"<@{APP}> what is a pod?")
        await server.edit(question, f"<@{APP}> what is a pod?")
        await answered(server, "About what is a pod?")

    assert [text for text, _ in bot.answers.heard] == ["what is a pot?", "what is a pod?"]
    assert len(server.of_bot()) == 1


async def test_a_command_in_a_thread_knows_what_was_said_there(server: DiscordServer, tmp_path: Path) -> None:
    server.gateway.allowed = 1 << 15
    async with discord_bot(server, tmp_path, message_events=True) as bot:
        thread = await server.begin_thread(snowflake())
        await server.say("my container hangs", who=2, place=thread)
        await server.command("ask", {"question": "what restarts it?"}, place=thread)
        await answered(server, "About what restarts it?", thread)

    assert "my container hangs" in str(bot.answers.heard[0][1])


async def test_a_deleted_question_takes_its_answer_with_it_also_one_in_the_making(
    server: DiscordServer, tmp_path: Path
) -> None:
    answers = Scripted()
    async with discord_bot(server, tmp_path, answers) as bot:
        question = await server.say(f"<@{APP}> what is a pod?")
        await answered(server, "About what is a pod?")
        await server.delete(question)
        await server.until(lambda: not server.of_bot())
        answers.gate.clear()
        question = await server.say(f"<@{APP}> what is a node?")
        await server.until_shown("Working on it")
        await server.delete(question)
        await server.until(lambda: not server.of_bot())
        async with asyncio.timeout(10):
            while works := bot.desk.running._works:
                await asyncio.wait([work.task for work in works.values()])


async def test_the_same_message_twice_is_answered_once_also_after_a_restart(
    server: DiscordServer, tmp_path: Path
) -> None:
    async with discord_bot(server, tmp_path):
        number = await server.say(f"<@{APP}> what is a pod?")
        await server.say(f"<@{APP}> what is a pod?", number=number)
        await answered(server, "About what is a pod?")
    async with discord_bot(server, tmp_path) as bot:
        await server.say(f"<@{APP}> what is a pod?", number=number)
        await server.say(f"<@{APP}> and a node?")
        await answered(server, "About and a node?")

        assert [text for text, _ in bot.answers.heard] == ["and a node?"]
    assert len(server.of_bot()) == 2


@pytest.mark.parametrize(
    ("place", "context"),
    [
        (payloads.channel(77, payloads.DM), 1),
        (payloads.channel(78, payloads.DM, recipients=[payloads.user(1), payloads.user(2)]) | {"type": 3}, 2),
        (payloads.channel(79, guild_id="123"), 0),
    ],
    ids=["alone with the bot", "a group", "a server that has not got the bot"],
)
async def test_a_person_takes_the_bot_along_where_it_was_not_invited(
    server: DiscordServer, tmp_path: Path, place: dict, context: int
) -> None:
    number = int(place["id"])
    server.channels[number] = place
    server.refuse("GET", r"/channels/.*", 403, 50001)
    server.refuse("PATCH", r"/channels/.*", 403, 50001)
    more = {"guild_id": "123", "guild": {"id": "123", "features": [], "locale": "en-US"}} if context == 0 else {}
    async with discord_bot(server, tmp_path):
        await server.command("ask", {"question": "what is a pod?"}, place=number, context=context, **more)
        await answered(server, "About what is a pod?", number)
