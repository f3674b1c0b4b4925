"""Images of a run's own, in docker's verbs: built from the shipped Dockerfile alone, and pushed. Blocking calls."""

import asyncio
import io
import tarfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import docker

from sandbox.docker_run import Build
from sandbox.errors import DemoFailed

DOCKERFILE = Path(__file__).parent / "image" / "Dockerfile"

_NOISE = ("--->", "Removing intermediate container")

Line = Mapping[str, Any]
Told = Callable[[str], None]


def build(client: docker.DockerClient, wanted: Build, source: str, labels: Mapping[str, str], told: Told) -> None:
    """Build an image with labels from the program in the demo image; tell each line of the builder's as it comes."""
    lines = client.api.build(
        fileobj=_context(_program(client, source, labels)),
        custom_context=True,
        tag=wanted.image,
        buildargs={"COLOUR": wanted.colour},
        labels=dict(labels),
        rm=True,
        forcerm=True,
        decode=True,
    )
    _follow(lines, told, "Docker could not build the image")


def push(client: docker.DockerClient, image: str, told: Told) -> str:
    """Push an image, tell each line of the engine's as it comes, and return the digest that the registry named."""
    repository, _, tag = image.rpartition(":")
    lines = client.api.push(repository, tag=tag, stream=True, decode=True)
    digest = _follow(lines, told, f"The registry did not take {image}")
    if digest is None:
        raise DemoFailed(f"The registry has named no digest for {image}. Start the demo again.")
    return digest


def told_in_loop(told: Told) -> Told:
    """Return what a thread may call to tell something in the loop that runs now."""
    loop = asyncio.get_running_loop()

    def tell(text: str) -> None:
        loop.call_soon_threadsafe(told, text)

    return tell


def _follow(lines: Iterable[Line], told: Told, failed: str) -> str | None:
    digest = None
    for line in lines:
        if "error" in line:
            raise DemoFailed(
                f"{failed}: {str(line['error']).strip(' .')}. Check that the registry answers, and try again."
            )
        digest = line.get("aux", {}).get("Digest", digest)
        if text := _said(line):
            told(text)
    return digest


def _said(line: Line) -> str:
    """Return what of a line is worth showing: a bar of progress and the builder's own containers are not."""
    text = line.get("stream") or ("" if "progressDetail" in line else line.get("status", ""))
    words = " ".join(str(text).split())
    return "" if words.startswith(_NOISE) else words


def _program(client: docker.DockerClient, source: str, labels: Mapping[str, str]) -> bytes:
    """Take the program out of the demo image, as `docker create` and `docker cp` do."""
    made = client.containers.create(source, labels=dict(labels), network_mode="none")
    try:
        return b"".join(made.get_archive("/web")[0])
    finally:
        made.remove()


def _context(program: bytes) -> io.BytesIO:
    """Pack what the build needs: the Dockerfile, the program, and the empty folder for its data."""
    packed = io.BytesIO()
    data = tarfile.TarInfo("data")
    data.type, data.mode = tarfile.DIRTYPE, 0o755
    with tarfile.open(fileobj=io.BytesIO(program)) as given, tarfile.open(fileobj=packed, mode="w") as wanted:
        found = given.getmember("web")
        wanted.addfile(found, given.extractfile(found))
        wanted.addfile(data)
        wanted.add(DOCKERFILE, "Dockerfile")
    packed.seek(0)
    return packed
