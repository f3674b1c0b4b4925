"""A Discord for tests: REST, gateway and files on one port, as strict as the real one, which records what it gets.

What Discord would refuse, and what Portside promises never to do, stands in `violations`.
"""

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

import discord_payloads as payloads
import discord_rules as rules
from aiohttp import web
from discord_gateway import Gateway
from discord_payloads import BOT, CHANNEL, EPOCH, snowflake

TOKEN = "NDI0MjQyMDAwMDAwMDAwMDAx.test.word"  # noqa: S105 - of nobody
ACK_SECONDS = 3.0
T = TypeVar("T")


class Refused(Exception):
    """What Discord answers instead."""

    def __init__(self, status: int, code: int, message: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.status, self.body, self.headers = status, {"code": code, "message": message}, headers or {}


@dataclass
class Request:
    """One request as it came in."""

    method: str
    path: str
    body: Any
    at: float
    files: dict[str, bytes] = field(default_factory=dict)


@dataclass
class Asked:
    """An interaction that was sent to the bot, and what became of it."""

    payload: dict[str, Any]
    sent: float
    answer: dict[str, Any] | None = None
    after: float = 0.0
    message: int | None = None


@dataclass
class Limit:
    """A bucket: so many requests a period on the paths that fit; `until` nobody may pass."""

    path: re.Pattern[str]
    most: int
    seconds: float
    left: int = 0
    resets: float = 0.0
    until: float = 0.0


class DiscordServer:
    """The whole of it. `changed` tells of every request, so that a test can wait for what it expects."""

    def __init__(self) -> None:
        self.base = ""
        self.token = TOKEN
        self.gateway = Gateway(self.connected, lambda: self.token)
        self.requests: list[Request] = []
        self.violations: list[str] = []
        self.messages: dict[int, dict[str, Any]] = {}
        self.asked: dict[str, Asked] = {}
        self.commands: list[dict[str, Any]] = []
        self.channels: dict[int, dict[str, Any]] = {CHANNEL: payloads.channel(CHANNEL)}
        self.channels[payloads.FORUM] = payloads.channel(payloads.FORUM, payloads.FORUM_CHANNEL)
        self.files: dict[str, bytes] = {}
        self.refusals: list[tuple[str, re.Pattern[str], Refused]] = []
        self.limits: list[Limit] = []
        self.dead_tokens: set[str] = set()
        self.limited = 0
        self.history: dict[int, list[Any]] = {}
        self.changed = asyncio.Condition()

    # What a test does.

    async def until(self, condition: Callable[[], T], seconds: float = 15.0) -> T:
        """Wait until something holds, and return it."""
        async with asyncio.timeout(seconds), self.changed:
            return await self.changed.wait_for(condition)

    async def connected(self) -> None:
        """Tell whoever waits that the gateway has news."""
        async with self.changed:
            self.changed.notify_all()

    async def say(self, content: str, who: int = 1, place: int = CHANNEL, **more: Any) -> int:
        """Somebody writes a message; its id."""
        number = more.pop("number", None) or snowflake()
        where = self.channels[place]
        if where["type"] != payloads.DM:
            more |= {"guild_id": str(payloads.GUILD), "member": payloads.bare_member()}
        found = payloads.message(number, place, payloads.user(who), content, **more)
        self.messages[number] = found
        await self.gateway.dispatch("MESSAGE_CREATE", found, where)
        return number

    async def edit(self, number: int, content: str) -> None:
        """Somebody edits a message of theirs."""
        message = self.messages[number]
        mentions = payloads.message(number, 1, message["author"], content)["mentions"]
        message |= {"content": content, "edited_timestamp": payloads.NOW, "mentions": mentions}
        await self.gateway.dispatch("MESSAGE_UPDATE", message, self.channels[int(message["channel_id"])])

    async def delete(self, number: int) -> None:
        """Somebody deletes a message."""
        message = self.messages.pop(number)
        await self.gateway.dispatch("MESSAGE_DELETE", {"id": str(number), "channel_id": message["channel_id"]})

    async def begin_thread(self, number: int, parent: int = CHANNEL, owner: int = 1, **more: Any) -> int:
        """Somebody begins a thread, and the bot hears of it."""
        self.channels[number] = payloads.thread(number, parent, owner, **more)
        await self.gateway.dispatch("THREAD_CREATE", self.channels[number] | {"newly_created": True})
        return number

    async def ask(self, kind: int, data: dict[str, Any], who: int = 1, place: int = CHANNEL, **more: Any) -> Asked:
        """Somebody uses a command, a button, a menu or a modal."""
        payload = payloads.interaction(kind, data, who, self.channels[place], **more)
        asked = self.asked[payload["id"]] = Asked(payload, time.monotonic())
        await self.gateway.dispatch("INTERACTION_CREATE", payload)
        return asked

    async def command(self, name: str, options: dict[str, Any] | None = None, **more: Any) -> Asked:
        """Somebody uses a slash command, and it is acknowledged."""
        asked = await self.ask(2, payloads.command(name, options or {}), **more)
        await self.until(lambda: asked.answer)
        return asked

    async def click(self, message: dict[str, Any], label: str, who: int = 1, **more: Any) -> Asked:
        """Somebody clicks a button of a message, and it is acknowledged."""
        data = {"component_type": 2, "custom_id": rules.buttons(message["components"])[label]}
        place = int(message["channel_id"])
        asked = await self.ask(3, data, who, place, message=message, **more)
        await self.until(lambda: asked.answer)
        return asked

    def refuse(self, method: str, path: str, status: int, code: int, message: str = "refused") -> None:
        """Refuse requests on the paths that fit from now on."""
        self.refusals.append((method, re.compile(path), Refused(status, code, message)))

    def limit(self, path: str, most: int, seconds: float) -> None:
        """Allow so many requests a period on the paths that fit."""
        self.limits.append(Limit(re.compile(path), most, seconds))

    def of_bot(self, place: int | None = None) -> list[dict[str, Any]]:
        """The bot's messages, oldest first."""
        found = (m for m in self.messages.values() if m["author"]["id"] == BOT["id"])
        return [m for m in found if place is None or m["channel_id"] == str(place)]

    def shown(self, text: str, place: int | None = None) -> dict[str, Any] | None:
        """The bot's message in which a text can be read, the newest one."""
        found = [m for m in self.of_bot(place) if text in rules.texts(m["components"]) + m["content"]]
        return found[-1] if found else None

    async def until_shown(self, text: str, place: int | None = None, seconds: float = 15.0) -> dict[str, Any]:
        """Wait until a text can be read in a message of the bot."""
        found = await self.until(lambda: self.shown(text, place), seconds)
        assert found
        return found

    # What the bot does.

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Take one REST request."""
        path = request.path.removeprefix("/api/v10")
        body, files = await _body(request)
        got = Request(request.method, path, body, time.monotonic(), files)
        self.requests.append(got)
        headers: dict[str, str] = {}
        try:
            self._check(got, request.headers.get("Authorization"))
            headers = self._spend(got)
            answer = await self._answer(got, dict(request.query))
            response = _json(answer, 204 if answer is None else 200, headers)
        except Refused as refused:
            response = _json(refused.body, refused.status, refused.headers | headers)
        async with self.changed:
            self.changed.notify_all()
        return response

    def _check(self, got: Request, authorization: str | None) -> None:
        if not re.match(r"/(interactions|webhooks|files)/", got.path) and authorization != f"Bot {self.token}":
            raise Refused(401, 0, "401: Unauthorized")
        for method, path, refused in self.refusals:
            if method == got.method and path.fullmatch(got.path):
                raise refused

    def _spend(self, got: Request) -> dict[str, str]:
        for limit in self.limits:
            if limit.path.fullmatch(got.path) and got.method != "GET":
                return self._taken(limit, got)
        return {}

    def _taken(self, limit: Limit, got: Request) -> dict[str, str]:
        if got.at < limit.until:
            self.violations.append(f"{got.method} {got.path}: asked again before its Retry-After had passed")
        if got.at >= limit.resets:
            limit.left, limit.resets = limit.most, got.at + limit.seconds
        rest = limit.resets - got.at
        headers = {"X-RateLimit-Limit": str(limit.most), "X-RateLimit-Bucket": f"b{self.limits.index(limit)}"}
        headers |= {"X-RateLimit-Reset-After": f"{rest:.3f}", "X-RateLimit-Reset": f"{time.time() + rest:.3f}"}
        if limit.left <= 0:
            limit.until = limit.resets
            self.limited += 1
            headers |= {"Retry-After": f"{rest:.3f}", "Via": "1.1 google", "X-RateLimit-Remaining": "0"}
            refused = Refused(429, 0, "You are being rate limited.", headers)
            refused.body |= {"retry_after": rest, "global": False}
            raise refused
        limit.left -= 1
        return headers | {"X-RateLimit-Remaining": str(limit.left)}

    async def _answer(self, got: Request, query: dict[str, str]) -> Any:
        from discord_routes import ROUTES  # noqa: PLC0415 - they are written on this server

        for method, path, answer in ROUTES:
            if method == got.method and (match := re.fullmatch(path, got.path)):
                return await answer(self, got, *match.groups(), query=query)
        self.violations.append(f"there is no {got.method} {got.path}")
        raise Refused(404, 0, "404: Not Found")

    def expect(self, wrong: Iterable[str], what: str) -> None:
        """Refuse what breaks a rule, and keep it for the test."""
        found = list(wrong)
        self.violations += [f"{what}: {one}" for one in found]
        if found and not found[0].startswith("ours"):
            raise Refused(400, int(found[0].partition(":")[0]), found[0])

    def interaction(self, token: str) -> Asked:
        """The interaction of a token that still lives."""
        asked = next((one for one in self.asked.values() if one.payload["token"] == token), None)
        if asked is None:
            raise Refused(404, 10015, "Unknown Webhook")
        made = (int(asked.payload["id"]) >> 22) + EPOCH
        if token in self.dead_tokens or time.time() - made / 1000 > 900:
            raise Refused(401, 50027, "Invalid Webhook Token")
        return asked

    def known(self, number: int) -> dict[str, Any]:
        """A message that is there."""
        if number not in self.messages:
            raise Refused(404, 10008, "Unknown Message")
        return self.messages[number]


def _json(body: Any, status: int, headers: dict[str, str]) -> web.Response:
    if isinstance(body, web.Response):
        return body
    text = b"" if status == 204 else json.dumps(body).encode()
    return web.Response(body=text, status=status, headers={"Content-Type": "application/json"} | headers)


async def _body(request: web.Request) -> tuple[Any, dict[str, bytes]]:
    if request.content_type != "multipart/form-data":
        raw = await request.read()
        return (json.loads(raw) if raw else None), {}
    files: dict[str, bytes] = {}
    body: Any = None
    async for part in await request.multipart():
        if part.name == "payload_json":
            body = json.loads(await part.read())
        else:
            files[part.filename] = bytes(await part.read())
    return body, files


@asynccontextmanager
async def discord_server(strict: bool = True) -> AsyncIterator[DiscordServer]:
    """A server on a port of its own. At its end nothing may have broken a rule."""
    server = DiscordServer()
    app = web.Application(client_max_size=32 * 2**20)
    app.router.add_get("/gateway", server.gateway.serve)
    app.router.add_route("*", "/{path:.*}", server.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = site._server.sockets[0].getsockname()[1]
    server.base = f"http://127.0.0.1:{port}/api/v10"
    server.gateway.url = f"ws://127.0.0.1:{port}/gateway"
    try:
        yield server
    finally:
        await server.gateway.close()
        await runner.cleanup()
    if strict:
        assert not server.violations, "\n".join(server.violations)
