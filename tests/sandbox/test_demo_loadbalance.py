"""Load balancing: what is told of the requests, and a run on engines with one app behind each address."""

from typing import Any

import pytest
from fakes import FakeLab

from sandbox.demo import Options, perform
from sandbox.demos.loadbalance import BACK, DEMO, OUT, READY, failing, findings, lesson, rows
from sandbox.events import Command, Engine, Measured, Result
from sandbox.measuring import Request, step, within

THREE, TWO, ONE = {"a": 17, "b": 16, "c": 17}, {"b": 47, "c": 46}, {"web1": 50}
LANE = Measured(None, None, 25.0, 250, 6, 1.2, ())


def ended(kubernetes: tuple[dict[str, int], ...] = (THREE, TWO, THREE), **measured: Any) -> Result:
    lanes = {"docker": (ONE, {}, ONE), "kubernetes": kubernetes}
    failed = {"docker": 100, "kubernetes": 5}
    named = (READY, OUT, BACK)
    whole = {
        "copies": 3,
        "steps": {engine: [{}, {"name": OUT, "requests": 100, "failed": bad}] for engine, bad in failed.items()},
        "answered_by": {engine: dict(zip(named, lane, strict=True)) for engine, lane in lanes.items()},
        "failing_seconds": {"docker": 10.0, "kubernetes": 1.6},
        "found_by_name": {"before": ["a", "b"], "after": ["d", "e", "f"]},
    }
    return Result(
        demo="loadbalance",
        fault=None,
        completed=True,
        error=None,
        cleaned_up=True,
        engines=dict.fromkeys(Engine, LANE),
        measured=whole | measured,
    )


def test_the_headline_tells_what_failed_while_a_copy_was_not_ready() -> None:
    told = findings(ended().measured)[0].text

    assert told == "While one of 3 copies was not ready, Docker failed 100 of 100 requests, Kubernetes 5 of 100."


def test_both_sides_are_told_in_the_same_form() -> None:
    docker, kubernetes = (finding.text for finding in findings(ended().measured)[1:3])

    assert docker == "Docker: 1 of 3 copies answered before, 0 while one was not ready, 1 after that."
    assert kubernetes == "Kubernetes: 3 of 3 copies answered before, 2 while one was not ready, 3 after that."


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        (["a", "b"], ["d"], "led to 2 pods before all were replaced, and to 1 pod after that, 1 of them new."),
        (["a"], ["a", "d"], "led to 1 pod before all were replaced, and to 2 pods after that, 1 of them new."),
        (["a"], [], "led to 1 pod before all were replaced, and to 0 pods after that, 0 of them new."),
    ],
)
def test_what_the_name_led_to_is_told_as_it_was_found(before: list[str], after: list[str], told: str) -> None:
    measured = ended(found_by_name={"before": before, "after": after}).measured

    assert findings(measured)[-1].text.endswith(told)


def test_the_table_tells_who_answered_and_what_failed() -> None:
    assert {row.name: (row.docker.text, row.kubernetes.text) for row in rows(ended())} == {
        "All ready: answered": ("1 of 3", "3 of 3"),
        "One unready: answered": ("0 of 3", "2 of 3"),
        "Ready again: answered": ("1 of 3", "3 of 3"),
        "One unready: failed": ("100 of 100", "5 of 100"),
        "One unready: failing for": ("10.0 s", "1.6 s"),
        "Failed in all": ("6 of 250", "6 of 250"),
    }


@pytest.mark.parametrize(
    ("result", "differs"),
    [
        (ended(), None),
        (ended((THREE, THREE, THREE)), "not all but the unready one"),
        (ended(found_by_name={"before": ["a"], "after": []}), "not found by its name"),
    ],
)
def test_a_run_is_held_against_the_lesson(result: Result, differs: str | None) -> None:
    told = lesson(result)

    assert told is None if differs is None else differs in str(told)


def test_a_request_on_the_edge_of_a_step_counts_in_neither() -> None:
    log = [Request(1.0, 1.1, ok=True), Request(1.95, 2.05, ok=False), Request(2.1, 2.2, ok=False)]

    assert step("first", 1.0, 2.0, within(log, 1.0, 2.0)) == {
        "name": "first",
        "start": 1.0,
        "end": 2.0,
        "requests": 1,
        "failed": 0,
    }
    assert step("second", 2.0, 3.0, within(log, 2.0, 3.0))["failed"] == 1


def test_a_step_without_a_failure_failed_for_no_time() -> None:
    assert failing(2.0, [Request(2.1, 2.2, ok=True)]) == 0.0
    assert failing(2.0, [Request(2.1, 3.5, ok=False), Request(3.6, 3.7, ok=True)]) == 1.5


async def test_a_run_has_its_steps_and_the_name_is_asked_before_and_after() -> None:
    events = [event async for event in perform(DEMO, Options(), "ada", FakeLab().open)]
    end = events[-1]
    assert isinstance(end, Result)
    out = {engine: next(one for one in steps if one["name"] == OUT) for engine, steps in end.measured["steps"].items()}
    typed = [event.text for event in events if isinstance(event, Command)]

    assert (end.error, end.completed, end.cleaned_up) == (None, True, True)
    assert all(one["failed"] == one["requests"] > 0 for one in out.values())
    assert end.measured["found_by_name"] == {"before": ["web"], "after": ["web"]}
    assert sum("/fault/unready" in line for line in typed) == sum("/fault/ready" in line for line in typed) == 2
    assert "kubectl rollout restart deployment/web" in typed
    assert sum(" -p " in line for line in typed) == 1
