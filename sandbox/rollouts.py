"""What `kubectl set image` and `rollout status`, `undo` and `restart` read and change: pure functions over JSON."""

from collections.abc import Mapping, Sequence
from typing import Any

Json = Mapping[str, Any]

_REVISION = "deployment.kubernetes.io/revision"
_HASH = "pod-template-hash"
_RESTARTED = "kubectl.kubernetes.io/restartedAt"


def set_image(deployment: Json, image: str, version: str) -> dict[str, Any]:
    """Return what to change so that a Deployment's containers run another image.

    A merge replaces a list as a whole. The label is ours: by it a pod tells its version.
    """
    containers = [container | {"image": image} for container in deployment["spec"]["template"]["spec"]["containers"]]
    return {"spec": {"template": {"metadata": {"labels": {"version": version}}, "spec": {"containers": containers}}}}


def restart(moment: str) -> dict[str, Any]:
    """Return what to change so that a Deployment replaces its pods by others of the same kind."""
    return {"spec": {"template": {"metadata": {"annotations": {_RESTARTED: moment}}}}}


def undo(deployment: Json, replicasets: Sequence[Json]) -> dict[str, Any] | None:
    """Return what to change so that a Deployment has the template of the revision before; None where there is none."""
    uid, now = deployment["metadata"]["uid"], _revision(deployment)
    before = [one for one in replicasets if _owner(one) == uid and _revision(one) < now]
    if not before:
        return None
    template = max(before, key=_revision)["spec"]["template"]
    labels = {name: value for name, value in template["metadata"]["labels"].items() if name != _HASH}
    return {"spec": {"template": template | {"metadata": template["metadata"] | {"labels": labels}}}}


def _owner(replicaset: Json) -> str | None:
    return next((owner["uid"] for owner in replicaset["metadata"].get("ownerReferences", ())), None)


def _revision(thing: Json) -> int:
    return int(thing["metadata"].get("annotations", {}).get(_REVISION, 0))


def rolled_out(deployment: Json) -> bool:
    """Say whether a rollout has come to its end."""
    return status(deployment).endswith("successfully rolled out")


def status(deployment: Json) -> str:
    """Say how a rollout does, in the words of `kubectl rollout status`."""
    name, wanted, state = deployment["metadata"]["name"], deployment["spec"]["replicas"], deployment.get("status", {})
    if deployment["metadata"]["generation"] > state.get("observedGeneration", 0):
        return "Waiting for deployment spec update to be observed..."
    there, updated, available = (state.get(key, 0) for key in ("replicas", "updatedReplicas", "availableReplicas"))
    waiting = f'Waiting for deployment "{name}" rollout to finish: '
    if updated < wanted:
        return f"{waiting}{updated} out of {wanted} new replicas have been updated..."
    if there > updated:
        return f"{waiting}{there - updated} old replicas are pending termination..."
    if available < updated:
        return f"{waiting}{available} of {updated} updated replicas are available..."
    return f'deployment "{name}" successfully rolled out'
