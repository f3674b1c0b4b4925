"""What a cluster has beside its API server, or has not: a demo that needs it does not start without it.

An API that is registered and does not answer is worse than none: no namespace of the cluster can be deleted meanwhile.
"""

import asyncio

from sandbox.cluster_api import Api, NotThere, translated
from sandbox.errors import DemoFailed, EngineUnavailable
from sandbox.observing import StorageClass

_SERVICES = "/apis/apiregistration.k8s.io/v1/apiservices"
# One that has just been started answers within seconds.
WITHIN = 15.0
_PAUSE = 0.25
_CLASSES = "/apis/storage.k8s.io/v1/storageclasses"
_DEFAULT = "storageclass.kubernetes.io/is-default-class"


async def available(api: Api, name: str, within: float = WITHIN) -> None:
    """Wait until the API of an APIService answers. Raises EngineUnavailable, at once where there is no such API."""
    end = asyncio.get_running_loop().time() + within
    while (why := await _missing(api, name)) is not None:
        if asyncio.get_running_loop().time() > end:
            raise EngineUnavailable(
                f"The cluster's {name} API does not answer, and until it does no namespace can be deleted either: "
                f"nothing was started. The API server says: {why} Look with: kubectl describe apiservice {name}"
            )
        await asyncio.sleep(_PAUSE)


async def _missing(api: Api, name: str) -> str | None:
    """Return why an API is not available, in the cluster's words; None where it is."""
    try:
        with translated():
            service = await api.call("GET", f"{_SERVICES}/{name}")
    except NotThere as error:
        raise EngineUnavailable(
            f"The cluster has no {name} API, which this demo needs: nothing was started. Install metrics-server in the "
            "cluster, or unset PORTSIDE_KUBE_CONTEXT for one of ours."
        ) from error
    conditions = service.get("status", {}).get("conditions", ())
    verdict = [one for one in conditions if one["type"] == "Available"]
    if not verdict:
        return "it was registered a moment ago."
    return None if verdict[0]["status"] == "True" else str(verdict[0].get("message"))


async def default_class(api: Api) -> StorageClass:
    """Return the class that a claim gets which names none. Raises DemoFailed where there is none."""
    with translated():
        found = (await api.call("GET", _CLASSES))["items"]
    for one in found:
        if (one["metadata"].get("annotations") or {}).get(_DEFAULT) == "true":
            return StorageClass(one["metadata"]["name"], one["provisioner"])
    raise DemoFailed(
        "The cluster has no default StorageClass, so a claim would never get a volume: nothing was started. Mark one "
        f"(kubectl annotate storageclass NAME {_DEFAULT}=true), or unset PORTSIDE_KUBE_CONTEXT for a cluster of ours."
    )
