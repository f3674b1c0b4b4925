"""The machine as lists that can be compared: what engines of our own could leave behind, each kind by name."""

import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from sandbox.local.layout import Layout

# Counters of the kernel's own, and the boxes of other data folders, which come and go as they like.
VOLATILE = re.compile(
    r"/proc/sys/(fs/(dentry-state|file-nr|inode-nr|inode-state|aio-nr|quota/.*)|kernel/(ns_last_pid|random/.*|pty/nr)"
    r"|kernel/printk_.*|net/netfilter/nf_conntrack_count)"
)
BOX = re.compile(r"(?:psd|portside-)([0-9a-f]{8})\b")
COUNTERS = re.compile(r"\[[0-9:]+\]")
PATIENCE = 8.0

Lists = dict[str, frozenset[str]]


def output(*argv: str) -> Iterator[str]:
    if shutil.which(argv[0]):
        yield from subprocess.run(argv, capture_output=True, text=True, check=True).stdout.splitlines()


def sysctls() -> Iterator[str]:
    for folder, _, names in os.walk("/proc/sys"):
        for name in names:
            path = f"{folder}/{name}"
            if VOLATILE.fullmatch(path):
                continue
            try:
                yield f"{path} = {Path(path).read_bytes()!r}"
            except OSError:
                yield f"{path} is not readable"


def rules() -> Iterator[str]:
    for program in ("iptables-save", "ip6tables-save"):
        for line in output(program):
            if not line.startswith("#"):
                yield f"{program} {COUNTERS.sub('', line)}"


def cgroups() -> Iterator[str]:
    """Those at the top of each hierarchy, where engines make theirs, and all below ours.

    What is below another's group is that one's own business: a service manager makes and removes groups all the time.
    """
    mounts = [line.split()[1:3] for line in Path("/proc/self/mounts").read_text().splitlines()]
    for root in (path for path, kind in mounts if kind in ("cgroup", "cgroup2")):
        for group in filter(Path.is_dir, Path(root).iterdir()):
            yield str(group)
            if group.name.startswith("portside-"):
                yield from (folder for folder, _, _ in os.walk(group))


def routes() -> Iterator[str]:
    for family in ("-4", "-6"):
        yield from output("ip", family, "route", "show", "table", "all")


def links() -> Iterator[str]:
    for line in output("ip", "-oneline", "address"):
        yield re.sub(r"^\d+: ", "", line)


def network_namespaces() -> Iterator[str]:
    yield from output("ip", "netns", "list")
    for line in output("lsns", "--noheadings", "--type", "net", "--output", "NS,PID"):
        number, process = line.split()
        try:
            yield f"{number} of {Path(f'/proc/{process}/cgroup').read_text()}".replace("\n", " ")
        except OSError:
            yield number


def processes(layout: Layout) -> Iterator[str]:
    """Those of one data folder: all that were told its name, or are in its control groups."""
    marks = (str(layout.home).encode(), layout.name.encode())
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            told = b"".join((folder / name).read_bytes() for name in ("cmdline", "environ", "cgroup"))
        except OSError:
            continue
        if int(folder.name) != os.getpid() and any(mark in told for mark in marks):
            yield (folder / "cmdline").read_text()


def machine(layout: Layout) -> Lists:
    sources: dict[str, Callable[[], Iterator[str]]] = {
        "mounts": lambda: iter(Path("/proc/self/mounts").read_text().splitlines()),
        "links": links,
        "routes": routes,
        "rules": rules,
        "sysctls": sysctls,
        "network namespaces": network_namespaces,
        "cgroups": cgroups,
        "processes": lambda: processes(layout),
        "sockets": lambda: (str(path) for path in Path("/run").glob("portside-*")),
    }
    return {name: frozenset(filter(lambda line: _counts(line, layout), read())) for name, read in sources.items()}


def _counts(line: str, layout: Layout) -> bool:
    others = [tag for tag in BOX.findall(line) if tag != layout.tag]
    last_route = line.startswith("unreachable 10.") and str(layout.network) not in line
    return not others and not last_route


def changes(before: Lists, layout: Layout) -> dict[str, tuple[list[str], list[str]]]:
    """Say what is new and what is gone; the kernel takes a moment to end a namespace."""
    deadline = time.monotonic() + PATIENCE
    while True:
        after = machine(layout)
        found = {
            kind: (sorted(after[kind] - lines), sorted(lines - after[kind]))
            for kind, lines in before.items()
            if after[kind] != lines
        }
        if not found or time.monotonic() > deadline:
            return found
        time.sleep(0.1)
