"""Where requests go and what load does, on the real engines: the demos side by side, each in a sandbox of its own."""

import asyncio
from collections.abc import Iterator

import pytest
from demo_runs import Runs, result, side_by_side, typed

from sandbox.demos import load_demos
from sandbox.demos.loadbalance import OUT
from sandbox.engines import Engines
from sandbox.events import Engine, Observed
from sandbox.runs import from_json, to_json

pytestmark = [pytest.mark.docker, pytest.mark.kubernetes, pytest.mark.timeout(180)]

NAMES = ("autoscale", "loadbalance")


@pytest.fixture(scope="module")
def runs(engines: Engines) -> Iterator[Runs]:
    return asyncio.run(side_by_side(engines, NAMES))


@pytest.mark.parametrize("name", NAMES)
def test_a_run_completes_as_its_lesson_says_and_its_cleanup_is_verified(runs: Runs, name: str) -> None:
    end = result(runs[name])
    lesson = load_demos()[name].lesson

    assert (end.error, end.completed, end.cleaned_up) == (None, True, True)
    assert lesson is not None
    assert lesson(end) is None


@pytest.mark.parametrize("name", NAMES)
def test_the_clock_never_runs_backwards_and_every_line_survives_json(runs: Runs, name: str) -> None:
    lines = [to_json(event) for event in runs[name]]

    assert [line["t"] for line in lines] == sorted(line["t"] for line in lines)
    assert [to_json(from_json(line)) for line in lines] == lines


def test_the_autoscaler_goes_up_under_load_and_down_after_it_while_docker_stays(runs: Runs) -> None:
    end = result(runs["autoscale"])
    reaction, (load,) = end.measured["reaction"], end.measured["load"]
    rescaled = [event.t for event in runs["autoscale"] if isinstance(event, Observed) and "Rescale" in event.text]

    assert (reaction["docker"]["before"], reaction["docker"]["most"]) == (1, 1)
    assert reaction["kubernetes"]["before"] == 1 < reaction["kubernetes"]["most"] <= 4
    assert end.measured["replicas"]["kubernetes"][-1][1] == 1
    assert end.engines[Engine.DOCKER].acted_by == ()
    assert load["start"] < rescaled[0] < load["end"] < rescaled[-1]
    assert load["requests_per_second"] > 10
    assert {name: set(p90) for name, p90 in end.measured["p90_ms"].items()} == {
        engine.value: {"before", "begins", "ends", "after"} for engine in Engine
    }


def test_autoscale_types_what_a_learner_would(runs: Runs) -> None:
    lines = typed(runs["autoscale"])

    assert "kubectl apply -f web.yaml" in lines
    assert "kubectl get hpa web" in lines
    assert sum("burn?ms=10" in text for text in lines) == 2


def test_an_unready_pod_gets_no_requests_after_a_moment_and_a_container_gets_all(runs: Runs) -> None:
    end = result(runs["loadbalance"])
    out = {engine: next(one for one in steps if one["name"] == OUT) for engine, steps in end.measured["steps"].items()}
    answered = {engine: set(steps[OUT]) for engine, steps in end.measured["answered_by"].items()}

    assert out["docker"]["failed"] == out["docker"]["requests"] > 50
    assert out["kubernetes"]["failed"] < out["kubernetes"]["requests"] / 2
    assert end.measured["unready"]["kubernetes"] not in answered["kubernetes"]
    assert end.measured["failing_seconds"]["kubernetes"] < end.measured["failing_seconds"]["docker"]


def test_a_service_is_found_by_its_name_before_and_after_all_its_pods_were_replaced(runs: Runs) -> None:
    found = result(runs["loadbalance"]).measured["found_by_name"]

    assert (len(found["before"]), len(found["after"])) == (3, 3)
    assert not set(found["before"]) & set(found["after"])
