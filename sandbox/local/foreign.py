"""Engines of the operator's: found, asked what they are, and otherwise left alone."""

import http.client
import json
import os
import ssl
from base64 import b64decode
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from sandbox.engines import ClusterEndpoint, DockerEndpoint, EngineConfig, EngineStatus, Images
from sandbox.errors import EngineUnavailable
from sandbox.events import Engine
from sandbox.local.images import Docker
from sandbox.local.toolchain import Workshop

DEFAULT_SOCKET = Path("/var/run/docker.sock")

_SOCKETS = ("unix", "http+unix")
_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_TIMEOUT = 5.0
_IN_CLUSTER_TOKEN = Path("/var/run/secrets/kubernetes.io/serviceaccount/token")
_NO_IMAGE = (
    "A cluster of your own needs an image of the demo app that it can pull. Build sandbox/image, push it where the "
    "cluster pulls from, and name it in PORTSIDE_DEMO_IMAGE."
)


@dataclass(frozen=True)
class Choice:
    """Which engines are the operator's."""

    docker_host: str | None
    context: str | None
    in_cluster: bool

    @property
    def cluster(self) -> bool:
        """Whether Kubernetes is the operator's."""
        return self.in_cluster or self.context is not None


async def choose(config: EngineConfig) -> Choice:
    """Take the engines that the operator named, or that are simply there; never a kubeconfig's current context."""
    return Choice(config.docker_host or await _default_docker(), config.kube_context, _in_cluster())


def _in_cluster() -> bool:
    return "KUBERNETES_SERVICE_HOST" in os.environ and _IN_CLUSTER_TOKEN.exists()


async def _default_docker() -> str | None:
    host = f"unix://{DEFAULT_SOCKET}"
    try:
        await Docker(host).version()
    except EngineUnavailable:
        return None
    return host


async def docker_version(host: str) -> str:
    """Return the version of the operator's Docker. Raises `EngineUnavailable` at once where it does not answer."""
    _require_reachable(host)
    try:
        return await Docker(host).version()
    except EngineUnavailable as error:
        raise EngineUnavailable(f"{error} Start it, or unset DOCKER_HOST for an engine of ours.") from error


def _require_reachable(host: str) -> None:
    """Refuse what docker's library cannot reach."""
    if urlsplit(host).scheme == "ssh":
        raise EngineUnavailable(
            f"{host} is reached over SSH, which Portside does not speak. Forward the engine's socket "
            "(ssh -nNT -L /tmp/docker.sock:/var/run/docker.sock HOST) and set DOCKER_HOST=unix:///tmp/docker.sock."
        )


def _is_elsewhere(host: str) -> bool:
    """Its containers' addresses may be those of somebody else's containers here."""
    parts = urlsplit(host)
    return parts.scheme not in _SOCKETS and parts.hostname not in _LOOPBACK


async def docker(host: str, config: EngineConfig) -> tuple[EngineStatus, DockerEndpoint]:
    """Reach the operator's Docker, with the demo image in it. Raises `EngineUnavailable`."""
    version = await docker_version(host)
    engine = Docker(host)
    if config.demo_image:
        images = Images({**Images.published(config.demo_image).names, "1": await engine.pull(config.demo_image)})
    else:
        images, _ = await engine.load_demo_images(Workshop(config.cache.absolute()))
    far = _is_elsewhere(host)
    endpoint = DockerEndpoint(host, images, ours=False, where=host, registry=config.registry, far=far)
    return EngineStatus(Engine.DOCKER, "ready", version, host), endpoint


def kubernetes(choice: Choice, config: EngineConfig) -> tuple[EngineStatus, ClusterEndpoint]:
    """Reach the operator's cluster. Raises `EngineUnavailable`."""
    kubeconfig: Path | None = None
    authority: str | None
    if choice.context is None:
        host, port = os.environ["KUBERNETES_SERVICE_HOST"], os.environ.get("KUBERNETES_SERVICE_PORT", "443")
        address, authority = f"https://{host}:{port}", _IN_CLUSTER_TOKEN.with_name("ca.crt").read_text()
        where = "this cluster"
    else:
        kubeconfig = _kubeconfig()
        address, authority = _server(kubeconfig, choice.context)
        where = choice.context
    if not config.demo_image:
        raise EngineUnavailable(_NO_IMAGE)
    version = _version(address, authority)
    images = Images.published(config.demo_image)
    endpoint = ClusterEndpoint(kubeconfig, choice.context, images, ours=False, where=where, registry=config.registry)
    return EngineStatus(Engine.KUBERNETES, "ready", version, address), endpoint


def _kubeconfig() -> Path:
    named = os.environ.get("KUBECONFIG", "").split(os.pathsep)[0]
    return Path(named) if named else Path.home() / ".kube" / "config"


def _server(kubeconfig: Path, context: str) -> tuple[str, str | None]:
    """Return the address of a context's API server, and the authority that has signed its certificate."""
    try:
        content = yaml.safe_load(kubeconfig.read_text())
        cluster = _named(content, "contexts", context)["context"]["cluster"]
        server: dict[str, Any] = _named(content, "clusters", cluster)["cluster"]
        return str(server["server"]), _authority(kubeconfig.parent, server)
    except (OSError, ValueError, KeyError, TypeError, StopIteration, yaml.YAMLError) as error:
        raise EngineUnavailable(
            f"{kubeconfig} has no usable context {context!r}. See kubectl config get-contexts, and name one of them in "
            "PORTSIDE_KUBE_CONTEXT."
        ) from error


def _named(content: dict[str, Any], kind: str, name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(entry for entry in content[kind] if entry["name"] == name)
    return found


def _authority(folder: Path, server: dict[str, Any]) -> str | None:
    if "certificate-authority-data" in server:
        return b64decode(server["certificate-authority-data"]).decode()
    if "certificate-authority" in server:
        return Path(folder, server["certificate-authority"]).read_text()
    return None


def _version(address: str, authority: str | None) -> str | None:
    """Ask for the version, which a cluster tells everybody; None where this one does not."""
    parts = urlsplit(address)
    context = ssl.create_default_context(cadata=authority)
    connection = http.client.HTTPSConnection(parts.hostname or "", parts.port, timeout=_TIMEOUT, context=context)
    try:
        connection.request("GET", f"{parts.path}/version")
        answer = connection.getresponse()
        content = answer.read()
    except (OSError, http.client.HTTPException) as error:
        raise EngineUnavailable(
            f"The cluster at {address} does not answer: {error}. Start it, or unset "
            "PORTSIDE_KUBE_CONTEXT for one of ours."
        ) from error
    finally:
        connection.close()
    if answer.status != http.client.OK:
        return None
    version: str = json.loads(content)["gitVersion"]
    return version
