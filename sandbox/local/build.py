"""Builds what no registry can give: Kubernetes from its Go modules, and the demo app. Kept in the cache by content."""

import asyncio
import contextlib
import fcntl
import hashlib
import os
import re
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import IO

from sandbox.errors import EngineUnavailable
from sandbox.local.toolchain import Workshop

SOURCE = Path(__file__).with_name("kubernetes")
APP = Path(__file__).parents[1] / "image"

_REQUIRED = re.compile(r"^\s+\S+ v\S+", re.MULTILINE)
_FETCHED = re.compile(r"# get https?://\S+\.zip: 200")
_PACKAGE = re.compile(r"^[a-z0-9.\-]+(/\S+)*$")

_TICK = 0.2

Told = Callable[[float | None], None]


def fingerprint(*files: Path) -> str:
    """Return what stands for the content of some files."""
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


def kubernetes_version() -> str:
    """Return the version that go.mod asks for."""
    found = re.search(r"k8s\.io/kubernetes (v\S+)", (SOURCE / "go.mod").read_text())
    if not found:
        raise EngineUnavailable("sandbox/local/kubernetes/go.mod does not name a version of k8s.io/kubernetes.")
    return found[1]


def kubernetes_binary(cache: Path) -> Path:
    """Return where Kubernetes is once it is built."""
    return cache / f"kubernetes-{fingerprint(SOURCE / 'go.sum', SOURCE / 'main.go')}" / "kubernetes"


def app_binary(cache: Path) -> Path:
    """Return where the demo app is once it is built."""
    return cache / f"app-{fingerprint(APP / 'go.mod', *sorted(APP.glob('*.go')))}" / "web"


async def fetch_modules(workshop: Workshop, told: Told) -> None:
    """Fetch the Go modules of Kubernetes, each checked against go.sum; tell which part is there."""
    if kubernetes_binary(workshop.cache).exists():
        return
    total = len(_REQUIRED.findall((SOURCE / "go.mod").read_text()))
    fetched = 0
    async for line in workshop.go(SOURCE, "mod", "download", "-x"):
        if _FETCHED.search(line):
            fetched += 1
            told(min(fetched / total, 1.0))


async def build_kubernetes(workshop: Workshop, told: Told) -> Path:
    """Compile Kubernetes where that has not been done; tell which part of the packages is compiled."""
    binary = kubernetes_binary(workshop.cache)
    if binary.exists():
        return binary
    async with _alone(workshop.cache, "kubernetes.lock"):
        if not binary.exists():
            await _compile_kubernetes(workshop, binary, told)
    return binary


async def _compile_kubernetes(workshop: Workshop, binary: Path, told: Told) -> None:
    total = len([line async for line in workshop.go(SOURCE, "list", "-deps", ".")])
    compiled = 0
    fresh = _fresh(binary)
    flags = ("-v", "-ldflags", _stamps(kubernetes_version()), "-o", str(fresh), ".")
    async for line in workshop.go(SOURCE, "build", *flags):
        if _PACKAGE.match(line):
            compiled += 1
            told(min(compiled / total, 1.0))
    kubectl = binary.with_name("kubectl")
    kubectl.unlink(missing_ok=True)
    kubectl.symlink_to(binary.name)
    fresh.replace(binary)


def _stamps(version: str) -> str:
    major, minor, _ = version.removeprefix("v").split(".")
    facts = {"gitVersion": version, "gitMajor": major, "gitMinor": minor}
    stamps = (f"-X k8s.io/component-base/version.{name}={value}" for name, value in facts.items())
    return " ".join(("-s -w", *stamps))


async def build_app(workshop: Workshop) -> Path:
    """Compile the demo app where that has not been done."""
    binary = app_binary(workshop.cache)
    if binary.exists():
        return binary
    async with _alone(workshop.cache, "app.lock"):
        if not binary.exists():
            fresh = _fresh(binary)
            async for _ in workshop.go(APP, "build", "-ldflags", "-s -w", "-o", str(fresh), "."):
                """It is silent unless it fails."""
            fresh.replace(binary)
    return binary


def _fresh(binary: Path) -> Path:
    binary.parent.mkdir(parents=True, exist_ok=True)
    return binary.with_name(f"{binary.name}.{os.getpid()}")


@contextlib.asynccontextmanager
async def _alone(cache: Path, name: str) -> AsyncIterator[None]:
    """Let no other process build the same at the same time."""
    with _open_lock(cache / name) as file:
        while True:
            if _locked(file):
                break
            await asyncio.sleep(_TICK)
        yield


def _open_lock(path: Path) -> IO[bytes]:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path.open("ab")


def _locked(file: IO[bytes]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
