"""A Slack that listens on 127.0.0.1: Web API, Socket Mode, response URLs; as strict as the real one, and it remembers.

What the app does wrong goes to `violations`, which every test finds empty at its end.
"""

import asyncio
import hashlib
import hmac
import itertools
import json
import time
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import aiohttp
from aiohttp import web
from slack_rules import Refused
from slack_workspace import Workspace

BOT_TOKEN, APP_TOKEN, SECRET = "xoxb-1-test", "xapp-1-test", "s3cret"
DEADLINE = 3.0


@dataclass
class Rate:
    """So many calls of a method in so many seconds, and a burst besides."""

    calls: int
    seconds: float
    retry_after: int = 1
    times: deque[float] = field(default_factory=deque)
    closed_until: float = 0.0


@dataclass
class Fault:
    """How a call goes wrong: an error of Slack's, or a status with its headers."""

    error: str = ""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    before: asyncio.Event | None = None  # the answer waits for it
    needed: str = ""  # the scope that is missing


class SlackServer:
    """The server's own state beside the workspace's."""

    def __init__(self) -> None:
        self.workspace = Workspace()
        self.calls: list[tuple[str, dict[str, Any], float]] = []
        self.violations: list[str] = []
        self.rates: dict[str, Rate] = {}
        self.faults: defaultdict[str, deque[Fault]] = defaultdict(deque)
        self.tokens = {BOT_TOKEN: "", APP_TOKEN: ""}  # each with its error, if it has one
        self.responses: list[dict[str, Any]] = []
        self.limited = 0
        self.base = ""
        self.connected = asyncio.Event()
        self.connections = 0
        self._news = asyncio.Event()
        self._socket: web.WebSocketResponse | None = None
        self._acks: dict[str, asyncio.Future[Any]] = {}
        self._numbers = itertools.count(1)
        self._uses: dict[str, int] = {}

    def app(self) -> web.Application:
        """The routes."""
        app = web.Application(client_max_size=64 * 2**20)
        app.router.add_route("*", "/api/{method}", self._api)
        app.router.add_get("/link", self._link)
        app.router.add_post("/api/upload/{file}", self._bytes)
        app.router.add_post("/respond/{url}", self._respond)
        return app

    def count(self, method: str) -> int:
        return sum(called == method for called, _, _ in self.calls)

    async def until(self, holds: Callable[[], Any], seconds: float = 20.0) -> Any:
        """Wait until something holds, looking whenever something has happened."""
        async with asyncio.timeout(seconds):
            while not (found := holds()):
                news = self._news
                await news.wait()
        return found

    def tell(self) -> None:
        self._news.set()
        self._news = asyncio.Event()

    # The Web API

    async def _api(self, request: web.Request) -> web.Response:
        method = request.match_info["method"]
        args = await _arguments(request)
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        try:
            return await self._answer(method, args, token)
        except Refused as refused:
            if refused.error not in EXPECTED:
                self.violations.append(f"{method}: {refused}")
            return web.json_response({"ok": False, "error": refused.error})
        finally:
            self.tell()

    async def _answer(self, method: str, args: dict[str, Any], token: str) -> web.Response:
        self.calls.append((method, args, time.monotonic()))
        if error := self.tokens.get(token, "invalid_auth"):
            return web.json_response({"ok": False, "error": error})
        if wait := self._limited(method):
            return web.json_response(
                {"ok": False, "error": "ratelimited"}, status=429, headers={"Retry-After": str(wait)}
            )
        if self.faults[method]:
            fault = self.faults[method].popleft()
            if fault.before:
                await fault.before.wait()
            if fault.error == "message_not_in_streaming_state":
                self.workspace.posts[args["channel"], args["ts"]].streaming = False
            if fault.error or fault.status != 200:
                lacking = {"needed": fault.needed, "provided": "commands"} if fault.needed else {}
                told = {"ok": False, "error": fault.error, **lacking}
                return web.json_response(told, status=fault.status, headers=fault.headers)
        if method == "apps.connections.open":
            if token != APP_TOKEN:
                return web.json_response({"ok": False, "error": "not_allowed_token_type"})
            return web.json_response(
                {"ok": True, "url": f"{self.base.replace('http', 'ws', 1)}/link?n={next(self._numbers)}"}
            )
        answer = self.workspace.call(method, args)
        if "upload_url" in answer:
            answer["upload_url"] = f"{self.base}/api/{answer['upload_url']}"
        return web.json_response({"ok": True, **answer})

    def _limited(self, method: str) -> int:
        """How long to wait, where a method was called too often; a call before that has passed is a violation."""
        rate = self.rates.get(method)
        if rate is None:
            return 0
        now = time.monotonic()
        if now < rate.closed_until:
            self.violations.append(
                f"{method} was called {rate.closed_until - now:.2f} s before its Retry-After had passed"
            )
            return rate.retry_after
        while rate.times and rate.times[0] < now - rate.seconds:
            rate.times.popleft()
        if len(rate.times) >= rate.calls:
            self.limited += 1
            rate.closed_until = now + rate.retry_after
            return rate.retry_after
        rate.times.append(now)
        return 0

    async def _bytes(self, request: web.Request) -> web.Response:
        self.workspace.files[request.match_info["file"]]["data"] = await request.read()
        return web.Response(text="OK")

    # Response URLs

    def response_url(self) -> str:
        name = f"r{next(self._numbers)}"
        self._uses[name] = 0
        return f"{self.base}/respond/{name}"

    async def _respond(self, request: web.Request) -> web.Response:
        name = request.match_info["url"]
        self._uses[name] += 1
        if self._uses[name] > 5:
            self.violations.append(f"response_url used {self._uses[name]} times")
            return web.Response(status=404, text="used_url")
        payload = await request.json()
        try:
            if not payload.get("delete_original"):
                self.workspace._checked(payload)
        except Refused as refused:
            self.violations.append(f"response_url: {refused}")
            return web.json_response({"ok": False, "error": refused.error}, status=404)
        self.responses.append(payload)
        self.tell()
        return web.Response(text="ok")

    # Socket Mode

    async def _link(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self._socket, self.connections = socket, self.connections + 1
        await socket.send_json({"type": "hello", "num_connections": 1, "connection_info": {"app_id": "A00000001"}})
        self.connected.set()
        self.tell()
        async for message in socket:
            if message.type is aiohttp.WSMsgType.TEXT:
                self._acked(json.loads(message.data))
        if self._socket is socket:
            self.connected.clear()
            self.tell()
        return socket

    def _acked(self, ack: dict[str, Any]) -> None:
        waiting = self._acks.pop(ack["envelope_id"], None)
        if waiting and not waiting.done():
            waiting.set_result(ack.get("payload"))

    async def deliver(self, kind: str, payload: dict[str, Any], attempt: int = 0) -> Any:
        """Send one envelope and return what its acknowledgement carries; it must come within 3 s."""
        await self.connected.wait()
        assert self._socket
        envelope = f"e{next(self._numbers)}"
        self._acks[envelope] = asyncio.get_running_loop().create_future()
        told = {
            "envelope_id": envelope,
            "type": kind,
            "payload": payload,
            "accepts_response_payload": kind != "events_api",
        }
        if attempt:
            told |= {"retry_attempt": attempt, "retry_reason": "timeout"}
        began = time.monotonic()
        await self._socket.send_json(told)
        answer = await asyncio.wait_for(self._acks[envelope], DEADLINE + 5)
        if (took := time.monotonic() - began) > DEADLINE:
            self.violations.append(f"{kind} was acknowledged after {took:.1f} s")
        return answer

    async def hang_up(self, reason: str = "refresh_requested") -> None:
        """Ask the app to connect anew, as Slack does every few hours."""
        assert self._socket
        self.connected.clear()
        await self._socket.send_json({"type": "disconnect", "reason": reason, "debug_info": {}})

    async def drop(self) -> None:
        """Ask for a new connection and wait for it."""
        before = self.connections
        await self.hang_up()
        await self.until(lambda: self.connections > before)


EXPECTED = {  # errors that a well-behaved app may meet
    *("message_not_found", "not_in_channel", "is_archived", "channel_not_found", "message_not_in_streaming_state"),
    *("streaming_state_conflict", "thread_not_found", "user_not_found"),
}


async def _arguments(request: web.Request) -> dict[str, Any]:
    """Arguments come as JSON, as a form, or in the query of a POST."""
    args: dict[str, Any] = dict(request.query)
    if request.content_type == "application/json":
        args |= await request.json()
    elif request.content_type in {"application/x-www-form-urlencoded", "multipart/form-data"}:
        args |= dict(await request.post())
    return args


@asynccontextmanager
async def running() -> AsyncIterator[SlackServer]:
    """A server on a port of its own; nothing that it saw was wrong."""
    server = SlackServer()
    runner = web.AppRunner(server.app(), shutdown_timeout=0.2)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    server.base = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield server
        assert not server.violations, server.violations
    finally:
        await runner.cleanup()


def signed(body: bytes, at: float | None = None, secret: str = SECRET) -> dict[str, str]:
    """The headers with which Slack signs a request."""
    stamp = str(int(time.time() if at is None else at))
    digest = hmac.new(secret.encode(), b"v0:" + stamp.encode() + b":" + body, hashlib.sha256).hexdigest()
    return {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": f"v0={digest}"}


def form(payload: dict[str, Any]) -> bytes:
    """A command as it comes over HTTP; an interaction is JSON in the field `payload`."""
    inner = payload if "command" in payload else {"payload": json.dumps(payload)}
    return urlencode(inner).encode()
