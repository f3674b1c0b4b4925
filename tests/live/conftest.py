"""The real engines of the live tests: one pair for all, with a data folder and an address range of its own."""

import asyncio
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from boxes import OURS
from shells import build_compose, compose_plugin

from sandbox import local
from sandbox.engines import EngineConfig, Engines
from sandbox.local import build
from sandbox.local.engines import LocalEngines, missing
from sandbox.local.toolchain import Workshop

CACHE = Path.home() / ".cache" / "portside"


async def build_all() -> None:
    workshop = Workshop(CACHE)
    await build.fetch_modules(workshop, lambda _: None)
    await build.build_kubernetes(workshop, lambda _: None)
    await build.build_app(workshop)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Build before the first test, whose time limit is made for a warm machine."""
    if missing() or session.config.option.collectonly:
        return
    used = {name for item in session.items for name in getattr(item, "fixturenames", ())}
    write_line = session.config.pluginmanager.get_plugin("terminalreporter").write_line
    if "engines" in used and not build.kubernetes_binary(CACHE).exists():
        write_line("building Kubernetes, once: minutes")
        asyncio.run(build_all())
    if "compose" in used and not compose_plugin(CACHE).exists():
        write_line("building Docker Compose, once: minutes")
        asyncio.run(build_compose(Workshop(CACHE)))


def free_range(first: int) -> str:
    """Find a range for engines of a test's own, beside those of whatever else runs here."""
    taken = subprocess.run(["ip", "route"], capture_output=True, text=True, check=False).stdout
    return next(text for second in range(first, 256) if (text := f"10.{second}.0.0/16") not in taken)


@pytest.fixture(autouse=True)
def machine(request: pytest.FixtureRequest) -> None:
    """Skip what changes the machine where it cannot be changed."""
    if request.node.get_closest_marker("machine") and (why := missing()):
        pytest.skip(why)


@pytest.fixture(scope="session")
def engine_config(tmp_path_factory: pytest.TempPathFactory) -> EngineConfig:
    return EngineConfig(tmp_path_factory.mktemp("data"), CACHE, free_range(197))


@pytest.fixture(scope="session")
def engines(engine_config: EngineConfig) -> Iterator[Engines]:
    """Engines of our own, whatever else the machine has; every test finds them ready."""
    if why := missing():
        pytest.skip(why)
    engines = LocalEngines(engine_config, OURS)
    asyncio.run(engines.enter())
    try:
        asyncio.run(ready(engines))
        yield engines
    finally:
        asyncio.run(engines.leave())


@pytest.fixture(scope="session")
def compose() -> None:
    """Docker Compose, as a plugin of the docker command; it is built before the first test."""
    if why := missing():
        pytest.skip(why)


@pytest.fixture
def own(tmp_path: Path, engine_config: EngineConfig) -> Iterator[EngineConfig]:
    """A pair of this test's own, beside the one that the other tests share."""
    config = EngineConfig(tmp_path, engine_config.cache, free_range(220))
    yield config
    asyncio.run(local.down(config))


async def ready(engines: Engines) -> None:
    await engines.docker()
    await engines.cluster()
