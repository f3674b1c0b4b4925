"""The routes of the Discord for tests: what each request does, and what it is answered."""

import time
from collections.abc import Awaitable, Callable
from typing import Any

import discord_payloads as payloads
import discord_rules as rules
from aiohttp import web
from discord_payloads import APP, BOT, snowflake
from discord_server import ACK_SECONDS, Asked, DiscordServer, Refused, Request


async def me(server: DiscordServer, got: Request, **_: Any) -> Any:
    return BOT


async def application(server: DiscordServer, got: Request, **_: Any) -> Any:
    owner = payloads.user(1)
    return {"id": str(APP), "name": "Portside", "icon": None, "description": "", "bot_public": True, "owner": owner} | {
        "bot_require_code_grant": False,
        "verify_key": "0" * 64,
        "flags": 0,
        "summary": "",
        "team": None,
    }


async def gateway(server: DiscordServer, got: Request, **_: Any) -> Any:
    limits = {"total": 1000, "remaining": 999, "reset_after": 0, "max_concurrency": 1}
    return {"url": server.gateway.url, "shards": 1, "session_start_limit": limits}


async def sync(server: DiscordServer, got: Request, **_: Any) -> Any:
    server.expect(rules.commands(got.body), "commands")
    server.commands = got.body
    version = {"application_id": str(APP), "version": "1", "default_member_permissions": None}
    return [{"id": str(snowflake()), **version, "description": "", **one} for one in got.body]


async def callback(server: DiscordServer, got: Request, number: str, token: str, **_: Any) -> Any:
    asked = server.interaction(token)
    late = time.monotonic() - asked.sent
    if late > ACK_SECONDS:
        server.violations.append(f"an interaction was acknowledged after {late:.1f} s")
        raise Refused(404, 10062, "Unknown interaction")
    if asked.answer:
        raise Refused(400, 40060, "Interaction has already been acknowledged.")
    server.expect(rules.callback(got.body, asked.payload["type"], got.files), "callback")
    asked.answer, asked.after = got.body, late
    resource = _resource(server, got, asked)
    about = {"id": number, "type": asked.payload["type"], "response_message_id": str(asked.message or "")}
    return {"interaction": about | {"response_message_loading": got.body["type"] == 5}, "resource": resource}


def _resource(server: DiscordServer, got: Request, asked: Asked) -> Any:
    kind, data = got.body["type"], got.body.get("data") or {}
    if kind == 7:
        _edit(server, asked.payload["message"], data, got.files)
    if kind not in {4, 5}:
        return {"type": kind}
    flags = data.get("flags", 0) | (1 << 7 if kind == 5 else 0)
    message = _new(server, int(asked.payload["channel_id"]), data | {"flags": flags}, got.files)
    asked.message = int(message["id"])
    return {"type": kind, "message": message}


async def original(server: DiscordServer, got: Request, _app: str, token: str, which: str, **_: Any) -> Any:
    asked = server.interaction(token)
    number = asked.message if which == "@original" else int(which)
    message = server.known(number or 0)
    if got.method == "DELETE":
        del server.messages[int(message["id"])]
        return None
    if got.method == "PATCH":
        server.expect(rules.message(got.body, got.files), "edit of an interaction's message")
        _edit(server, message, got.body, got.files)
    return message


async def followup(server: DiscordServer, got: Request, _app: str, token: str, **_: Any) -> Any:
    asked = server.interaction(token)
    server.expect(rules.message(got.body, got.files), "follow-up")
    return _new(server, int(asked.payload["channel_id"]), got.body, got.files)


async def send(server: DiscordServer, got: Request, place: str, **_: Any) -> Any:
    _open(server, int(place))
    server.expect(rules.message(got.body, got.files), "message")
    message = _new(server, int(place), got.body, got.files)
    await server.gateway.dispatch("MESSAGE_CREATE", message, server.channels[int(place)])
    return message


async def one(server: DiscordServer, got: Request, place: str, number: str, **_: Any) -> Any:
    message = server.known(int(number))
    if got.method == "GET":
        return message
    _open(server, int(place))
    if got.method == "DELETE":
        del server.messages[int(number)]
        gone = {"id": number, "channel_id": place, "guild_id": str(payloads.GUILD)}
        await server.gateway.dispatch("MESSAGE_DELETE", gone)
        return None
    if message["author"]["id"] != BOT["id"]:
        raise Refused(403, 50005, "Cannot edit a message authored by another user")
    if message["flags"] & rules.EPHEMERAL:
        raise Refused(404, 10008, "Unknown Message")
    server.expect(rules.message(got.body, got.files), "edit")
    _edit(server, message, got.body, got.files)
    return message


def _open(server: DiscordServer, place: int) -> None:
    channel = server.channels.get(place)
    if channel is None:
        raise Refused(404, 10003, "Unknown Channel")
    if channel.get("thread_metadata", {}).get("archived"):
        raise Refused(400, 50083, "Thread is archived")


async def history(server: DiscordServer, got: Request, place: str, query: dict[str, str], **_: Any) -> Any:
    before = int(query.get("before", 2**63))
    found = [m for m in server.messages.values() if m["channel_id"] == place and int(m["id"]) < before]
    seen = [server.gateway.seen(message, server.channels[int(place)]) for message in found]
    return seen[::-1][: int(query.get("limit", 50))]


async def typing(server: DiscordServer, got: Request, _place: str, **_: Any) -> Any:
    return None


async def channel(server: DiscordServer, got: Request, place: str, **_: Any) -> Any:
    if int(place) not in server.channels:
        raise Refused(404, 10003, "Unknown Channel")
    return server.channels[int(place)]


async def thread(server: DiscordServer, got: Request, place: str, number: str, **_: Any) -> Any:
    if int(number) in server.channels:
        raise Refused(400, 160004, "A thread has already been created for this message")
    made = payloads.thread(int(number), int(place), name=got.body["name"])
    server.channels[int(number)] = made
    await server.gateway.dispatch("THREAD_CREATE", made | {"newly_created": True})
    return made


async def file(server: DiscordServer, got: Request, name: str, **_: Any) -> Any:
    return web.Response(body=server.files[name])


def _new(server: DiscordServer, place: int, data: dict[str, Any], files: dict[str, bytes]) -> dict[str, Any]:
    number = snowflake()
    message = payloads.message(number, place, BOT, data.get("content") or "", flags=data.get("flags", 0))
    if reference := data.get("message_reference"):
        message["message_reference"] = reference
    if server.channels[place]["type"] != payloads.DM:
        message["guild_id"] = str(payloads.GUILD)
    server.messages[number] = message
    _edit(server, message, data, files)
    message["edited_timestamp"] = None
    return message


def _edit(server: DiscordServer, message: dict[str, Any], data: dict[str, Any], files: dict[str, bytes]) -> None:
    base = server.base.removesuffix("/api/v10")
    kept = [
        one for one in message["attachments"] if any(one["id"] == a.get("id") for a in data.get("attachments") or [])
    ]
    for name, body in files.items():
        path = f"{message['id']}/{name}"
        server.files[path] = body
        url = f"{base}/files/{path}"
        about = {"id": str(snowflake()), "filename": name, "size": len(body), "url": url, "proxy_url": url}
        kept.append(about | {"content_type": "image/png" if name.endswith("png") else "text/plain"})
    message["attachments"] = kept
    message["components"] = _resolved(data.get("components") or [], {one["filename"]: one for one in kept})
    message["content"] = data.get("content") or ""
    message["flags"] = (message["flags"] | data.get("flags", 0)) & ~(1 << 7)
    message["edited_timestamp"] = payloads.NOW
    server.history.setdefault(int(message["id"]), []).append((time.monotonic(), message["components"]))


def _resolved(parts: list[Any], files: dict[str, Any]) -> list[Any]:
    """Components as they are read again: what was attached has an address then."""
    found = []
    for given in parts:
        part = dict(given)
        if "components" in part:
            part["components"] = _resolved(part["components"], files)
        if part["type"] == rules.FILE:
            attached = files[part["file"]["url"].removeprefix("attachment://")]
            part |= {
                "file": {"url": attached["url"], "proxy_url": attached["url"]},
                "name": attached["filename"],
                "size": 1,
            }
        if part["type"] == rules.GALLERY:
            part["items"] = [item | {"media": _media(item, files)} for item in part["items"]]
        found.append(part)
    return found


def _media(item: dict[str, Any], files: dict[str, Any]) -> dict[str, Any]:
    url = files[item["media"]["url"].removeprefix("attachment://")]["url"]
    return {"url": url, "proxy_url": url, "width": 960, "height": 516, "content_type": "image/png"}


Route = Callable[..., Awaitable[Any]]
ROUTES: list[tuple[str, str, Route]] = [
    ("GET", "/users/@me", me),
    ("GET", "/oauth2/applications/@me", application),
    ("GET", "/gateway/bot", gateway),
    ("GET", "/gateway", gateway),
    ("PUT", r"/applications/\d+/commands", sync),
    ("POST", r"/interactions/(\d+)/([\w-]+)/callback", callback),
    *(
        (method, r"/webhooks/(\d+)/([\w-]+)/messages/(@original|\d+)", original)
        for method in ("GET", "PATCH", "DELETE")
    ),
    ("POST", r"/webhooks/(\d+)/([\w-]+)", followup),
    ("POST", r"/channels/(\d+)/messages", send),
    ("GET", r"/channels/(\d+)/messages", history),
    *((method, r"/channels/(\d+)/messages/(\d+)", one) for method in ("GET", "PATCH", "DELETE")),
    ("POST", r"/channels/(\d+)/messages/(\d+)/threads", thread),
    ("POST", r"/channels/(\d+)/typing", typing),
    ("GET", r"/channels/(\d+)", channel),
    ("GET", r"/files/(.+)", file),
]
