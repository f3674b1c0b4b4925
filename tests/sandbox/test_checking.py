"""A recording is one whole run in the form of the contract; what is not says why in one sentence."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.checking import FIELDS, check
from sandbox.demos import load_demos
from sandbox.replaying import MOST_BYTES, read, shipped
from sandbox.runs import KINDS

Lines = list[dict[str, Any]]
Change = Callable[[Lines], object]

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


def whole() -> Lines:
    return [json.loads(line) for line in shipped()["selfheal-hang"].read_text().splitlines()]


def place(kind: str) -> int:
    return next(n for n, line in enumerate(whole()) if line["kind"] == kind)


def change(kind: str, /, **values: object) -> Change:
    return lambda lines: lines[place(kind)].update(values)


def test_every_fault_of_every_demo_has_a_recording_and_none_is_left_over() -> None:
    names = {f"{demo.name}-{fault}" for demo in load_demos().values() for fault in demo.faults}
    names |= {demo.name for demo in load_demos().values() if not demo.faults}

    assert set(shipped()) == names


@pytest.mark.parametrize("name", shipped())
def test_a_shipped_recording_is_a_whole_clean_run_with_its_date(name: str) -> None:
    lines = [json.loads(line) for line in shipped()[name].read_text().splitlines()]
    recording = read(shipped()[name], load_demos())

    assert check(lines) == []
    assert lines[0]["recorded"] == recording.date
    assert set(lines[0]["engines"]) == {"docker", "kubernetes"}
    assert (lines[-1]["completed"], lines[-1]["cleaned_up"], lines[-1]["error"]) == (True, True, None)
    assert name in (recording.demo.name, f"{recording.demo.name}-{recording.options.fault}")


def test_all_recordings_together_take_less_than_a_megabyte() -> None:
    assert sum(file.stat().st_size for file in shipped().values()) < 1_000_000 < MOST_BYTES


def test_every_kind_of_event_has_its_form() -> None:
    assert set(FIELDS) == set(KINDS)


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        (list.clear, "There is no line in it"),
        (lambda lines: lines.pop(0), "does not begin with the one line that says what started"),
        (lambda lines: lines.pop(), "does not end with the one line that has the result"),
        (lambda lines: lines.append(lines[-1]), "does not end with the one line that has the result"),
        (lambda lines: lines.insert(1, lines[0]), "does not begin with the one line"),
        (lambda lines: lines.append(7), "it is no JSON object"),
        (change("narration", kind="nonsense"), "its kind is none of a run's events"),
        (change("narration", text=7), 'its "text" does not fit the kind "narration"'),
        (change("narration", more=7), 'its "more" does not fit the kind "narration"'),
        (change("snapshot", instances=[{"name": "web"}]), 'its "instances" does not fit the kind "snapshot"'),
        (change("probe", ok=-1), 'its "ok" does not fit the kind "probe"'),
        (change("probe", ok=True), 'its "ok" does not fit the kind "probe"'),
        (change("probe", seconds=0.6), "longer than half a second"),
        (change("observed", actor="the weather"), 'its "actor" does not fit the kind "observed"'),
        (change("started", recorded="yesterday"), 'its "recorded" does not fit the kind "started"'),
        (change("result", engines={"docker": {}}), 'its "engines" does not fit the kind "result"'),
        (change("narration", t=float("nan")), 'its "t" does not fit the kind "narration"'),
        (change("result", t=0.0), "the clock goes back"),
        (change("result", t=1e9), "no run takes longer than an hour"),
        (change("result", demo="matrix"), "another demo than what started"),
        (change("narration", run="other"), "more than one run"),
    ],
)
def test_what_is_no_whole_run_says_so(broken: Change, said: str) -> None:
    lines = whole()
    broken(lines)

    assert said in check(lines)[0]


def test_requests_that_the_result_does_not_count_are_found() -> None:
    lines = whole()
    probe = [line for line in lines if line["kind"] == "probe" and line["engine"] == "docker"][-1]
    probe["failed"] += 1

    assert check(lines) == ["The probes of docker count 301 requests with 301 failed, its result 300 with 300."]


def test_what_was_probed_before_the_fault_does_not_count() -> None:
    lines = whole()
    lines[place("probe")]["ok"] += 5

    assert check(lines) == []


def test_in_a_run_of_several_faults_each_adds_up_by_itself() -> None:
    lines = whole()
    for line in lines:
        if line["kind"] in {"snapshot", "probe", "observed", "command", "finding"}:
            line["fault"] = "hang"
    lines[-1]["measured"] = {"faults": {"hang": lines[-1]["engines"]}}
    lines[-1]["engines"] = {}

    assert check(lines) == []
    lines[-1]["measured"]["faults"]["hang"]["docker"]["failed"] -= 1
    assert "The probes of docker" in check(lines)[0]


@given(st.lists(json_values))
def test_no_json_makes_the_check_fail(lines: list[Any]) -> None:
    assert check(lines)


@given(st.data())
def test_a_field_that_holds_anything_else_never_makes_the_check_fail(data: st.DataObject) -> None:
    lines = whole()
    line = lines[data.draw(st.integers(0, len(lines) - 1))]
    line[data.draw(st.sampled_from(sorted(line)))] = data.draw(json_values)

    assert all(isinstance(problem, str) for problem in check(lines))
