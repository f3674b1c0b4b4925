"""Volumes of our own cluster: made for a claim, the same on every node, gone with it."""

import os
import signal

import pytest
from boxes import program
from pods import ask, claim, pod, serving, wait

from sandbox.engines import EngineConfig, Engines
from sandbox.errors import DemoFailed
from sandbox.lab import Lab
from sandbox.local.api import Api
from sandbox.local.layout import Layout

pytestmark = [pytest.mark.machine, pytest.mark.docker, pytest.mark.kubernetes]


async def test_what_one_pod_writes_is_read_on_another_node_and_gone_with_the_claim(
    engines: Engines, engine_config: EngineConfig
) -> None:
    layout = Layout.of(engine_config)
    api = Api(layout)
    async with Lab(engines).open("live-test", 90) as sandbox:
        tag, image = sandbox.cluster.tag, sandbox.cluster.images.of("1")
        await sandbox.prepare()
        await sandbox.cluster.apply(claim(tag), pod(tag, "first", image, "node1", "data"))
        wrote = ask(await serving(api, tag, "first"), "PUT", "/data", "remember me")
        await sandbox.cluster.delete("pods/first")
        await sandbox.cluster.apply(pod(tag, "second", image, "node2", "data"))
        read = ask(await serving(api, tag, "second"), "GET", "/data")
        (folder,) = layout.volumes.iterdir()
        os.kill(program(layout, "sandbox.local.storage"), signal.SIGKILL)  # it keeps nothing in mind

    assert wrote == (204, "")
    assert read == (200, "remember me")
    await wait(lambda: not folder.exists())
    await wait(lambda: not api.get("/api/v1/persistentvolumes")["items"])


@pytest.mark.parametrize(
    ("wish", "why"),
    [
        ({"size": "65Mi"}, "at most 64Mi"),
        ({"storageClassName": "other"}, "only the storage class portside"),
        ({"volumeName": "theirs"}, "a new, empty volume"),
    ],
)
async def test_the_bot_may_not_claim(engines: Engines, wish: dict[str, str], why: str) -> None:
    async with Lab(engines).open("live-test", 60) as sandbox:
        await sandbox.prepare()

        with pytest.raises(DemoFailed, match=why):
            await sandbox.cluster.apply(claim(sandbox.cluster.tag, **wish))
