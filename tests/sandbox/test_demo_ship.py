"""Ship without engines: what is built, pushed and pulled, and what it says where there is no registry."""

import asyncio
import io
import json
import tarfile
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from fakes import FakeCluster, FakeLab, FakeSandbox

from sandbox.checking import check
from sandbox.containers_images import _context, _follow, _said
from sandbox.demo import Options, perform
from sandbox.demos.ship import DEMO, findings, pulled
from sandbox.docker_run import Build, Container, docker_build, docker_run
from sandbox.errors import DemoFailed
from sandbox.events import Command, Engine, Event, Finding, Observed, Result, Snapshot
from sandbox.observing import cluster_observation
from sandbox.runs import to_json

REGISTRY = "registry.example.com/team"
DIGEST = "sha256:" + 64 * "1"
PULLED = (
    f'Successfully pulled image "{REGISTRY}/web-x@{DIGEST}" in 140ms (140ms including waiting). Image size: 9 bytes.'
)


class ShippingCluster(FakeCluster):
    """A node pulls what a Deployment names."""

    registry = REGISTRY
    runs = DIGEST

    def image(self) -> str:
        wanted = next(one for one in self.applied if one["kind"] == "Deployment")
        return str(wanted["spec"]["template"]["spec"]["containers"][0]["image"])

    async def get(self, resource: str) -> dict[str, Any]:
        name = self.image().partition("@")[0]
        return {
            "items": [
                {
                    "spec": {"nodeName": "node1"},
                    "status": {"containerStatuses": [{"imageID": f"{name}@{self.runs}"}]},
                }
            ]
        }

    async def events(self) -> AsyncGenerator[Observed, None]:
        await self._changed.wait()
        yield Observed(engine=Engine.KUBERNETES, actor="kubelet", text=f"Pulled: {PULLED}")
        await asyncio.Event().wait()

    async def watch(self) -> AsyncGenerator[Snapshot | Observed, None]:
        yield Snapshot(engine=Engine.KUBERNETES, instances=())
        await asyncio.Event().wait()


class ShippingLab(FakeLab):
    pushes_to: str | None = REGISTRY

    @asynccontextmanager
    async def open(self, owner: str, seconds: float) -> AsyncIterator[FakeSandbox]:
        sandbox = FakeSandbox(self, owner)
        sandbox.docker.registry = self.pushes_to
        sandbox.cluster = ShippingCluster(sandbox.cluster.tag, frozenset())
        try:
            yield sandbox
        finally:
            await sandbox.remove()


async def run(lab: FakeLab) -> list[Event]:
    return [event async for event in perform(DEMO, Options(), "ada", lab.open)]


@pytest.fixture(scope="module")
def events() -> list[Event]:
    """One run, looked at by many tests."""
    return asyncio.run(run(ShippingLab()))


def result(events: list[Event]) -> Result:
    last = events[-1]
    assert isinstance(last, Result)
    return last


def test_a_run_completes_as_the_contract_and_the_lesson_say(events: list[Event]) -> None:
    assert (result(events).error, result(events).cleaned_up) == (None, True)
    assert check([json.loads(json.dumps(to_json(event))) for event in events]) == []
    assert DEMO.lesson is not None
    assert DEMO.lesson(result(events)) is None


def test_what_was_pushed_is_declared_by_its_digest_and_runs(events: list[Event]) -> None:
    measured = result(events).measured

    assert measured["digests"] == {"docker": DIGEST, "kubernetes": DIGEST}
    assert measured["image"] == f"{REGISTRY}/web-fake000001:1"
    assert measured["seconds"]["pull"] == 0.14
    assert set(measured["seconds"]) == {"build", "run", "push", "pull", "serving"}


def test_a_learner_sees_what_to_type_and_what_the_builder_says(events: list[Event]) -> None:
    typed = [event.text for event in events if isinstance(event, Command)]
    said = [event.text for event in events if isinstance(event, Observed) and event.engine is Engine.DOCKER]

    assert [line.split()[1] for line in typed] == ["build", "run", "push", "apply", "get"]
    assert said == ["Step 1/1 : FROM scratch", "Pushed"]


@pytest.mark.parametrize("pushes_to", [None, "127.0.0.1:5000"])
async def test_without_a_common_registry_nothing_is_built(pushes_to: str | None) -> None:
    lab = ShippingLab()
    lab.pushes_to = pushes_to
    events = await run(lab)

    assert not result(events).completed
    assert "one of each have none" in (result(events).error or "")
    assert not [event for event in events if isinstance(event, Command)]


def figures(**changes: Any) -> dict[str, Any]:
    took = {"build": 3.0, "run": 1.0, "push": 0.5, "pull": 0.14, "serving": 2.0}
    return {"node": "node2", "digests": {"docker": DIGEST, "kubernetes": DIGEST}, "seconds": took} | changes


def told(measured: dict[str, Any]) -> list[str]:
    found: list[Finding] = findings(measured)
    return [finding.text for finding in found]


def test_findings_are_made_from_the_figures_alone() -> None:
    assert told(figures()) == [
        "Docker pushed 111111111111, and node2 runs 111111111111: the same digest.",
        "Docker: build 3.0 s, run 1.0 s, push 0.5 s.",
        "Kubernetes: serving after 2.0 s, of which the pull took 0.1 s.",
    ]


def test_digests_that_differ_are_told_and_are_not_the_lesson(events: list[Event]) -> None:
    other = figures(digests={"docker": DIGEST, "kubernetes": "sha256:" + 64 * "2"})

    assert told(other)[0].endswith("runs 222222222222: digests that differ.")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        (f"Pulled: {PULLED}", 0.14),
        ('Pulled: Successfully pulled image "web" in 1.25s (2s including waiting). Image size: 1 bytes.', 1.25),
        ('Pulled: Successfully pulled image "web" in 1m2.5s (2m including waiting). Image size: 1 bytes.', 62.5),
        ('Pulled: Container image "web" already present on machine', None),
        ("Started: Container started", None),
    ],
)
def test_a_pull_took_what_the_kubelet_says(text: str, seconds: float | None) -> None:
    assert pulled(text) == seconds


@pytest.mark.parametrize(("message", "shown"), [(PULLED, True), ("Container image already present on machine", False)])
def test_only_an_image_that_had_to_be_fetched_is_told(message: str, shown: bool) -> None:
    event = {"reportingComponent": "kubelet", "reason": "Pulled", "message": message}

    assert (cluster_observation(event) is not None) == shown


def test_a_learner_builds_and_runs_the_very_image() -> None:
    name = f"{REGISTRY}/web-x:1"

    assert docker_build(Build(name, "#123456")) == f"docker build -t {name} --build-arg COLOUR=#123456 ."
    assert docker_run(Container("web", image=name)).endswith(f" {name}")


def test_the_context_is_the_shipped_dockerfile_the_program_and_an_empty_folder() -> None:
    given = io.BytesIO()
    with tarfile.open(fileobj=given, mode="w") as program:
        info = tarfile.TarInfo("web")
        info.size = 3
        program.addfile(info, io.BytesIO(b"app"))

    with tarfile.open(fileobj=_context(given.getvalue())) as context:
        assert sorted(context.getnames()) == ["Dockerfile", "data", "web"]
        found = context.extractfile("web")
        assert found is not None
        assert found.read() == b"app"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ({"stream": "Step 1/9 : FROM scratch\n"}, "Step 1/9 : FROM scratch"),
        ({"stream": " ---> 0123456789ab\n"}, ""),
        ({"stream": "Removing intermediate container 0123456789ab\n"}, ""),
        ({"status": "Pushing", "progressDetail": {"current": 1}, "id": "a"}, ""),
        ({"aux": {"ID": "sha256:0"}}, ""),
        ({"status": "1: digest: sha256:0 size: 528"}, "1: digest: sha256:0 size: 528"),
    ],
)
def test_of_the_engines_lines_those_are_shown_that_say_something(line: dict[str, Any], said: str) -> None:
    assert _said(line) == said


def test_a_registry_that_is_down_is_told_in_its_own_words() -> None:
    with pytest.raises(DemoFailed, match=r"did not take it: connection refused[.] Check that the registry answers"):
        _follow([{"status": "Preparing"}, {"error": "connection refused"}], print, "The registry did not take it")
