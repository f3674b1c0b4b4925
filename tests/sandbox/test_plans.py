"""What every demo offers to be typed and taken home, and that a file of the learner's is never lost over it."""

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from sandbox.compose import compose
from sandbox.demo import Demo, Options
from sandbox.demos import load_demos
from sandbox.docker_run import Container, docker_run
from sandbox.errors import CannotExport
from sandbox.listing import CLEAN_UP, listing, sections
from sandbox.manifests import Check
from sandbox.plan import PLAIN
from sandbox.takehome import export, files

CASES = [
    pytest.param(demo, Options(fault, copies), id=f"{name}-{fault}-{copies}")
    for name, demo in load_demos().items()
    for fault in demo.faults or (None,)
    for copies in demo.replicas
]
every = pytest.mark.parametrize(("demo", "options"), CASES)
FILES = {"web.yaml": "kind: Deployment\n", "compose.yaml": "services: {}\n"}


def objects(demo: Demo, options: Options) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all(files(demo, options)["web.yaml"]))


@every
def test_every_demo_has_steps_on_both_sides_and_ends_with_nothing_left(demo: Demo, options: Options) -> None:
    plan = demo.plan(options)
    told = sections(demo, options)

    assert plan.docker
    assert plan.kubernetes
    assert all(CLEAN_UP in text for text in told.values())
    assert all(container.name in told["docker"].partition(CLEAN_UP)[2] for container in plan.containers)


@every
def test_a_listing_types_each_container_that_the_demo_runs(demo: Demo, options: Options) -> None:
    lines = listing(demo, options).splitlines()

    assert {docker_run(container) for container in demo.plan(options).containers} <= set(lines)


@every
def test_a_listing_is_a_program_for_a_shell(demo: Demo, options: Options) -> None:
    read = subprocess.run(["bash", "-n"], input=listing(demo, options), capture_output=True, text=True, check=False)

    assert (read.returncode, read.stderr) == (0, "")


@every
def test_the_manifests_hold_a_deployment_and_are_nobodys(demo: Demo, options: Options) -> None:
    texts = [text for name, text in files(demo, options).items() if name != "compose.yaml"]

    assert "Deployment" in {one["kind"] for one in objects(demo, options)}
    assert not any("namespace" in one["metadata"] for text in texts for one in yaml.safe_load_all(text))
    assert not any("portside.dev" in text for text in texts)


@every
def test_the_listing_writes_the_very_objects_that_are_taken_home(demo: Demo, options: Options) -> None:
    written = listing(demo, options).partition("<<'END'\n")[2].partition("\nEND\n")[0]

    assert list(yaml.safe_load_all(written)) == objects(demo, options) == list(demo.plan(options).manifests)


@every
def test_the_compose_file_has_a_service_for_each_container(demo: Demo, options: Options) -> None:
    services = yaml.safe_load(files(demo, options)["compose.yaml"])["services"]

    assert set(services) == {container.name for container in demo.plan(options).containers}
    assert all(one["image"].startswith("portside/web:") for one in services.values())


def test_a_container_is_the_same_on_a_line_and_in_a_compose_file() -> None:
    wanted = Container("web", "2", restart=True, check=Check(3, 2, 4), publish=8081, volume="notes")
    made = compose([wanted])
    service = made["services"]["web"]
    health = {"test": ["CMD", "/web", "health"], "interval": "3s", "timeout": "2s", "retries": 4}

    assert docker_run(wanted) == (
        "docker run -d --name web -p 8081:8080 -v notes:/data --restart=on-failure:5 --memory=64m --cpus=0.25 "
        "--health-interval=3s --health-timeout=2s --health-retries=4 portside/web:2"
    )
    assert (service["image"], service["ports"], service["restart"]) == ("portside/web:2", ["8081:8080"], "on-failure:5")
    assert (service["mem_limit"], service["cpus"], service["healthcheck"]) == ("64m", 0.25, health)
    assert (service["volumes"], made["volumes"]) == (["notes:/data"], {"notes": {"name": "notes"}})


def test_a_container_without_a_check_switches_off_that_of_the_image_everywhere() -> None:
    assert "--no-healthcheck" in docker_run(Container("web"))
    assert compose([Container("web")])["services"]["web"]["healthcheck"] == {"disable": True}


def test_a_learners_own_objects_have_plain_names() -> None:
    assert (PLAIN.container("web"), PLAIN.place, PLAIN.labels()) == ("web", "", {})


def test_files_are_written_into_a_folder_that_is_made_for_them(tmp_path: Path) -> None:
    written = export(tmp_path / "a" / "b", FILES)

    assert [path.name for path in written] == list(FILES)
    assert {path.name: path.read_text() for path in (tmp_path / "a" / "b").iterdir()} == FILES


@pytest.mark.parametrize("there", FILES)
def test_a_file_that_exists_is_left_alone_and_nothing_is_written(tmp_path: Path, there: str) -> None:
    (tmp_path / there).write_text("mine")

    with pytest.raises(CannotExport, match=f"{there} exists already, and nothing was written"):
        export(tmp_path, FILES)

    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {there: "mine"}


def test_a_link_to_nowhere_is_left_alone_too(tmp_path: Path) -> None:
    (tmp_path / "compose.yaml").symlink_to(tmp_path / "elsewhere")

    with pytest.raises(CannotExport, match="exists already"):
        export(tmp_path, FILES)

    assert [path.name for path in tmp_path.iterdir()] == ["compose.yaml"]


def test_a_folder_that_is_a_file_or_cannot_be_made_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")

    with pytest.raises(CannotExport, match=r"file exists already"):
        export(tmp_path / "file", FILES)
    with pytest.raises(CannotExport, match="cannot be written to: Not a directory"):
        export(tmp_path / "file" / "below", FILES)
