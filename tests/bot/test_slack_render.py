"""A reply as Slack blocks: every part, the buttons under it, and limits that hold whatever was said."""

from dataclasses import replace
from typing import Any

import pytest
import slack_rules
from hypothesis import given, settings
from hypothesis import strategies as st
from test_slack_text import HOSTILE
from web_fakes import ANSWER, ERROR, PREPARING, TABLES, card, finished, unasked

from bot.parts import Card, Cell, Choice, Choices, Code, Failure, Part, Progress, Source, Sources, Step, Table, Text
from bot.platforms.slack.blocks import image
from bot.platforms.slack.pictures import in_words
from bot.platforms.slack.render import CUT, Frame, fallback, files, message, render
from bot.platforms.slack.text import escaped

OURS = Frame("U1", judged=True, helpers=True)
LINK = "https://example.org/probes"


def kinds(blocks: list[dict[str, Any]]) -> list[str]:
    return [block["type"] for block in blocks]


def labels(blocks: list[dict[str, Any]]) -> list[str]:
    buttons = [element for block in blocks if block["type"] == "actions" for element in block["elements"]]
    return [button["text"]["text"] for button in buttons]


def test_an_answer_has_its_text_code_sources_and_what_may_be_done_in_this_order() -> None:
    made = message(ANSWER, OURS)
    slack_rules.message(made, [LINK])

    assert kinds(made["blocks"]) == ["section", "rich_text", "context", "actions", "context_actions"]
    assert labels(made["blocks"]) == ["See it happen", "Ask a human"]
    assert made["blocks"][2]["elements"][0]["text"] == "*1* Restart policies, docker/restart.md"
    assert made["blocks"][2]["elements"][2]["text"] == f"*3* <{LINK}|Probes>"
    assert made["text"].startswith("A restart policy acts when the container's main process exits.")


def test_a_button_carries_the_invoker_and_the_message_that_it_sends() -> None:
    (start, _) = message(ANSWER, OURS)["blocks"][3]["elements"]

    assert (start["action_id"], start["value"]) == ("say.0", "U1 /demo selfheal --fault hang")
    assert start["style"] == "primary"


def test_a_running_demo_shows_clock_strip_lanes_and_stop() -> None:
    made = message((card(19.0),), Frame("U1", running=True))
    slack_rules.message(made)
    strip = made["blocks"][2]["elements"][0]["elements"][0]["text"].splitlines()

    assert labels(made["blocks"]) == ["Stop"]
    assert made["blocks"][1]["elements"][1]["text"] == "19.0 s of 40 s"
    assert len(strip) == 4
    assert all(len(line) <= 36 for line in strip)
    assert made["text"].endswith("19 of 40 s. The liveness probe has failed. The kubelet is restarting the container.")


def test_a_finished_demo_opens_with_the_headline_and_ends_with_what_comes_next() -> None:
    again = Choices((Choice("Again with another fault", "/demo selfheal --fault crash"),))
    made = message((finished(), again), Frame("U1", pictures={finished(): image("F0000ABCD1", "Two lanes.")}))
    slack_rules.message(made)

    assert kinds(made["blocks"]) == ["header", "section", "table", "image", "context", "actions"]
    assert made["text"] == finished().headline
    assert made["blocks"][2]["rows"][0][0] == {"type": "raw_text", "text": "Measured in this run"}
    assert made["blocks"][2]["rows"][1][1] == {"type": "raw_text", "text": "× not in 30.0 s"}
    assert made["blocks"][4]["elements"][2]["text"].startswith("✓ Cleaned up")


def test_without_its_picture_a_finished_demo_keeps_the_strip() -> None:
    assert "rich_text" in kinds(message((finished(),), Frame("U1"))["blocks"])


@pytest.mark.parametrize("drawn", [unasked(), replace(unasked(), state="running", headline="", table=None)])
def test_a_demo_without_requests_has_no_strip(drawn: Card) -> None:
    blocks = message((replace(drawn, lanes=tuple(replace(lane, commands=()) for lane in drawn.lanes)),), Frame("U1"))

    assert "rich_text" not in kinds(blocks["blocks"])


def test_a_stopped_demo_says_so_and_has_no_stop_button() -> None:
    made = message((replace(card(19.0), state="stopped", narration="Stopped. All is removed."),), Frame("U1"))
    slack_rules.message(made)

    assert labels(made["blocks"]) == []
    assert made["text"].endswith("Stopped. All is removed.")


def test_engines_in_the_making_are_a_plan_with_a_task_for_each_step() -> None:
    (plan, note) = render(PREPARING)
    slack_rules.blocks([plan, note])

    assert plan["type"] == "plan"
    assert [task["status"] for task in plan["tasks"]][:2] == ["in_progress", "pending"]


def test_a_failure_has_its_reference_and_the_way_to_try_again() -> None:
    made = message((ERROR,), Frame("U1"))
    slack_rules.message(made)

    assert made["blocks"][1]["elements"][0]["text"] == f"Reference `{ERROR.reference}`"
    assert labels(made["blocks"]) == ["Run it again"]


def test_before_there_is_anything_to_tell_the_message_says_that_it_is_being_worked_on() -> None:
    assert message((), Frame("U1"))["text"] == "On it."


def test_code_that_is_too_long_is_cut_and_whole_in_a_file() -> None:
    code = Code("x" * 5000, "yaml")
    made = message((code,), OURS)
    slack_rules.message(made)

    assert [(file.name, file.text) for file in files((code,))] == [("code-1.yaml", "x" * 5000)]
    assert "file in this thread" in made["blocks"][1]["elements"][0]["text"]


def test_an_answer_that_no_message_can_hold_is_cut_and_whole_in_a_file() -> None:
    long = (Text("word " * 5000), Sources((Source(1, "Pods", "k/pods.md", "Pods", None, ""),)))
    made = message(long, OURS)
    slack_rules.message(made)
    (file,) = files(long)

    assert made["blocks"][-3]["elements"][0]["text"] == CUT
    assert file.name == "answer.md"
    assert file.text.endswith("[1] Pods, k/pods.md")


def test_a_table_that_does_not_fit_slacks_own_is_told_as_text() -> None:
    wide = Table(tuple("abcdefghijklmnopqrstuvwxyz"), (tuple(map(Cell, "abcdefghijklmnopqrstuvwxyz")),))

    assert kinds(render(wide)) == ["rich_text"]


def test_of_two_tables_of_an_answer_slack_has_one_and_the_other_is_told_in_words() -> None:
    made = message(TABLES, OURS)
    slack_rules.message(made)

    assert kinds(made["blocks"])[:4] == ["section", "table", "section", "section"]
    assert [cell["text"] for cell in made["blocks"][1]["rows"][2]] == [
        "hang",
        "nobody acts; the container is marked unhealthy",
        "the kubelet kills and restarts it [2]",
    ]
    assert made["blocks"][3]["text"]["text"] == (
        "• *crash*  Docker: 1.5 s; Kubernetes: 2.9 s\n• *`SIGSTOP`*  Docker: not within 30 s; Kubernetes: 6.2 s"
    )
    assert files(TABLES) == ()


def test_a_table_whose_text_is_too_long_is_cut_and_whole_in_a_file() -> None:
    long = Table(("Pod", "Phase"), tuple((Cell(f"web-{n}"), Cell("Running " * 3)) for n in range(120)))
    made = message((long,), OURS)
    slack_rules.message(made)
    (file,) = files((long,))

    assert (file.name, file.text.splitlines()[-1][:7]) == ("code-1.txt", "web-119")
    assert "file in this thread" in made["blocks"][1]["elements"][0]["text"]


def test_a_table_is_told_to_those_who_do_not_see_its_picture() -> None:
    pods = Table(("", "Phase"), ((Cell("web-0"), Cell("Running")), (Cell("web-1"), Cell("Failed"))), "Pods of web")

    assert in_words(pods) == "Pods of web. Columns: Phase. Rows: web-0, web-1."


def test_two_sources_of_one_page_are_told_apart_by_their_sections() -> None:
    two = tuple(Source(n, "Pods", "k/pods.md", f"Pods > {what}", None, "") for n, what in ((1, "One"), (2, "Two")))
    (block,) = render(Sources(two))

    assert [one["text"] for one in block["elements"]] == ["*1* Pods: One, k/pods.md", "*2* Pods: Two, k/pods.md"]


@pytest.mark.parametrize(
    "url",
    ["javascript:alert(1)", "https://a|b", "https://a>b", "ftp://a", "https://a b", "http://", "https://a\u202eb"],
)
def test_a_source_with_an_address_that_cannot_be_a_link_is_named_only(url: str) -> None:
    (block,) = render(Sources((Source(1, "Pods", "k/pods.md", "Pods", url, ""),)))

    assert block["elements"][0]["text"] == "*1* Pods, k/pods.md"


LONG = HOSTILE | st.builds(lambda text, times: text * times, HOSTILE, st.integers(1, 4000)).map(lambda t: t[:40_000])
PARTS = st.one_of(
    st.builds(Text, LONG),
    st.builds(Code, LONG),
    st.builds(Failure, HOSTILE, HOSTILE, st.just("ab12cd"), LONG),
    st.builds(lambda a, b: Table((a, "B"), ((Cell(b, "good"), Cell(a)),), b), HOSTILE, LONG),
    st.builds(lambda a, b: Sources((Source(1, a, b, a, None, ""), Source(2, a, b, a, b, ""))), LONG, HOSTILE),
    st.builds(lambda a, b: Choices((Choice(a, b), Choice(b, a, primary=True))), LONG, HOSTILE),
    st.builds(lambda a, b: Progress(a, (Step(b, "now", 61.0, 0.5),), 5.0, a), LONG, HOSTILE),
    st.builds(
        lambda a, t, state: replace(told(a), state=state, t=t),
        LONG,
        st.floats(0, 40),
        st.sampled_from(["running", "failed"]),
    ),
    st.builds(lambda a: replace(finished(), headline=a, explanation=a, captions=(a, a), narration=a), LONG),
)


def told(text: str) -> Card:
    """A card in which every word is somebody else's."""
    lanes = tuple(
        replace(
            lane, state=text, commands=(text,), tiles=tuple(replace(tile, name=text, phase=text) for tile in lane.tiles)
        )
        for lane in card(19.0).lanes
    )
    return replace(card(19.0), title=text, subtitle=text, narration=text, lanes=lanes)


@settings(max_examples=300)
@given(st.lists(PARTS, max_size=4), st.booleans())
def test_no_reply_is_ever_refused_mentions_anyone_or_makes_a_link(parts: list[Part], running: bool) -> None:
    frame = Frame("U012AB3CD", running=running, judged=True, helpers=True, share="a1", hint="Mention me.")

    sources = [source for part in parts if isinstance(part, Sources) for source in part.sources]

    slack_rules.message(message(tuple(parts), frame), {escaped(source.url or "") for source in sources})
    assert len(fallback(tuple(parts))) <= 3000
