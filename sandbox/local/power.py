"""A machine of the box that can lose its power: a node, or a second Docker. All of it ends at once, and comes back."""

import asyncio
import shutil
from dataclasses import dataclass
from pathlib import Path

from sandbox.local import cgroups, programs
from sandbox.local.box import Box
from sandbox.local.layout import NODES, SPARE, Layout
from sandbox.local.programs import Program

# A kernel that has lost its power has no mounts: containers' file systems, secrets, network namespaces.
_UNMOUNT = """
cut -d' ' -f2 /proc/self/mounts | sort -r | while read -r mount; do
  mount=$(printf %b "$mount")
  for folder; do case $mount in "$folder"/*) umount -l "$mount" ;; esac; done
done
"""


@dataclass(frozen=True)
class Machine:
    """What makes a machine: its control group, its programs, where it mounts, and what its memory alone holds."""

    group: str
    programs: tuple[Program, ...]
    mounts: tuple[Path, ...]
    memory: tuple[Path, ...]


def node(layout: Layout, binary: Path, name: str) -> Machine:
    """Return what makes a node."""
    index = NODES.index(name)
    runtime, addresses = layout.runtime / f"containerd-{name}", layout.state / name / "addresses"
    return Machine(
        name,
        (programs.containerds(layout)[index], programs.kubelets(layout, binary)[index]),
        (runtime, layout.runtime / f"kubelet-{name}"),
        (runtime, addresses),
    )


def spare(layout: Layout) -> Machine:
    """Return what makes the second Docker."""
    runtime = layout.runtime / SPARE
    return Machine(
        SPARE,
        (programs.spare_dockerd(layout),),
        (runtime, layout.spare_disk),
        (runtime, layout.spare_socket, layout.runtime / f"{SPARE}.pid"),
    )


async def cut(box: Box, layout: Layout, machine: Machine) -> None:
    """End every process of a machine at once, and lose what its memory held; its disk stays."""
    await asyncio.gather(*(box.stop(program.name) for program in machine.programs))
    await asyncio.to_thread(cgroups.kill, layout, machine.group)
    await box.call("sh", "-c", _UNMOUNT, "sh", *map(str, machine.mounts))
    for lost in machine.memory:
        await asyncio.to_thread(_remove, lost)


def switch_on(box: Box, layout: Layout, machine: Machine) -> None:
    """Start a machine's programs."""
    for program in machine.programs:
        box.run(program, layout.logs)


def _remove(lost: Path) -> None:
    if lost.is_dir():
        shutil.rmtree(lost, ignore_errors=True)
    else:
        lost.unlink(missing_ok=True)
