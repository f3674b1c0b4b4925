"""A node without power, and a second Docker: they fail whole, and come back whatever becomes of the asker."""

import asyncio
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime
from typing import Any

import docker
import pytest
from boxes import OURS, chain, held
from machine import changes, machine
from pods import ask, pod, serving, wait

from sandbox import local
from sandbox.engines import EngineConfig, Engines, Machines
from sandbox.errors import EngineUnavailable
from sandbox.lab import Lab
from sandbox.local import cgroups
from sandbox.local.api import Api
from sandbox.local.engines import LocalEngines
from sandbox.local.layout import NODES, SPARE, Layout

pytestmark = [pytest.mark.machine, pytest.mark.docker, pytest.mark.kubernetes]

GONE = "timed out|No route to host|unreachable|refused"
BORROWER = """
import asyncio, sys
from pathlib import Path
from sandbox.engines import EngineConfig
from sandbox.local.borrowing import LocalMachines
from sandbox.local.layout import Layout

async def borrow():
    machines = LocalMachines(Layout.of(EngineConfig(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])))
    async with machines.node_stopped("node3"), machines.second_docker():
        print("borrowed", flush=True)
        await asyncio.Event().wait()

asyncio.run(borrow())
"""


def machines_of(engines: Engines) -> Machines:
    machines = engines.machines()
    assert machines is not None
    return machines


def condition(api: Api, node: str) -> str:
    conditions = api.get(f"/api/v1/nodes/{node}")["status"]["conditions"]
    return next(str(one["status"]) for one in conditions if one["type"] == "Ready")


async def test_a_node_that_lost_its_power_is_gone_at_once_and_serves_again_three_times(
    engines: Engines, engine_config: EngineConfig
) -> None:
    layout = Layout.of(engine_config)
    api, node = Api(layout), "node2"
    async with Lab(engines).open("live-test", 170) as sandbox:
        tag, image = sandbox.cluster.tag, sandbox.cluster.images.of("1")
        await sandbox.prepare()
        for name in ("first", "second", "third"):
            await sandbox.cluster.apply(pod(tag, name, image, node))
            host = await serving(api, tag, name)
            async with machines_of(engines).node_stopped(node):
                left = cgroups.processes(layout, node)
                with pytest.raises(OSError, match=GONE):
                    await asyncio.to_thread(ask, host)
                await wait(lambda: condition(api, node) == "Unknown")
            assert left == set()
            assert condition(api, node) == "True"

    assert {condition(api, one) for one in NODES} == {"True"}


async def test_one_node_is_stopped_at_a_time(engines: Engines) -> None:
    machines = machines_of(engines)

    async with machines.node_stopped("node1"):
        with pytest.raises(EngineUnavailable, match="Another demo has the node"):
            async with machines.node_stopped("node2"):
                """Not reached."""


async def test_what_was_borrowed_is_put_back_when_the_borrower_is_killed(
    engines: Engines, engine_config: EngineConfig
) -> None:
    layout = Layout.of(engine_config)
    argv = (sys.executable, "-c", BORROWER, str(engine_config.data), str(engine_config.cache), engine_config.network)
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as borrower:  # noqa: ASYNC220 - a process to be killed
        said = borrower.stdout.readline() if borrower.stdout else ""
        there = bool(cgroups.processes(layout, SPARE)), bool(cgroups.processes(layout, "node3"))
        killed = datetime.now(UTC)
        borrower.kill()

    assert said == "borrowed\n"
    assert there == (True, False)
    await wait(lambda: cgroups.processes(layout, "node3") and not cgroups.processes(layout, SPARE))
    await wait(lambda: not layout.spare_disk.exists())
    await wait(lambda: Api(layout).ready_since("node3", killed))


def states(client: Any) -> dict[str, str]:
    return {one.name: one.status for one in client.containers.list(all=True)}


async def test_a_second_docker_loses_its_power_with_all_its_containers_and_some_of_them_return(
    engines: Engines, engine_config: EngineConfig
) -> None:
    layout = Layout.of(engine_config)
    first = docker.DockerClient((await engines.docker()).host, version="auto")
    before = states(first), machine(layout)["links"]

    async with machines_of(engines).second_docker() as second:
        client = docker.DockerClient(second.endpoint.host, version="auto", timeout=20)
        network = client.networks.create("machine")
        for name, policy in (("stays", "no"), ("returns", "unless-stopped"), ("always", "always")):
            restart = {"Name": policy}
            client.containers.run(
                second.endpoint.images.of("2"), detach=True, name=name, restart_policy=restart, network=network.name
            )
        found = client.containers.get("returns").attrs["NetworkSettings"]["Networks"]["machine"]["IPAddress"]
        answer = await wait(lambda: ask(found)[1])
        await second.cut()
        left = cgroups.processes(layout, SPARE)
        with pytest.raises(OSError, match=GONE):
            await asyncio.to_thread(ask, found)
        await second.start()
        await wait(lambda: states(client) == {"stays": "exited", "returns": "running", "always": "running"})
        found = client.containers.get("returns").attrs["NetworkSettings"]["Networks"]["machine"]["IPAddress"]
        again = await wait(lambda: ask(found)[1])
        client.close()

    assert "version 2" in answer
    assert "version 2" in again
    assert left == set()
    assert cgroups.processes(layout, SPARE) == set()
    assert not layout.spare_disk.exists()
    assert (states(first), machine(layout)["links"]) == before
    first.close()


async def test_of_a_cluster_of_the_operators_nothing_can_be_stopped(engine_config: EngineConfig) -> None:
    operators = OURS.__class__(docker_host=None, context="theirs", in_cluster=False)

    engines = LocalEngines(engine_config, operators)
    machines = engines.machines()
    await engines.leave()

    assert machines is None


async def test_a_keepers_death_gives_everything_back_and_down_leaves_nothing_of_what_is_borrowed(
    own: EngineConfig,
) -> None:
    layout = Layout.of(own)
    before = machine(layout)
    async with held(own) as engines:
        await engines.cluster()
        async with machines_of(engines).node_stopped("node1"):
            os.kill(chain(layout)["keeper"], signal.SIGKILL)
        await engines.cluster()
        nodes = Api(layout).ready_nodes()
        async with machines_of(engines).node_stopped("node1"), machines_of(engines).second_docker():
            await local.down(own)

    assert nodes == len(NODES)
    assert changes(before, layout) == {}
