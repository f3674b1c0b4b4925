"""Events as JSON lines, exactly as the contract says."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox import events
from sandbox.events import Engine, EngineInfo, Event, Fault, Measured
from sandbox.runs import KINDS, from_json, to_json

text = st.text(max_size=20)
times = st.integers(0, 10**6).map(lambda milliseconds: milliseconds / 1000)
counts = st.integers(0, 1000)
engines = st.sampled_from(Engine)
head = {"t": times, "run": text}
infos = st.builds(EngineInfo, text, text, st.none() | counts)
instances = st.builds(events.Instance, text, text, st.booleans(), counts, st.none() | text, st.none() | text)
maybe_seconds = st.none() | times
measured = st.builds(
    Measured,
    st.none() | st.booleans(),
    maybe_seconds,
    maybe_seconds,
    st.none() | counts,
    st.none() | counts,
    maybe_seconds,
    st.lists(text).map(tuple),
)
faults = st.none() | st.sampled_from(Fault)
settings = st.dictionaries(text, counts | text)
names = st.lists(text).map(tuple)
any_event = st.one_of(
    st.builds(
        events.Started,
        **head,
        demo=text,
        fault=faults,
        replicas=counts,
        engines=st.dictionaries(engines, infos),
        settings=settings,
        recorded=st.none() | st.text(min_size=1),
    ),
    st.builds(events.Narration, **head, text=text),
    st.builds(events.Command, **head, engine=engines, text=text),
    st.builds(events.Snapshot, **head, engine=engines, instances=st.lists(instances).map(tuple)),
    st.builds(events.Probe, **head, engine=engines, ok=counts, failed=counts, seconds=times, p50_ms=maybe_seconds),
    st.builds(events.Observed, **head, engine=engines, actor=text, text=text),
    st.builds(events.Injected, **head, engine=engines, fault=st.sampled_from(Fault), target=text),
    st.builds(events.Finding, **head, text=text, engine=st.none() | engines),
    st.builds(events.Cleanup, **head, engine=engines, removed=names, left=names, seconds=times),
    st.builds(
        events.Result,
        **head,
        demo=text,
        fault=faults,
        completed=st.booleans(),
        error=st.none() | text,
        cleaned_up=st.booleans(),
        engines=st.dictionaries(engines, measured),
        measured=settings,
    ),
)

FIELDS = {
    "started": {"demo", "fault", "replicas", "engines", "settings", "recorded"},
    "narration": {"text"},
    "command": {"engine", "text"},
    "snapshot": {"engine", "instances"},
    "probe": {"engine", "ok", "failed", "seconds", "p50_ms"},
    "observed": {"engine", "actor", "text"},
    "fault": {"engine", "fault", "target"},
    "finding": {"text", "engine"},
    "cleanup": {"engine", "removed", "left", "seconds"},
    "result": {"demo", "fault", "completed", "error", "cleaned_up", "engines", "measured"},
}


@given(any_event)
def test_an_event_survives_the_way_through_json(event: Event) -> None:
    assert from_json(json.loads(json.dumps(to_json(event)))) == event


@given(any_event)
def test_an_object_has_exactly_the_fields_of_its_kind(event: Event) -> None:
    line = to_json(event)

    assert set(line) == {"t", "run", "kind"} | FIELDS[line["kind"]]


def test_every_kind_of_event_has_a_name() -> None:
    assert set(KINDS.values()) == set(Event.__args__)
    assert set(KINDS) == set(FIELDS)


def test_docker_has_no_number_of_nodes() -> None:
    started = events.Started(
        demo="selfheal", fault=None, replicas=1, engines={Engine.DOCKER: EngineInfo("20.10", "this machine")}
    )

    assert to_json(started)["engines"] == {"docker": {"version": "20.10", "where": "this machine"}}
    assert to_json(started)["recorded"] is False


@pytest.mark.parametrize("line", [{}, {"kind": "nonsense"}, {"kind": "probe", "engine": "docker"}])
def test_what_is_no_event_is_refused(line: dict[str, str]) -> None:
    with pytest.raises(KeyError):
        from_json(line)
