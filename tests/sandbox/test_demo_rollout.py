"""Rollout: three changes on both sides, what each cost, and what is told of it."""

import asyncio
from typing import Any

import pytest
from fakes import FakeLab

from sandbox.demo import Options, perform
from sandbox.demos.rollout import BROKEN_SAYS, DEMO, STEPS, findings, lesson, rows
from sandbox.events import Command, Engine, Event, Measured, Result


def step(name: str, failed: int, gap: float, answered: dict[str, int]) -> dict[str, Any]:
    return {
        "name": name,
        "start": 5.0,
        "end": 15.0,
        "done_seconds": 1.5,
        "requests": 100,
        "failed": failed,
        "longest_gap_seconds": gap,
        "answered": answered,
    }


def steps(failed: int, gap: float, broken: int) -> list[dict[str, Any]]:
    return [step(name, failed, gap, {"2": 90} | ({BROKEN_SAYS: broken} if broken else {})) for name in STEPS[:1]] + [
        step(name, failed, gap, {"2": 90}) for name in STEPS[1:]
    ]


def result(docker: list[dict[str, Any]], kubernetes: list[dict[str, Any]]) -> Result:
    return Result(
        demo="rollout",
        fault=None,
        completed=True,
        error=None,
        cleaned_up=True,
        engines={engine: Measured(None, None, 30.0, 300, 0, 0.0, ()) for engine in Engine},
        measured={"steps": {"docker": docker, "kubernetes": kubernetes}, "stalled": "Waiting …"},
    )


TAUGHT = result(steps(4, 1.3, 95), steps(0, 0.0, 0))


@pytest.fixture(scope="module")
def run() -> list[Event]:
    async def play() -> list[Event]:
        return [event async for event in perform(DEMO, Options(), "ada", FakeLab().open)]

    return asyncio.run(play())


def test_a_run_measures_each_step_on_both_sides(run: list[Event]) -> None:
    end = run[-1]
    assert isinstance(end, Result)
    measured = end.measured["steps"]

    assert (end.error, end.completed, end.cleaned_up) == (None, True, True)
    assert [[step["name"] for step in measured[engine]] for engine in Engine] == [list(STEPS)] * 2
    assert [step["done_seconds"] is None for step in measured["kubernetes"]] == [False, True, False]
    assert all(step["requests"] for engine in Engine for step in measured[engine])
    assert BROKEN_SAYS in measured["docker"][1]["answered"]
    assert BROKEN_SAYS not in measured["kubernetes"][1]["answered"]
    assert "2" in measured["kubernetes"][2]["answered"]
    assert end.measured["stalled"].endswith("1 out of 3 new replicas have been updated...")


def test_the_commands_are_those_of_a_replacement_here_and_a_rollout_there(run: list[Event]) -> None:
    typed = {e: [one.text for one in run if isinstance(one, Command) and one.engine is e] for e in Engine}

    assert [" ".join(text.split()[:2]) for text in typed[Engine.DOCKER]] == [
        "docker run",
        *["docker stop", "docker rm", "docker run"] * 3,
    ]
    assert typed[Engine.KUBERNETES] == [
        "kubectl apply -f web.yaml",
        "kubectl set image deployment/web web=portside/web:2",
        "kubectl set image deployment/web web=portside/web:never-ready",
        "kubectl rollout status deployment/web",
        "kubectl rollout undo deployment/web",
    ]


def test_what_is_told_is_what_was_measured() -> None:
    told = [finding.text for finding in findings(TAUGHT.measured)]

    assert told == [
        "Requests that the update to version 2 failed: 4 of 100 on Docker, 0 of 100 on Kubernetes.",
        "Requests that the never-ready version answered: 95 on Docker, 0 on Kubernetes.",
        "Docker: the longest gap took 1.3 s (Version 2).",
        "Kubernetes: no gap.",
        "kubectl rollout status said of it: Waiting …",
    ]


def test_the_table_marks_who_failed_also_where_that_is_kubernetes() -> None:
    table = {row.name: row for row in rows(result(steps(0, 0.0, 0), steps(2, 0.4, 0)))}

    assert len(table) == 8
    assert (table["Version 2: failed"].docker.mark, table["Version 2: failed"].kubernetes.mark) == ("good", "failed")
    assert (table["Version 2: gap"].docker.text, table["Version 2: gap"].kubernetes.text) == ("none", "0.4 s")
    assert table["Answered by the never-ready"].docker.text == "0"


@pytest.mark.parametrize(
    ("run_", "why"),
    [
        (TAUGHT, None),
        (result(steps(0, 0.0, 95), steps(0, 0.0, 0)), "Docker replaced its container without a failed request."),
        (result(steps(4, 1.3, 0), steps(0, 0.0, 0)), "Docker sent no request to the version that is never ready."),
        (result(steps(4, 1.3, 9), steps(0, 0.0, 1)), "Kubernetes sent requests to a version that is never ready."),
        (result(steps(4, 1.3, 9), steps(4, 0.1, 0)), "Kubernetes failed as many requests as Docker."),
    ],
)
def test_a_run_that_shows_something_else_is_named(run_: Result, why: str | None) -> None:
    assert lesson(run_) == why
