"""One set of Linux namespaces that the engines live in: entered, furnished, and left without a trace."""

import asyncio
import contextlib
import itertools
import json
import os
import re
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import sandbox
from sandbox.errors import EngineUnavailable
from sandbox.local import cgroups, network
from sandbox.local.layout import Layout
from sandbox.local.programs import Program

# What the kernel says of a process that is number 1 of one more namespace.
_INIT = re.compile(r"^NSpid:(\t\d+)+\t1$", re.MULTILINE)
_TICK = 0.005
_LOST = "The engines' box has ended."
_PATIENCE = 10.0
_FURNISH = Path(__file__).with_name("box.sh")
_CODE = Path(sandbox.__file__).parent.parent

# The keeper's death ends unshare, unshare's death ends tini, and with tini the kernel ends all that is in the box.
_ENTER = (
    *("setpriv", "--pdeathsig", "KILL"),
    *("unshare", "--mount", "--net", "--pid", "--ipc", "--fork", "--mount-proc"),
    *("--propagation", "private", "--kill-child"),
    *("tini", "--", "sh", str(_FURNISH), sys.executable, "-m", "sandbox.local.supervisor"),
)


def clean(layout: Layout) -> None:
    """Put the machine back: end what is left of the box and remove what does not die with it, by name alone."""
    cgroups.remove(layout)
    network.disconnect(layout)
    for folder in (layout.runtime, layout.state):
        shutil.rmtree(folder, ignore_errors=True)
    for file in (layout.admin, layout.bot, layout.bot_token):
        file.unlink(missing_ok=True)


class Box:
    """A running box, and the line to its supervisor."""

    def __init__(self, process: asyncio.subprocess.Process, ended: Callable[[str, int], None]) -> None:
        self._process = process
        self._ended = ended
        self._numbers = itertools.count()
        self._calls: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._ready = asyncio.get_running_loop().create_future()
        self._reading = asyncio.create_task(self._read())

    @classmethod
    async def open(cls, layout: Layout, ended: Callable[[str, int], None]) -> Self:
        """Make an empty box with its network; `ended` is called with each program that dies in it."""
        _prepare(layout)
        with (layout.logs / "box.log").open("wb") as log:
            process = await asyncio.create_subprocess_exec(
                *cgroups.entering(layout),
                *_ENTER,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                env=_environment(layout),
                limit=1 << 20,
            )
        box = cls(process, ended)
        try:
            network.connect(layout, await _first_process(layout))
            box._send("the link is there")
            await box._ready
        except BaseException:
            await box.close()
            raise
        return box

    @property
    def alive(self) -> bool:
        """Whether the box has not ended."""
        return not self._reading.done()

    def run(self, program: Program, logs: Path) -> None:
        """Keep a program running."""
        self._send(json.dumps({"run": program.name, "argv": program.argv, "log": str(logs / f"{program.name}.log")}))

    async def call(self, *argv: str) -> str:
        """Run a command to its end and return its output. Raises `EngineUnavailable` where it fails."""
        done = await self._ask(argv=argv)
        if done["code"]:
            raise EngineUnavailable(f"{' '.join(argv[:4])} failed in the engines' box: {done['output'].strip()}")
        return str(done["output"])

    async def stop(self, name: str) -> None:
        """End a program that is kept running, for good."""
        await self._ask(stop=name)

    async def _ask(self, **order: object) -> dict[str, Any]:
        if not self.alive:
            raise EngineUnavailable(_LOST)
        number = next(self._numbers)
        answer: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._calls[number] = answer
        self._send(json.dumps({"call": number, **order}))
        return await answer

    async def wait(self) -> None:
        """Return when the box has ended."""
        await asyncio.shield(self._reading)

    async def close(self) -> None:
        """End everything in the box."""
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()
        await self._reading

    def _send(self, line: str) -> None:
        if self._process.stdin:
            self._process.stdin.write(line.encode() + b"\n")

    async def _read(self) -> None:
        lost = EngineUnavailable(_LOST)
        if self._process.stdout:
            async for line in self._process.stdout:
                self._take(json.loads(line))
        for waiting in (self._ready, *self._calls.values()):
            if not waiting.done():
                waiting.set_exception(lost)
                waiting.exception()  # nobody may be waiting any more

    def _take(self, report: dict[str, Any]) -> None:
        if "ended" in report:
            self._ended(report["ended"], report["code"])
        elif "called" in report:
            self._calls.pop(report["called"]).set_result(report)
        else:
            self._ready.set_result(None)


def _prepare(layout: Layout) -> None:
    try:
        for folder in (layout.runtime, layout.state, layout.logs):
            folder.mkdir(parents=True, exist_ok=True)
        cgroups.make(layout)
    except OSError as error:
        raise EngineUnavailable(
            f"Engines of our own cannot be made here: {error}. They need a data folder that can be written, and "
            "control groups and namespaces, which a container has only if it is privileged."
        ) from error


def _environment(layout: Layout) -> dict[str, str]:
    """Return what the box's processes see; nothing of the operator's settings but the way to programs."""
    keep = (layout.runtime, layout.home, layout.cache, _CODE, Path(sys.prefix), Path(sys.base_prefix))
    return {
        "PATH": f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/bin:/sbin:/bin",
        "PYTHONPATH": str(_CODE),
        "HOME": str(layout.state),
        "RUNTIME": str(layout.runtime),
        "STATE": str(layout.state),
        "KEEP": "\n".join(map(str, keep)),
        "LINK": network.BOX_LINK,
        "ADDRESS": f"{layout.box_address}/30",
        "DNS": str(layout.dns_address),
    }


async def _first_process(layout: Layout) -> int:
    """Wait for the box's first process, and return its id as the host sees it: it lives as long as the box."""
    deadline = time.monotonic() + _PATIENCE
    while (process := _find_first_process(layout)) is None:
        if time.monotonic() > deadline:
            raise EngineUnavailable("The engines' box did not start.")
        await asyncio.sleep(_TICK)
    return process


def _find_first_process(layout: Layout) -> int | None:
    for process in cgroups.processes(layout):
        with contextlib.suppress(OSError):  # it may have ended
            if _INIT.search(Path(f"/proc/{process}/status").read_text()):
                return process
    return None
