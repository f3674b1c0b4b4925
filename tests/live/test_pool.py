"""Prepared sandboxes on the real engines: who gets them, how long they are kept, and that none is left."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import docker
import pytest

from sandbox import lifetimes
from sandbox.cluster_api import Api
from sandbox.demo import choose, perform
from sandbox.demos import load_demos
from sandbox.docker_run import Container
from sandbox.engines import Engines
from sandbox.events import Result
from sandbox.lab import Lab
from sandbox.names import OWNER, RUN
from sandbox.pool import Pool
from sandbox.reaper import sweep
from sandbox.streams import stop

pytestmark = [pytest.mark.docker, pytest.mark.kubernetes]


@asynccontextmanager
async def kept(engines: Engines, size: int = 1, seconds: float = lifetimes.PREPARED) -> AsyncIterator[Pool]:
    pool = Pool(Lab(engines), size, seconds)
    keeping = asyncio.create_task(pool.keep())
    try:
        yield pool
    finally:
        await stop(keeping)


async def in_the_pool(engines: Engines) -> tuple[set[str], set[str]]:
    """Return the runs of the pool's namespaces and of its networks."""
    api = await Api.connect(await engines.cluster())
    namespaces = (await api.call("GET", f"/api/v1/namespaces?labelSelector={OWNER}=pool"))["items"]
    await api.close()
    with contextlib.closing(docker.DockerClient(base_url=(await engines.docker()).host)) as client:
        networks = client.networks.list(filters={"label": f"{OWNER}=pool"})
    return {one["metadata"]["labels"][RUN] for one in namespaces}, {one.attrs["Labels"][RUN] for one in networks}


async def test_a_learner_gets_what_stands_already_and_the_pool_fills_again(engines: Engines) -> None:
    async with kept(engines, size=2) as pool:
        await pool.full.wait()
        before = await in_the_pool(engines)
        async with pool.open("ada", 120) as sandbox:
            await sandbox.prepare()
            name = sandbox.docker.tag.container("web")
            await sandbox.docker.run(Container(name))
            with contextlib.closing(docker.DockerClient(base_url=(await engines.docker()).host)) as client:
                labels = client.containers.get(name).labels
            await pool.full.wait()
            during = await in_the_pool(engines)
        after = await in_the_pool(engines)

    assert before[0] == before[1]
    assert sandbox.run in before[0]
    assert (labels[OWNER], labels[RUN]) == ("ada", sandbox.run)
    assert (len(before[0]), len(during[0])) == (2, 3)
    assert after == (during[0] - {sandbox.run}, during[1] - {sandbox.run})
    assert all(cleanup.removed and not cleanup.left for cleanup in sandbox.cleanups)
    assert await in_the_pool(engines) == (set(), set())


async def test_a_demo_in_a_prepared_sandbox_completes_and_its_cleanup_is_verified(engines: Engines) -> None:
    async with kept(engines) as pool:
        await pool.full.wait()
        prepared, _ = await in_the_pool(engines)
        end = [event async for event in perform(*choose(load_demos(), "selfheal"), "ada", pool.open)][-1]

    assert isinstance(end, Result)
    assert (end.error, end.completed, end.cleaned_up) == (None, True, True)
    assert {end.run} == prepared


async def test_a_demo_that_may_outlast_a_prepared_sandbox_gets_one_of_its_own(engines: Engines) -> None:
    async with kept(engines) as pool:
        await pool.full.wait()
        prepared, _ = await in_the_pool(engines)
        async with pool.open("ada", 841) as sandbox:
            assert sandbox.run not in prepared


async def test_what_nobody_took_is_thrown_away_and_made_anew_before_it_expires(engines: Engines) -> None:
    async with kept(engines, seconds=1) as pool:
        await pool.full.wait()
        first, _ = await in_the_pool(engines)
        pool.full.clear()
        await pool.full.wait()
        second, _ = await in_the_pool(engines)

    assert (len(first), len(second)) == (1, 1)
    assert first != second


async def test_what_a_killed_process_leaves_of_a_pool_goes_with_the_sweep_and_is_not_given_away(
    engines: Engines,
) -> None:
    async with kept(engines) as pool:
        await pool.full.wait()
        (run,), _ = await in_the_pool(engines)
        early = await sweep(engines)
        late = await sweep(engines, datetime.now(UTC) + timedelta(minutes=15))
        async with pool.open("ada", 60) as sandbox:
            await sandbox.prepare()

            assert sandbox.run != run

    assert not any(run in one for one in early.removed)
    assert {f"network portside-{run}", f"namespace portside-{run}"} <= set(late.removed)
