"""Answers, engines and the catalogue as parts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.commands import RunDemo, parse
from bot.parts import Choice, Choices, Code, Progress, Sources, Step, Text
from bot.presenting import (
    again,
    demo_command,
    present_answer,
    present_catalogue,
    present_engines,
    present_growing,
    present_text,
)
from knowledge import Answer, Citation
from sandbox.demo import Demo, Options, choose
from sandbox.demos import load_demos
from sandbox.engines import EngineStatus, EngineStep
from sandbox.events import Engine, Fault

# What a model may write, with what begins code and tables more often than it would.
MARKS = ("\n", "\n\n", "```", "~~~", "`", "|", "| a | b |\n", "|---|---|\n", "-", "- ", "a | b", "  ", "x y")
MARKDOWN = st.lists(st.sampled_from(MARKS) | st.text(max_size=3)).map("".join)
DEMOS = load_demos()
SELFHEAL = DEMOS["selfheal"]
DOCKER = EngineStatus(Engine.DOCKER, "ready", "20.10", "unix:///x")


def answer(question: str, text: str = "So it is. [1]", demo: str | None = "selfheal", refused: bool = False) -> Answer:
    citations = () if refused else (Citation(1, "Probes", "kubernetes/probes.md", "Liveness", None, "So it is."),)
    return Answer(question, text, "refused" if refused else "extractive", refused, citations, (), demo, 0.1)


def test_an_answer_is_its_text_its_sources_and_what_can_be_seen_happen() -> None:
    text, sources, choices = present_answer(answer("Who restarts it?"), DEMOS)

    assert text == Text("So it is. [1]", key="answer 0")
    assert isinstance(sources, Sources)
    assert [(one.n, one.title, one.source) for one in sources.sources] == [(1, "Probes", "kubernetes/probes.md")]
    assert choices == Choices((Choice("See it happen", "/demo selfheal", primary=True),))


@pytest.mark.parametrize("demo", [None, "a-demo-that-is-not-here"])
def test_an_answer_without_a_demo_offers_none(demo: str | None) -> None:
    parts = list(present_answer(answer("Who restarts it?", demo=demo), DEMOS))

    assert not any(isinstance(part, Choices) for part in parts)


def test_a_refused_answer_is_its_one_sentence() -> None:
    said = "My pages do not cover that. Nearest: Pods."

    assert list(present_answer(answer("bread?", said, None, refused=True), DEMOS)) == [Text(said, key="answer 0")]


def test_fenced_blocks_of_an_answer_become_code() -> None:
    parts = list(present_text("Look: [1]\n\n```yaml\nkind: Pod\n```\n\nand then\n\n```\n$ ls\n```"))

    assert parts == [
        Text("Look: [1]", key="answer 0"),
        Code("kind: Pod", "yaml", key="answer 1"),
        Text("and then", key="answer 2"),
        Code("$ ls", "console", key="answer 3"),
    ]


@given(MARKDOWN, st.integers(0))
def test_a_growing_answer_replaces_what_it_showed_and_leaves_nothing_over(text: str, size: int) -> None:
    before = [part.key for part in present_growing(text[:size])]

    assert before == [part.key for part in present_text(text)][: len(before)]


@pytest.mark.parametrize(
    ("question", "command"),
    [
        ("My container hangs but does not exit. Does it restart?", "/demo selfheal --fault hang"),
        ("What does a liveness probe do?", "/demo selfheal --fault hang"),
        ("What is OOMKilled?", "/demo selfheal --fault oom"),
        ("Who notices when I delete a pod?", "/demo selfheal --fault remove"),
        ("What happens when a container crashes?", "/demo selfheal --fault crash"),
        ("Who brings it back?", "/demo selfheal"),
    ],
)
def test_the_demo_offered_breaks_what_the_question_speaks_of(question: str, command: str) -> None:
    assert demo_command(SELFHEAL, question) == command


def test_after_a_demo_comes_its_next_fault_and_a_question_about_it() -> None:
    choices = again(SELFHEAL, Options(Fault.REMOVE)).choices

    assert [(choice.label, choice.command) for choice in choices[:2]] == [
        ("Again with another fault", "/demo selfheal --fault crash"),
        ("Again with 3 copies", "/demo selfheal --fault remove --replicas 3"),
    ]
    assert choices[0].primary
    assert [(choice.label, choice.command) for choice in choices[2:4]] == [
        ("Show me the commands", "/commands selfheal --fault remove"),
        ("Take it home", "/export selfheal --fault remove"),
    ]
    assert choices[4].label == "Explain this"


def test_after_a_demo_with_one_fault_it_can_be_run_again() -> None:
    choices = again(DEMOS["nodefail"], Options(Fault.POWER)).choices

    assert (choices[0].label, choices[0].command) == ("Run it again", "/demo nodefail --fault power")


def test_the_catalogue_has_each_demo_with_its_question_its_time_and_the_ways_to_run_it() -> None:
    entries = {entry.command: entry for entry in present_catalogue(DEMOS).entries}
    selfheal = entries["/demo selfheal"]

    assert list(entries) == [f"/demo {name}" for name in DEMOS]
    assert [entry.seconds for entry in entries.values()] == [demo.seconds for demo in DEMOS.values()]
    assert (selfheal.title, selfheal.question) == ("Self-healing", "Who brings it back?")
    assert selfheal.details == "About 45 s. Ways: crash, hang, oom, remove, 2 copies, 3 copies."
    assert selfheal.ways[1] == Choice("hang", "/demo selfheal --fault hang")
    assert selfheal.ways[-1] == Choice("3 copies", "/demo selfheal --replicas 3")


@pytest.mark.parametrize("demo", DEMOS.values(), ids=DEMOS)
def test_every_button_of_the_catalogue_says_what_its_demo_takes(demo: Demo) -> None:
    [entry] = present_catalogue({demo.name: demo}).entries

    for command in (entry.command, *(way.command for way in entry.ways)):
        asked = parse(command)
        assert isinstance(asked, RunDemo)
        assert choose(DEMOS, asked.name, asked.fault, asked.replicas)[0] is demo


def test_engines_on_their_way_are_shown_step_by_step() -> None:
    steps = (EngineStep("Compile", "now", 69.0), EngineStep("Start three nodes", "next"))
    building = EngineStatus(Engine.KUBERNETES, "building", steps=steps)

    progress = present_engines((DOCKER, building))

    assert isinstance(progress, Progress)
    assert progress.title == "Kubernetes is being built, once"
    assert progress.steps == (
        Step("Docker engine", "done", None),
        Step("Compile", "now", 69.0),
        Step("Start three nodes", "next", None),
    )


@pytest.mark.parametrize("state", ["ready", "failed", "absent"])
def test_engines_that_are_not_on_their_way_show_no_progress(state: str) -> None:
    assert present_engines((DOCKER, EngineStatus(Engine.KUBERNETES, state))) is None
