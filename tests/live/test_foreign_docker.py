"""A Docker engine of the operator's, with nothing of ours around it: what leads to a container, and what out of it."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import docker
import pytest
from boxes import connect, until
from conftest import CACHE
from demo_runs import Changed
from machine import output

from sandbox.containers import Containers
from sandbox.demo import choose, perform
from sandbox.demos import load_demos
from sandbox.docker_run import Container
from sandbox.engines import DockerEndpoint, Engines, Images
from sandbox.errors import PortTaken
from sandbox.events import Engine, Result, Started
from sandbox.lab import Lab
from sandbox.local.images import Docker
from sandbox.local.toolchain import Workshop
from sandbox.names import Tag
from sandbox.routes import Address

pytestmark = [pytest.mark.machine, pytest.mark.docker]

PORTSIDE = str(Path(sys.executable).with_name("portside"))
BRIDGE = "10.77.0.1"
POOL = "base=10.78.0.0/16,size=24"
START = "ip link set lo up && exec dockerd"
SERVE = "import http.server as h, sys; h.test(h.SimpleHTTPRequestHandler, port=8000, bind=sys.argv[1])"
ASK = "import sys, urllib.request as u; print(u.urlopen(sys.argv[1], timeout=5).read().decode())"


@contextmanager
def started(*argv: str) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(20)


class Foreign:
    """A dockerd in a network of its own; `process` is it, as this machine sees it."""

    def __init__(self, host: str, process: int, images: Images) -> None:
        self.process = process
        self.there = ("nsenter", "--target", str(process), "--net")
        self.endpoint = DockerEndpoint(host, images, ours=False)

    def inside(self, *argv: str) -> str:
        """Run a program where the engine is."""
        return "\n".join(output(*self.there, *argv))


@pytest.fixture
async def foreign(tmp_path: Path) -> AsyncIterator[Foreign]:
    folders = {"data-root": "data", "exec-root": "exec", "pidfile": "pid"}
    flags = [f"--{flag}={tmp_path / name}" for flag, name in folders.items()]
    host = f"unix://{tmp_path}/docker.sock"
    flags += [f"--host={host}", f"--bip={BRIDGE}/24", f"--default-address-pool={POOL}", "--storage-driver=vfs"]
    with started("unshare", "--net", "sh", "-c", f"{START} {' '.join(flags)}") as daemon:
        until(lambda: (tmp_path / "docker.sock").exists() and (tmp_path / "pid").exists())
        images, _ = await Docker(host).load_demo_images(Workshop(CACHE))
        yield Foreign(host, daemon.pid, images)


@asynccontextmanager
async def run_of(endpoint: DockerEndpoint, run: str) -> AsyncIterator[Containers]:
    """A run with its network, which is removed at the end."""
    found = await Containers.connect(endpoint, Tag(run, "live-test", datetime.now(UTC) + timedelta(minutes=5)))
    try:
        await found.network_create()
        yield found
    finally:
        assert await found.prune()
        assert not await found.left()
        await found.close()


async def web(host: str, containers: Containers, app: str = "web") -> tuple[Address, int]:
    """Start a container; return its address, and its process as this machine sees it."""
    name = containers.tag.container(app)
    await containers.run(Container(name))
    with closing(docker.DockerClient(base_url=host)) as client:
        return await containers.address(name), client.containers.get(name).attrs["State"]["Pid"]


async def test_a_port_leads_to_its_container_and_a_second_container_is_refused_it(foreign: Foreign) -> None:
    async with run_of(foreign.endpoint, "published") as containers:
        port = await containers.free_port()
        first = containers.tag.container("web")
        await containers.run(Container(first, publish=port))
        with pytest.raises(PortTaken):
            await containers.run(Container(containers.tag.container("web2"), publish=port))
        answered = foreign.inside(sys.executable, "-c", ASK, f"http://127.0.0.1:{port}/")

    assert first in answered


async def test_containers_reach_each_other_and_nothing_beyond_their_network(foreign: Foreign) -> None:
    as_ours = replace(foreign.endpoint, ours=True, far=True)
    async with run_of(foreign.endpoint, "nowayout") as closed, run_of(as_ours, "wideopen") as opened:
        with started(*foreign.there, sys.executable, "-c", SERVE, BRIDGE):
            until(lambda: connect(BRIDGE, 8000, foreign.process) == "connected")
            beside, _ = await web(foreign.endpoint.host, closed, "web2")
            _, process = await web(foreign.endpoint.host, closed)
            _, elsewhere = await web(foreign.endpoint.host, opened)
            attempts = {
                "to the container beside it": connect(beside.host, beside.port, process),
                "past its network": connect(BRIDGE, 8000, process),
                "past a network with a gateway": connect(BRIDGE, 8000, elsewhere),
            }

    assert {name for name, outcome in attempts.items() if outcome == "connected"} == {
        "to the container beside it",
        "past a network with a gateway",
    }


@pytest.mark.kubernetes
async def test_a_demo_beside_the_operators_docker_asks_the_app_itself_and_has_a_cluster_of_ours(
    foreign: Foreign, tmp_path: Path
) -> None:
    settings = {"PORTSIDE_DATA": str(tmp_path / "portside"), "PORTSIDE_ENGINE_RANGE": "10.79.0.0/16"}
    demo = await asyncio.create_subprocess_exec(
        *(*foreign.there, PORTSIDE, "demo", "selfheal", "--fault", "crash", "--json"),
        env=os.environ | settings | {"DOCKER_HOST": foreign.endpoint.host},
        stdout=asyncio.subprocess.PIPE,
    )
    said, _ = await demo.communicate()
    started, *_, end = map(json.loads, said.splitlines())

    assert demo.returncode == 0
    assert started["engines"]["docker"]["where"] == foreign.endpoint.host
    assert started["engines"]["kubernetes"]["where"] == "this machine"
    assert (end["error"], end["completed"], end["cleaned_up"]) == (None, True, True)
    assert [lane["recovered"] for lane in end["engines"].values()] == [True, True]


@pytest.mark.kubernetes
@pytest.mark.parametrize("name", ["selfheal", "scale"])
async def test_a_demo_on_a_docker_that_is_not_reached_from_here_asks_from_beside_the_app(
    foreign: Foreign, engines: Engines, name: str
) -> None:
    lab = Lab(Changed(engines, docker=lambda _: foreign.endpoint))
    events = [event async for event in perform(*choose(load_demos(), name), "live-test", lab.open)]
    started, end = events[0], events[-1]

    assert isinstance(started, Started)
    assert isinstance(end, Result)
    assert started.engines[Engine.DOCKER].where.endswith("asked from a container beside the app")
    assert started.engines[Engine.KUBERNETES].where == "this machine"
    assert (end.error, end.completed, end.cleaned_up) == (None, True, True)
    assert load_demos()[name].lesson(end) is None
