"""What live tests look for in a box: its processes as the host sees them, and whom they reach."""

import contextlib
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from machine import output

from sandbox.engines import EngineConfig
from sandbox.local import cgroups
from sandbox.local.engines import LocalEngines
from sandbox.local.foreign import Choice
from sandbox.local.layout import Layout
from sandbox.local.locks import Locks

OURS = Choice(docker_host=None, context=None, in_cluster=False)
CHAIN = ("keeper", "unshare", "tini", "supervisor")
CONNECT = """
import socket, sys
try:
    socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=2).close()
except OSError as error:
    print(type(error).__name__)
else:
    print("connected")
"""


@contextlib.asynccontextmanager
async def held(config: EngineConfig) -> AsyncIterator[LocalEngines]:
    """Hold engines of our own, whatever else the machine has."""
    engines = LocalEngines(config, OURS)
    await engines.enter()
    try:
        yield engines
    finally:
        await engines.leave()


def until(holds: Callable[[], object], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it does not come to hold"
        time.sleep(0.01)


def chain(layout: Layout) -> dict[str, int]:
    """Find the processes that everything hangs on, from the host's side."""
    found = {}
    if keeper := Locks(layout.home).keeper():
        found["keeper"] = keeper
    for process in cgroups.processes(layout):
        with contextlib.suppress(OSError):
            command = Path(f"/proc/{process}/cmdline").read_text().replace("\0", " ")
            name = next((name for name in ("unshare", "tini") if command.startswith(name)), "")
            if command.endswith("sandbox.local.supervisor ") and not name:
                name = "supervisor"
            if name:
                found[name] = process
    return found


def processes(layout: Layout, part: str, command: str) -> list[int]:
    """Find the processes of one part of the box (docker, node1 and so on) that run just this command."""
    found = []
    for process in cgroups.processes(layout):
        with contextlib.suppress(OSError):
            there = f"/{layout.name}/{part}" in Path(f"/proc/{process}/cgroup").read_text()
            if there and Path(f"/proc/{process}/cmdline").read_text() == f"{command}\0":
                found.append(process)
    return found


def program(layout: Layout, name: str) -> int:
    """Find one of the box's programs, as the host sees it."""
    for process in cgroups.processes(layout):
        with contextlib.suppress(OSError):
            words = Path(f"/proc/{process}/cmdline").read_text().split("\0")
            if name in words[:3]:
                return process
    raise AssertionError(f"{name} does not run")


def connect(address: object, port: int, process: int | None = None) -> str:
    """Try to open a connection, from where a process is, and return how that went."""
    there = ("nsenter", "--target", str(process), "--net") if process else ()
    return "".join(output(*there, sys.executable, "-c", CONNECT, str(address), str(port)))
