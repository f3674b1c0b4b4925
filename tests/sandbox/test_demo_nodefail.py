"""Nodefail without machines: its phases, what it says of odd figures, and what it refuses before anything is made."""

import asyncio
import json
from typing import Any

import pytest
from fakes import FakeLab
from machine_fakes import MachineLab

from sandbox.checking import check
from sandbox.demo import Options, perform
from sandbox.demos.nodefail import DEMO, findings, recovered
from sandbox.events import (
    Cleanup,
    Command,
    Engine,
    Event,
    Fault,
    Finding,
    Injected,
    Instance,
    Measured,
    Narration,
    Observed,
    Result,
    Snapshot,
    Started,
)
from sandbox.measuring import Request
from sandbox.phases import Phases
from sandbox.runs import to_json


async def run(lab: FakeLab) -> list[Event]:
    return [event async for event in perform(DEMO, Options(Fault.POWER), "ada", lab.open)]


@pytest.fixture(scope="module")
def events() -> list[Event]:
    """One run, looked at by many tests."""
    return asyncio.run(run(MachineLab()))


def result(events: list[Event]) -> Result:
    last = events[-1]
    assert isinstance(last, Result)
    return last


def test_a_run_completes_as_the_contract_and_the_lesson_say(events: list[Event]) -> None:
    end = result(events)

    assert (end.error, end.completed, end.cleaned_up, end.fault) == (None, True, True, Fault.POWER)
    assert check([json.loads(json.dumps(to_json(event))) for event in events]) == []
    assert DEMO.lesson is not None
    assert DEMO.lesson(end) is None


def test_the_phases_come_one_after_the_other_and_the_last_is_kubernetes_recovery(events: list[Event]) -> None:
    end = result(events)
    phases = list(end.measured["phases"].values())

    assert phases == sorted(phases)
    assert end.engines[Engine.KUBERNETES].recovery_seconds == end.measured["phases"]["serving"]
    assert set(end.measured["phases"]) == {"not_ready", "evicted", "scheduled", "serving"}


def test_both_machines_fail_at_the_same_moment_and_docker_has_nothing_running_then(events: list[Event]) -> None:
    faults = [event for event in events if isinstance(event, Injected)]
    after = [e for e in events if isinstance(e, Snapshot) and e.engine is Engine.DOCKER and e.t > faults[0].t]

    assert [(fault.engine, fault.target) for fault in faults] == [
        (Engine.DOCKER, "the second machine"),
        (Engine.KUBERNETES, "node1"),
    ]
    assert after[0].instances == ()
    assert not result(events).engines[Engine.DOCKER].recovered


def test_what_a_learner_types_is_shown(events: list[Event]) -> None:
    typed = [event.text.split(" --")[0] for event in events if isinstance(event, Command)]

    assert set(typed) == {
        "docker run -d",
        "docker ps",
        "kubectl apply -f web.yaml",
        "kubectl get pods -l app=web -o wide",
        "kubectl get nodes",
    }


async def test_a_cluster_that_replaces_nothing_and_a_container_that_stays_away_are_told_as_such() -> None:
    end = result(await run(MachineLab(replaces=False, returns=False)))
    rows = {row.name: (row.docker.text, row.kubernetes.text) for row in DEMO.rows(end)}

    assert (end.completed, end.measured["phases"]["serving"]) == (True, None)
    assert end.measured["returned"]["docker"] is None
    assert rows["Scheduled elsewhere after"][1].startswith("not in 1.")
    assert rows["With its power back"][0] == "not back"
    assert DEMO.lesson is not None
    assert "scheduled elsewhere after was not seen" in (DEMO.lesson(end) or "")


async def test_a_node_that_is_not_ready_at_the_start_ends_the_run_before_anything_is_harmed() -> None:
    events = await run(MachineLab(away=("node3",)))
    end = result(events)

    assert (end.completed, end.cleaned_up) == (False, True)
    assert (end.error or "").startswith("node3 is not ready, so no other node can be spared, and none was stopped.")
    assert not [event for event in events if isinstance(event, Injected | Command)]


async def test_a_cluster_of_the_operators_is_refused_before_anything_is_made() -> None:
    events = await run(FakeLab())

    assert [type(event) for event in events] == [Started, Result]
    assert "nothing but a cluster of Portside's own" in (result(events).error or "")
    assert "portside replay" in (result(events).error or "")


async def test_a_run_that_is_stopped_while_the_power_is_cut_gives_it_back_before_the_clean_up() -> None:
    lab = MachineLab()
    events = perform(DEMO, Options(Fault.POWER), "ada", lab.open)
    async for event in events:
        if isinstance(event, Narration) and event.text.startswith("Both machines have lost"):
            break
    await events.aclose()

    assert lab.opened == lab.closed == 1


def pod(name: str, node: str | None, ready: bool = True, phase: str = "Running") -> Instance:
    return Instance(name, phase, ready, 0, node, "1")


def shown(t: float, *pods: Instance) -> Snapshot:
    return Snapshot(t=t, engine=Engine.KUBERNETES, instances=pods)


A, B = pod("a", "node1"), pod("b", "node2")


def phases_of(*events: Event) -> Phases:
    phases = Phases(copies=2)
    for event in events:
        phases.reached(event)
    return phases


CUT = Injected(t=10.0, engine=Engine.KUBERNETES, fault=Fault.POWER, target="node1")
SILENT = Observed(t=19.0, engine=Engine.KUBERNETES, actor="node-controller", text="NodeNotReady: node1")
DYING = pod("a", "node1", ready=False, phase="Terminating")


def test_phases_are_seconds_since_the_failure() -> None:
    phases = phases_of(
        shown(9.0, A, B),
        CUT,
        SILENT,
        shown(21.0, DYING, B),
        shown(21.5, DYING, B, pod("c", None, ready=False)),
        shown(22.0, DYING, B, pod("c", "node2", ready=False)),
        shown(24.0, DYING, B, pod("c", "node2")),
    )
    requests = [Request(10.1, 11.1, ok=False), Request(10.2, 10.3, ok=True), Request(19.0, 20.0, ok=False)]

    assert phases.seconds([*requests, Request(20.1, 20.2, ok=True)]) == {
        "not_ready": 9.0,
        "evicted": 11.0,
        "scheduled": 12.0,
        "serving": 14.0,
    }


@pytest.mark.parametrize(
    ("requests", "serving"),
    [
        ([], None),
        ([Request(30.0, 31.0, ok=False)], None),
        ([Request(30.0, 31.0, ok=False), Request(30.5, 30.6, ok=True)], 20.6),
        ([Request(10.5, 10.6, ok=True)], 14.0),
    ],
)
def test_it_serves_again_when_all_copies_are_ready_and_no_request_fails_any_more(
    requests: list[Request], serving: float | None
) -> None:
    phases = phases_of(shown(9.0, A, B), CUT, shown(24.0, DYING, B, pod("c", "node2")))

    assert phases.seconds(requests)["serving"] == serving


def test_a_copy_that_is_ready_on_the_silent_node_does_not_count() -> None:
    phases = phases_of(shown(9.0, A, B), CUT, shown(11.0, A, B))

    assert set(phases.seconds([Request(11.0, 11.1, ok=True)]).values()) == {None}


LANE = Measured(
    recovered=False,
    recovery_seconds=None,
    observed_seconds=30.0,
    requests=300,
    failed=300,
    longest_outage_seconds=30.0,
    acted_by=(),
)
ENGINES = {Engine.DOCKER: LANE, Engine.KUBERNETES: LANE}


def figures(**changes: Any) -> dict[str, Any]:
    phases = {"not_ready": 9.04, "evicted": 11.5, "scheduled": 11.6, "serving": 13.25} | changes
    return {"node": "node2", "copies": 3, "phases": phases, "returned": {"docker": 2.5, "kubernetes": 1.7}}


def told(measured: dict[str, Any]) -> list[str]:
    found: list[Finding] = findings(recovered(ENGINES, measured), measured)
    return [finding.text for finding in found]


def test_findings_are_made_from_the_figures_alone() -> None:
    assert told(figures()) == [
        "Kubernetes had 3 copies serving on other nodes after 13.2 s. Docker's container did not answer within 30.0 s.",
        "Kubernetes: node2 not ready after 9.0 s, pods evicted after 11.5 s, scheduled elsewhere after 11.6 s.",
        "Docker: with the power back, the container answered after 2.5 s.",
    ]


def test_a_cluster_that_never_noticed_is_told_without_a_figure() -> None:
    nothing = figures(not_ready=None, evicted=None, scheduled=None, serving=None)

    assert told(nothing)[:2] == [
        "Kubernetes had not all copies serving within 30.0 s. Docker's container did not answer within 30.0 s.",
        "Kubernetes: no phase was reached.",
    ]


def test_the_card_says_that_it_runs_alone() -> None:
    assert DEMO.alone
    assert "it waits until no other demo runs" in DEMO.setup


def test_the_clean_up_is_told_for_both_sides(events: list[Event]) -> None:
    assert [event.engine for event in events if isinstance(event, Cleanup)] == list(Engine)
