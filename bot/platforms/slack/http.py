"""Slack over HTTP: the signature over the raw body first, then the replay's check, and only then any reading."""

import time
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response
from slack_bolt.async_app import AsyncApp
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_sdk.signature import SignatureVerifier

from bot.errors import CannotListen

PATH = "/slack/events"
LARGEST = 256 * 1024
WINDOW = 300.0  # seconds for which Slack's signature holds


class Seen:
    """The signatures of the last minutes: each request is taken once."""

    def __init__(self) -> None:
        self._at: OrderedDict[str, float] = OrderedDict()

    def again(self, signature: str) -> bool:
        """Whether this signature came before."""
        now = time.monotonic()
        while self._at and next(iter(self._at.values())) < now - 2 * WINDOW:
            self._at.popitem(last=False)
        return self._at.setdefault(signature, now) != now


def application(app: AsyncApp, secret: str) -> web.Application:
    """The web application that Slack talks to."""
    verifier, seen = SignatureVerifier(secret), Seen()

    async def handle(request: web.Request) -> web.StreamResponse:
        body = await request.read()
        if not _genuine(verifier, body, request):
            return web.json_response({"error": "The signature does not hold."}, status=401)
        if seen.again(request.headers["X-Slack-Signature"]):
            return web.json_response({"error": "This request came before."}, status=401)
        try:
            read = AsyncBoltRequest(body=body.decode(), query=request.query_string, headers=dict(request.headers))
        except (ValueError, KeyError, TypeError, AttributeError):
            return web.json_response({"error": "The body cannot be read."}, status=400)
        return await to_aiohttp_response(await app.async_dispatch(read))

    served = web.Application(client_max_size=LARGEST)
    served.router.add_post(PATH, handle)
    return served


def _genuine(verifier: SignatureVerifier, body: bytes, request: web.Request) -> bool:
    try:
        return verifier.is_valid_request(body, dict(request.headers))
    except ValueError:  # a timestamp that is no number, a body that is no text
        return False


@asynccontextmanager
async def listening(app: AsyncApp, secret: str, host: str, port: int) -> AsyncIterator[str]:
    """Serve until the block ends; the address. Raises `CannotListen`."""
    runner = web.AppRunner(application(app, secret), access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        yield f"http://{host}:{runner.addresses[0][1]}{PATH}"
    except OSError as error:
        reason = (error.strerror or str(error)).partition(" (while")[0]
        raise CannotListen(host, port, reason, "PORTSIDE_SLACK_PORT") from error
    finally:
        await runner.cleanup()
