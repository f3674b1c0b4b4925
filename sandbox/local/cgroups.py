"""The box's control groups, by name: the one thing of it that does not die with its namespaces."""

import contextlib
import os
import signal
import time
from pathlib import Path

from sandbox.errors import EngineUnavailable
from sandbox.local.layout import NODES, SPARE, Layout

_MOUNTS = Path("/proc/self/mounts")
_BOX = "box"
_PROGRAMS = "programs"
_MACHINES = (SPARE, *NODES)
_PATIENCE = 10.0
_TICK = 0.02


def hierarchies() -> tuple[Path, ...]:
    """Where control groups are made: one folder for each controller of version 1, else the one of version 2."""
    return _mounted("cgroup") or _mounted("cgroup2")


def _mounted(kind: str) -> tuple[Path, ...]:
    mounts = [line.split() for line in _MOUNTS.read_text().splitlines()]
    return tuple(Path(mount[1]) for mount in mounts if mount[2] == kind)


def _groups(layout: Layout) -> list[Path]:
    """Return the groups that there are. A runtime makes some in version 2 even beside controllers of version 1."""
    found = (hierarchy / layout.name for hierarchy in (*_mounted("cgroup"), *_mounted("cgroup2")))
    return [group for group in found if group.is_dir()]


def make(layout: Layout) -> None:
    """Make the groups of the box and its nodes."""
    found = hierarchies()
    if not found:
        raise EngineUnavailable("Engines of our own need control groups, and /sys/fs/cgroup has none mounted.")
    for hierarchy in found:
        root = hierarchy / layout.name
        _make_one(root)
        for part in (_BOX, "docker", *_MACHINES, *map(programs_of, _MACHINES)):
            _make_one(root / part)


def programs_of(machine: str) -> str:
    """Return the group of a machine's own programs, so that they end with all else of it."""
    return f"{machine}/{_PROGRAMS}"


def entering(layout: Layout, part: str = _BOX) -> tuple[str, ...]:
    """Return the beginning of a command line that enters a group before its command starts."""
    files = " ".join(str(hierarchy / layout.name / part / "cgroup.procs") for hierarchy in hierarchies())
    return ("sh", "-c", f'for file in {files}; do echo $$ >"$file"; done; exec "$@"', "sh")


def _make_one(folder: Path) -> None:
    """Make a group that processes may enter: a cpuset is empty at first, and version 2 hands no controller down."""
    folder.mkdir(exist_ok=True)
    for name in ("cpuset.cpus", "cpuset.mems"):
        file = folder / name
        if file.exists() and not (folder / "cgroup.controllers").exists():
            file.write_text((folder.parent / name).read_text())
    controllers = folder.parent / "cgroup.controllers"
    if controllers.exists():
        for controller in controllers.read_text().split():
            with contextlib.suppress(OSError):  # one that the machine keeps for itself
                (folder.parent / "cgroup.subtree_control").write_text(f"+{controller}")


def processes(layout: Layout, part: str = "") -> set[int]:
    """Return the ids of all processes of the box, or of a part of it, as the host sees them."""
    # os.walk, because it does not mind a folder that goes meanwhile
    folders = (folder for group in _groups(layout) for folder, _, _ in os.walk(group / part))
    return {int(line) for folder in folders for line in _read(Path(folder, "cgroup.procs")).split()}


def kill(layout: Layout, part: str) -> None:
    """End everything in a part of the box at once. Raises `EngineUnavailable` where the kernel does not."""
    deadline = time.monotonic() + _PATIENCE
    while found := processes(layout, part):
        _kill(found)
        if time.monotonic() > deadline:
            raise EngineUnavailable(f"Something in the control group {layout.name}/{part} lives on.")
        time.sleep(_TICK)


def _kill(found: set[int]) -> None:
    for process in found:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)


def remove(layout: Layout) -> None:
    """End what still runs in the groups and remove them. Raises `EngineUnavailable` where the kernel does not."""
    deadline = time.monotonic() + _PATIENCE
    while groups := _groups(layout):
        _kill(processes(layout))
        for group in groups:
            _remove_tree(group)
        if time.monotonic() > deadline:
            raise EngineUnavailable(f"The control groups {layout.name} cannot be removed: something in them lives on.")
        time.sleep(_TICK)


def _remove_tree(folder: Path) -> None:
    for parent, _, _ in os.walk(folder, topdown=False):
        with contextlib.suppress(OSError):  # busy until its last process is reaped; the next round removes it
            Path(parent).rmdir()


def _read(file: Path) -> str:
    with contextlib.suppress(OSError):  # gone meanwhile
        return file.read_text()
    return ""
