"""A vote in Slack and on Discord, over real sockets: anybody guesses by a button, each told in private what counts."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import discord_rules as rules
import pytest
import slack_rules
from chat_fakes import Speechless
from discord_bot import discord_bot
from discord_server import DiscordServer, discord_server
from fakes import QUICK, FakeEngines, FakeLab
from slack_people import Person, buttons, portside
from slack_server import SlackServer, running
from slack_workspace import Post
from web_fakes import voted

from bot.platforms.discord.layout import lay_out
from bot.platforms.discord.render import Frame as DiscordFrame
from bot.platforms.discord.render import render_reply
from bot.platforms.slack.render import Frame, message
from bot.tutor import Tutor
from bot.votes import GOING, NOT_YOURS, OVER, Votes
from sandbox.demos import load_demos

GO = "Go now"
NOTED = "Noted: Kubernetes under 5 s. Until the vote closes you may change it."
GUESSED = "Kubernetes: 1 said under 5 s, 1 said not within 30 s. Measured: "


def tutor() -> Tutor:
    """One whose votes nobody waits for: somebody presses Go."""
    lab = FakeLab(replace(QUICK, observe=0.5))
    return Tutor(Speechless(), load_demos(), FakeEngines(), lab.open, votes=Votes(60.0))


@pytest.fixture
async def slack() -> AsyncIterator[SlackServer]:
    async with running() as found:
        yield found


@pytest.fixture
async def discord() -> AsyncIterator[DiscordServer]:
    async with discord_server() as found:
        yield found


async def asked(server: SlackServer, ana: Person) -> Post:
    """A demo in the channel whose room is asked."""
    await ana.command("/demo", "selfheal --fault hang")
    post: Post = await server.until(lambda: with_button(server, GO))
    return post


def with_button(server: SlackServer, label: str) -> Post | None:
    posts = list(server.workspace.posts.values())
    return posts[-1] if posts and label in buttons(posts[-1].blocks) else None


async def test_anybody_in_a_slack_channel_guesses_and_only_the_invoker_goes_on(
    slack: SlackServer, tmp_path: Path
) -> None:
    ana, ben = Person(slack), Person(slack, "U00000002")
    async with portside(slack, tutor(), tmp_path):
        post = await asked(slack, ana)
        for number, (who, label) in enumerate([(ana, "Under 5 s · 0"), (ben, "Not within 30 s · 0"), (ben, GO)], 1):
            await who.click(post, label)
            await slack.until(lambda number=number: len(slack.responses) == number)
        await slack.until(lambda: with_button(slack, "Not within 30 s · 1"))
        await ana.click(post, GO)
        ended = await slack.until(
            lambda: (found := with_button(slack, "Explain this")) and GUESSED in found.text and found
        )

    assert [told["text"] for told in slack.responses] == [
        NOTED, NOTED.replace("under 5 s", "not within 30 s"), NOT_YOURS, GOING,
    ]  # fmt: skip
    assert {told["response_type"] for told in slack.responses} == {"ephemeral"}
    assert GO not in buttons(ended.blocks)


async def test_a_guess_after_a_restart_of_the_slack_app_is_over_and_told_in_private(
    slack: SlackServer, tmp_path: Path
) -> None:
    ana, ben = Person(slack), Person(slack, "U00000002")
    async with portside(slack, tutor(), tmp_path):
        post = await asked(slack, ana)
    post.forms.pop()  # as a client shows it that did not get the last edit
    async with portside(slack, tutor(), tmp_path):
        await ben.click(post, GO)
        (told,) = await slack.until(lambda: slack.responses)

    assert (told["text"], told["response_type"]) == (OVER, "ephemeral")


async def test_anybody_on_discord_guesses_and_only_the_invoker_goes_on(discord: DiscordServer, tmp_path: Path) -> None:
    async with discord_bot(discord, tmp_path, tutor=tutor()):
        await discord.command("demo", {"name": "selfheal", "fault": "hang"})
        shown = await discord.until_shown("Predict first.")
        clicks = [
            await discord.click(shown, "Under 5 s · 0"),
            await discord.click(shown, "Not within 30 s · 0", who=2),
            await discord.click(shown, GO, who=2),
        ]
        await discord.until(lambda: "Not within 30 s · 1" in rules.buttons(shown["components"]))
        clicks.append(await discord.click(shown, GO))
        ended = await discord.until_shown(GUESSED)

    told = [click.answer["data"] for click in clicks if click.answer]
    assert [rules.texts(one["components"]) for one in told] == [
        NOTED, NOTED.replace("under 5 s", "not within 30 s"), NOT_YOURS, GOING,
    ]  # fmt: skip
    assert all(one["flags"] & rules.EPHEMERAL for one in told)
    assert GO not in rules.buttons(ended["components"])


async def test_a_guess_after_a_restart_of_the_discord_bot_is_over_and_told_in_private(
    discord: DiscordServer, tmp_path: Path
) -> None:
    async with discord_bot(discord, tmp_path, tutor=tutor()):
        await discord.command("demo", {"name": "selfheal", "fault": "hang"})
        shown = dict(await discord.until_shown("Predict first."))
    await discord.gateway.forget()
    async with discord_bot(discord, tmp_path, tutor=tutor()):
        clicked = await asyncio.wait_for(discord.click(shown, "Under 5 s · 0", who=2), 3)

    assert clicked.answer
    assert rules.texts(clicked.answer["data"]["components"]) == OVER
    assert clicked.answer["data"]["flags"] & rules.EPHEMERAL


@pytest.mark.parametrize("left", [12.2, 0.0, None])
def test_a_card_with_a_vote_is_within_the_limits_of_both(left: float | None) -> None:
    made = message((voted(left),), Frame("U1", running=left is not None))
    slack_rules.message(made)
    laid = lay_out(render_reply((voted(left),), DiscordFrame(1, final=left is None)), final=left is None)

    assert not list(rules.components(laid.view.to_components()))
    assert (GO in buttons(made["blocks"])) == (GO in rules.buttons(laid.view.to_components())) == (left is not None)


def test_a_demo_that_was_stopped_in_its_vote_has_no_buttons_of_it() -> None:
    stopped = replace(voted(12.0), state="stopped", narration="Stopped.")
    laid = lay_out(render_reply((stopped,), DiscordFrame(1)))

    assert not buttons(message((stopped,), Frame("U1"))["blocks"])
    assert not rules.buttons(laid.view.to_components())
