"""The registry of our own engines: what Docker pushes, a node pulls by the same digest, and nobody else reaches it."""

import asyncio
import os
import subprocess

import docker
import pytest
from pods import ask, pod, serving

from sandbox.engines import EngineConfig, Engines
from sandbox.lab import Lab
from sandbox.local.api import Api
from sandbox.local.layout import REGISTRY_PORT, Layout

pytestmark = [pytest.mark.machine, pytest.mark.docker, pytest.mark.kubernetes]


def push(host: str, image: str, repository: str) -> str:
    """Build an image of its own on the demo image, push it, and return its name with digest."""
    client = docker.DockerClient(host, version="auto")
    try:
        subprocess.run(
            ["docker", "--host", host, "build", "--quiet", "--tag", f"{repository}:1", "-"],
            input=f"FROM {image}\nENV VERSION=shipped\n".encode(),
            env=os.environ | {"DOCKER_BUILDKIT": "0"},
            check=True,
            capture_output=True,
        )
        said = list(client.images.push(repository, tag="1", stream=True, decode=True))
        digest = next(line["aux"]["Digest"] for line in said if "aux" in line)
        client.images.remove(f"{repository}:1")
    finally:
        client.close()
    return f"{repository}@{digest}"


async def test_what_docker_has_pushed_a_node_pulls_by_the_same_digest(
    engines: Engines, engine_config: EngineConfig
) -> None:
    there, cluster = await engines.docker(), await engines.cluster()
    api = Api(Layout.of(engine_config))

    name = await asyncio.to_thread(push, there.host, there.images.of("2"), f"{there.registry}/web-shipped")
    async with Lab(engines).open("live-test", 60) as sandbox:
        await sandbox.prepare()
        await sandbox.cluster.apply(pod(sandbox.cluster.tag, "shipped", name, "node3"))
        status, said = await asyncio.to_thread(ask, await serving(api, sandbox.cluster.tag, "shipped"))
        pods = api.get(f"/api/v1/namespaces/{sandbox.cluster.tag.place}/pods")["items"]

    assert there.registry == cluster.registry
    assert (status, said.split()[-1]) == (200, "shipped")
    assert [one["status"]["containerStatuses"][0]["imageID"] for one in pods] == [name]


@pytest.mark.usefixtures("engines")
async def test_the_registry_is_not_reached_from_outside_of_the_box(engine_config: EngineConfig) -> None:
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection(str(Layout.of(engine_config).box_address), REGISTRY_PORT)
