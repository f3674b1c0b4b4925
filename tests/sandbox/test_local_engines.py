"""Engines where none can be started, and engines of the operator's: what is said, and what is left alone."""

import json
import os
from pathlib import Path

import pytest

from sandbox import local
from sandbox.engines import EngineConfig
from sandbox.errors import EngineUnavailable
from sandbox.events import Engine
from sandbox.local import foreign
from sandbox.local.engines import LocalEngines, missing
from sandbox.local.foreign import Choice
from sandbox.local.reports import Report

OURS = Choice(docker_host=None, context=None, in_cluster=False)


def config(folder: Path, **settings: str) -> EngineConfig:
    return EngineConfig(folder, folder / "cache", **settings)


async def test_without_the_programs_there_are_no_engines_and_it_is_said_why(tmp_path: Path) -> None:
    os.environ["PATH"] = str(tmp_path)
    why = missing()
    engines = LocalEngines(config(tmp_path), OURS)

    await engines.enter()
    statuses = engines.status()
    shown = [seen async for seen in engines.progress()]
    with pytest.raises(EngineUnavailable) as refused:
        await engines.docker()
    await engines.leave()

    assert why is not None
    assert [status.state for status in statuses] == ["failed", "failed"]
    assert {status.detail for status in statuses} == {why} == {str(refused.value)}
    assert shown == [statuses]
    assert not (tmp_path / "engines").exists()


async def test_a_docker_that_does_not_answer_is_said_so_and_none_of_ours_is_started_instead(tmp_path: Path) -> None:
    socket = f"unix://{tmp_path}/docker.sock"
    choice = Choice(docker_host=socket, context="none", in_cluster=False)
    engines = LocalEngines(config(tmp_path, docker_host=socket, demo_image="web:1"), choice)

    await engines.enter()
    statuses = await engines.settled()
    with pytest.raises(EngineUnavailable, match=r"docker\.sock"):
        await engines.docker()
    await engines.leave()

    assert [status.state for status in statuses] == ["failed", "failed"]
    assert not (tmp_path / "engines").exists()


async def test_a_data_folder_that_cannot_be_written_is_named_with_what_to_do(tmp_path: Path) -> None:
    in_the_way = tmp_path / "data"
    in_the_way.write_text("a file")
    engines = LocalEngines(config(in_the_way), OURS)

    await engines.enter()
    await engines.leave()

    said = engines.status()[0].detail
    assert said == missing() or said.startswith(f"The data folder {in_the_way} cannot be written")


async def test_nothing_is_up_where_nobody_has_started_anything(tmp_path: Path) -> None:
    engines = LocalEngines(config(tmp_path), OURS)

    states = {status.state for status in engines.status()}

    assert states <= {"absent", "failed"}
    with pytest.raises(EngineUnavailable, match="portside engines up"):
        local.kubeconfig(config(tmp_path))


async def test_down_where_nothing_is_up_does_nothing(tmp_path: Path) -> None:
    await local.down(config(tmp_path))

    assert not (tmp_path / "engines").exists()


async def test_a_range_that_cannot_be_is_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(EngineUnavailable, match="PORTSIDE_ENGINE_RANGE"):
        async with local.open_engines(config(tmp_path, network="8.8.0.0/16")):
            """Not reached."""


KUBECONFIG = {
    "current-context": "production",
    "contexts": [
        {"name": "production", "context": {"cluster": "far", "user": "me"}},
        {"name": "play", "context": {"cluster": "near", "user": "me"}},
        {"name": "broken", "context": {"cluster": "nowhere", "user": "me"}},
    ],
    "clusters": [
        {"name": "far", "cluster": {"server": "https://192.0.2.1:6443"}},
        {"name": "near", "cluster": {"server": "https://127.0.0.1:1/prefix", "certificate-authority": "ca.crt"}},
    ],
}


@pytest.fixture
def kubeconfig(tmp_path: Path) -> Path:
    path = tmp_path / "kubeconfig"
    path.write_text(json.dumps(KUBECONFIG))
    (tmp_path / "ca.crt").write_text("a certificate")
    os.environ["KUBECONFIG"] = str(path)
    return path


async def test_a_docker_of_the_operators_that_does_not_answer_is_named_with_its_setting(tmp_path: Path) -> None:
    host = f"unix://{tmp_path}/nothing.sock"

    with pytest.raises(EngineUnavailable, match="DOCKER_HOST"):
        await foreign.docker(host, config(tmp_path, docker_host=host))


@pytest.mark.parametrize(
    ("host", "elsewhere"),
    [
        ("tcp://192.0.2.1:2375", True),
        ("tcp://docker:2375", True),
        ("tcp://127.0.0.1:2375", False),
        ("unix:///var/run/docker.sock", False),
    ],
)
def test_a_docker_on_another_machine_is_known_by_its_host(host: str, elsewhere: bool) -> None:
    assert foreign._is_elsewhere(host) is elsewhere


async def test_a_docker_behind_ssh_is_refused_with_what_to_do() -> None:
    with pytest.raises(EngineUnavailable, match=r"Forward the engine's socket .* DOCKER_HOST=unix:///"):
        await foreign.docker_version("ssh://ada@192.0.2.1")


async def test_the_current_context_of_a_kubeconfig_is_never_used_by_itself(kubeconfig: Path) -> None:
    choice = await foreign.choose(config(kubeconfig.parent, docker_host="unix:///x.sock"))

    assert choice == Choice("unix:///x.sock", None, in_cluster=False)
    assert not choice.cluster


def test_a_named_context_says_where_its_api_server_is_and_who_has_signed_for_it(kubeconfig: Path) -> None:
    assert foreign._server(kubeconfig, "play") == ("https://127.0.0.1:1/prefix", "a certificate")
    assert foreign._server(kubeconfig, "production") == ("https://192.0.2.1:6443", None)


@pytest.mark.parametrize("context", ["broken", "unknown", ""])
def test_a_context_that_cannot_be_used_is_named_with_what_to_do(kubeconfig: Path, context: str) -> None:
    with pytest.raises(EngineUnavailable, match="PORTSIDE_KUBE_CONTEXT"):
        foreign._server(kubeconfig, context)


def test_a_cluster_of_the_operators_needs_a_published_image(kubeconfig: Path) -> None:
    choice = Choice(docker_host=None, context="play", in_cluster=False)

    with pytest.raises(EngineUnavailable, match="PORTSIDE_DEMO_IMAGE"):
        foreign.kubernetes(choice, config(kubeconfig.parent, kube_context="play"))


def test_what_was_never_reported_is_absent() -> None:
    assert [Report().status(engine).state for engine in Engine] == ["absent", "absent"]
