"""What the tutor says: each thing once, and only what was observed."""

import pytest

from sandbox.events import Engine, Event, Fault, Injected, Measured, Observed, Probe
from sandbox.telling import Story, findings


def fault(engine: Engine) -> Injected:
    return Injected(engine=engine, fault=Fault.HANG, target="web")


def probe(engine: Engine, ok: int, failed: int) -> Probe:
    return Probe(engine=engine, ok=ok, failed=failed, seconds=0.4, p50_ms=None)


def docker(text: str) -> Observed:
    return Observed(engine=Engine.DOCKER, actor="dockerd", text=text)


def lane(recovery: float | None, failed: int = 5, acted_by: tuple[str, ...] = ()) -> Measured:
    return Measured(recovery is not None, recovery, 30.0, 300, failed, recovery, acted_by)


BROKEN = [fault(Engine.DOCKER), fault(Engine.KUBERNETES)]


@pytest.mark.parametrize(
    ("events", "said"),
    [
        ([docker("start: web")], []),
        (BROKEN, ["The app hangs on both sides now. Its process is still there."]),
        (
            [*BROKEN, docker("health_status: unhealthy"), docker("health_status: unhealthy")],
            [
                "The app hangs on both sides now. Its process is still there.",
                "Docker has marked the container unhealthy.",
            ],
        ),
        (
            [fault(Engine.DOCKER), probe(Engine.DOCKER, 4, 0), probe(Engine.DOCKER, 0, 4), probe(Engine.DOCKER, 3, 1)],
            ["Docker answers again."],
        ),
        ([probe(Engine.DOCKER, 0, 4), probe(Engine.DOCKER, 4, 0)], []),
    ],
)
def test_a_story_tells_what_was_observed_after_the_fault_once(events: list[Event], said: list[str]) -> None:
    story = Story()

    assert [sentence for event in events if (sentence := story.sentence(event))] == said


@pytest.mark.parametrize(
    ("docker_lane", "kubernetes_lane", "text"),
    [
        (lane(0.4), lane(1.25), "Docker answered again after 0.4 s. Kubernetes answered again after 1.2 s."),
        (lane(None), lane(3.0), "Kubernetes answered again after 3.0 s. Docker did not within 30 s."),
        (lane(0.0, failed=0), lane(3.0), "Kubernetes answered again after 3.0 s. Docker failed no request."),
    ],
)
def test_the_first_finding_tells_who_was_back_first(
    docker_lane: Measured, kubernetes_lane: Measured, text: str
) -> None:
    told = findings({Engine.DOCKER: docker_lane, Engine.KUBERNETES: kubernetes_lane})

    assert (told[0].text, told[0].engine) == (text, None)


@pytest.mark.parametrize(
    ("acted_by", "who"),
    [
        ((), "nobody"),
        (("kubelet",), "the kubelet"),
        (("kubelet", "replicaset", "scheduler"), "the kubelet and the replicaset and the scheduler"),
    ],
)
def test_a_finding_names_who_acted(acted_by: tuple[str, ...], who: str) -> None:
    told = findings({Engine.KUBERNETES: lane(3.0, acted_by=acted_by)})

    assert told[1].text == f"On Kubernetes, {who} acted."
