"""Matrix: four faults side by side, each told as its own, and one table of all."""

import asyncio
import json
from dataclasses import replace

import pytest
from fakes import QUICK, FakeLab

from sandbox.checking import check
from sandbox.demo import Options, perform
from sandbox.demos.matrix import DEMO, headline, lesson, rows
from sandbox.events import (
    Command,
    Engine,
    Event,
    Fault,
    Finding,
    Injected,
    Measured,
    Narration,
    Probe,
    Result,
    Snapshot,
)
from sandbox.figures import Figure, outcomes_of
from sandbox.healing import FAULTS
from sandbox.runs import to_json

PATIENT = replace(QUICK, observe=3.0)  # four repairs at once take longer on a busy machine
OF_A_FAULT = {"fault", "snapshot", "probe", "observed", "command", "finding"}


def lane(back: float | None, *actors: str, failed: int = 5) -> dict[str, object]:
    return {
        "recovered": back is not None,
        "recovery_seconds": back,
        "observed_seconds": 30.0,
        "requests": 300,
        "failed": failed,
        "longest_outage_seconds": back or 30.0,
        "acted_by": list(actors),
    }


KUBELET, DOCKERD = lane(1.0, "kubelet"), lane(0.6, "dockerd")
MEASURED = {
    "crash": {"docker": DOCKERD, "kubernetes": KUBELET},
    "hang": {"docker": lane(None), "kubernetes": KUBELET},
    "oom": {"docker": lane(2.0, "dockerd"), "kubernetes": KUBELET},
    "remove": {"docker": lane(None), "kubernetes": lane(1.5, "replicaset", "kubelet")},
}
RESULT = Result(
    demo="matrix",
    fault=None,
    completed=True,
    error=None,
    cleaned_up=True,
    engines={},
    measured={"faults": MEASURED},
)


@pytest.fixture(scope="module")
def run() -> list[Event]:
    async def play() -> list[Event]:
        return [event async for event in perform(DEMO, Options(guesses=guesses), "ada", FakeLab(PATIENT).open)]

    return asyncio.run(play())


asked: list[str] = []


async def guesses() -> None:
    asked.append("once")


def test_every_event_of_a_fault_says_which(run: list[Event]) -> None:
    lines = [to_json(event) for event in run]

    assert {line.get("fault") for line in lines if line["kind"] in OF_A_FAULT} == set(FAULTS)
    assert check(json.loads(json.dumps(lines))) == []


def test_each_fault_has_both_lanes_with_containers_and_requests_of_its_own(run: list[Event]) -> None:
    for kind in (Snapshot, Probe, Injected, Command):
        seen = {(event.fault, event.engine) for event in run if isinstance(event, kind)}

        assert seen == {(fault, engine) for fault in FAULTS for engine in Engine}
    names = {one.name for event in run if isinstance(event, Snapshot) and event.fault for one in event.instances}
    assert {f"web-{fault}-fake0" for fault in FAULTS} < names


def test_the_result_measures_each_fault_and_no_engine_as_a_whole(run: list[Event]) -> None:
    end = run[-1]
    assert isinstance(end, Result)

    assert (end.error, end.completed, end.engines, list(end.measured)) == (None, True, {}, ["faults"])
    measured = outcomes_of(end)
    assert {fault: measured[fault][Engine.DOCKER].recovered for fault in FAULTS} == {
        Fault.CRASH: True,
        Fault.HANG: False,
        Fault.OOM: True,
        Fault.REMOVE: False,
    }
    assert all(measured[fault][Engine.KUBERNETES].recovered for fault in FAULTS)


def test_the_guesses_are_made_once_and_all_four_faults_come_after_them(run: list[Event]) -> None:
    told = [event.text for event in run if isinstance(event, Narration)]
    kinds = [type(event) for event in run if isinstance(event, Injected | Narration)]

    assert asked == ["once"]
    assert told[-1] == "All of them serve. Now each is broken in its own way."
    assert kinds == [Narration] * len(told) + [Injected] * 8


def test_findings_are_one_for_each_fault(run: list[Event]) -> None:
    found = [event for event in run if isinstance(event, Finding)]

    assert [finding.fault for finding in found] == list(FAULTS)
    assert all(finding.text.startswith(f"{finding.fault}: ") for finding in found)


def test_the_headline_counts_who_was_back_and_who_was_first() -> None:
    assert headline(RESULT) == (
        "Docker was back after 2 of 4 faults, first at crash. "
        "Kubernetes was back after 4 of 4 faults, first at hang, oom, remove."
    )


def test_the_table_has_a_row_for_each_fault_also_where_docker_wins() -> None:
    table = {row.name: (row.docker, row.kubernetes) for row in rows(RESULT)}

    assert table["crash: back after"] == (Figure("0.6 s", "good"), Figure("1.0 s", "good"))
    assert table["hang: back after"] == (Figure("not in 30.0 s", "failed"), Figure("1.0 s", "good"))
    assert table["remove: who acted"] == (Figure("nobody"), Figure("replicaset, kubelet", "acted"))
    assert len(table) == 8


def test_what_was_measured_comes_back_from_json_as_it_was() -> None:
    measured = outcomes_of(replace(RESULT, measured=json.loads(json.dumps(RESULT.measured))))

    assert measured[Fault.OOM][Engine.DOCKER] == Measured(True, 2.0, 30.0, 300, 5, 2.0, ("dockerd",))


@pytest.mark.parametrize(
    ("fault", "docker", "why"),
    [
        ("crash", DOCKERD, None),
        ("crash", lane(None), "crash: Docker did not bring back what had ended."),
        ("hang", DOCKERD, "hang: Docker brought back what it leaves alone after the fault hang."),
    ],
)
def test_a_run_that_shows_something_else_is_named_with_its_fault(
    fault: str, docker: dict[str, object], why: str | None
) -> None:
    faults = {**MEASURED, fault: {"docker": docker, "kubernetes": KUBELET}}

    assert lesson(replace(RESULT, measured={"faults": faults})) == why
