"""What the keeper lends: a node that is stopped meanwhile, and a second Docker that is there meanwhile."""

import asyncio
import json
import shutil
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from ipaddress import IPv4Address
from pathlib import Path

from sandbox.errors import EngineUnavailable
from sandbox.local import files, images, power
from sandbox.local.box import Box
from sandbox.local.layout import Layout
from sandbox.local.loans import Answer

Until = Callable[[], Awaitable[None]]
ReadySince = Callable[[datetime], Awaitable[None]]


class Node:
    """A node without power for as long as it is lent."""

    def __init__(self, box: Box, layout: Layout, machine: power.Machine, ready: ReadySince) -> None:
        self._box = box
        self._layout = layout
        self._machine = machine
        self._ready = ready

    async def take(self) -> Answer:
        """Cut the power."""
        await power.cut(self._box, self._layout, self._machine)
        return {}

    async def do(self, word: str) -> Answer:
        """Refuse: there is nothing to be done with a node that has no power."""
        raise EngineUnavailable(f"A stopped node does not {word}.")

    async def give_back(self) -> None:
        """Switch it on, and wait until it is ready."""
        began = datetime.now(UTC)
        power.switch_on(self._box, self._layout, self._machine)
        await self._ready(began)


# A dockerd that has no default bridge removes docker0 at its start, whose ever it is: the first one gets it back.
_FIRST_BRIDGE = """
ip link show docker0 >/dev/null 2>&1 && exit
ip link add name docker0 type bridge && ip address add "$1" dev docker0 && ip link set docker0 up
"""


class SecondDocker:
    """A Docker engine that is there for as long as it is lent."""

    def __init__(self, box: Box, layout: Layout, archive: Awaitable[Path], ready: Until) -> None:
        self._box = box
        self._layout = layout
        self._archive = archive
        self._ready = ready
        self._machine = power.spare(layout)

    async def take(self) -> Answer:
        """Start it, with the demo image in it."""
        files.write_docker(self._layout)
        await self._start()
        return {"images": dict((await images.Docker(self._layout.spare_host).load(await self._archive)).names)}

    async def do(self, word: str) -> Answer:
        """Cut its power, or start it again."""
        if word == "cut":
            await self._cut()
        elif word == "start":
            await self._start()
        else:
            raise EngineUnavailable(f"A Docker engine can be told to cut or to start, not to {word}.")
        return {}

    async def give_back(self) -> None:
        """Remove it without a trace."""
        await self._cut()
        await asyncio.to_thread(shutil.rmtree, self._layout.spare_disk, ignore_errors=True)

    async def _start(self) -> None:
        power.switch_on(self._box, self._layout, self._machine)
        await self._ready()
        await self._box.call("sh", "-c", _FIRST_BRIDGE, "sh", self._layout.docker_bridge)

    async def _cut(self) -> None:
        await power.cut(self._box, self._layout, self._machine)
        for bridge in _bridges(await self._box.call("ip", "-4", "-json", "address"), self._layout):
            await self._box.call("ip", "link", "delete", bridge)


def _bridges(listed: str, layout: Layout) -> list[str]:
    """Find the links that have an address of the second Docker's."""
    return [
        link["ifname"]
        for link in json.loads(listed)
        if any(IPv4Address(address["local"]) in layout.spare_pool for address in link["addr_info"])
    ]
