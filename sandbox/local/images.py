"""The demo image: built once by a Docker engine, kept in the cache, and loaded into engines and nodes."""

import asyncio
import os
import shutil
from pathlib import Path

from sandbox.errors import EngineUnavailable
from sandbox.local import build
from sandbox.local.box import Box
from sandbox.local.files import PAUSE_IMAGE
from sandbox.local.layout import NODES, Layout
from sandbox.local.toolchain import Workshop

NAME = "registry.local/portside/web"

_TAG = f"{NAME}:1"
_DOCKERFILE = build.APP / "Dockerfile"
_PAUSE_DOCKERFILE = Path(__file__).with_name("pause.Dockerfile")
_CTR = ("ctr", "--namespace", "k8s.io")
_ANSWER_SECONDS = 10.0


class Docker:
    """A Docker engine, through the docker command: so that every kind of `DOCKER_HOST` works."""

    def __init__(self, host: str) -> None:
        self._host = host

    async def version(self) -> str:
        """Return the engine's version. Raises `EngineUnavailable` where it does not answer."""
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                return (await self._run("version", "--format", "{{.Server.Version}}")).strip()
        except TimeoutError as error:
            raise EngineUnavailable(f"Docker at {self._host} did not answer within {_ANSWER_SECONDS:g} s.") from error

    async def image_id(self, name: str) -> str:
        """Return an image's id. Raises `EngineUnavailable` where the engine has none of that name."""
        return (await self._run("image", "inspect", "--format", "{{.Id}}", name)).strip()

    async def pull(self, name: str) -> str:
        """Have an image that the operator names, and return its id."""
        try:
            return await self.image_id(name)
        except EngineUnavailable:
            await self._run("pull", "--quiet", name)
            return await self.image_id(name)

    async def load_demo_image(self, workshop: Workshop) -> tuple[str, Path]:
        """Have the demo image in the engine; return its id, and the archive of it and the pause image."""
        archive = await self._archive(workshop)
        await self._run("load", "--quiet", "--input", str(archive))
        return await self.image_id(_TAG), archive

    async def _archive(self, workshop: Workshop) -> Path:
        binary = await build.build_app(workshop)
        archive = binary.with_name(f"images-{build.fingerprint(_DOCKERFILE, _PAUSE_DOCKERFILE)}.tar")
        if not archive.exists():
            for tag, dockerfile in ((_TAG, _DOCKERFILE), (PAUSE_IMAGE, _PAUSE_DOCKERFILE)):
                await self._run("build", "--quiet", "--tag", tag, "--file", str(dockerfile), str(binary.parent))
            fresh = archive.with_suffix(f".{os.getpid()}")
            await self._run("save", "--output", str(fresh), _TAG, PAUSE_IMAGE)
            fresh.replace(archive)
        return archive

    async def _run(self, *words: str) -> str:
        if not shutil.which("docker"):
            raise EngineUnavailable("The docker command is missing. On Debian: apt-get install docker.io.")
        process = await asyncio.create_subprocess_exec(
            *("docker", "--host", self._host, *words),
            env=os.environ | {"DOCKER_BUILDKIT": "0"},  # the builder that every engine has by itself
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            output, errors = await process.communicate()
        finally:
            if process.returncode is None:  # given up: nobody waits for what it would say
                process.kill()
                await process.wait()
        if process.returncode:
            said = " ".join(errors.decode(errors="replace").split())
            raise EngineUnavailable(f"Docker at {self._host}: {said[-300:]}")
        return output.decode(errors="replace")


async def load_into_nodes(box: Box, layout: Layout, archive: Path) -> str:
    """Have the images on all nodes; return the name, with digest, that a pod asks for."""
    references = await asyncio.gather(*(_load_into_node(box, layout, node, archive) for node in NODES))
    return references[0]


async def _load_into_node(box: Box, layout: Layout, node: str, archive: Path) -> str:
    ctr = (*_CTR, "--address", str(layout.containerd_socket(node)), "images")
    await box.call(*ctr, "import", str(archive))
    listed = await box.call(*ctr, "list", f"name=={_TAG}")
    reference = f"{NAME}@{parse_digest(listed)}"
    await box.call(*ctr, "tag", "--force", _TAG, reference)  # an import knows names with tags only
    return reference


def parse_digest(listed: str) -> str:
    """Read the manifest's digest from the list of one image: name, type, digest and more."""
    for line in listed.splitlines():
        words = line.split()
        if words and words[0] == _TAG:
            return words[2]
    raise EngineUnavailable(f"The image {_TAG} was loaded into a node, but is not there.")
