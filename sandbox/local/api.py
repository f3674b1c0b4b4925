"""The API server of our own cluster as its operator sees it: just what starting a cluster takes."""

import base64
import contextlib
import http.client
import json
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from string import Template
from typing import Any

import yaml

from sandbox.errors import EngineUnavailable
from sandbox.local.layout import API_PORT, METRICS_PORT, Layout

Object = dict[str, Any]

_TIMEOUT = 5.0
_WATCH_SECONDS = 30
_TOKEN_SECONDS = 24 * 3600
_ADMISSION = Path(__file__).with_name("kubernetes") / "admission.yaml"
_SERVICES = Path(__file__).with_name("kubernetes") / "services.yaml"
_PLURALS = {"ValidatingAdmissionPolicy": "validatingadmissionpolicies", "StorageClass": "storageclasses"}


class Refused(EngineUnavailable):
    """The API server answered with an error; `status` is its HTTP status."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True)
class Api:
    """Calls, one connection each; `token` None means the operator's certificate."""

    layout: Layout
    token: str | None = None

    def get(self, path: str) -> Object:
        """Read an object. Raises `Refused`, or `EngineUnavailable` where nobody answers."""
        return self._request("GET", path)

    def post(self, path: str, body: Object) -> Object:
        """Create an object. Raises as `get`."""
        return self._request("POST", path, body)

    def create(self, manifest: Object) -> None:
        """Create an object of any kind; one that is there already is left as it is."""
        with _tolerating(http.client.CONFLICT):
            self.post(collection(manifest), manifest)

    def delete(self, path: str) -> None:
        """Delete an object; one that is gone already is fine."""
        with _tolerating(http.client.NOT_FOUND):
            self._request("DELETE", path)

    def wait_for_change(self, path: str, version: str) -> None:
        """Return when something in a collection has changed since a version, or after half a minute."""
        query = f"watch=1&resourceVersion={version}&timeoutSeconds={_WATCH_SECONDS}"
        with self._answer("GET", f"{path}?{query}", timeout=_WATCH_SECONDS + _TIMEOUT) as answer:
            answer.readline()

    def _request(self, method: str, path: str, body: Object | None = None) -> Object:
        with self._answer(method, path, body) as answer:
            return _parsed(answer.read().decode())

    @contextlib.contextmanager
    def _answer(
        self, method: str, path: str, body: Object | None = None, timeout: float = _TIMEOUT
    ) -> Iterator[http.client.HTTPResponse]:
        connection = http.client.HTTPSConnection(
            str(self.layout.box_address), API_PORT, timeout=timeout, context=self._context()
        )
        headers = {"Content-Type": "application/json"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        try:
            connection.request(method, path, json.dumps(body) if body else None, headers)
            answer = connection.getresponse()
            if answer.status >= http.client.BAD_REQUEST:
                said = answer.read().decode()[:300]
                raise Refused(answer.status, f"The API server refused {method} {path}: {said}")
            yield answer
        except (OSError, http.client.HTTPException) as error:
            raise EngineUnavailable(f"The API server at {self.layout.api} does not answer: {error}") from error
        finally:
            connection.close()

    def _context(self) -> ssl.SSLContext:
        pki = self.layout.state / "pki"
        context = ssl.create_default_context(cafile=str(pki / "ca.crt"))
        if not self.token:
            context.load_cert_chain(pki / "admin.crt", pki / "admin.key")
        return context

    def ready(self) -> bool:
        """Say whether the API server is."""
        try:
            self.get("/readyz")
        except EngineUnavailable:
            return False
        return True

    def ready_nodes(self) -> int:
        """Count the nodes that pods may be put on."""
        nodes = self.get("/api/v1/nodes")["items"]
        return sum(
            condition["type"] == "Ready" and condition["status"] == "True"
            for node in nodes
            for condition in node["status"].get("conditions", [])
        )

    def ready_since(self, node: str, moment: datetime) -> bool:
        """Say whether a node has called itself ready since a moment: what it said before it died still stands there."""
        conditions = self.get(f"/api/v1/nodes/{node}")["status"].get("conditions", [])
        return any(
            (one["type"], one["status"]) == ("Ready", "True")
            and datetime.fromisoformat(one["lastHeartbeatTime"]) > moment
            for one in conditions
        )

    def controlled(self) -> bool:
        """Say whether the controllers work: one of them gives every namespace its ServiceAccount."""
        try:
            self.get("/api/v1/namespaces/portside-system/serviceaccounts/default")
        except Refused:
            return False
        return True

    def version(self) -> str:
        """Return the cluster's version."""
        return str(self.get("/version")["gitVersion"])

    def apply_manifests(self) -> None:
        """Create the bot's rights, the policies that hold whatever its rights are, and the cluster's own Services."""
        for manifest in manifests(self.layout, (self.layout.state / "pki" / "ca.crt").read_bytes()):
            self.create(manifest)  # there already: from an attempt whose end was not reached

    def bot_token(self) -> str:
        """Ask for a new token of the bot's ServiceAccount."""
        request = {
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenRequest",
            "spec": {"expirationSeconds": _TOKEN_SECONDS},
        }
        answer = self.post("/api/v1/namespaces/portside-system/serviceaccounts/bot/token", request)
        return str(answer["status"]["token"])

    def guarded(self) -> bool:
        """Say whether admission refuses the bot a namespace without our labels, as it must before any demo."""
        unlabelled = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "portside-unlabelled"}}
        try:
            self.post("/api/v1/namespaces?dryRun=All", unlabelled)
        except Refused as error:
            return "ValidatingAdmissionPolicy" in str(error)
        return False


def manifests(layout: Layout, authority: bytes) -> Iterator[Object]:
    """Yield what is applied to every new cluster; `authority` is the certificate that its servers are signed by."""
    yield from yaml.safe_load_all(_ADMISSION.read_text())
    services = Template(_SERVICES.read_text()).substitute(
        dns_service=layout.dns_service,
        dns_address=layout.dns_address,
        metrics_address=layout.box_address,
        metrics_port=METRICS_PORT,
        authority=base64.b64encode(authority).decode(),
    )
    yield from yaml.safe_load_all(services)


def collection(manifest: Object) -> str:
    """Return the path that an object of this kind is created at."""
    version, kind = manifest["apiVersion"], manifest["kind"]
    root = "/api/v1" if version == "v1" else f"/apis/{version}"
    plural = _PLURALS.get(kind, f"{kind.lower()}s")
    if namespace := manifest["metadata"].get("namespace"):
        return f"{root}/namespaces/{namespace}/{plural}"
    return f"{root}/{plural}"


@contextlib.contextmanager
def _tolerating(status: int) -> Iterator[None]:
    try:
        yield
    except Refused as error:
        if error.status != status:
            raise


def _parsed(content: str) -> Object:
    """Read an object; a health check answers with plain text."""
    try:
        parsed: Object = json.loads(content)
    except ValueError:
        return {}
    return parsed
