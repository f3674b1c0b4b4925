"""The API server of a cluster as JSON in, JSON out. With `cluster`, the only module that imports `kubernetes`."""

import contextlib
import json
from collections.abc import AsyncGenerator, Iterator
from typing import Any, Self
from urllib.parse import urlencode

import aiohttp
import yaml
from kubernetes.aio.client.api_client import ApiClient
from kubernetes.aio.client.configuration import Configuration
from kubernetes.aio.config import ConfigException, load_incluster_config, load_kube_config

from sandbox.engines import ClusterEndpoint
from sandbox.errors import DemoFailed, EngineUnavailable, QuotaExceeded, SandboxError
from sandbox.http import Answer
from sandbox.observing import Json

BAD_REQUEST, NOT_FOUND, FORBIDDEN, CONFLICT, GONE, BUSY = 400, 404, 403, 409, 410, 429
FIRST_OWN_ERROR = 500

JSON = "application/json"
MERGE_PATCH = "application/merge-patch+json"
APPLY_PATCH = "application/apply-patch+yaml"
_BYTES = "application/octet-stream"

_FIRST_ERROR = 400
# No demo app answers with these, but a server that has just started and does not know its rights and quotas yet.
_NOT_PASSED_ON = (FORBIDDEN, BUSY)
_REQUEST = aiohttp.ClientTimeout(total=8, connect=2)
_WATCH_SECONDS = 30
_WATCH = aiohttp.ClientTimeout(total=None, connect=2, sock_read=_WATCH_SECONDS + 5)


class NotThere(DemoFailed):
    """Kubernetes has no object of that name."""


class Refused(Exception):
    """The API server answered with an error status."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


_AWAY = (
    "Kubernetes does not answer any more. Nothing outside this run was touched, and whatever is left of it is "
    'removed once its time is over. See how it does with "portside engines status", then start the demo again.'
)


@contextlib.contextmanager
def translated() -> Iterator[None]:
    """Turn what the client library and the ones below it raise, and what the server refuses, into our own errors."""
    try:
        yield
    except Refused as error:
        raise _meaning(error) from error
    except ConfigException as error:
        raise EngineUnavailable(
            f"The access to Kubernetes cannot be read: {error}. Check PORTSIDE_KUBE_CONTEXT and your kubeconfig."
        ) from error
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError, yaml.YAMLError) as error:
        raise EngineUnavailable(_AWAY) from error


def _meaning(error: Refused) -> SandboxError:
    if error.status == FORBIDDEN and "exceeded quota" in str(error):
        return QuotaExceeded(str(error))
    if error.status == BUSY or error.status >= FIRST_OWN_ERROR:
        return EngineUnavailable(_AWAY)
    if error.status == NOT_FOUND:
        return NotThere(f"Kubernetes does not know this any more: {error}. Start the demo again.")
    return DemoFailed(f"Kubernetes refused a step of the demo: {error}")


class Api:
    """The API server as JSON in, JSON out: demos need few fields, and the library's models check them all."""

    def __init__(self, client: ApiClient) -> None:
        self._client = client

    @classmethod
    async def connect(cls, endpoint: ClusterEndpoint) -> Self:
        """Read the credentials; nothing is sent yet."""
        configuration = Configuration(client_session_kwargs={"trust_env": False})  # a proxy is no way to a local server
        with translated():
            if endpoint.kubeconfig is None:
                load_incluster_config(configuration)  # type: ignore[no-untyped-call]
            else:
                await load_kube_config(  # type: ignore[no-untyped-call]
                    str(endpoint.kubeconfig), endpoint.context, configuration, persist_config=False
                )
        return cls(ApiClient(configuration))

    async def close(self) -> None:
        """Give the connections back."""
        await self._client.close()  # type: ignore[no-untyped-call]

    async def call(self, method: str, path: str, body: Json | None = None, kind: str = JSON) -> dict[str, Any]:
        """Send one request with a body of some kind. Raises `Refused`, or what the network raises."""
        response = await self._send(method, path, _REQUEST, body, kind)
        async with response:
            answer: dict[str, Any] = await response.json()
        if response.status >= _FIRST_ERROR:
            raise Refused(response.status, answer.get("message", str(response.reason)))
        return answer

    async def proxy(self, method: str, path: str, body: bytes) -> Answer:
        """Send one request that the API server passes on, and return the answer. Raises `Refused` where it did not."""
        async with await self._send(method, path, _REQUEST, body, _BYTES) as response:
            answer = Answer(response.status, await response.read())
        if answer.status in _NOT_PASSED_ON:
            raise Refused(answer.status, _message(answer.body.decode(errors="replace")))
        return answer

    async def lines(self, path: str) -> AsyncGenerator[str, None]:
        """Yield the lines of an answer that goes on, until it ends. Raises `Refused`, or what the network raises."""
        response = await self._send("GET", path, _WATCH)
        try:
            if response.status >= _FIRST_ERROR:
                raise Refused(response.status, _message(await response.text()))
            async for line in response.content:
                yield line.decode(errors="replace")
        finally:
            response.close()

    async def _send(
        self, method: str, path: str, limits: aiohttp.ClientTimeout, body: Json | bytes | None = None, kind: str = JSON
    ) -> aiohttp.ClientResponse:
        request = await self._client.param_serialize(
            method, path, header_params={"Content-Type": kind}, auth_settings=["BearerToken"], body=body
        )
        answer = await self._client.call_api(*request, _request_timeout=limits)
        response: aiohttp.ClientResponse = answer.response
        return response

    async def watch(self, path: str, version: str) -> AsyncGenerator[dict[str, Any], None]:
        """Yield changes after a version until the server has had enough. Raises `Refused` if it is too old."""
        query = urlencode({"watch": 1, "resourceVersion": version, "timeoutSeconds": _WATCH_SECONDS})
        response = await self._send("GET", f"{path}?{query}", _WATCH)
        try:
            async for line in response.content:
                change = json.loads(line)
                if change["type"] == "ERROR":
                    raise Refused(change["object"].get("code", GONE), change["object"].get("message", ""))
                yield change
        finally:
            response.close()


def _message(body: str) -> str:
    """Return what an error says: of a Status of Kubernetes its message, of anything else all of it."""
    try:
        return str(json.loads(body)["message"])
    except (ValueError, LookupError, TypeError):
        return body
