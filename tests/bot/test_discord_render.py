"""Whatever a reply holds, on Discord it is one message within the limits, which mentions nobody and leads nowhere."""

from dataclasses import replace
from typing import Any

import discord
import discord_rules as rules
import pytest
from discord_markdown import kinds, spans
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from web_fakes import ANSWER, ERROR, PREPARING, TABLES, TOTAL, card, finished, unasked

from bot.parts import (
    Act,
    Bar,
    Card,
    Cell,
    Choice,
    Choices,
    Code,
    Failure,
    Lane,
    Part,
    Progress,
    Reply,
    Source,
    Sources,
    Step,
    Table,
    Text,
    Tile,
)
from bot.platforms.discord import presses
from bot.platforms.discord.blocks import Listing, Picture, Words
from bot.platforms.discord.cards import in_words, table, too_wide
from bot.platforms.discord.layout import lay_out
from bot.platforms.discord.presses import Press
from bot.platforms.discord.render import Frame, render_reply
from bot.strip import AHEAD, ANSWERED

PAGE = "https://docs.example.org/probes"
FRAME = Frame(2**63, private=True, helpers=True)
OPEN = replace(FRAME, final=False)
PUBLIC = replace(FRAME, private=False, helpers=False)
SAFE = {"text", "code", "bold", "italic", "block"}

WORDS = st.one_of(
    st.text(max_size=60),
    st.sampled_from(["<@1> @everyone", "[a](https://evil.example)", "```", "`https://evil.example`", "x" * 3000]),
    st.text("`*_[]()<>@:/\\ ab\n", max_size=40),
)
MOMENTS = st.floats(0, 120)
MARKS = st.sampled_from(["good", "failed", "acted", "waiting"])
CELLS = st.builds(Cell, WORDS, st.one_of(st.none(), MARKS))


@st.composite
def tables(draw: st.DrawFn) -> Table:
    width = draw(st.integers(1, 5))
    rows = st.lists(st.tuples(*[CELLS] * width), max_size=12).map(tuple)
    return Table(draw(st.tuples(*[WORDS] * width)), draw(rows))


def few(values: st.SearchStrategy[Any], most: int = 8) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(values, max_size=most).map(tuple)


LANES = st.builds(
    Lane,
    engine=st.sampled_from(["docker", "kubernetes"]),
    name=st.sampled_from(["Docker", "Kubernetes"]),
    version=WORDS,
    state=WORDS,
    mark=MARKS,
    bars=few(st.builds(Bar, MOMENTS, st.just(0.5), st.integers(0, 5), st.integers(0, 5))),
    tiles=few(st.builds(Tile, WORDS, WORDS, WORDS, MARKS)),
    acts=few(st.builds(Act, MOMENTS, WORDS, WORDS, st.booleans())),
    commands=few(WORDS),
)
CARDS = st.builds(
    Card,
    title=WORDS,
    subtitle=WORDS,
    state=st.sampled_from(["running", "done", "failed", "stopped"]),
    t=MOMENTS,
    total=st.floats(1, 300),
    lanes=few(LANES, 2),
    fault=st.one_of(st.none(), WORDS),
    fault_at=st.one_of(st.none(), MOMENTS),
    narration=WORDS,
    headline=WORDS,
    explanation=WORDS,
    table=st.one_of(st.none(), tables()),
    captions=few(WORDS),
)
SOURCES = st.builds(Source, st.integers(1, 99), WORDS, WORDS, WORDS, st.one_of(st.none(), WORDS, st.just(PAGE)), WORDS)
STEPS = st.builds(Step, WORDS, st.sampled_from(["done", "now", "next", "failed"]), st.one_of(st.none(), MOMENTS))
# Labels and commands are the tutor's own words, but may be long.
CHOICES = st.builds(
    Choice, st.text("ab ", min_size=1).map("See {}".format), st.text("ab /-", min_size=1), st.booleans()
)
PARTS: st.SearchStrategy[Part] = st.one_of(
    st.builds(Text, WORDS, st.sampled_from([None, "answer"])),
    st.builds(Code, WORDS, WORDS),
    tables(),
    st.builds(Sources, few(SOURCES, 20)),
    st.builds(Choices, few(CHOICES, 30)),
    CARDS,
    st.builds(Progress, WORDS, few(STEPS), MOMENTS, WORDS),
    st.builds(Failure, WORDS, WORDS, st.just("k3f9ab"), st.one_of(st.none(), WORDS)),
)


def is_drawn(part: Part) -> bool:
    return (isinstance(part, Card) and part.state == "done") or (isinstance(part, Table) and too_wide(part))


def picture(part: Part, number: int) -> Picture:
    return Picture(f"{number}.png", b"png", in_words(part) if isinstance(part, Table) else "Two lanes. " * 200)


def drawn(reply: Reply, frame: Frame) -> tuple[list[Any], list[str]]:
    """A message's components and the names of its files."""
    pictures = {part: picture(part, number) for number, part in enumerate(reply) if frame.final and is_drawn(part)}
    layout = lay_out(render_reply(reply, replace(frame, pictures=pictures)), frame.final)
    return layout.view.to_components(), [file.filename for file in layout.files]


def contents(reply: Reply, frame: Frame) -> list[str]:
    return [part["content"] for part in rules.walk(drawn(reply, frame)[0]) if part["type"] == rules.TEXT]


def shown(reply: Reply, frame: Frame = PUBLIC) -> str:
    return rules.texts(drawn(reply, frame)[0])


@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(few(PARTS, 6), st.sampled_from([FRAME, OPEN]))
def test_any_reply_is_a_message_that_discord_takes(reply: Reply, frame: Frame) -> None:
    parts, files = drawn(reply, frame)
    payload = {"components": parts, "flags": rules.V2, "allowed_mentions": {"parse": []}}

    assert list(rules.message(payload, files)) == []
    assert frame.final or not files


@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(few(PARTS, 6), st.sampled_from([FRAME, OPEN]))
def test_no_reply_mentions_anyone_or_leads_anywhere_but_to_its_sources(reply: Reply, frame: Frame) -> None:
    urls = {one.url for part in reply if isinstance(part, Sources) for one in part.sources}

    for text in contents(reply, frame):
        assert kinds(text) <= SAFE | {"link"}
        assert {span.target for span in spans(text) if "link" in span.kind} <= urls


@pytest.mark.parametrize(
    ("reply", "told"),
    [
        (ANSWER, "-# **2** Health checks: The verdict, `docker/health.md`"),
        (ANSWER, "-# **3** [Probes: Liveness](<https://example.org/probes>)"),
        (ANSWER, "```yaml\nlivenessProbe:"),
        ((ERROR,), "**Docker stopped answering in the middle of the run.** What the run made"),
        ((ERROR,), "-# Reference `k3f9ab`"),
        ((PREPARING,), "◌ Compile control plane and kubelet, 1 min 9 s"),
        ((card(20.0),), "-# 20.0 s of 40 s, live. Fault at 10.0 s"),
        ((card(20.0),), "Docker      ▀▀▀▀│××××"),
        ((card(20.0),), "**Kubernetes**  × not answering: `web-7c9f` not ready on node-2, restarts 1"),
        ((card(20.0),), "-# ◆ 17.4 s, kubelet: Killing: its liveness probe has failed"),
        ((card(20.0),), "kubectl get pods --selector app=web --watch"),
        ((finished(),), "### Kubernetes answered again after 11.7 s. Docker did not within 30 s."),
        ((finished(),), "Back after       × not in 30.0 s    ✓ 11.7 s"),
        ((finished(),), "-# ✓ Cleaned up in 1.4 s"),
        ((PREPARING, card(20.0)), "-# 20.0 s of 40 s, live"),
    ],
)
def test_a_part_is_shown_in_discords_own_form(reply: Reply, told: str) -> None:
    assert told in shown(reply)


def test_getting_ready_is_gone_when_the_demo_has_begun() -> None:
    assert "Kubernetes is being built" not in shown((PREPARING, card(20.0)))


def test_a_table_that_is_too_wide_is_told_row_by_row() -> None:
    row = (Cell("/demo selfheal"), Cell("Who brings it back, and how long does it take?"), Cell("crash, hang"))
    table = Table(("Demo", "The question", "Faults"), (row,))

    assert shown((table,)) == (
        "**/demo selfheal**\nThe question: Who brings it back, and how long does it take?\nFaults: crash, hang"
    )


def test_a_table_of_words_keeps_its_code_row_by_row_and_has_bare_columns_to_the_left() -> None:
    wide, narrow = [table(part) for part in TABLES if isinstance(part, Table)]

    assert isinstance(wide, Words)
    assert wide.text.startswith("**crash**\nDocker with `--restart always` and a check: the engine restarts")
    assert narrow == Listing(
        "fault    Docker           Kubernetes\ncrash    1.5 s            2.9 s\nSIGSTOP  not within 30 s  6.2 s"
    )


@pytest.mark.parametrize(
    ("reply", "names"),
    [
        ((Code("replicas: 3\n" * 200, "yaml"),), ["code-1.yaml"]),
        ((Code("a\n" * 41, "console"), Code("b\n" * 41, "json")), ["code-1.txt", "code-2.json"]),
        ((Text("word " * 2000),), ["answer.md"]),
        ((Code("short"),), []),
        (tuple(Code("x" * 1000) for _ in range(9)), ["answer.md"]),
    ],
)
def test_what_is_too_long_becomes_a_file(reply: Reply, names: list[str]) -> None:
    assert drawn(reply, FRAME)[1] == names


def test_the_file_has_the_whole_of_a_text_that_was_cut() -> None:
    layout = lay_out(render_reply((Text("*word* " * 2000),), FRAME))

    assert layout.files[0].fp.read().decode().strip() == ("*word* " * 2000).strip()


def test_the_chart_stands_in_the_gallery_of_an_ended_run_only() -> None:
    for reply, galleries in (((finished(),), 1), ((card(20.0),), 0), ((replace(card(TOTAL), state="failed"),), 0)):
        found = [part for part in rules.walk(drawn(reply, FRAME)[0]) if part["type"] == rules.GALLERY]

        assert len(found) == galleries


def test_a_row_without_a_name_makes_nothing_of_the_rest_bold() -> None:
    part = Table(("", "", "", "**`"), ((Cell(""), Cell("`"), Cell("@everyone"), Cell("x" * 60)),))

    assert "mention" not in {kind for text in contents((part,), FRAME) for kind in kinds(text)}


@pytest.mark.parametrize("drawn", [unasked(), replace(unasked(), state="running", headline="", table=None)])
def test_a_demo_without_requests_has_no_strip(drawn: Card) -> None:
    silent = replace(drawn, lanes=tuple(replace(lane, commands=()) for lane in drawn.lanes))

    assert not {ANSWERED, AHEAD} & set(shown((silent,)))


def test_a_table_too_wide_for_columns_is_told_row_by_row_and_shown_as_a_picture() -> None:
    wide = Table(("Demo", "The question"), ((Cell("/demo selfheal"), Cell("Who brings it back? " * 4)),))
    parts, files = drawn((wide,), FRAME)
    [gallery] = [part for part in rules.walk(parts) if part["type"] == rules.GALLERY]

    assert files == ["0.png"]
    assert gallery["items"][0]["description"].startswith("Demo, The question; /demo selfheal, Who brings it back?")
    assert "**/demo selfheal**\nThe question: Who brings it back?" in rules.texts(parts)


@given(st.builds(Press, st.sampled_from(["stop", "share", "human", "helpful", "unhelpful"]), st.integers(0, 2**64 - 1)))
def test_a_button_is_read_as_it_was_written(press: Press) -> None:
    assert presses.read(presses.written(press)) == press


@given(st.integers(0, 2**64 - 1), st.text(min_size=1))
def test_a_button_that_says_something_is_read_as_it_was_written(owner: int, command: str) -> None:
    press = Press("say", owner, command)

    assert presses.read(presses.written(press)) == press


@given(st.text())
def test_no_custom_id_is_too_strange_to_read(custom_id: str) -> None:
    read = presses.read(custom_id)

    assert read is None or presses.read(presses.written(read)) == read


def test_what_no_button_can_carry_is_there_to_be_typed() -> None:
    long = "Why does Docker not restart a container that hangs, while Kubernetes does, and who decides about it?"

    assert f"-# Explain this: `{long}`" in shown((Choices((Choice("Explain this", long),)),))


def test_the_flag_of_components_v2_is_set_by_the_view() -> None:
    assert isinstance(lay_out(render_reply(ANSWER, FRAME)).view, discord.ui.LayoutView)
