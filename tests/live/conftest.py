"""The real engines of the live tests: one pair for all, with a data folder and an address range of its own."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.engines import EngineConfig, Engines
from sandbox.local import build
from sandbox.local.engines import LocalEngines, missing
from sandbox.local.foreign import Choice
from sandbox.local.toolchain import Workshop

CACHE = Path.home() / ".cache" / "portside"


async def build_all() -> None:
    workshop = Workshop(CACHE)
    await build.fetch_modules(workshop, lambda _: None)
    await build.build_kubernetes(workshop, lambda _: None)
    await build.build_app(workshop)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Build before the first test, whose time limit is made for a warm machine."""
    needed = any("engines" in getattr(item, "fixturenames", ()) for item in session.items)
    if (
        needed
        and not missing()
        and not session.config.option.collectonly
        and not build.kubernetes_binary(CACHE).exists()
    ):
        session.config.pluginmanager.get_plugin("terminalreporter").write_line("building Kubernetes, once: minutes")
        asyncio.run(build_all())


@pytest.fixture(autouse=True)
def machine(request: pytest.FixtureRequest) -> None:
    """Skip what changes the machine where it cannot be changed."""
    if request.node.get_closest_marker("machine") and (why := missing()):
        pytest.skip(why)


@pytest.fixture(scope="session")
def engine_config(tmp_path_factory: pytest.TempPathFactory) -> EngineConfig:
    return EngineConfig(tmp_path_factory.mktemp("data"), CACHE, network="10.197.0.0/16")


@pytest.fixture(scope="session")
def engines(engine_config: EngineConfig) -> Iterator[Engines]:
    """Engines of our own, whatever else the machine has; every test finds them ready."""
    if why := missing():
        pytest.skip(why)
    engines = LocalEngines(engine_config, Choice(docker_host=None, context=None, in_cluster=False))
    asyncio.run(engines.enter())
    try:
        asyncio.run(ready(engines))
        yield engines
    finally:
        asyncio.run(engines.leave())


async def ready(engines: Engines) -> None:
    await engines.docker()
    await engines.cluster()
