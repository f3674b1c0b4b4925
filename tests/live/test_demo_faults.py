"""What can be wrong at the start or in the middle of a run: it goes on, or ends with a sentence, and is cleaned up."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from boxes import program, until
from demo_runs import Changed

from sandbox.demo import choose, perform
from sandbox.demos import load_demos
from sandbox.engines import EngineConfig, Engines, Images
from sandbox.events import Event, Finding, Injected, Result
from sandbox.lab import Lab
from sandbox.local.layout import Layout
from sandbox.sandbox import OpenSandbox, Sandbox

pytestmark = [pytest.mark.machine, pytest.mark.docker, pytest.mark.kubernetes, pytest.mark.timeout(240)]

NOWHERE = Images({"1": "sha256:" + "0" * 64})
Act = Callable[[Layout], Coroutine[Any, Any, None]]


async def run(
    open_sandbox: OpenSandbox,
    name: str = "selfheal",
    moment: type[Event] | None = None,
    act: Callable[[], Coroutine[Any, Any, None]] | None = None,
) -> Result:
    """Run a demo, and do something to its engines the first time that something of a kind happens."""
    events: list[Event] = []
    acting: asyncio.Task[None] | None = None
    async for event in perform(*choose(load_demos(), name), "live-test", open_sandbox):
        events.append(event)
        if moment and act and not acting and isinstance(event, moment):
            acting = asyncio.create_task(act())
    if acting:
        await acting
    assert isinstance(events[-1], Result)
    return events[-1]


async def freeze(layout: Layout) -> None:
    """Have an API server that says nothing for 5 s."""
    process = program(layout, "kube-apiserver")
    os.kill(process, signal.SIGSTOP)
    await asyncio.sleep(5)
    os.kill(process, signal.SIGCONT)


async def kill(layout: Layout) -> None:
    """Have an API server that dies, and that the supervisor starts again."""
    dead = program(layout, "kube-apiserver")
    os.kill(dead, signal.SIGKILL)
    await asyncio.to_thread(until, lambda: _runs(layout) not in (None, dead))


def _runs(layout: Layout) -> int | None:
    try:
        return program(layout, "kube-apiserver")
    except AssertionError:
        return None


@pytest.mark.parametrize(("act", "moment"), [(freeze, Injected), (kill, Injected), (kill, Finding)])
async def test_runs_ride_out_an_api_server_that_is_away_for_some_seconds(
    engines: Engines, engine_config: EngineConfig, act: Act, moment: type[Event]
) -> None:
    lab = Lab(engines)
    broken = run(lab.open, "selfheal", moment, partial(act, Layout.of(engine_config)))
    results = await asyncio.gather(broken, run(lab.open, "scale"))

    assert [(end.error, end.completed, end.cleaned_up) for end in results] == [(None, True, True)] * 2


async def test_a_run_goes_on_where_a_node_is_not_ready_at_its_start(engines: Engines) -> None:
    machines = engines.machines()
    assert machines is not None
    async with machines.node_stopped("node3"):
        end = await run(Lab(engines).open)

    assert (end.error, end.completed, end.cleaned_up) == (None, True, True)


def full(engines: Engines, **hard: str) -> OpenSandbox:
    """Open sandboxes in whose namespace nothing more of some kind may be made."""
    names = {name.replace("_", "/", 1).replace("_", "."): number for name, number in hard.items()}

    @asynccontextmanager
    async def open_sandbox(owner: str, seconds: float) -> AsyncIterator[Sandbox]:
        async with Lab(engines).open(owner, seconds) as sandbox:
            await sandbox.prepare()
            metadata = {"name": "full", "namespace": sandbox.cluster.tag.place, "labels": sandbox.cluster.tag.labels()}
            quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": metadata, "spec": {"hard": names}}
            await sandbox.cluster.apply(quota)
            yield sandbox

    return open_sandbox


async def test_what_is_full_or_missing_at_the_start_ends_a_run_with_a_sentence_and_nothing_is_left(
    engines: Engines,
) -> None:
    no_image = Changed(engines, docker=lambda endpoint: replace(endpoint, images=NOWHERE))
    other_image = Changed(engines, cluster=lambda endpoint: replace(endpoint, images=NOWHERE))
    ways = {
        "exceeded quota: full": full(engines, count_deployments_apps="0"),
        "did not answer within 20 s of its start.*Kubernetes says: .*exceeded quota: full": full(engines, pods="0"),
        "demo image is not in the Docker engine": Lab(no_image).open,
        "image must be an allow-listed digest": Lab(other_image).open,
    }
    results = await asyncio.gather(*map(run, ways.values()))

    for sentence, end in zip(ways, results, strict=True):
        with pytest.raises(RuntimeError, match=sentence):
            raise RuntimeError(end.error)
        assert (end.completed, end.cleaned_up) == (False, True)
