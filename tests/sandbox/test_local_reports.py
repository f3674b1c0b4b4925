"""The report: what a keeper writes is what everybody reads, whatever happens to the file."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sandbox.engines import EngineStatus, EngineStep, Images
from sandbox.errors import EngineUnavailable
from sandbox.events import Engine
from sandbox.local.reports import ABSENT, Board, Report, read_report, write_report

STEPS = st.builds(
    EngineStep,
    title=st.text(),
    state=st.sampled_from(["done", "next", "failed"]),
    seconds=st.none() | st.floats(0, 1e6),
    fraction=st.none() | st.floats(0, 1),
)
STATUSES = st.builds(
    EngineStatus,
    engine=st.sampled_from(Engine),
    state=st.sampled_from(["absent", "building", "starting", "ready", "failed"]),
    version=st.none() | st.text(),
    detail=st.text(),
    steps=st.lists(STEPS, max_size=3).map(tuple),
)
REPORTS = st.builds(
    Report,
    statuses=st.lists(STATUSES, max_size=2).map(tuple),
    ours=st.frozensets(st.sampled_from(Engine)),
    images=st.dictionaries(st.sampled_from(Engine), st.builds(Images, st.dictionaries(st.text(), st.text()))),
)


@given(REPORTS)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_written_is_what_is_read(tmp_path: Path, report: Report) -> None:
    write_report(tmp_path / "status.json", report)

    assert read_report(tmp_path / "status.json") == report


@pytest.mark.parametrize(
    "content", [None, b"", b"\xff", b"null", b"[]", b'{"engines": 3}', b'{"engines": [{"engine": "docker"}]}']
)
def test_a_file_that_we_did_not_write_says_that_there_are_no_engines(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "status.json"
    if content is not None:
        path.write_bytes(content)

    assert read_report(path) == Report(ABSENT)


def board(path: Path) -> Board:
    steps = (EngineStep("Compile", "next"), EngineStep("Start", "next"))
    return Board(path, Report((EngineStatus(Engine.DOCKER, "starting", steps=steps),)))


def states(path: Path) -> list[str]:
    return [step.state for step in read_report(path).status(Engine.DOCKER).steps]


def test_a_running_step_counts_its_seconds_and_its_part_for_whoever_reads(tmp_path: Path) -> None:
    path = tmp_path / "status.json"
    made = board(path)

    with made.step(Engine.DOCKER, "Compile"):
        made.part(Engine.DOCKER, "Compile", 0.5)
        first, second = (read_report(path).status(Engine.DOCKER).steps[0] for _ in range(2))
        while_running = states(path)

    assert while_running == ["now", "next"]
    assert first.fraction == 0.5
    assert 0 <= (first.seconds or 0) < (second.seconds or 0)
    assert states(path) == ["done", "next"]


def test_a_running_step_goes_on_counting_though_something_else_changes(tmp_path: Path) -> None:
    path = tmp_path / "status.json"
    made = board(path)

    with made.step(Engine.DOCKER, "Compile"):
        read = read_report(path).status(Engine.DOCKER).steps[0].seconds
        made.set(Engine.DOCKER, version="20.10")
        later = read_report(path).status(Engine.DOCKER).steps[0].seconds

    assert 0 <= (read or 0) < (later or 0)


def test_a_failure_marks_the_step_that_was_being_done(tmp_path: Path) -> None:
    path = tmp_path / "status.json"
    made = board(path)

    with pytest.raises(EngineUnavailable), made.step(Engine.DOCKER, "Compile"):
        raise EngineUnavailable("No way.")
    made.fail(Engine.DOCKER, EngineUnavailable("No way."))

    assert states(path) == ["failed", "next"]
    assert read_report(path).status(Engine.DOCKER).detail == "No way."
