"""The gateway of the Discord for tests: sessions with sequence numbers, that can be dropped, resumed and refused."""

import asyncio
import itertools
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import discord_payloads as payloads
from aiohttp import WSMsgType, web

MESSAGE_CONTENT = 1 << 15
PRIVILEGED = MESSAGE_CONTENT | 1 << 1 | 1 << 8
GONE, UNKNOWN_TOKEN, NO_INTENT = 4000, 4004, 4014


@dataclass
class Session:
    """One session of a bot; `sent` is what a resume plays again."""

    name: str
    intents: int
    socket: web.WebSocketResponse | None
    sent: list[dict[str, Any]] = field(default_factory=list)


class Gateway:
    """Where the bot hears what happens."""

    def __init__(self, news: Callable[[], Awaitable[None]], token: Callable[[], str]) -> None:
        self.url = ""
        self.allowed = 0  # privileged intents that are switched on for the application
        self.sessions: dict[str, Session] = {}
        self.identified = self.resumed = self.heartbeats = 0
        self._token = token
        self._news = news
        self._numbers = itertools.count(1)
        self._sockets: set[web.WebSocketResponse] = set()

    @property
    def ready(self) -> bool:
        """Whether a bot listens."""
        return any(session.socket and not session.socket.closed for session in self.sessions.values())

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Take one connection."""
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self._sockets.add(socket)
        try:
            await socket.send_json({"op": 10, "d": {"heartbeat_interval": 41250}, "s": None, "t": None})
            async for received in socket:
                if received.type is WSMsgType.TEXT:
                    await self._take(socket, json.loads(received.data))
        finally:
            self._sockets.discard(socket)
            await self._news()
        return socket

    async def _take(self, socket: web.WebSocketResponse, said: dict[str, Any]) -> None:
        match said["op"]:
            case 1:
                self.heartbeats += 1
                await socket.send_json({"op": 11, "d": None, "s": None, "t": None})
            case 2:
                await self._identify(socket, said["d"])
            case 6:
                await self._resume(socket, said["d"])
        await self._news()

    async def _identify(self, socket: web.WebSocketResponse, said: dict[str, Any]) -> None:
        if said["token"] != self._token():
            await socket.close(code=UNKNOWN_TOKEN, message=b"Authentication failed.")
            return
        if said["intents"] & PRIVILEGED & ~self.allowed:
            await socket.close(code=NO_INTENT, message=b"Disallowed intent(s).")
            return
        self.identified += 1
        session = Session(f"session-{next(self._numbers)}", said["intents"], socket)
        self.sessions[session.name] = session
        ready = {"v": 10, "user": payloads.BOT, "guilds": [{"id": str(payloads.GUILD), "unavailable": True}]}
        ready |= {"session_id": session.name, "resume_gateway_url": self.url, "shard": said.get("shard", [0, 1])}
        await self._send(session, "READY", ready | {"application": {"id": str(payloads.APP), "flags": 0}})
        await self._send(session, "GUILD_CREATE", payloads.guild())

    async def _resume(self, socket: web.WebSocketResponse, said: dict[str, Any]) -> None:
        session = self.sessions.get(said["session_id"])
        if session is None:
            await socket.send_json({"op": 9, "d": False, "s": None, "t": None})
            return
        self.resumed += 1
        session.socket = socket
        for event in session.sent[said["seq"] :]:
            await socket.send_json(event)
        await self._send(session, "RESUMED", {})

    async def dispatch(self, name: str, data: dict[str, Any], place: dict[str, Any] | None = None) -> None:
        """Tell every session of an event, also one whose connection is lost."""
        for session in tuple(self.sessions.values()):
            await self._send(session, name, self._visible(session, name, data, place))

    def _visible(
        self, session: Session, name: str, data: dict[str, Any], place: dict[str, Any] | None
    ) -> dict[str, Any]:
        if not name.startswith("MESSAGE_") or "content" not in data:
            return data
        return self.seen(data, place, session.intents)

    def seen(self, data: dict[str, Any], place: dict[str, Any] | None, intents: int | None = None) -> dict[str, Any]:
        """What a bot with some intents, or with those of the newest session, may read of a message."""
        held = [*(session.intents for session in self.sessions.values()), 0][0] if intents is None else intents
        if held & MESSAGE_CONTENT:
            return data
        to_bot = bool(data.get("mentions")) or data["author"]["id"] == payloads.BOT["id"]
        if to_bot or (place and place["type"] == payloads.DM):
            return data
        return data | {"content": "", "attachments": [], "components": []}

    async def _send(self, session: Session, name: str, data: dict[str, Any]) -> None:
        event = {"op": 0, "t": name, "d": data, "s": len(session.sent) + 1}
        session.sent.append(event)
        if session.socket and not session.socket.closed:
            await session.socket.send_json(event)

    async def drop(self) -> None:
        """Lose every connection; the sessions can be resumed."""
        for session in self.sessions.values():
            session.socket = None
        for socket in tuple(self._sockets):
            await socket.close(code=GONE)

    async def forget(self) -> None:
        """Lose every connection and every session."""
        self.sessions.clear()
        await self.drop()

    async def revoke(self) -> None:
        """End every connection because the token is worth nothing any more."""
        for socket in tuple(self._sockets):
            await socket.close(code=UNKNOWN_TOKEN, message=b"Authentication failed.")

    async def close(self) -> None:
        """End."""
        await asyncio.gather(*(socket.close() for socket in tuple(self._sockets)))
