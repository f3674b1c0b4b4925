"""Declarative: the same again, a copy removed, a change by hand, and what is told of it."""

import asyncio
from typing import Any

import pytest
from fakes import FakeLab

from sandbox.demo import Options, perform
from sandbox.demos.declarative import DEMO, findings, lesson, rows
from sandbox.events import Command, Engine, Event, Measured, Result

TAUGHT: dict[str, Any] = {
    "copies": 5,
    "started_seconds": {"docker": 2.5, "kubernetes": 3.1},
    "again": {"docker": "Conflict.", "kubernetes": "deployment.apps/web unchanged"},
    "watched_seconds": 10.0,
    "back_seconds": {"docker": None, "kubernetes": 0.96},
    "left": {"docker": 2, "kubernetes": 2},
    "applied": "deployment.apps/web configured",
    "restored_seconds": {"docker": 1.2, "kubernetes": None},
}


def result(**others: Any) -> Result:
    acted = {Engine.DOCKER: (), Engine.KUBERNETES: ("replicaset", "kubelet")}
    return Result(
        demo="declarative",
        fault=None,
        completed=True,
        error=None,
        cleaned_up=True,
        engines={engine: Measured(None, None, None, None, None, None, acted[engine]) for engine in Engine},
        measured=TAUGHT | others,
    )


@pytest.fixture(scope="module")
def run() -> list[Event]:
    async def play() -> list[Event]:
        return [event async for event in perform(DEMO, Options(), "ada", FakeLab().open)]

    return asyncio.run(play())


def test_a_run_measures_both_sides_and_sends_no_request(run: list[Event]) -> None:
    end = run[-1]
    assert isinstance(end, Result)

    assert (end.error, end.completed, end.cleaned_up) == (None, True, True)
    assert end.measured["again"]["docker"].startswith("Conflict. The container name")
    assert end.measured["again"]["kubernetes"] == "deployment.apps/web unchanged"
    assert end.measured["back_seconds"]["docker"] is None
    assert end.measured["back_seconds"]["kubernetes"] > 0
    assert (end.measured["left"], end.measured["applied"]) == (
        {"docker": 2, "kubernetes": 2},
        "deployment.apps/web configured",
    )
    assert [(lane.requests, lane.failed) for lane in end.engines.values()] == [(None, None)] * 2
    assert lesson(end) is None


def test_docker_takes_a_command_for_each_copy_and_kubernetes_the_same_file(run: list[Event]) -> None:
    typed = {e: [one.text for one in run if isinstance(one, Command) and one.engine is e] for e in Engine}
    words = [" ".join(text.split()[:2]) for text in typed[Engine.DOCKER]]

    assert words == [*["docker run"] * 6, *["docker rm"] * 3, *["docker run"] * 3]
    assert typed[Engine.KUBERNETES] == [
        "kubectl apply -f web.yaml",
        "kubectl apply -f web.yaml",
        "kubectl delete pod web-a",
        "kubectl scale deployment web --replicas=2",
        "kubectl apply -f web.yaml",
    ]


def test_what_is_told_is_what_was_measured() -> None:
    assert [finding.text for finding in findings(TAUGHT)] == [
        "Docker did not have 5 again within 10 s. Kubernetes had 5 again after 1.0 s.",
        "Docker, told the same again: Conflict.",
        "Kubernetes, told the same again: deployment.apps/web unchanged.",
        "Some seconds after a change by hand to 2: 2 on Docker, 2 on Kubernetes.",
    ]


def test_the_table_says_what_was_not_measured_too() -> None:
    table = {row.name: (row.docker.text, row.kubernetes.text) for row in rows(result())}

    assert table["Five ready after"] == ("2.5 s", "3.1 s")
    assert table["The same again"] == ("refused", "unchanged")
    assert table["One removed: back after"] == ("not in 10.0 s", "1.0 s")
    assert table["Five again, by hand"] == ("1.2 s", "not measured")
    assert table["Who acted"] == ("nobody", "replicaset, kubelet")


@pytest.mark.parametrize(
    ("others", "why"),
    [
        ({}, None),
        ({"back_seconds": {"docker": 1.0, "kubernetes": 1.0}}, "Docker brought back a container that was removed."),
        (
            {"back_seconds": {"docker": None, "kubernetes": None}},
            "Kubernetes did not replace the pod that was deleted.",
        ),
        ({"again": {"docker": "", "kubernetes": "web configured"}}, "The same manifest again was not left unchanged: "),
        ({"left": {"docker": 2, "kubernetes": 5}}, "5 pods were ready after a change by hand to 2."),
    ],
)
def test_a_run_that_shows_something_else_is_named(others: dict[str, Any], why: str | None) -> None:
    said = lesson(result(**others))

    assert said == why if why is None else (said or "").startswith(why)
