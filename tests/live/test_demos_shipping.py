"""Ship on the real engines: a node runs what Docker has pushed, and nothing of the run is left on either."""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import replace

import docker
import pytest
from demo_runs import result, run

from bot.verifying import reason
from sandbox.checking import check
from sandbox.demo import choose
from sandbox.demos import load_demos
from sandbox.engines import ClusterEndpoint, DockerEndpoint, Engines
from sandbox.events import Command, Engine, Event, Observed
from sandbox.names import RUN
from sandbox.runs import from_json, to_json

pytestmark = [pytest.mark.docker, pytest.mark.kubernetes]

DEMO, OPTIONS = choose(load_demos(), "ship")
NOBODY = "localhost:1/portside"


class Elsewhere:
    """The engines, told of a registry that nobody listens for."""

    def __init__(self, engines: Engines) -> None:
        self._engines = engines
        self.status, self.progress, self.machines = engines.status, engines.progress, engines.machines

    async def docker(self) -> DockerEndpoint:
        return replace(await self._engines.docker(), registry=NOBODY)

    async def cluster(self) -> ClusterEndpoint:
        return replace(await self._engines.cluster(), registry=NOBODY)


async def both_runs(engines: Engines) -> tuple[list[Event], list[Event]]:
    shipped, refused = await asyncio.gather(run(engines, DEMO.name), run(Elsewhere(engines), DEMO.name))
    return shipped, refused


@pytest.fixture(scope="module")
def runs(engines: Engines) -> Iterator[tuple[list[Event], list[Event]]]:
    """One run, and beside it one whose registry is down."""
    return asyncio.run(both_runs(engines))


def test_a_run_is_clean_and_what_contract_and_lesson_say(runs: tuple[list[Event], list[Event]]) -> None:
    events, _ = runs

    assert (result(events).error, result(events).cleaned_up) == (None, True)
    assert check([json.loads(json.dumps(to_json(event))) for event in events]) == []
    assert [to_json(from_json(to_json(event))) for event in events] == [to_json(event) for event in events]
    assert reason(DEMO, result(events)) is None


def test_the_node_really_pulls_the_digest_that_docker_pushed(runs: tuple[list[Event], list[Event]]) -> None:
    events, _ = runs
    digest = result(events).measured["digests"]["docker"]
    acts = [event.text for event in events if isinstance(event, Observed) and event.engine is Engine.KUBERNETES]
    typed = [event.text.split()[1] for event in events if isinstance(event, Command)]

    assert digest.startswith("sha256:")
    assert result(events).measured["digests"]["kubernetes"] == digest
    assert any(text.startswith("Pulled: Successfully pulled") and digest in text for text in acts)
    assert typed == ["build", "run", "push", "apply", "get"]


def test_a_registry_that_is_down_ends_the_run_in_a_sentence_and_clean(runs: tuple[list[Event], list[Event]]) -> None:
    _, events = runs

    assert (result(events).completed, result(events).cleaned_up) == (False, True)
    assert f"The registry did not take {NOBODY}/web-" in (result(events).error or "")


async def test_no_image_of_the_runs_is_left(runs: tuple[list[Event], list[Event]], engines: Engines) -> None:
    client = docker.DockerClient((await engines.docker()).host, version="auto")
    left = [client.images.list(filters={"label": f"{RUN}={events[0].run}"}) for events in runs]
    client.close()

    assert left == [[], []]
