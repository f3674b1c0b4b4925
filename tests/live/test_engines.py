"""Engines of our own on the real machine: they come, they are shared, and they leave nothing behind."""

import asyncio
import os
import random
import signal
import subprocess
import sys
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path

import pytest
from boxes import CHAIN, chain, held, program, until
from machine import changes, machine, output

from sandbox import local
from sandbox.engines import EngineConfig, Engines
from sandbox.errors import EngineUnavailable
from sandbox.local import cgroups, foreign, images
from sandbox.local.engines import current_report
from sandbox.local.layout import Layout
from sandbox.local.locks import Locks

pytestmark = [pytest.mark.machine, pytest.mark.docker]

HOLDER = """
import asyncio, sys
from pathlib import Path
from sandbox.engines import EngineConfig, Engines
from sandbox.local.engines import LocalEngines
from sandbox.local.foreign import Choice

async def hold():
    engines = LocalEngines(EngineConfig(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]), Choice(None, None, False))
    await engines.enter()
    print((await engines.docker()).host, flush=True)
    await asyncio.Event().wait()

asyncio.run(hold())
"""


async def up(own: EngineConfig) -> None:
    async for _ in local.up(own):
        """Until both are ready."""


@pytest.mark.kubernetes
async def test_after_up_and_down_the_machine_is_as_it_was(own: EngineConfig) -> None:
    layout = Layout.of(own)
    before = machine(layout)

    await up(own)
    ready = await local.status(own)
    kubeconfig = local.kubeconfig(own)
    with_engines = machine(layout)
    await local.down(own)

    assert [status.state for status in ready] == ["ready", "ready"]
    assert kubeconfig == layout.admin
    assert {kind for kind in before if with_engines[kind] != before[kind]} >= {
        "links",
        "routes",
        "cgroups",
        "processes",
    }
    assert with_engines["sysctls"] - before["sysctls"] <= {
        line for line in with_engines["sysctls"] if layout.link in line
    }
    assert with_engines["rules"] == before["rules"]
    assert with_engines["mounts"] == before["mounts"]
    assert changes(before, layout) == {}
    assert [status.state for status in await local.status(own)] == ["absent", "absent"]


async def test_engines_that_were_started_for_a_docker_of_the_operators_are_no_docker_for_others(
    engines: Engines, own: EngineConfig
) -> None:
    docker_host = (await engines.docker()).host

    async with local.open_engines(replace(own, docker_host=docker_host)), held(own) as second:
        with pytest.raises(EngineUnavailable, match=r"were started without Docker.*portside engines down"):
            await second.docker()


async def test_an_up_that_is_stopped_half_way_keeps_nothing(own: EngineConfig) -> None:
    layout = Layout.of(own)
    before = machine(layout)

    async with aclosing(local.up(own)) as states:
        await anext(states)

    assert Locks(layout.home).keeper() is None
    assert not layout.keep_mark.exists()
    assert changes(before, layout) == {}


async def test_an_up_that_fails_keeps_nothing_so_that_the_next_one_begins_anew(own: EngineConfig) -> None:
    layout = Layout.of(own)
    taken = f"{layout.network[1]}/32"
    assert list(output("ip", "route", "add", "unreachable", taken)) == []
    try:
        await up(own)
    finally:
        assert list(output("ip", "route", "delete", "unreachable", taken)) == []
    kept = Locks(layout.home).keeper()
    async with held(own) as engines:
        await engines.docker()

    assert kept is None


async def test_down_puts_the_machine_back_though_another_range_is_named_since(own: EngineConfig) -> None:
    layout = Layout.of(own)
    before = machine(layout)
    async with held(own) as engines:
        await engines.docker()
        os.kill(chain(layout)["keeper"], signal.SIGKILL)
        until(lambda: not Locks(layout.home).keeper())
        await local.down(replace(own, network="10.255.0.0/16"))

    assert changes(before, layout) == {}


async def test_a_docker_of_the_operators_that_does_not_answer_is_told_at_once_with_what_to_do(
    own: EngineConfig, tmp_path: Path
) -> None:
    async with asyncio.timeout(60), local.open_engines(replace(own, docker_host=f"unix://{tmp_path}/no")) as engines:
        states = [seen async for seen in engines.progress()][-1]

    assert [status.state for status in states] == ["failed", "failed"]
    assert all("Start it, or unset DOCKER_HOST" in status.detail for status in states)


@pytest.mark.parametrize("seed", range(10))
async def test_after_a_kill_at_any_moment_down_puts_the_machine_back(own: EngineConfig, seed: int) -> None:
    layout = Layout.of(own)
    before = machine(layout)
    chance = random.Random(seed)  # noqa: S311 - it has to be the same each time
    victim, company = chance.choice(CHAIN), chance.randint(1, 15)

    async with held(own):
        until(lambda: victim in chain(layout) and len(cgroups.processes(layout)) >= company)
        os.kill(chain(layout)[victim], signal.SIGKILL)
        await local.down(own)

    assert changes(before, layout) == {}


@pytest.mark.parametrize("victim", CHAIN)
async def test_docker_is_back_after_a_part_of_the_chain_was_killed(own: EngineConfig, victim: str) -> None:
    layout = Layout.of(own)
    async with held(own) as engines:
        await engines.docker()
        first = program(layout, "dockerd")

        os.kill(chain(layout)[victim], signal.SIGKILL)
        until(lambda: not Path(f"/proc/{first}").exists())
        until(lambda: not Locks(layout.home).keeper() or len(chain(layout)) == len(CHAIN))
        await engines.docker()

        assert program(layout, "dockerd") != first
        assert sorted(chain(layout)) == sorted(CHAIN)


def test_two_holders_share_one_pair_and_the_last_one_killed_ends_it(own: EngineConfig) -> None:
    layout = Layout.of(own)
    before = machine(layout)
    argv = (sys.executable, "-c", HOLDER, str(own.data), str(own.cache), own.network)

    holders = [subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    hosts = {holder.stdout.readline().strip() for holder in holders if holder.stdout}
    keeper = Locks(layout.home).keeper()
    for holder in holders:
        assert Locks(layout.home).keeper() == keeper
        holder.kill()
        holder.communicate()
    until(lambda: Locks(layout.home).keeper() is None)

    assert hosts == {layout.docker_host}
    assert changes(before, layout) == {}


async def test_whoever_leaves_last_waits_until_the_machine_is_put_back(own: EngineConfig) -> None:
    layout = Layout.of(own)
    before = machine(layout)

    async with held(own) as engines:
        await engines.docker()

    assert Locks(layout.home).keeper() is None
    assert changes(before, layout) == {}


async def test_a_range_that_is_in_use_is_refused_with_what_to_do(own: EngineConfig) -> None:
    layout = Layout.of(own)
    taken = f"{layout.network[1]}/32"
    assert list(output("ip", "route", "add", "unreachable", taken)) == []
    try:
        async with held(own) as engines:
            with pytest.raises(EngineUnavailable, match=r"is in use here.*PORTSIDE_ENGINE_RANGE"):
                await engines.docker()
    finally:
        assert list(output("ip", "route", "delete", "unreachable", taken)) == []

    assert current_report(layout, Locks(layout.home)).ours == frozenset()


async def test_engines_of_the_operators_are_used_as_they_are_and_nothing_of_ours_is_started(
    engines: Engines, engine_config: EngineConfig, tmp_path: Path
) -> None:
    docker, cluster = await engines.docker(), await engines.cluster()
    admin = Layout.of(engine_config).admin
    os.environ["KUBECONFIG"] = str(admin)
    named = EngineConfig(
        tmp_path,
        engine_config.cache,
        docker_host=docker.host,
        kube_context="portside",
        demo_image=cluster.image,
    )
    by_build = replace(named, demo_image=None)

    async with local.open_engines(replace(named, demo_image=f"{images.TAG}:1")) as operators:
        states = [seen async for seen in operators.progress()][-1]
        there = await operators.docker(), await operators.cluster()
    _, built = await foreign.docker(docker.host, by_build)

    assert [(status.state, status.address) for status in states] == [
        ("ready", docker.host),
        ("ready", Layout.of(engine_config).api),
    ]
    assert all(status.version for status in states)
    assert not any(endpoint.ours for endpoint in there)
    assert there[0].image == built.image == docker.image
    assert there[0].images.of("2") == there[1].images.of("2") == f"{images.TAG}:2"
    assert (there[1].kubeconfig, there[1].context) == (admin, "portside")
    assert not Layout.of(named).home.exists()
