"""The demo image in its versions: built once by a Docker engine, kept in the cache, loaded into engines and nodes."""

import asyncio
import os
import shutil
from pathlib import Path

from sandbox.engines import VERSIONS, Images, Version
from sandbox.errors import EngineUnavailable
from sandbox.local import build
from sandbox.local.box import Box
from sandbox.local.files import PAUSE_IMAGE
from sandbox.local.layout import NODES, Layout
from sandbox.local.toolchain import Workshop

NAME = "registry.local/portside/web"
TAG = "portside/web"  # as a learner types it

_VARIANTS: dict[Version, tuple[str, ...]] = {
    "1": (),
    "2": ("VERSION=2", "COLOUR=#805300"),
    "never-ready": ("VERSION=3", "READY=never"),
}
_DOCKERFILE = build.APP / "Dockerfile"
_PAUSE_DOCKERFILE = Path(__file__).with_name("pause.Dockerfile")
_CTR = ("ctr", "--namespace", "k8s.io")
_ANSWER_SECONDS = 10.0
_DIGEST = 2


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

    async def load_demo_images(self, workshop: Workshop) -> tuple[Images, Path]:
        """Have the demo image in the engine; return its ids, and the archive of it and the pause image."""
        archive = await self._archive(workshop)
        return await self.load(archive), archive

    async def load(self, archive: Path) -> Images:
        """Have an archive's images in the engine; return the demo image's ids."""
        await self._run("load", "--quiet", "--input", str(archive))
        tags = (f"{TAG}:{version}" for version in VERSIONS)
        ids = (await self._run("image", "inspect", "--format", "{{.Id}}", *tags)).split()
        return Images(dict(zip(VERSIONS, ids, strict=True)))

    async def _archive(self, workshop: Workshop) -> Path:
        binary = await build.build_app(workshop)
        archive = binary.with_name(f"images-{build.fingerprint(_DOCKERFILE, _PAUSE_DOCKERFILE, Path(__file__))}.tar")
        if not archive.exists():
            binary.with_name("data").mkdir(exist_ok=True)
            await self._build(PAUSE_IMAGE, _PAUSE_DOCKERFILE, binary.parent)
            for version, arguments in _VARIANTS.items():
                await self._build(f"{TAG}:{version}", _DOCKERFILE, binary.parent, *arguments)
            fresh = archive.with_suffix(f".{os.getpid()}")
            await self._run("save", "--output", str(fresh), PAUSE_IMAGE, *(f"{TAG}:{version}" for version in VERSIONS))
            fresh.replace(archive)
        return archive

    async def _build(self, tag: str, dockerfile: Path, folder: Path, *arguments: str) -> None:
        words = [word for argument in arguments for word in ("--build-arg", argument)]
        await self._run("build", "--quiet", "--tag", tag, "--file", str(dockerfile), *words, str(folder))

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


async def load_into_nodes(box: Box, layout: Layout, archive: Path) -> Images:
    """Have the images on all nodes; return the names, with digest, that a pod asks for."""
    references = await asyncio.gather(*(_load_into_node(box, layout, node, archive) for node in NODES))
    return references[0]


async def _load_into_node(box: Box, layout: Layout, node: str, archive: Path) -> Images:
    ctr = (*_CTR, "--address", str(layout.containerd_socket(node)), "images")
    await box.call(*ctr, "import", str(archive))
    digests = parse_digests(await box.call(*ctr, "list"))
    references = {version: f"{NAME}@{digest}" for version, digest in digests.items()}
    for version, reference in references.items():  # an import knows names with tags only
        await box.call(*ctr, "tag", "--force", _on_node(version), reference)
    return Images(references)


def _on_node(version: str) -> str:
    return f"docker.io/{TAG}:{version}"


def parse_digests(listed: str) -> dict[str, str]:
    """Read the versions' manifest digests from a list of images: name, type, digest and more."""
    lines = (words for line in listed.splitlines() if len(words := line.split()) > _DIGEST)
    digests = {words[0]: words[_DIGEST] for words in lines}
    if missing := [version for version in VERSIONS if _on_node(version) not in digests]:
        raise EngineUnavailable(f"The image {TAG}:{missing[0]} was loaded into a node, but is not there.")
    return {version: digests[_on_node(version)] for version in VERSIONS}
