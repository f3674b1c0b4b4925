"""A demo that no longer does what it teaches leaves the menu, with its reason, until a self-test passes."""

import json
from collections.abc import AsyncGenerator
from dataclasses import replace
from pathlib import Path

import pytest
from fakes import FakeEngines, FakeLab
from test_citing import Covered
from test_tutor import reply

from bot.cli.verifying import as_object, line
from bot.menu import menu
from bot.parts import Card, Catalogue, Sources, Text
from bot.state.runs import KeptRuns, RunsHere, SelfTest, Spread
from bot.tutor import Tutor
from bot.verifying import judged, spread, verify
from sandbox.demo import Demo, Options, perform
from sandbox.demos import load_demos
from sandbox.errors import EngineUnavailable
from sandbox.events import Engine, Event, Fault, Measured, Result

DEMO = load_demos()["selfheal"]
DOCKERD, KUBELET, REPLICASET = ("dockerd",), ("kubelet",), ("replicaset", "scheduler", "kubelet")
NOT = None


def result(fault: Fault, docker: tuple[str, ...] | None, kubernetes: tuple[str, ...] | None) -> Result:
    """A clean run; who acted on a side that was back, None for one that was not."""
    lanes = {Engine.DOCKER: lane(docker), Engine.KUBERNETES: lane(kubernetes)}
    return Result(t=40.0, demo="selfheal", fault=fault, completed=True, error=None, cleaned_up=True, engines=lanes)


def lane(actors: tuple[str, ...] | None) -> Measured:
    back = actors is not None
    return Measured(back, 2.0 if back else None, 30.0, 300, 20, 2.0 if back else 30.0, actors or ())


def tried(fault: Fault, reason: str | None, at: str = "2026-11-25 00:52") -> SelfTest:
    return SelfTest("selfheal", fault, at, 1, reason, Spread(40.0, 40.0), {Engine.DOCKER: None})


@pytest.mark.parametrize(
    ("fault", "docker", "kubernetes", "said"),
    [
        (Fault.CRASH, DOCKERD, KUBELET, None),
        (Fault.OOM, DOCKERD, KUBELET, None),
        (Fault.HANG, NOT, KUBELET, None),
        (Fault.REMOVE, NOT, REPLICASET, None),
        (Fault.CRASH, NOT, KUBELET, "Docker did not bring back"),
        (Fault.OOM, (), KUBELET, "dockerd did not report"),
        (Fault.HANG, DOCKERD, KUBELET, "Docker brought back what it leaves alone after the fault hang"),
        (Fault.HANG, NOT, NOT, "Kubernetes did not bring the app back"),
        (Fault.HANG, NOT, (), "the kubelet did not report"),
        (Fault.REMOVE, NOT, KUBELET, "the replicaset did not report"),
    ],
)
def test_the_lesson_of_selfheal_says_how_a_run_differs(
    fault: Fault, docker: tuple[str, ...] | None, kubernetes: tuple[str, ...] | None, said: str | None
) -> None:
    told = judged(DEMO, fault, [result(fault, docker, kubernetes)]).reason

    assert told is None if said is None else told is not None and said in told


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"completed": False, "error": "Docker went away."}, "Docker went away."),
        ({"cleaned_up": False}, "A run was not cleaned up."),
    ],
)
def test_a_run_that_failed_or_left_something_does_not_pass(changes: dict[str, object], said: str) -> None:
    good = result(Fault.HANG, NOT, KUBELET)

    assert judged(DEMO, Fault.HANG, [good, replace(good, **changes)]).reason == said  # type: ignore[arg-type]


def test_of_the_times_the_middle_and_the_95th_percentile_are_told() -> None:
    assert spread([3.0]) == Spread(3.0, 3.0)
    assert spread([float(n) for n in range(20, 0, -1)]) == Spread(10.0, 19.0)


@pytest.mark.parametrize("fault", DEMO.faults)
async def test_the_demo_itself_passes(fault: Fault) -> None:
    tested = await verify(DEMO, fault, 1, lambda: perform(DEMO, Options(fault), "ada", FakeLab().open))

    assert (tested.reason, tested.runs) == (None, 1)
    assert tested.recovery[Engine.KUBERNETES] is not None


async def test_where_there_is_no_engine_nothing_is_said_of_the_demo() -> None:
    def performed() -> AsyncGenerator[Event, None]:
        return perform(DEMO, Options(Fault.HANG), "ada", FakeLab(unavailable=EngineUnavailable("Docker is off.")).open)

    with pytest.raises(EngineUnavailable, match="Docker is off"):
        await verify(DEMO, Fault.HANG, 1, performed)


@pytest.mark.parametrize("shared", [True, False])
async def test_of_each_demo_and_fault_the_newest_self_test_counts(tmp_path: Path, shared: bool) -> None:
    runs = KeptRuns(tmp_path) if shared else RunsHere()
    for one in (tried(Fault.HANG, "It differs."), tried(Fault.CRASH, None), tried(Fault.HANG, None)):
        await runs.tested(one)

    newest = await (KeptRuns(tmp_path) if shared else runs).tests()
    assert sorted(newest, key=lambda one: str(one.fault)) == [tried(Fault.CRASH, None), tried(Fault.HANG, None)]


def test_a_demo_is_verified_on_the_day_of_its_oldest_fault_and_only_when_all_have_passed() -> None:
    tests = [tried(fault, None, f"2026-11-2{n} 10:00") for n, fault in enumerate(DEMO.faults, 1)]

    assert menu({"selfheal": DEMO}, tests).verified == {"selfheal": "2026-11-21"}
    assert menu({"selfheal": DEMO}, tests[:-1]).verified == {}


async def test_a_demo_that_differs_is_in_no_menu_and_says_why_until_it_passes() -> None:
    runs = RunsHere()
    one = Tutor(Covered(), {"selfheal": DEMO}, FakeEngines(), FakeLab().open, runs=runs)
    await runs.tested(tried(Fault.HANG, "Docker brought it back."))

    catalogue, out = await reply(one, "/demo")
    answer = await reply(one, "Does Docker restart a container that hangs?")
    (refused,) = await reply(one, "/demo selfheal")

    assert (catalogue, one.offered) == (Catalogue(()), {})
    assert isinstance(out, Text)
    assert "selfheal is taken out" in out.text
    assert "fault hang: Docker brought it back." in out.text
    assert [type(part) for part in answer] == [Text, Sources]
    assert isinstance(refused, Text)
    assert "Docker brought it back." in refused.text
    await runs.tested(tried(Fault.HANG, None))
    assert isinstance((await reply(one, "/demo selfheal --fault crash"))[0], Card)
    assert list(one.offered) == ["selfheal"]


async def test_the_card_and_the_catalogue_say_when_the_demo_was_last_verified() -> None:
    runs = RunsHere()
    for fault in DEMO.faults:
        await runs.tested(tried(fault, None))
    one = Tutor(Covered(), {"selfheal": DEMO}, FakeEngines(), FakeLab().open, runs=runs)

    card = (await reply(one, "/demo selfheal"))[0]
    assert isinstance(card, Card)
    assert card.subtitle.endswith("Last verified 2026-11-25.")
    assert "selfheal 2026-11-25" in str(await reply(one, "/demo"))


def test_a_line_says_what_differs_or_what_was_measured() -> None:
    good = judged(DEMO, Fault.HANG, [result(Fault.HANG, NOT, KUBELET)])
    bad = replace(good, fault=Fault.CRASH, reason="Docker did not bring back what had ended.")

    assert line(DEMO, [good]) == ("✓ selfheal  hang: Kubernetes back after 2.0 s (p95 2.0 s), a run took 40.0 s")
    assert line(DEMO, [good, bad]) == "× selfheal  crash: Docker did not bring back what had ended."
    told = json.loads(json.dumps(as_object(DEMO, [good, bad])))
    assert (told["demo"], told["passed"], told["reason"]) == ("selfheal", False, bad.reason)
    assert told["faults"][0]["recovery"] == {"docker": None, "kubernetes": {"p50": 2.0, "p95": 2.0}}


@pytest.mark.parametrize("demo", load_demos().values(), ids=lambda demo: demo.name)
def test_every_demo_has_a_lesson(demo: Demo) -> None:
    assert demo.lesson is not None
