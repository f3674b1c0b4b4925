"""A sweep on the real engines: what has expired goes, what lives or belongs to others stays."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import docker
import pytest

from sandbox import lifetimes
from sandbox.cluster_api import Api
from sandbox.docker_run import Container
from sandbox.engines import Engines
from sandbox.lab import Lab
from sandbox.reaper import remove_run, sweep
from sandbox.sandbox import Sandbox

pytestmark = [pytest.mark.docker, pytest.mark.kubernetes]


# When what was made for 60 s has expired.
AFTER_60 = timedelta(seconds=60 + lifetimes.MARGIN + 1)


@pytest.fixture
async def stuck(engines: Engines) -> AsyncIterator[str]:
    """A network of ours that Docker cannot remove, because a container of somebody else is in it; long expired."""
    endpoint = await engines.docker()
    client = docker.DockerClient(base_url=endpoint.host)
    marks = {"portside.dev/managed-by": "bot", "portside.dev/expires-at": "2001-01-01T00:00:00Z"}
    network = client.networks.create("a-stuck-network", labels=marks)
    container = client.containers.run(endpoint.image, detach=True, network=network.id)
    yield network.id
    container.remove(force=True)
    network.remove()
    client.close()


@pytest.fixture
async def stranger(engines: Engines) -> AsyncIterator[str]:
    """A network of somebody else, with an expiry that has passed long ago."""
    client = docker.DockerClient(base_url=(await engines.docker()).host)
    network = client.networks.create("stranger", labels={"portside.dev/expires-at": "2001-01-01T00:00:00Z"})
    yield network.id
    network.remove()
    client.close()


async def namespaces(engines: Engines) -> set[str]:
    api = await Api.connect(await engines.cluster())
    found = await api.call("GET", "/api/v1/namespaces")
    await api.close()
    return {one["metadata"]["name"] for one in found["items"] if "deletionTimestamp" not in one["metadata"]}


async def containers(engines: Engines) -> set[str]:
    client = docker.DockerClient(base_url=(await engines.docker()).host)
    names = {container.name for container in client.containers.list(all=True)}
    client.close()
    return names


async def networks(engines: Engines) -> set[str]:
    client = docker.DockerClient(base_url=(await engines.docker()).host)
    names = {network.id for network in client.networks.list()}
    client.close()
    return names


async def started(sandbox: Sandbox) -> str:
    name = sandbox.docker.tag.container("web")
    await sandbox.docker.run(Container(name))
    return name


async def test_only_what_is_ours_and_has_expired_is_removed(engines: Engines, stranger: str) -> None:
    lab = Lab(engines)
    async with lab.open("live-test", 60) as dead, lab.open("live-test", 3600 / 6) as living:
        await asyncio.gather(dead.prepare(), living.prepare())
        gone = await started(dead)
        kept = await started(living)

        swept = await sweep(engines, datetime.now(UTC) + AFTER_60)

        assert swept.missed == ()
        assert set(swept.removed) >= {
            f"container {gone}",
            f"network {dead.docker.tag.place}",
            f"namespace portside-{dead.run}",
        }
        assert not any(living.run in one or kept in one for one in swept.removed)
        assert gone not in await containers(engines)
        assert kept in await containers(engines)
        assert dead.docker.tag.place not in await namespaces(engines)
        assert living.docker.tag.place in await namespaces(engines)
        assert stranger in await networks(engines)


async def test_nothing_is_removed_before_its_time(engines: Engines) -> None:
    async with Lab(engines).open("live-test", 60) as sandbox:
        await sandbox.prepare()
        name = await started(sandbox)
        swept = await sweep(engines)

        assert not any(sandbox.run in one or name in one for one in swept.removed)
        assert name in await containers(engines)


@pytest.mark.usefixtures("stuck")
async def test_what_cannot_be_removed_does_not_keep_the_rest_from_going(engines: Engines) -> None:
    async with Lab(engines).open("live-test", 60) as dead:
        await dead.prepare()

        swept = await sweep(engines, datetime.now(UTC) + AFTER_60)

        assert swept.missed == ()
        assert f"network {dead.docker.tag.place}" in swept.removed
        assert "network a-stuck-network" not in swept.removed


async def test_a_run_whose_process_is_gone_is_removed_alone_and_before_its_time(engines: Engines) -> None:
    lab = Lab(engines)
    async with lab.open("live-test", 60) as dead, lab.open("live-test", 60) as living:
        await asyncio.gather(dead.prepare(), living.prepare())
        gone = await started(dead)

        swept = await remove_run(engines, dead.run)

        place = dead.docker.tag.place
        assert set(swept.removed) == {f"container {gone}", f"network {place}", f"namespace {place}"}
        assert place not in await namespaces(engines)
        assert living.docker.tag.place in await namespaces(engines)
