"""What a container is started with, as a learner would say it to docker: pure. What only locks it in is not here."""

from dataclasses import dataclass

from sandbox.engines import Version
from sandbox.manifests import Check
from sandbox.quota import CPUS, DATA, MEMORY_MIB, PORT, RESTARTS

IMAGE = "portside/web"
HEALTH = ("/web", "health")  # also the image's own HEALTHCHECK


@dataclass(frozen=True)
class Container:
    """One container: `publish` is a port of the machine, `volume` a named volume for its data.

    It runs a version of the demo image, or the `image` that is named. `memory_mib` is its limit; `command` what it runs
    in place of the web server. A `writable` one may write into its own layer, as every container may that is not locked
    in. Without a `check` the image's own is switched off.
    """

    name: str
    version: Version = "1"
    restart: bool = False
    check: Check | None = None
    publish: int | None = None
    volume: str | None = None
    memory_mib: int = MEMORY_MIB
    command: str = ""
    image: str | None = None
    writable: bool = False


@dataclass(frozen=True)
class Build:
    """An image to be made from the shipped Dockerfile."""

    image: str
    colour: str


def docker_build(build: Build) -> str:
    """Return what a learner would type for a build, beside the Dockerfile and the program."""
    return f"docker build -t {build.image} --build-arg COLOUR={build.colour} ."


def docker_run(container: Container) -> str:
    """Return what a learner would type for a container."""
    words = ["docker run -d", f"--name {container.name}"]
    if container.publish:
        words.append(f"-p {container.publish}:{PORT}")
    if container.volume:
        words.append(f"-v {container.volume}:{DATA}")
    if container.restart:
        words.append(f"--restart=on-failure:{RESTARTS}")
    words.append(f"--memory={container.memory_mib}m --cpus={CPUS}")
    words.append(_health(container.check) if container.check else "--no-healthcheck")
    return " ".join(filter(None, [*words, container.image or f"{IMAGE}:{container.version}", container.command]))


def _health(check: Check) -> str:
    return f"--health-interval={check.period}s --health-timeout={check.timeout}s --health-retries={check.failures}"
