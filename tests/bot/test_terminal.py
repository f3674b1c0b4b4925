"""The terminal: 80 columns that read without colour, plain lines in a pipe, a chat that can be interrupted."""

import asyncio
import io
import os
import pty
import sys
import unicodedata
from collections.abc import AsyncGenerator
from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from web_fakes import unasked, voted

from bot.delivery import deliver
from bot.messages import Message
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
    Source,
    Sources,
    Step,
    Table,
    Text,
    Tile,
)
from bot.platforms.terminal.chat import converse, lines
from bot.platforms.terminal.screen import Lines, open_screen
from bot.platforms.terminal.text import WIDTH, in_chat, render, render_reply, written
from bot.presenting import present_catalogue
from bot.strip import ACTED, AHEAD, ANSWERED, BOTH, FAILED, FAULT, LEFT, axis, fault_line, legend, strip
from sandbox.demos import load_demos


def bars(end: int, back: float | None = None) -> tuple[Bar, ...]:
    """Ten requests a second in halves of a second; they fail from 10 s until `back`."""
    starts = [step / 2 for step in range(end * 2)]
    good = [start < 10 or (back is not None and start >= back) for start in starts]
    return tuple(Bar(start, 0.5, 5 * ok, 5 * (not ok)) for start, ok in zip(starts, good, strict=True))


DOCKER = Lane(
    "docker",
    "Docker",
    "20.10",
    "not answering",
    "failed",
    bars(20),
    (Tile("web-1", "unhealthy", "restarts 0", "failed"),),
)
KUBERNETES = Lane(
    "kubernetes",
    "Kubernetes",
    "1.37",
    "answering again",
    "good",
    bars(20, 17.5),
    (Tile("web-x7k", "Running", "node1\nrestarts 1", "good"),),
    (Act(16.2, "kubelet", "Killing: Container web failed liveness probe, will be restarted", True),),
    17.5,
    ("kubectl apply -f web.yaml", "kubectl get pods -l app=web"),
)
RUNNING = Card(
    "Who brings it back?",
    "",
    "running",
    20.0,
    40.0,
    (DOCKER, KUBERNETES),
    "hang",
    10.0,
    "The kubelet is restarting the container.",
)
DONE = replace(
    RUNNING,
    state="done",
    headline="Kubernetes answered again after 7.5 s. Docker did not within 10 s.",
    table=Table(
        ("", "Docker", "Kubernetes"), ((Cell("Back after"), Cell("not in 10.0 s", "failed"), Cell("7.5 s", "good")),)
    ),
    captions=("Docker: cleaned up in 0.5 s, 1 container removed, nothing left.",),
    narration="",
)


def test_the_strip_shows_answers_failures_the_fault_and_who_acted_on_one_scale() -> None:
    assert strip(RUNNING, DOCKER) == ANSWERED * 10 + FAULT + FAILED * 10 + AHEAD * 20
    assert strip(RUNNING, KUBERNETES) == (ANSWERED * 10 + FAULT + FAILED * 6 + ACTED + BOTH + ANSWERED * 2 + AHEAD * 20)


def test_the_fault_is_marked_above_its_line_and_the_axis_counts_below() -> None:
    assert fault_line(RUNNING).index("▾") == LEFT + strip(RUNNING, DOCKER).index(FAULT)
    assert axis(RUNNING).split() == ["0", "10", "20", "30", "40", "s"]


@given(
    total=st.floats(1, 400),
    fault=st.floats(0, 1) | st.none(),
    chunks=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 9), st.integers(0, 9)), max_size=30),
)
def test_a_card_of_any_length_fits_into_80_columns(
    total: float, fault: float | None, chunks: list[tuple[float, int, int]]
) -> None:
    lane = replace(
        DOCKER, bars=tuple(Bar(at * total, 0.4, ok, failed) for at, ok, failed in chunks), state="some requests fail"
    )
    card = replace(RUNNING, total=total, lanes=(lane, KUBERNETES), fault_at=None if fault is None else fault * total)
    drawn = strip(card, lane)

    assert all(len(line) <= WIDTH for line in render(card).splitlines())
    assert (FAILED in drawn or BOTH in drawn) == any(failed for _, _, failed in chunks)


def test_a_running_card_shows_the_clock_what_runs_and_what_was_reported() -> None:
    drawn = render(RUNNING).splitlines()

    assert drawn[0] == "Who brings it back?  fault: hang" + "20.0 s of 40 s  q stop".rjust(48)
    assert "  × web-1  unhealthy  restarts 0" in drawn
    assert "  ✓ web-x7k  Running  node1  restarts 1" in drawn
    assert "    $ kubectl get pods -l app=web" in drawn
    assert any(line.startswith("  ◆ 16.2 s  kubelet  Killing:") for line in drawn)


WORDS = st.lists(st.text("abcxyz", min_size=1, max_size=12), min_size=1, max_size=12).map(" ".join)


@given(st.lists(st.tuples(st.text("rst", min_size=1, max_size=26), WORDS, WORDS), min_size=1, max_size=5))
def test_a_table_fits_80_columns_and_loses_no_word(rows: list[tuple[str, str, str]]) -> None:
    shown = render(Table(("", "Docker", "Kubernetes"), tuple(tuple(map(Cell, row)) for row in rows)))

    assert max(map(len, shown.splitlines())) <= WIDTH
    assert sorted(shown.split()) == sorted(["Docker", "Kubernetes", *" ".join(map(" ".join, rows)).split()])


def test_a_table_of_words_has_a_rule_under_its_header_and_columns_to_the_left() -> None:
    part = Table(("fault", "Docker"), ((Cell("`SIGSTOP`"), Cell("nobody *acts*")),), words=True)

    assert render(part) == "  fault      Docker\n  -------    ------------------\n  SIGSTOP    nobody acts"


def test_a_finished_card_opens_with_the_headline_and_the_measured_table() -> None:
    drawn = render(DONE).splitlines()

    assert drawn[2] == DONE.headline
    assert drawn[5].split() == ["Back", "after", "×", "not", "in", "10.0", "s", "✓", "7.5", "s"]
    assert drawn[-1] == "  ✓ Docker: cleaned up in 0.5 s, 1 container removed, nothing left."
    assert "  ▀ answered  × failed  ▞ both  ◆ who acted  ┈ no request  (1 s a mark)" in drawn


def test_a_mark_that_is_not_drawn_is_not_explained() -> None:
    lane = replace(KUBERNETES, bars=tuple(Bar(t, 1.0, 10, 0) for t in range(40)), acts=())

    assert legend(replace(DONE, lanes=(lane,))) == "▀ answered  (1 s a mark)"


def test_without_requests_there_is_no_strip_and_each_side_says_how_it_does() -> None:
    drawn = render(unasked()).splitlines()

    assert "Docker      × 2 of 2 ready" in drawn
    assert "Kubernetes  ✓ 2 of 2 ready" in drawn
    assert not any("a mark)" in line for line in drawn)


@pytest.mark.parametrize(
    ("part", "drawn"),
    [
        (Text("One.\n\n- two"), "One.\n\n- two"),
        (Code("$ docker ps"), "    $ docker ps"),
        (Choices((Choice("See it happen", "/demo selfheal"),)), "  See it happen:  portside demo selfheal"),
        (Choices((Choice("Explain this", "Why?"),)), '  Explain this:  portside ask "Why?"'),
        (Failure("It is gone.", "Start it.", "ab12cd"), "It is gone. Start it. (reference ab12cd)"),
        (Sources((Source(1, "Probes", "k/probes.md", "Probes > Liveness", None, ""),)), "  [1] Probes  k/probes.md"),
        (
            Sources(
                tuple(
                    Source(n, "Pods", "k/pods.md", f"Pods > {what}", None, "") for n, what in ((1, "One"), (2, "Two"))
                )
            ),
            "  [1] Pods: One  k/pods.md\n  [2] Pods: Two  k/pods.md",
        ),
        (
            Progress("Kubernetes is being built, once", (Step("Compile", "now", 69.0),), 83.0, "Once."),
            f"Kubernetes is being built, once  1 min 23 s\n  ◌ {'Compile'.ljust(56)}   1 min 9 s\nOnce.",
        ),
    ],
)
def test_each_part_is_plain_text(part: Part, drawn: str) -> None:
    assert render(part) == drawn


def test_what_does_not_fit_beside_its_label_stands_whole_below_it() -> None:
    question = "Why does Docker not restart a container that hangs for a while?"
    choices = Choices((Choice("Again with another fault", "/demo selfheal"), Choice("Explain this", question)))

    assert render(choices).splitlines() == [
        "  Again with another fault:  portside demo selfheal",
        "  Explain this:",
        f'    portside ask "{question}"',
    ]


def test_the_catalogue_of_demos_fits_into_80_columns() -> None:
    drawn = render(present_catalogue(load_demos()), in_chat).splitlines()

    assert max(map(len, drawn)) <= WIDTH
    assert drawn[drawn.index("Who brings it back?") :][1:3] == [
        "  /demo selfheal",
        "  About 45 s. Ways: crash, hang, oom, remove, 2 copies, 3 copies.",
    ]


def test_in_a_conversation_the_next_step_is_a_message() -> None:
    assert (
        render_reply((Choices((Choice("See it happen", "/demo selfheal"),)),), in_chat)
        == "  See it happen:  /demo selfheal"
    )


@given(st.text())
def test_nothing_that_a_terminal_would_obey_is_ever_written(text: str) -> None:
    kept = written(text, "utf-8")

    assert not {sign for sign in kept if unicodedata.category(sign) in ("Cc", "Cf")} - {"\n", "\t"}
    assert written(text, "ascii").isascii()


def test_without_utf8_every_mark_has_an_ascii_twin() -> None:
    drawn = written(render(DONE), "ANSI_X3.4-1968")

    assert drawn.isascii()
    assert "?" not in drawn.replace("Who brings it back?", "")


def sheet() -> io.TextIOWrapper:
    """Somewhere to write that is no terminal."""
    return io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True)


def text_of(paper: io.TextIOWrapper) -> str:
    paper.seek(0)
    return paper.read()


async def test_in_a_pipe_each_event_is_one_line_and_the_reply_comes_once_at_the_end() -> None:
    paper = sheet()
    screen = Lines(paper, in_chat)

    async def work() -> tuple[Part, ...]:
        for card in (replace(RUNNING, lanes=(DOCKER,)), RUNNING, DONE):
            await screen.show((Text("hm", key="answer"), card), card is DONE)
        return ()

    await screen.until_quit(work())
    head, _, tail = text_of(paper).partition("\n\n")

    assert head.splitlines() == [
        "   0.0 s  both        started, fault: hang",
        "  10.0 s  both        fault: hang",
        "  16.2 s  kubernetes  kubelet: Killing: Container web failed liveness probe, will be restarted",
        "  17.5 s  kubernetes  answers again",
    ]
    assert tail == f"hm\n\n{render(DONE)}\n"


class Echo:
    """Says what it hears."""

    async def reply(self, message: Message) -> AsyncGenerator[Part, None]:
        yield Text(f"heard {message.text}")


async def test_a_chat_answers_line_after_line_until_the_end_of_input() -> None:
    reading, writing = os.pipe()
    os.write(writing, "what is a pod\n\n\xff last".encode("latin-1"))
    os.close(writing)
    paper = sheet()
    with os.fdopen(reading) as source:
        await converse(Echo(), source, paper)

    assert "heard what is a pod\n" in text_of(paper)
    assert text_of(paper).rstrip().endswith("heard \ufffd last")


async def test_a_chat_that_waits_for_a_line_can_be_interrupted() -> None:
    reading, writing = os.pipe()
    said = lines(reading)
    os.write(writing, b"first\n")
    assert await anext(said) == "first"
    waiting = asyncio.ensure_future(anext(said))
    await asyncio.sleep(0)
    waiting.cancel()

    assert (await asyncio.gather(waiting, return_exceptions=True))[0].__class__ is asyncio.CancelledError
    os.close(reading)
    os.close(writing)


def all_shown(terminal: int) -> str:
    """Everything that a closed terminal was given: one read may end before the last of it."""
    shown = b""
    with suppress(OSError):  # the kernel's way to say that the other side is closed
        while piece := os.read(terminal, 10_000):
            shown += piece
    os.close(terminal)
    return shown.decode()


async def test_on_a_terminal_the_final_form_stays_on_the_screen() -> None:
    ours, theirs = pty.openpty()
    with os.fdopen(theirs, "w") as terminal, open_screen(terminal) as screen:
        await screen.show((Text("It grows"),), final=False)
        await screen.show((Text("It has grown"),), final=True)
    shown = all_shown(ours)

    assert shown.rstrip().endswith("It has grown") or "It has grown" in shown.rpartition("It grows")[2]


def test_a_vote_shows_its_keys_in_80_columns_and_its_end_what_was_guessed_below_what_was_measured() -> None:
    asked = render(voted(12.2)).splitlines()
    ended = render(voted(None)).splitlines()

    assert asked[2] == "Predict first. How long until it answers again?" + "13 s left".rjust(33)
    assert asked[3:5] == [
        "  Docker      [1] Under 5 s: 1  [2] Within 30 s: 3  [3] Not within 30 s: 0",
        "  Kubernetes  [4] Under 5 s: 2  [5] Within 30 s: 1  [6] Not within 30 s: 1",
    ]
    assert ended.index("What was guessed") > ended.index(next(line for line in ended if "Back after" in line))
    assert "  Docker: 1 said under 5 s, 3 said within 30 s. Measured: not in 30.0 s." in ended
    assert all(len(line) <= WIDTH for line in (*asked, *ended))


async def test_keys_guess_while_there_is_a_vote_and_q_quits(monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = pty.openpty()
    heard: asyncio.Queue[str] = asyncio.Queue()

    async def demo() -> AsyncGenerator[Part, None]:
        yield voted(12.0)
        await asyncio.Event().wait()

    with os.fdopen(theirs, "r+b", buffering=0) as both_ways, os.fdopen(os.dup(theirs), "w") as terminal:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(both_ways))
        with open_screen(terminal, in_chat, heard.put) as screen:
            showing = asyncio.ensure_future(screen.until_quit(deliver(demo(), screen)))
            shown = ""
            while "Press a number" not in shown:  # only then there is a keyboard
                shown += (await asyncio.to_thread(os.read, ours, 4096)).decode(errors="replace")
            os.write(ours, b"x6")
            said = [await asyncio.wait_for(heard.get(), 10)]
            os.write(ours, b"g")
            said.append(await asyncio.wait_for(heard.get(), 10))
            os.write(ours, b"q")
            await asyncio.wait_for(showing, 10)
    os.close(ours)

    assert said == ["/vote 0a1b2c3d kubernetes 3", "/vote 0a1b2c3d go"]
    assert heard.empty()
