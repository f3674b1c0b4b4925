"""Autoscale: what its replicas and requests say, and a run on engines that never scale."""

import pytest
from fakes import FakeLab, FakeLabElsewhere

from sandbox.demo import Options, perform
from sandbox.demos.autoscale import DEMO, METRICS, findings, lesson, load_command, reaction, rows
from sandbox.events import Command, Engine, Event, Measured, Probe, Result, Started
from sandbox.routes import Address

STAYED = {"before": 1, "most": 1, "up_seconds": None, "down_seconds": None}
WENT = {"before": 1, "most": 4, "up_seconds": 14.6, "down_seconds": 17.3}
UP_ONLY = {"before": 1, "most": 2, "up_seconds": 9.0, "down_seconds": None}
P90 = {"before": 1.3, "begins": 44.1, "ends": 40.0, "after": 1.4}
EMPTY = dict.fromkeys(P90)


def lane(*acted_by: str) -> Measured:
    return Measured(None, None, 50.0, 500, 2, 0.1, acted_by)


def ended(
    kubernetes: dict[str, object], p90: dict[str, object] = P90, acted_by: tuple[str, ...] = ("hpa", "kubelet")
) -> Result:
    measured = {
        "reaction": {"docker": STAYED, "kubernetes": kubernetes},
        "p90_ms": {"docker": p90, "kubernetes": p90},
    }
    engines = {Engine.DOCKER: lane(), Engine.KUBERNETES: lane(*acted_by)}
    return Result(
        demo="autoscale",
        fault=None,
        completed=True,
        error=None,
        cleaned_up=True,
        engines=engines,
        measured=measured,
    )


def table(result: Result) -> dict[str, tuple[str, str]]:
    return {row.name: (row.docker.text, row.kubernetes.text) for row in rows(result)}


@pytest.mark.parametrize(
    ("copies", "told"),
    [
        ([(0.7, 1)], STAYED),
        ([(0.1, 0), (1.3, 1), (14.4, 2), (24.6, 4), (57.3, 1)], WENT),
        ([(0.1, 0), (1.3, 1), (14.4, 2), (24.6, 4), (39.0, 1), (39.5, 4), (57.3, 1)], WENT),
        ([(1.0, 1), (19.0, 2)], UP_ONLY),
        ([(1.0, 1), (19.0, 0), (20.0, 1)], STAYED),
        ([], {**STAYED, "before": 0, "most": 0}),
    ],
)
def test_a_reaction_is_read_from_the_ready_copies_and_the_load(
    copies: list[tuple[float, int]], told: dict[str, object]
) -> None:
    assert reaction(copies, 10.0, 40.0) == told


@pytest.mark.parametrize(
    ("kubernetes", "headline"),
    [
        (WENT, "Kubernetes went to 4 copies in 14.6 s, and back to 1 copy 17.3 s after the load."),
        (UP_ONLY, "Kubernetes went to 2 copies in 9.0 s, and was not back at 1 copy when the run ended."),
        (STAYED, "Kubernetes stayed at 1 copy."),
    ],
)
def test_the_headline_says_who_got_more_copies(kubernetes: dict[str, object], headline: str) -> None:
    assert findings(ended(kubernetes).measured)[0].text == f"Under load, Docker stayed at 1 copy. {headline}"


def test_what_a_user_felt_is_told_of_both_sides_in_the_same_form() -> None:
    docker, kubernetes = findings(ended(WENT).measured)[1:]

    assert docker.text.removeprefix("Docker") == kubernetes.text.removeprefix("Kubernetes")
    assert "1.3 ms before the load, 44.1 ms as it began and 40.0 ms as it ended" in docker.text


def test_latency_that_nobody_measured_is_told_by_no_number() -> None:
    result = ended(WENT, EMPTY)

    assert len(findings(result.measured)) == 1
    assert table(result)["p90 as it ended"] == ("not measured", "not measured")


def test_the_table_has_replicas_latency_and_who_acted() -> None:
    assert table(ended(WENT)) == {
        "Most copies": ("1", "4"),
        "Reached after": ("no change", "14.6 s"),
        "Back after the load": ("no change", "17.3 s"),
        "p90 before the load": ("1.3 ms", "1.3 ms"),
        "p90 as it began": ("44.1 ms", "44.1 ms"),
        "p90 as it ended": ("40.0 ms", "40.0 ms"),
        "p90 after it": ("1.4 ms", "1.4 ms"),
        "Failed requests": ("2 of 500", "2 of 500"),
        "Who acted": ("nobody", "hpa, kubelet"),
    }
    assert table(ended(UP_ONLY))["Back after the load"] == ("no change", "not in this run")


@pytest.mark.parametrize(
    ("result", "differs"),
    [
        (ended(WENT), None),
        (ended(STAYED), "added no pod"),
        (ended(UP_ONLY), "did not take its pods away"),
        (ended(WENT, acted_by=("kubelet",)), "the hpa did not report"),
    ],
)
def test_a_run_is_held_against_the_lesson(result: Result, differs: str | None) -> None:
    told = lesson(result)

    assert told is None if differs is None else differs in str(told)


def test_a_learner_types_the_load_that_the_demo_sends() -> None:
    typed = load_command(Address("10.0.0.1", 8080))

    assert typed == 'while sleep 0.025; do curl -so /dev/null "http://10.0.0.1:8080/burn?ms=10" & done'


async def played(lab: FakeLab) -> list[Event]:
    return [event async for event in perform(DEMO, Options(), "ada", lab.open)]


async def test_a_cluster_that_never_scales_is_told_so_after_the_time_it_had() -> None:
    events = await played(FakeLab())
    end = events[-1]
    assert isinstance(end, Result)
    (load,) = end.measured["load"]

    assert (end.error, end.completed, end.cleaned_up) == (None, True, True)
    assert end.measured["reaction"] == {"docker": STAYED, "kubernetes": STAYED}
    assert end.measured["load_failed"] == {"docker": 0, "kubernetes": 0}
    assert 1.0 <= load["end"] - load["start"] < 5
    assert load["requests_per_second"] > 1
    assert sum("curl" in event.text for event in events if isinstance(event, Command)) == 2
    assert {event.engine for event in events if isinstance(event, Probe)} == set(Engine)


async def test_without_metrics_it_is_refused_before_anything_starts() -> None:
    started, *_, end = events = await played(FakeLab(lacks=frozenset({METRICS})))

    assert isinstance(started, Started)
    assert isinstance(end, Result)
    assert (end.completed, end.error) == (False, f"The cluster has no {METRICS} API.")
    assert not [event for event in events if isinstance(event, Command)]


async def test_the_load_on_engines_elsewhere_comes_from_beside_the_apps() -> None:
    end = [event async for event in perform(DEMO, Options(), "ada", FakeLabElsewhere().open)][-1]

    assert isinstance(end, Result)
    assert (end.error, end.completed, end.cleaned_up) == (None, True, True)
    assert end.measured["load_failed"] == {"docker": 0, "kubernetes": 0}
    assert end.measured["load"][0]["requests_per_second"] > 1
