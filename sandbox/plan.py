"""What a learner types to do what a demo does, and takes home: values, from the very functions that a run uses."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sandbox.docker_run import IMAGE, Container
from sandbox.engines import Images
from sandbox.manifests import Manifest
from sandbox.names import Plain
from sandbox.quota import PORT

MANIFEST = "web.yaml"

# What a demo makes its containers and manifests with in a plan: in a run these are the run's own.
PLAIN = Plain()
IMAGES = Images.published(f"{IMAGE}:1")

# Where the lines of `find_container`, `find_pod` or `find_service` say that an app answers.
ADDRESS = f"$ADDRESS:{PORT}"
POD = "$POD"


@dataclass(frozen=True)
class Step:
    """What is done, in a sentence, and the lines that do it; each runs in a shell as it stands."""

    text: str
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Plan:
    """The steps on each side, without the manifests' writing and the clean-up, and the objects that they make.

    `manifests` is what web.yaml holds, `files` what stands in others beside it.
    """

    docker: tuple[Step, ...] = ()
    kubernetes: tuple[Step, ...] = ()
    containers: tuple[Container, ...] = ()
    manifests: tuple[Manifest, ...] = ()
    files: Mapping[str, tuple[Manifest, ...]] = field(default_factory=dict)


def apply(file: str) -> str:
    """Return the line that has the objects of a file."""
    return f"kubectl apply -f {file}"


APPLY = apply(MANIFEST)
# After a replacement the old pod is listed too, until it has ended.
_BY_AGE = "--sort-by=.metadata.creationTimestamp"


def find_container(name: str) -> str:
    """Return the line that learns where a container answers by itself."""
    address = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}"
    return f"ADDRESS=$(docker inspect --format '{address}' {name})"


def find_pod(app: str) -> tuple[str, str]:
    """Return the lines that learn the name of an app's newest pod, and where it answers."""
    return (
        f"POD=$(kubectl get pods -l app={app} {_BY_AGE} -o jsonpath='{{.items[-1:].metadata.name}}')",
        f"ADDRESS=$(kubectl get pod {POD} -o jsonpath='{{.status.podIP}}')",
    )


def find_service(name: str) -> str:
    """Return the line that learns where a Service answers."""
    return f"ADDRESS=$(kubectl get service {name} -o jsonpath='{{.spec.clusterIP}}')"


def ask() -> str:
    """Return the line that waits for the first answer at the address that was learned."""
    return f"curl -sS --retry 9 --retry-connrefused http://{ADDRESS}/"


def rollout_status(app: str) -> str:
    """Return the line that waits until an app's pods are ready."""
    return f"kubectl rollout status deployment/{app} --timeout=60s"
