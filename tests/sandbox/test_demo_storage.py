"""Storage: what is read back after a replacement, and what is told of it."""

import asyncio
from typing import Any

import pytest
from fakes import FakeLab

from sandbox.demo import Options, perform
from sandbox.demos.storage import DEMO, findings, lesson, rows
from sandbox.errors import DemoFailed
from sandbox.events import Command, Engine, Event, Measured, Result
from sandbox.http import Answer
from sandbox.notes import answered, wrote

NOTE = "remember me"
MOVED = {"from": "node1", "to": "node2"}


def result(
    own: str | None = None, volume: str | None = NOTE, provisioner: str = "portside.dev/folders", **moved: str
) -> Result:
    """A run whose Docker lane taught what it should, and whose Kubernetes lane read this back."""
    nodes = MOVED | moved
    measured = {
        "note": NOTE,
        "docker": {"own": {"read": None, "seconds": 0.9}, "volume": {"read": NOTE, "seconds": 1.2}},
        "kubernetes": {
            "own": {"read": own, "seconds": 3.9, **nodes},
            "volume": {"read": volume, "seconds": 4.1, **nodes},
        },
        "storage_class": {"name": "standard", "provisioner": provisioner},
    }
    return Result(
        demo="storage",
        fault=None,
        completed=True,
        error=None,
        cleaned_up=True,
        engines={engine: Measured(None, None, None, None, None, None, ()) for engine in Engine},
        measured=measured,
    )


@pytest.fixture(scope="module")
def run() -> list[Event]:
    async def play() -> list[Event]:
        return [event async for event in perform(DEMO, Options(), "ada", FakeLab().open)]

    return asyncio.run(play())


def test_a_run_reads_back_what_stood_on_a_volume_and_nothing_else(run: list[Event]) -> None:
    end = run[-1]
    assert isinstance(end, Result)
    read = {engine: {case: end.measured[engine][case]["read"] for case in ("own", "volume")} for engine in Engine}

    assert (end.error, end.completed, end.cleaned_up) == (None, True, True)
    assert read == {engine: {"own": None, "volume": NOTE} for engine in Engine}
    assert {part: end.measured["kubernetes"]["volume"][part] for part in MOVED} == MOVED
    assert end.measured["storage_class"] == {"name": "portside", "provisioner": "portside.dev/folders"}
    assert lesson(end) is None


@pytest.mark.parametrize(
    ("app", "typed"),
    [
        ("plain", ["docker run", "docker rm", "docker run"]),
        ("kept", ["docker run", "docker rm", "docker run"]),
        ("notes", ["docker volume", "docker run", "docker run"]),
    ],
)
def test_each_container_is_removed_and_run_again_beside_its_volume(
    run: list[Event], app: str, typed: list[str]
) -> None:
    lines = [one.text for one in run if isinstance(one, Command) and one.engine is Engine.DOCKER and app in one.text]

    assert [" ".join(line.split()[:2]) for line in lines] == typed


def test_the_pods_are_replaced_by_a_patch_that_can_be_typed(run: list[Event]) -> None:
    lines = [one.text for one in run if isinstance(one, Command) and one.engine is Engine.KUBERNETES]
    patches = [line for line in lines if line.startswith("kubectl patch deployment")]

    assert lines[0] == "kubectl get storageclass"
    assert [line for line in lines if "apply" in line] == ["kubectl apply -f web.yaml"]
    assert len(patches) == 2
    assert all('"operator": "NotIn", "values": ["node1"]' in line for line in patches)


def test_notes_are_written_and_read_with_curl_on_both_sides(run: list[Event]) -> None:
    for engine in Engine:
        lines = [one.text for one in run if isinstance(one, Command) and one.engine is engine]
        curls = [line for line in lines if line.startswith("curl ")]

        assert ["-X PUT -d 'remember me' http://" in line for line in curls] == [
            True,
            True,
            False,
            False,
        ]


SHARED = (
    "The nodes of this cluster share one disk, as with NFS. Elsewhere the StorageClass and the access mode decide "
    "which nodes reach a volume."
)


def test_what_is_told_is_what_was_read_back() -> None:
    assert [finding.text for finding in findings(result().measured)] == [
        "Docker: own layer gone, named volume there. Kubernetes: emptyDir gone, PersistentVolumeClaim there.",
        "Docker: a new container on the same host answered from the volume after 1.2 s.",
        "Kubernetes: a new pod on node2, after node1, answered from the volume after 4.1 s.",
        SHARED,
    ]


def test_another_clusters_class_is_named_and_nothing_is_said_of_a_shared_disk() -> None:
    told = findings(result(provisioner="ebs.csi.aws.com", to="node1").measured)

    assert told[2].text.startswith("Kubernetes: a new pod on node1, again, answered")
    assert told[3].text == "The StorageClass standard (ebs.csi.aws.com) decides which nodes reach its volumes."


def test_the_table_marks_what_is_gone() -> None:
    table = {row.name: row for row in rows(result(volume=None))}

    assert (table["On a volume"].docker.text, table["On a volume"].docker.mark) == ("named volume: there", "good")
    assert (table["On a volume"].kubernetes.text, table["On a volume"].kubernetes.mark) == (
        "PersistentVolumeClaim: gone",
        "failed",
    )
    assert table["Its own data"].docker.text == "own layer: gone"
    assert (table["Read back after"].docker.text, table["Read back after"].kubernetes.text) == ("1.2 s", "4.1 s")
    assert table["Replaced on"].kubernetes.text == "node1, then node2"


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({}, None),
        ({"own": NOTE}, "A note in the emptyDir outlived its replacement on Kubernetes."),
        ({"volume": None}, "A note on the PersistentVolumeClaim was lost on Kubernetes."),
        ({"volume": "remember you"}, "A note on the PersistentVolumeClaim was lost on Kubernetes."),
        ({"to": "node1"}, "The new pod was on node1 again."),
    ],
)
def test_a_run_that_shows_something_else_is_named(changes: dict[str, Any], why: str | None) -> None:
    assert lesson(result(**changes)) == why


@pytest.mark.parametrize(
    ("status", "body", "note"),
    [(200, b"remember me", "remember me"), (200, b"\xff", "\ufffd"), (404, b"no note", None)],
)
def test_no_note_is_told_apart_from_an_odd_one(status: int, body: bytes, note: str | None) -> None:
    assert answered("kept", Answer(status, body)) == note


def test_an_app_that_cannot_write_or_read_says_why_and_what_to_do() -> None:
    with pytest.raises(DemoFailed, match=r"\(507: no volume to write on\).* build it anew from sandbox/image"):
        wrote("plain", Answer(507, b"no volume to write on\n"))
    with pytest.raises(DemoFailed, match="answered 500"):
        answered("plain", Answer(500, b""))
