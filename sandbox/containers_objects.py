"""Everything that one engine has of ours, by its labels: containers, networks, volumes and images. Blocking calls."""

import logging
from typing import Any

import docker
from docker.models.containers import Container
from docker.models.images import Image
from docker.models.networks import Network
from docker.models.volumes import Volume

log = logging.getLogger(__name__)

Thing = Container | Network | Volume | Image


def found(client: docker.DockerClient, filters: dict[str, Any]) -> list[Thing]:
    """Return what has some labels, containers first: what they use cannot be removed."""
    containers = client.containers.list(all=True, filters=filters, ignore_removed=True)
    images = client.images.list(filters=filters)
    return [*containers, *client.networks.list(filters=filters), *client.volumes.list(filters=filters), *images]


def labels_of(thing: Thing) -> dict[str, str]:
    """Return what a thing is labelled with."""
    attributes = thing.attrs
    labels: dict[str, str] | None = (
        attributes["Config"]["Labels"] if isinstance(thing, Container | Image) else attributes["Labels"]
    )
    return labels or {}


def title(thing: Thing) -> str:
    """Name a thing with its kind."""
    kind = type(thing).__name__.lower()
    return f"{kind} {next(iter(thing.tags), thing.short_id) if isinstance(thing, Image) else thing.name}"


def remove(things: list[Thing]) -> list[str]:
    """Remove by id, so that a new object of the same name is safe; what has gone by itself is not counted.

    One that the engine does not remove must not keep the others from going.
    """
    removed = []
    for thing in things:
        try:
            if isinstance(thing, Container):
                thing.remove(force=True, v=True)
            elif isinstance(thing, Image):
                thing.remove(force=True)
            else:
                thing.remove()
        except docker.errors.NotFound:
            continue
        except docker.errors.APIError as error:
            log.warning("%s could not be removed: %s", title(thing), error.explanation or error)
            continue
        removed.append(title(thing))
    return removed
