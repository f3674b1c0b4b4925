"""Volumes for claims: a folder each on the disk that all nodes share, made for a claim and removed with it.

A program of the box. It keeps nothing in mind: what there is to do follows from the claims, volumes and folders alone,
so it may be killed and started again at any moment.
"""

import logging
import os
import re
import shutil
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from sandbox.engines import EngineConfig
from sandbox.errors import EngineUnavailable
from sandbox.local.api import Api, Object
from sandbox.local.layout import Layout
from sandbox.quota import USER

CLASS = "portside"
PROVISIONER = "portside.dev/folders"

log = logging.getLogger("portside.storage")

_CLAIMS = "/api/v1/persistentvolumeclaims"
_VOLUMES = "/api/v1/persistentvolumes"
_OURS = re.compile(r"pvc-[0-9a-f-]{36}")
_PAUSE = 1.0


@dataclass(frozen=True)
class Todo:
    """The claims that want a volume, and the names of volumes that no claim wants any more."""

    make: tuple[Object, ...]
    remove: frozenset[str]


def todo(claims: Iterable[Object], volumes: frozenset[str]) -> Todo:
    """Compare the claims with the names of the volumes there are. The volumes must have been looked at first."""
    wanted = {volume_name(claim): claim for claim in claims if claim["spec"].get("storageClassName") == CLASS}
    make = (claim for name, claim in wanted.items() if name not in volumes and not claim["spec"].get("volumeName"))
    return Todo(tuple(make), volumes - wanted.keys())


def volume_name(claim: Object) -> str:
    """Return what a claim's volume is called: its folder and its object."""
    return f"pvc-{claim['metadata']['uid']}"


def volume(claim: Object, folder: Path) -> Object:
    """Return the object of a claim's volume, bound to this claim from the beginning."""
    metadata = claim["metadata"]
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        # The annotation tells the controller that removing is our work.
        "metadata": {"name": folder.name, "annotations": {"pv.kubernetes.io/provisioned-by": PROVISIONER}},
        "spec": {
            "capacity": {"storage": claim["spec"]["resources"]["requests"]["storage"]},
            "accessModes": claim["spec"]["accessModes"],
            "persistentVolumeReclaimPolicy": "Delete",
            "storageClassName": CLASS,
            "hostPath": {"path": str(folder), "type": "Directory"},
            "claimRef": {
                "apiVersion": "v1",
                "kind": "PersistentVolumeClaim",
                **{part: metadata[part] for part in ("namespace", "name", "uid")},
            },
        },
    }


def provide(api: Api, root: Path) -> str:
    """Do once what there is to do; return the version of the claims that this was true for."""
    objects = api.get(_VOLUMES)["items"]
    objects = frozenset(one["metadata"]["name"] for one in objects if one["spec"].get("storageClassName") == CLASS)
    folders = frozenset(folder.name for folder in root.iterdir() if _OURS.fullmatch(folder.name))
    claims = api.get(_CLAIMS)
    for claim in todo(claims["items"], objects).make:
        _make(api, root, claim)
    for name in todo(claims["items"], objects | folders).remove:
        log.info("removing %s", name)
        shutil.rmtree(root / name, ignore_errors=True)
        api.delete(f"{_VOLUMES}/{name}")
    return str(claims["metadata"]["resourceVersion"])


def _make(api: Api, root: Path, claim: Object) -> None:
    folder = root / volume_name(claim)
    log.info("making %s for %s", folder.name, claim["metadata"]["name"])
    folder.mkdir(mode=0o770, exist_ok=True)
    os.chown(folder, USER, USER)
    api.create(volume(claim, folder))


def main() -> None:
    """Provide for the claims until the box ends."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    data, cache, network = sys.argv[1:]
    layout = Layout.of(EngineConfig(Path(data), Path(cache), network))
    layout.volumes.mkdir(exist_ok=True)
    api = Api(layout)
    while True:
        try:
            api.wait_for_change(_CLAIMS, provide(api, layout.volumes))
        except EngineUnavailable as error:
            log.warning("%s", error)
            time.sleep(_PAUSE)


if __name__ == "__main__":
    main()
