"""The demo image in a container: what it answers, and how it breaks."""

from collections.abc import AsyncIterator
from typing import Any

import docker
import httpx
import pytest

from sandbox.engines import Engines
from sandbox.http import NoAnswer, request
from sandbox.routes import Address

pytestmark = pytest.mark.docker


@pytest.fixture
async def containers(engines: Engines) -> AsyncIterator["Containers"]:
    """Start containers of the image; all are removed at the end."""
    endpoint = await engines.docker()
    client = docker.DockerClient(base_url=endpoint.host)
    started = Containers(client, endpoint.image)
    yield started
    started.remove()
    client.close()


class Containers:
    """Containers of the demo image with different settings."""

    def __init__(self, client: docker.DockerClient, image: str) -> None:
        self._client = client
        self._image = image
        self._started: list[Any] = []

    async def start(self, **environment: str) -> Address:
        container = self._client.containers.run(
            self._image, detach=True, environment=environment, tmpfs={"/data": "uid=65532"}, mem_limit="64m"
        )
        self._started.append(container)
        container.reload()
        address = Address(container.attrs["NetworkSettings"]["IPAddress"], 8080)
        await answering(address)
        return address

    def wait(self) -> int:
        return int(self._started[-1].wait(timeout=20)["StatusCode"])

    def running(self) -> bool:
        self._started[-1].reload()
        return bool(self._started[-1].status == "running")

    def remove(self) -> None:
        for container in self._started:
            container.remove(force=True)


async def answering(address: Address) -> None:
    for _ in range(100):
        try:
            await request(address, "GET", "/healthz", 1)
        except NoAnswer:
            continue
        return


async def test_it_says_who_answers_to_programs_and_draws_a_page_for_people(containers: Containers) -> None:
    address = await containers.start(NAME="one", VERSION="2", COLOUR="#805300")
    async with httpx.AsyncClient(trust_env=False) as client:
        page = (await client.get(f"http://{address}/", headers={"Accept": "text/html"})).text
        text = (await client.get(f"http://{address}/")).text

    assert text == "instance one version 2\n"
    assert "<b>one</b>" in page
    assert "background:#805300" in page


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/healthz", 200),
        ("GET", "/readyz", 200),
        ("GET", "/burn?ms=5", 200),
        ("GET", "/burn?ms=many", 400),
        ("GET", "/nothing", 404),
        ("GET", "/fetch", 400),
        ("GET", "/fetch?service=kube-dns.kube-system", 400),
        ("GET", "/fetch?service=169.254.169.254", 400),
        ("GET", "/fetch?service=web:80", 400),
        ("GET", "/fetch?service=localhost", 200),
        ("GET", "/fetch?service=nobody", 502),
        ("GET", "/fault/crash", 405),
        ("GET", "/data", 404),
    ],
)
async def test_every_path_answers_as_documented(containers: Containers, method: str, path: str, status: int) -> None:
    assert (await request(await containers.start(), method, path, 2)).status == status


async def test_a_note_is_read_back_as_it_was_written(containers: Containers) -> None:
    data = f"http://{await containers.start()}/data"

    async with httpx.AsyncClient(trust_env=False) as client:
        written = await client.put(data, content="remember me")
        note = (await client.get(data)).text
        too_long = await client.put(data, content="x" * 5000)

    assert (written.status_code, note, too_long.status_code) == (204, "remember me", 413)


async def test_a_variant_lives_and_is_never_ready(containers: Containers) -> None:
    address = await containers.start(READY="never")

    assert (await request(address, "GET", "/healthz", 2)).status == 200
    assert (await request(address, "GET", "/readyz", 2)).status == 503


async def test_an_app_that_is_out_lives_but_is_neither_ready_nor_of_use_until_it_is_told_otherwise(
    containers: Containers,
) -> None:
    address = await containers.start()
    found = []
    for told in ("unready", "ready"):
        assert (await request(address, "POST", f"/fault/{told}", 2)).status == 202
        found.append([(await request(address, "GET", path, 2)).status for path in ("/", "/readyz", "/healthz")])

    assert found == [[503, 503, 200], [200, 200, 200]]


@pytest.mark.parametrize(("fault", "code"), [("crash", 1), ("leak", 137)])
async def test_a_fault_that_ends_it_answers_first(containers: Containers, fault: str, code: int) -> None:
    address = await containers.start()

    assert (await request(address, "POST", f"/fault/{fault}", 2)).status == 202
    assert containers.wait() == code


async def test_a_hung_app_stays_and_answers_nothing_at_all(containers: Containers) -> None:
    address = await containers.start()

    assert (await request(address, "POST", "/fault/hang", 2)).status == 202
    for path in ("/", "/healthz", "/readyz"):
        with pytest.raises(NoAnswer):
            await request(address, "GET", path, 0.3)
    assert containers.running()
