"""A card grows with the events of its run, and tells nothing that they do not hold."""

import re
from collections.abc import Mapping
from dataclasses import replace
from functools import reduce

import pytest
from fakes import FakeLab
from hypothesis import given
from hypothesis import strategies as st

from bot.cards import advance, begin, lane, table
from bot.parts import Bar, Card, Cell, Span
from sandbox.demo import Options, perform
from sandbox.demos import load_demos
from sandbox.errors import DemoFailed
from sandbox.events import (
    Cleanup,
    Engine,
    EngineInfo,
    Event,
    Fault,
    Injected,
    Instance,
    Measured,
    Narration,
    Observed,
    Probe,
    Result,
    Snapshot,
    Started,
)
from sandbox.telling import back

SELFHEAL = load_demos()["selfheal"]
D, K = Engine.DOCKER, Engine.KUBERNETES


def measured(back: float | None, failed: int = 45, actor: str = "kubelet") -> Measured:
    return Measured(back is not None, back, 30.0, 300, failed, back or 30.0, (actor,) if back else ())


def grown(*events: Event) -> Card:
    return reduce(lambda card, event: advance(SELFHEAL, card, event), events, begin(SELFHEAL, Options(Fault.HANG)))


def result(engines: Mapping[Engine, Measured], error: str | None = None) -> Result:
    return Result(
        t=44.0, demo="selfheal", fault=Fault.HANG, completed=not error, error=error, cleaned_up=True, engines=engines
    )


@pytest.mark.parametrize(
    ("docker", "kubernetes", "said"),
    [
        (None, 12.31, "Kubernetes answered again after 12.3 s. Docker did not within 30 s."),
        (4.0, None, "Docker answered again after 4.0 s. Kubernetes did not within 30 s."),
        (0.52, 1.2, "Docker answered again after 0.5 s. Kubernetes answered again after 1.2 s."),
        (2.0, 1.2, "Kubernetes answered again after 1.2 s. Docker answered again after 2.0 s."),
        (None, None, "Neither answered again within 30 s."),
    ],
)
def test_the_headline_says_who_was_back_the_quicker_first(
    docker: float | None, kubernetes: float | None, said: str
) -> None:
    assert back({D: measured(docker), K: measured(kubernetes)}) == said


def test_a_lane_that_failed_no_request_was_never_away() -> None:
    engines = {D: measured(None), K: measured(0.0, failed=0)}

    assert back(engines) == "Kubernetes failed no request. Docker did not answer again within 30 s."
    assert table(SELFHEAL, result(engines)).rows[0][2] == Cell("never away", "good")


def test_the_table_holds_the_measured_figures() -> None:
    assert table(SELFHEAL, result({D: measured(None, 300), K: measured(3.4, 34)})).rows == (
        (Cell("Back after"), Cell("not in 30.0 s", "failed"), Cell("3.4 s", "good")),
        (Cell("Failed requests"), Cell("300 of 300"), Cell("34 of 300")),
        (Cell("Longest outage"), Cell("30.0 s"), Cell("3.4 s")),
        (Cell("Who acted"), Cell("nobody"), Cell("kubelet", "acted")),
    )


def test_captions_say_versions_settings_and_what_was_removed() -> None:
    card = grown(
        Started(
            t=0,
            demo="selfheal",
            fault=Fault.HANG,
            replicas=1,
            engines={D: EngineInfo("20.10", "this machine"), K: EngineInfo("1.37", "this machine", 3)},
            settings={"livenessProbe.periodSeconds": 2, "crashLoop": "1s", "lease": 8, "pids": 64},
        ),
        Cleanup(t=41, engine=D, removed=("container a", "network b"), left=(), seconds=0.52),
        Cleanup(t=42, engine=K, removed=(), left=("namespace x",), seconds=25.0),
    )

    assert card.captions == (
        "Docker 20.10, Kubernetes 1.37 with 3 nodes, both on this machine.",
        "Quicker than the defaults: livenessProbe.periodSeconds 2, default 10.",
        "Set on this cluster: crashLoop 1s and 2 more, which the run's JSON names.",
        "Docker: cleaned up in 0.5 s, 1 container and 1 network removed, nothing left.",
        "Kubernetes: namespace x could not be seen to go. It carries an expiry, and is removed then.",
    )


def test_engines_in_two_places_are_told_apart() -> None:
    engines = {D: EngineInfo("20.10", "this machine"), K: EngineInfo("1.37", "staging")}
    card = grown(Started(t=0, demo="selfheal", fault=None, replicas=1, engines=engines))

    assert card.captions == ("Docker 20.10 on this machine. Kubernetes 1.37 on staging.",)


def test_a_lane_shows_requests_instances_and_who_acted_after_the_fault() -> None:
    card = grown(
        Observed(t=1, engine=K, actor="kubelet", text="Started: first"),
        Probe(t=9.5, engine=K, ok=5, failed=0, seconds=0.5, p50_ms=2.0),
        Injected(t=10, engine=D, fault=Fault.HANG, target="web"),
        Injected(t=10.1, engine=K, fault=Fault.HANG, target="web-a"),
        Probe(t=11, engine=K, ok=0, failed=5, seconds=0.5, p50_ms=None),
        Snapshot(t=11, engine=K, instances=(Instance("web-a", "Running", False, 1, "node1", "1"),)),
        Observed(t=12, engine=K, actor="kubelet", text="Killing: it hangs"),
        Probe(t=13, engine=K, ok=5, failed=0, seconds=0.5, p50_ms=2.0),
    )
    side = lane(card, K)

    assert card.fault_at == 10
    assert side.bars[0] == Bar(9.0, 0.5, 5, 0)
    assert [(act.t, act.acted) for act in side.acts] == [(1, False), (12, True)]
    assert (side.tiles[0].detail, side.tiles[0].mark) == ("node1\nrestarts 1", "failed")
    assert (side.state, side.back_at) == ("answering again", 12.5)


def test_a_lane_ends_as_it_was_measured() -> None:
    card = grown(
        Injected(t=10, engine=D, fault=Fault.HANG, target="web"), result({D: measured(None), K: measured(3.4)})
    )

    assert [(side.state, side.mark, side.back_at) for side in card.lanes] == [
        ("not back", "failed", None),
        ("back", "good", 13.4),
    ]


def test_a_run_that_failed_shows_no_figures() -> None:
    card = grown(Narration(t=1, text="Both sides are serving."), result({}, "Docker does not answer any more."))

    assert (card.state, card.table, card.headline) == ("failed", None, "The run did not come to its end.")


@pytest.mark.parametrize("fault", [Fault.CRASH, Fault.HANG])
async def test_every_figure_of_a_finished_card_was_measured_in_its_run(fault: Fault) -> None:
    events = [event async for event in perform(SELFHEAL, Options(fault), "ada", FakeLab().open)]
    card = reduce(lambda card, event: advance(SELFHEAL, card, event), events, begin(SELFHEAL, Options(fault)))
    last = events[-1]
    assert isinstance(last, Result)
    known = {
        f"{value:.{places}f}"
        for one in last.engines.values()
        for value in (one.recovery_seconds, one.observed_seconds, one.longest_outage_seconds)
        for places in (0, 1)
        if value is not None
    }

    assert card.state == "done"
    assert set(re.findall(r"[\d.]+(?= s\b)", card.headline)) <= known


def probes() -> st.SearchStrategy[list[Probe]]:
    one = st.builds(
        Probe,
        t=st.floats(0, 60),
        engine=st.sampled_from(Engine),
        ok=st.integers(0, 5),
        failed=st.integers(0, 5),
        seconds=st.floats(0.01, 0.5),
        p50_ms=st.none(),
    )
    return st.lists(one, max_size=40)


@given(probes())
def test_no_request_is_lost_between_events_and_bars(events: list[Probe]) -> None:
    card = grown(*events)

    for engine in Engine:
        sent = sum(event.ok + event.failed for event in events if event.engine is engine)
        assert sum(bar.ok + bar.failed for bar in lane(card, engine).bars) == sent


async def test_a_failed_step_ends_in_a_card_that_says_so() -> None:
    lab = FakeLab(refuses=DemoFailed("No namespace could be made. Start the demo again."))
    events = [event async for event in perform(SELFHEAL, Options(Fault.CRASH), "ada", lab.open)]

    assert grown(*events).state == "failed"


def test_a_card_ends_with_the_steps_and_the_load_that_the_demo_measured() -> None:
    step = {"name": "update", "start": 7.0, "end": 17.0, "requests": 100, "failed": 4, "done_seconds": 1.5}
    load = {"start": 8.0, "end": 20.0, "requests_per_second": 20.0}
    end = replace(result({D: measured(None), K: measured(3.4)}), measured={"steps": {"docker": [step]}, "load": [load]})
    card = grown(end)

    assert lane(card, D).steps == (Span("update", 7.0, 17.0, 100, 4),)
    assert card.load == (Span("20/s", 8.0, 20.0),)
