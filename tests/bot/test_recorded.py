"""Where there is no engine, a tutor offers the recorded run, and every platform says that it is one."""

import json
from dataclasses import replace

import pytest
from fakes import FakeEngines, FakeLab
from test_tutor import Parrot, reply, tutor
from web_fakes import card, finished

from bot.charts import describe
from bot.delivery import STOPPED_REPLAY, stopped
from bot.limits import Allowed, Limits
from bot.parts import Card, Choice, Choices, Failure
from bot.platforms.discord.render import Frame as DiscordFrame
from bot.platforms.discord.render import render_reply
from bot.platforms.slack.render import Frame as SlackFrame
from bot.platforms.slack.render import message
from bot.platforms.terminal.text import render
from bot.platforms.web.wire import to_json
from bot.tutor import Tutor
from sandbox.demos import load_demos
from sandbox.engines import EngineStatus
from sandbox.errors import BadRequest, NoRecording
from sandbox.events import Engine
from sandbox.replaying import read, shipped

LABEL = "Recorded run, 2026-11-25"
NONE = FakeEngines(
    EngineStatus(Engine.DOCKER, "failed", detail="Starting an engine needs root. Run make run as root."),
    EngineStatus(Engine.KUBERNETES, "failed", detail="Starting an engine needs root. Run make run as root."),
)


async def test_a_demo_without_engines_says_why_and_offers_its_recorded_run_with_the_date() -> None:
    failure, offered = await reply(tutor(engines=NONE), "/demo selfheal --fault oom")
    date = read(shipped()["selfheal-oom"], load_demos()).date

    assert isinstance(failure, Failure)
    assert failure.text == "Starting an engine needs root."
    command = "/replay selfheal --fault oom"
    assert offered == Choices((Choice(f"Watch the recorded run of {date}", command, primary=True),))


async def test_a_demo_that_nobody_recorded_is_not_offered() -> None:
    demo = replace(load_demos()["selfheal"], name="selfmade")
    one = Tutor(Parrot(), {"selfmade": demo}, NONE, FakeLab().open)

    assert [type(part) for part in await reply(one, "/demo selfmade")] == [Failure]


async def test_a_replay_needs_no_engine_and_each_of_its_cards_is_labelled() -> None:
    one = tutor(engines=NONE)
    one.replay_speed = 1000.0
    *cards, onward = await reply(one, "/replay selfheal --fault hang")
    date = read(shipped()["selfheal-hang"], load_demos()).date

    assert {card.recorded for card in cards if isinstance(card, Card)} == {f"Recorded run, {date}"}
    assert isinstance(cards[-1], Card)
    assert (cards[-1].state, len(cards) > 100) == ("done", True)
    assert isinstance(onward, Choices)


@pytest.mark.parametrize(
    ("text", "error", "said"),
    [
        ("/replay selfheel", NoRecording, "Nearest: selfheal-"),
        ("/replay selfheal --fault boom", BadRequest, "crash, hang, oom, remove"),
        ("/replay /etc/passwd", NoRecording, "There is no recording"),
        ("/replay ../recordings/selfheal-hang", NoRecording, "There is no recording"),
    ],
)
async def test_a_chat_replays_what_ships_and_no_file(text: str, error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        await reply(tutor(engines=NONE), text)


@pytest.mark.parametrize(
    ("demo", "said", "recording"),
    [
        ("nodefail", "nothing but a cluster of Portside's own", "/replay nodefail --fault power"),
        ("ship", "no registry that this Docker pushes to and this cluster pulls from", "/replay ship"),
    ],
)
async def test_what_these_engines_cannot_show_is_refused_before_it_begins_and_its_recording_offered(
    demo: str, said: str, recording: str
) -> None:
    failure, offered = await reply(tutor(), f"/demo {demo}")

    assert isinstance(failure, Failure)
    assert said in failure.text + failure.advice
    assert isinstance(offered, Choices)
    assert [choice.command for choice in offered.choices] == [recording]


async def test_replays_count_as_questions() -> None:
    one = Tutor(Parrot(), load_demos(), NONE, FakeLab().open, Limits(Allowed(questions_per_minute=1)))
    await reply(one, "why pods")

    with pytest.raises(Exception, match="more than 1 question"):
        await reply(one, "/replay selfheal")


@pytest.mark.parametrize("drawn", [card(20.0), finished()], ids=["running", "done"])
def test_every_platform_says_in_words_that_a_run_is_recorded(drawn: Card) -> None:
    recorded = replace(drawn, recorded=LABEL)
    slack = json.dumps(message((recorded,), SlackFrame("U1"))["blocks"])
    discord = str(render_reply((recorded,), DiscordFrame(1)))
    told = [render(recorded), slack, discord, json.dumps(to_json(recorded)), describe(recorded)]

    assert [LABEL in text for text in told] == [True] * 5
    assert '"live"' not in slack
    assert ", live" not in discord
    assert LABEL not in render(drawn) + json.dumps(to_json(drawn)) + describe(drawn)


def test_a_replay_that_is_stopped_claims_no_clean_up() -> None:
    (left,) = stopped((replace(card(20.0), recorded=LABEL),))

    assert isinstance(left, Card)
    assert (left.state, left.narration) == ("stopped", STOPPED_REPLAY)
