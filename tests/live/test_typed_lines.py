"""What a demo lets a learner type makes what the demo makes, and what it lets take home is what the tools take."""

import asyncio
from collections.abc import Coroutine, Iterator, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest
from conftest import CACHE
from shells import Shell, shell

from sandbox import local
from sandbox.demo import Demo, choose, perform
from sandbox.demos import load_demos
from sandbox.engines import EngineConfig, Engines
from sandbox.events import Engine, Finding, Result
from sandbox.lab import Lab
from sandbox.listing import CLEAN_UP, sections
from sandbox.names import RUN, new_run
from sandbox.sandbox import Pace
from sandbox.takehome import COMPOSE, export, files

pytestmark = [pytest.mark.docker, pytest.mark.kubernetes]

# What nodefail runs stands on machines that are lent to it, and ship's image is one of its run's own.
ELSEWHERE = ("nodefail", "ship")
every = pytest.mark.parametrize(
    "demo", [demo for demo in load_demos().values() if demo.name not in ELSEWHERE], ids=lambda demo: demo.name
)
BRISK = Pace(steady=0.5, shortest=2.0, settled=1.0)
KUBERNETES = "kubectl get deployments,services,pods -o json"


@pytest.fixture
def typing(engines: Engines, engine_config: EngineConfig, compose: None, tmp_path: Path) -> Iterator[Shell]:
    host = asyncio.run(engines.docker()).host
    with shell(tmp_path, host, local.kubeconfig(engine_config), f"typed-{new_run()}", CACHE) as made:
        yield made


def container(inspected: dict[str, Any]) -> dict[str, Any]:
    """What counts of a container."""
    config, limits = inspected["Config"], inspected["HostConfig"]
    health = config.get("Healthcheck") or {}
    return {
        "image": inspected["Image"],
        "ports": sorted(limits["PortBindings"] or ()),
        "restart": (limits["RestartPolicy"]["Name"] or "no", limits["RestartPolicy"]["MaximumRetryCount"]),
        "health": [health.get(key) or None for key in ("Test", "Interval", "Timeout", "Retries")],
        # More than a host has is so many bytes in a run, and another number in a listing, which knows no host.
        "limits": (min(limits["Memory"], 2**30), limits["NanoCpus"]),
        "volumes": sorted(mount["Destination"] for mount in inspected["Mounts"] if mount["Type"] == "volume"),
    }


def objects(*listed: dict[str, Any], parts: Sequence[str] = ("",)) -> dict[str, Any]:
    """What counts of the Deployments, Services and pods of namespaces, each of which is a part of a run."""
    found = [(one, part) for items, part in zip(listed, parts, strict=True) for one in items["items"]]
    return {
        "deployments": {named(one, part): deployment(one) for one, part in found if one["kind"] == "Deployment"},
        "services": {named(one, part): service(one) for one, part in found if one["kind"] == "Service"},
        "images": {image for one, _ in found if one["kind"] == "Pod" for image in images(one)},
    }


def named(one: dict[str, Any], part: str) -> str:
    """Where a run has parts, each has the same names; a learner has one place, and names by the part."""
    return "-".join(filter(None, (one["metadata"]["name"], part)))


def deployment(one: dict[str, Any]) -> list[Any]:
    spec = one["spec"]["template"]["spec"]
    wanted = ("ports", "resources", "livenessProbe", "readinessProbe", "securityContext", "volumeMounts")
    containers = [[container.get(key) for key in wanted] for container in spec["containers"]]
    return [one["spec"]["replicas"], spec["restartPolicy"], spec["terminationGracePeriodSeconds"], containers]


def service(one: dict[str, Any]) -> list[Any]:
    return [list(one["spec"]["selector"]), one["spec"]["ports"], one["spec"]["type"]]


def images(pod: dict[str, Any]) -> list[str]:
    if "deletionTimestamp" in pod["metadata"]:
        return []
    return [status["imageID"] for status in pod["status"].get("containerStatuses", ()) if status["imageID"]]


async def made_by_the_demo(demo: Demo, engines: Engines, typing: Shell) -> tuple[dict[str, Any], dict[str, Any]]:
    """Run the demo, and look at what it has made when its script has ended and before it is cleaned up."""
    made = None
    _, options = choose({demo.name: demo}, demo.name)
    async with aclosing(perform(demo, options, "live-test", Lab(engines, BRISK).open)) as events:
        async for event in events:
            if isinstance(event, Finding) and made is None:
                listed = f"docker ps -aq --filter label={RUN}={event.run}"
                made = await asyncio.gather(
                    typing.json(f"docker inspect $({listed})"),
                    *(typing.json(f"{KUBERNETES} --namespace portside-{event.run}{part}") for part in demo.parts),
                )
            if isinstance(event, Result):
                assert event.error is None
    assert made is not None
    docker, *kubernetes = made
    names = {one["Name"].strip("/").removesuffix(f"-{event.run[:5]}"): container(one) for one in docker}
    return names, objects(*kubernetes, parts=demo.parts)


async def all_of(*works: Coroutine[Any, Any, Any]) -> list[Any]:
    """What each returns; where one fails, the others still come to their ends."""
    ended = await asyncio.gather(*works, return_exceptions=True)
    if errors := [one for one in ended if isinstance(one, BaseException)]:
        raise errors[0]
    return ended


async def made_by_hand(demo: Demo, typing: Shell) -> tuple[dict[str, Any], dict[str, Any]]:
    """Type the very lines of the demo, and look at what they have made just before the clean-up."""
    _, options = choose({demo.name: demo}, demo.name)
    names = " ".join(one.name for one in demo.plan(options).containers)
    looks = {
        # Not all may be left: a fault may have removed one.
        Engine.DOCKER: f"docker inspect {names} > {typing.folder}/docker.json || true",
        Engine.KUBERNETES: f"{KUBERNETES} > {typing.folder}/kubernetes.json",
    }
    told = sections(demo, options)
    await all_of(
        *(typing.type(text.replace(CLEAN_UP, f"{CLEAN_UP}\n{looks[engine]}")) for engine, text in told.items())
    )
    docker, kubernetes = [await typing.json(f"cat {engine.value}.json") for engine in Engine]
    return {one["Name"].strip("/"): container(one) for one in docker}, objects(kubernetes)


@every
async def test_the_lines_of_a_demo_make_what_the_demo_makes_and_clean_up(
    demo: Demo, engines: Engines, typing: Shell
) -> None:
    by_the_demo, by_hand = await all_of(made_by_the_demo(demo, engines, typing), made_by_hand(demo, typing))
    left = await typing.json("kubectl get deployments,services -o json")

    assert by_hand[0] == by_the_demo[0]
    assert by_hand[1] == by_the_demo[1]
    assert by_hand[1]["images"]
    assert by_hand[0]
    assert await typing.type(f"docker ps -aq {' '.join(f'--filter name=^{name}$' for name in by_hand[0])}") == ""
    assert left["items"] == []
    assert not [path for path in typing.folder.iterdir() if path.is_dir()]


@every
async def test_what_is_taken_home_is_what_kubectl_and_docker_compose_take(demo: Demo, typing: Shell) -> None:
    _, options = choose({demo.name: demo}, demo.name)
    manifests = {name: text for name, text in files(demo, options).items() if name != COMPOSE}
    export(typing.folder, files(demo, options))

    applied, composed = await all_of(
        typing.type(f"kubectl apply --dry-run=server {' '.join(f'-f {name}' for name in manifests)}"),
        typing.json("docker compose config --format json"),
    )

    assert {line.partition(" ")[2] for line in applied.splitlines()} == {"created (server dry run)"}
    assert len(applied.splitlines()) == sum(text.count("\napiVersion: ") for text in manifests.values())
    assert set(composed["services"]) == {one.name for one in demo.plan(options).containers}
