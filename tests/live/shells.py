"""A learner's shell at the engines: what is typed in it, and what it finds there. And Docker Compose, built once."""

import asyncio
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from sandbox.local import build
from sandbox.local.toolchain import Workshop

SOURCE = Path(__file__).with_name("compose")
PACKAGE = "github.com/docker/compose/v5/cmd"


def compose_plugin(cache: Path) -> Path:
    """Where Docker Compose is once it is built: two folders below what `DOCKER_CONFIG` names."""
    folder = cache / f"compose-{build.fingerprint(SOURCE / 'go.mod', SOURCE / 'go.sum')}"
    return folder / "cli-plugins" / "docker-compose"


async def build_compose(workshop: Workshop) -> None:
    plugin = compose_plugin(workshop.cache)
    if plugin.exists():
        return
    plugin.parent.mkdir(parents=True, exist_ok=True)
    fresh = plugin.with_name(f"{plugin.name}.{os.getpid()}")
    async for _ in workshop.go(SOURCE, "build", "-ldflags", "-s -w", "-o", str(fresh), PACKAGE):
        """It is silent unless it fails."""
    fresh.replace(plugin)


@dataclass(frozen=True)
class Shell:
    """A shell in a folder, with docker and kubectl at the engines and a namespace of its own."""

    folder: Path
    environment: dict[str, str]

    async def type(self, text: str) -> str:
        """Run a program of lines, up to the first that fails; return what it printed."""
        process = await asyncio.create_subprocess_exec(
            *("bash", "-euo", "pipefail"),
            cwd=self.folder,
            env=os.environ | self.environment,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        printed, said = await process.communicate(text.encode())
        assert process.returncode == 0, f"{printed.decode()}\n{said.decode()}"
        return printed.decode()

    async def json(self, line: str) -> Any:
        return json.loads(await self.type(line))


@contextmanager
def shell(folder: Path, host: str, kubeconfig: Path, namespace: str, cache: Path) -> Iterator[Shell]:
    """A shell with a new namespace, which is deleted after it."""
    config = yaml.safe_load(kubeconfig.read_text())
    for context in config["contexts"]:
        context["context"]["namespace"] = namespace
    own = folder / "kubeconfig"
    own.write_text(yaml.safe_dump(config))
    programs = build.kubernetes_binary(cache).parent  # kubectl stands beside Kubernetes
    path = {"PATH": f"{programs}:{os.environ['PATH']}", "DOCKER_CONFIG": str(compose_plugin(cache).parents[1])}
    made = Shell(folder, path | {"DOCKER_HOST": host, "KUBECONFIG": str(own)})
    asyncio.run(made.type(f"kubectl create namespace {namespace}"))
    try:
        yield made
    finally:
        asyncio.run(made.type(f"kubectl delete namespace {namespace} --wait=false"))
