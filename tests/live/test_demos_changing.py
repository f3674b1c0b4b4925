"""The demos that change what runs, on the real engines, each in a sandbox of its own."""

import asyncio
import json
from collections.abc import Iterator

import pytest
from demo_runs import Runs, result, run, side_by_side, typed

from bot.verifying import reason
from sandbox.checking import check
from sandbox.demos import load_demos
from sandbox.engines import Engines
from sandbox.events import Engine
from sandbox.runs import from_json, to_json

pytestmark = [pytest.mark.docker, pytest.mark.kubernetes]

NAMES = ("rollout", "matrix", "declarative")


@pytest.fixture(scope="module")
def runs(engines: Engines) -> Iterator[Runs]:
    """Side by side, but for the matrix, which is four runs by itself."""

    async def all_of_them() -> Runs:
        beside = await side_by_side(engines, [name for name in NAMES if name != "matrix"])
        return beside | {"matrix": await run(engines, "matrix")}

    return asyncio.run(all_of_them())


@pytest.mark.parametrize("name", NAMES)
def test_a_run_completes_and_is_cleaned_up_and_shows_what_the_demo_teaches(runs: Runs, name: str) -> None:
    end = result(runs[name])

    assert (end.error, end.completed, end.cleaned_up) == (None, True, True)
    assert reason(load_demos()[name], end) is None


@pytest.mark.parametrize("name", NAMES)
def test_its_lines_are_what_the_contract_describes(runs: Runs, name: str) -> None:
    lines = [json.loads(json.dumps(to_json(event))) for event in runs[name]]

    assert check(lines) == []
    assert [json.loads(json.dumps(to_json(from_json(line)))) for line in lines] == lines


def test_a_rolling_update_ends_and_one_to_a_version_that_is_never_ready_stalls(runs: Runs) -> None:
    measured = result(runs["rollout"]).measured
    update, stall, undone = measured["steps"]["kubernetes"]

    assert "2" in update["answered"]
    assert set(stall["answered"]) == set(undone["answered"]) == {"2"}
    assert (update["done_seconds"] < 10, stall["done_seconds"], undone["done_seconds"] < 10) == (True, None, True)
    assert measured["stalled"].endswith("1 out of 3 new replicas have been updated...")


def test_a_replaced_container_leaves_a_gap_each_time_and_serves_the_broken_version(runs: Runs) -> None:
    steps = result(runs["rollout"]).measured["steps"]["docker"]

    assert [step["failed"] > 0 and step["longest_gap_seconds"] > 0 for step in steps] == [True] * 3
    assert steps[1]["answered"]["3"] > 0


def test_the_commands_of_a_rollout_are_those_that_a_learner_types(runs: Runs) -> None:
    assert "\n".join(typed(runs["rollout"], Engine.DOCKER)).count("docker stop web-") == 3
    assert "kubectl rollout undo deployment/web" in "\n".join(typed(runs["rollout"], Engine.KUBERNETES))


def test_a_matrix_brings_back_on_kubernetes_what_each_fault_took(runs: Runs) -> None:
    faults = result(runs["matrix"]).measured["faults"]

    assert {fault: lanes["docker"]["recovered"] for fault, lanes in faults.items()} == {
        "crash": True,
        "hang": False,
        "oom": True,
        "remove": False,
    }
    assert all(lanes["kubernetes"]["recovered"] for lanes in faults.values())


def test_what_is_declared_comes_back_and_the_same_command_is_an_error_of_dockers(runs: Runs) -> None:
    measured = result(runs["declarative"]).measured

    assert measured["again"]["kubernetes"] == "deployment.apps/web unchanged"
    assert measured["again"]["docker"].startswith('Conflict. The container name "/web1-')
    assert (measured["back_seconds"]["docker"], measured["back_seconds"]["kubernetes"] < 10) == (None, True)
    assert (measured["left"], measured["applied"]) == (
        {"docker": 2, "kubernetes": 2},
        "deployment.apps/web configured",
    )
