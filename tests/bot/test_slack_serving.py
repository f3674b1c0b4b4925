"""How Slack is served: over HTTP only what is signed and new, tokens that are missing, wrong or revoked."""

import asyncio
import gc
import json
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from chat_fakes import ChatTutor
from slack_people import QUICK, Person, buttons, settings
from slack_server import SECRET, Fault, SlackServer, form, running, signed
from slack_workspace import TEAM

from bot.cli.serving import together
from bot.errors import BadToken, BotError, CannotListen
from bot.platforms.slack.errors import NoSlack
from bot.platforms.slack.serving import serve
from bot.state.memory import open_memory

JSON, FORM = "application/json", "application/x-www-form-urlencoded"


@pytest.fixture
async def server() -> AsyncIterator[SlackServer]:
    async with running() as found:
        found.workspace.links.add("https://example.org/probes")
        yield found


@pytest.fixture
def ana(server: SlackServer) -> Person:
    return Person(server)


class Web:
    """The app's own address over HTTP."""

    def __init__(self, address: str, session: aiohttp.ClientSession) -> None:
        self.address = address
        self.session = session

    async def post(self, body: bytes, kind: str, **headers: str) -> tuple[int, str]:
        told = {"Content-Type": kind, **(headers or signed(body))}
        async with self.session.post(self.address, data=body, headers=told) as answer:
            return answer.status, await answer.text()


@asynccontextmanager
async def over_http(server: SlackServer, tutor: ChatTutor, folder: Path) -> AsyncIterator[Web]:
    """The app in HTTP mode, once it takes requests."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    more = {"SLACK_APP_TOKEN": "", "SLACK_SIGNING_SECRET": SECRET, "PORTSIDE_SLACK_PORT": str(port)}
    async with open_memory(folder) as memory, aiohttp.ClientSession() as session:
        chosen = settings(server, **more).model_copy(update={"slack_app_token": None})
        serving = asyncio.create_task(serve(tutor, chosen, memory, QUICK))
        web = Web(f"http://127.0.0.1:{port}/slack/events", session)
        async with asyncio.timeout(10):
            while not await _listens(web):
                assert not serving.done()
        yield web
        serving.cancel()
        with suppress(asyncio.CancelledError):
            await serving


async def _listens(web: Web) -> bool:
    try:
        return (await web.post(b"{}", JSON))[0] > 0
    except aiohttp.ClientConnectionError:
        return False


def event(ana: Person, number: str = "Ev1") -> dict[str, Any]:
    said = {**ana.said("<@UBOT00001> what is a pod?"), "type": "app_mention"}
    return {"type": "event_callback", "team_id": TEAM, "event": said, "event_id": number, "event_time": 1}


async def test_url_verification_is_answered_with_its_challenge(server: SlackServer, tmp_path: Path) -> None:
    body = json.dumps({"type": "url_verification", "challenge": "abc", "token": "x"}).encode()
    async with over_http(server, ChatTutor(), tmp_path) as web:
        status, told = await web.post(body, JSON)

    assert (status, json.loads(told)) == (200, {"challenge": "abc"})


async def test_over_http_events_commands_and_clicks_are_acknowledged_and_answered(
    server: SlackServer, ana: Person, tmp_path: Path
) -> None:
    async with over_http(server, ChatTutor(begin=40), tmp_path) as web:
        assert (await web.post(json.dumps(event(ana)).encode(), JSON))[0] == 200
        post = await server.until(lambda: server.workspace.posts and "Helpful" in server.workspace.last.text)
        assert post
        click = buttons(server.workspace.last.blocks)["See it happen"]
        container = {"type": "message", "channel_id": "C00000001", "message_ts": server.workspace.last.ts}
        assert await web.post(form(ana.pressed(click, container)), FORM) == (200, "")
        await server.until(lambda: "Kubernetes answered again" in server.workspace.last.text)
        assert await web.post(form(ana.slash("/ask", "what is a pod?")), FORM) == (200, "")
        await server.until(lambda: len(server.workspace.posts) == 3)


REFUSED = {
    "no signature": lambda body: {"X-Slack-Request-Timestamp": str(int(time.time()))},
    "another secret": lambda body: signed(body, secret="other"),  # noqa: S106 - no secret of ours
    "another body": lambda body: signed(body + b" "),
    "too old": lambda body: signed(body, time.time() - 301),
    "from the future": lambda body: signed(body, time.time() + 301),
    "no timestamp": lambda body: {**signed(body), "X-Slack-Request-Timestamp": "now"},
}


@pytest.mark.parametrize("why", REFUSED)
async def test_what_slack_did_not_sign_just_now_is_refused(
    server: SlackServer, ana: Person, tmp_path: Path, why: str
) -> None:
    body = json.dumps(event(ana)).encode()
    tutor = ChatTutor()
    async with over_http(server, tutor, tmp_path) as web:
        status, _ = await web.post(body, JSON, **REFUSED[why](body))

    assert status == 401
    assert tutor.heard == []


async def test_a_replayed_request_is_refused(server: SlackServer, ana: Person, tmp_path: Path) -> None:
    body = json.dumps(event(ana)).encode()
    headers = signed(body)
    async with over_http(server, ChatTutor(), tmp_path) as web:
        statuses = [(await web.post(body, JSON, **headers))[0] for _ in range(3)]
        await server.until(lambda: server.workspace.posts)

    assert statuses == [200, 401, 401]
    assert len(server.workspace.posts) == 1


@pytest.mark.parametrize(
    "case",
    [
        (b"\xff\xfe", JSON, 401),
        (b"{", JSON, 400),
        (b"[]", JSON, 400),
        (b"payload=%7B", FORM, 400),
        (b"x" * 300_000, JSON, 413),
        (b'{"type": "event_callback"}', JSON, 404),
        (b'{"type": "event_callback", "event": {"type": "message"}, "event_id": "E"}', JSON, 200),
    ],
)
async def test_a_signed_body_that_says_nothing_is_refused_without_harm(
    server: SlackServer, ana: Person, tmp_path: Path, case: tuple[bytes, str, int]
) -> None:
    body, kind, status = case
    async with over_http(server, ChatTutor(), tmp_path) as web:
        assert (await web.post(body, kind))[0] == status
        assert (await web.post(json.dumps(event(ana)).encode(), JSON))[0] == 200
        await server.until(lambda: server.workspace.posts)


TOKENS: dict[str, tuple[dict[str, str], str, str]] = {
    "no bot token": ({"SLACK_BOT_TOKEN": ""}, "", "SLACK_BOT_TOKEN is not set. docs/slack.md says how to get one"),
    "no app token": ({"SLACK_APP_TOKEN": ""}, "", "SLACK_APP_TOKEN is not set."),
    "the other token": ({"SLACK_BOT_TOKEN": "xapp-1-test"}, "", "SLACK_BOT_TOKEN is no token of its kind."),
    "a wrong bot token": ({"SLACK_BOT_TOKEN": "xoxb-9"}, "", "Slack does not take SLACK_BOT_TOKEN (invalid_auth)."),
    "a wrong app token": ({"SLACK_APP_TOKEN": "xapp-9"}, "", "Slack does not take SLACK_APP_TOKEN (invalid_auth)."),
    "a revoked bot token": ({}, "xoxb-1-test", "Slack does not take SLACK_BOT_TOKEN (token_revoked)."),
    "a revoked app token": ({}, "xapp-1-test", "Slack does not take SLACK_APP_TOKEN (token_revoked)."),
}


@pytest.mark.parametrize("case", TOKENS)
async def test_a_token_that_is_missing_wrong_or_revoked_is_named(
    server: SlackServer, tmp_path: Path, case: str
) -> None:
    given, revoked, sentence = TOKENS[case]
    server.tokens |= {revoked: "token_revoked"} if revoked else {}
    async with open_memory(tmp_path) as memory:
        with pytest.raises(BadToken) as told:
            await serve(ChatTutor(), settings(server, **given), memory, QUICK)

    assert sentence in str(told.value)


@pytest.mark.parametrize("how", ["SLACK_BOT_TOKEN is revoked", "SLACK_APP_TOKEN is revoked", "the app is removed"])
async def test_a_token_that_is_revoked_meanwhile_ends_the_bot_with_a_sentence(
    server: SlackServer, ana: Person, tmp_path: Path, how: str
) -> None:
    async with open_memory(tmp_path) as memory:
        serving = asyncio.create_task(serve(ChatTutor(), settings(server), memory, QUICK))
        await server.connected.wait()
        if how == "the app is removed":
            await ana.event({"type": "app_uninstalled", "event_ts": "1"})
        elif how == "SLACK_APP_TOKEN is revoked":
            server.tokens["xapp-1-test"] = "token_revoked"
            await server.hang_up()
        else:
            server.tokens["xoxb-1-test"] = "token_revoked"
            await ana.mention("what is a pod?")
        with pytest.raises(BadToken, match="SLACK_APP_TOKEN" if "APP" in how else "SLACK_BOT_TOKEN"):
            await asyncio.wait_for(serving, 10)


async def test_a_slack_that_cannot_be_reached_is_named_with_its_address(server: SlackServer, tmp_path: Path) -> None:
    async with open_memory(tmp_path) as memory:
        with pytest.raises(NoSlack, match=r"http://127\.0\.0\.1:9/api/"):
            await serve(ChatTutor(), settings(server, SLACK_API_URL="http://127.0.0.1:9/api/"), memory, QUICK)


async def test_a_slack_in_trouble_at_the_start_is_named(server: SlackServer, tmp_path: Path) -> None:
    server.faults["apps.connections.open"].append(Fault("internal_error"))
    async with open_memory(tmp_path) as memory:
        with pytest.raises(BotError, match="Socket Mode cannot be opened"):
            await serve(ChatTutor(), settings(server), memory, QUICK)


async def test_a_port_that_is_taken_is_named_with_its_setting(server: SlackServer, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        more = settings(server, SLACK_SIGNING_SECRET=SECRET, PORTSIDE_SLACK_PORT=port)
        async with open_memory(tmp_path) as memory:
            with pytest.raises(CannotListen, match="PORTSIDE_SLACK_PORT"):
                await serve(ChatTutor(), more.model_copy(update={"slack_app_token": None}), memory, QUICK)


async def connected(server: SlackServer, ana: Person) -> None:
    """Once the app has heard something, its connection stands."""
    await server.connected.wait()
    await ana.event({"type": "app_home_opened", "user": ana.user, "tab": "messages", "event_ts": "1"})


def open_sessions() -> list[aiohttp.ClientSession]:
    """What nobody has closed; a session that nobody holds either says so here, and a warning fails."""
    gc.collect()
    return [one for one in gc.get_objects() if type(one) is aiohttp.ClientSession and not one.closed]


@pytest.mark.parametrize("times", [1, 100], ids=["once", "again and again"])
@pytest.mark.parametrize("when", ["on the way", "connected", "being renewed"])
async def test_an_end_leaves_no_session_open_whenever_it_comes(
    server: SlackServer, ana: Person, tmp_path: Path, when: str, times: int
) -> None:
    async with open_memory(tmp_path) as memory:
        serving = asyncio.create_task(serve(ChatTutor(), settings(server), memory, QUICK))
        await (server.connected.wait() if when == "on the way" else connected(server, ana))
        if when == "being renewed":
            await server.hang_up()
            await server.connected.wait()
        for _ in range(times):
            serving.cancel()
            await asyncio.sleep(0)
        await asyncio.wait([serving])

    assert serving.cancelled()
    assert open_sessions() == []


async def test_the_end_of_page_and_chats_leaves_no_session_of_slack_open(
    server: SlackServer, ana: Person, tmp_path: Path
) -> None:
    async with open_memory(tmp_path) as memory:
        slack = serve(ChatTutor(), settings(server), memory, QUICK)
        serving = asyncio.create_task(together(slack, asyncio.sleep(60)))  # the other one ends at once
        await connected(server, ana)
        serving.cancel()
        await asyncio.wait([serving])

    assert serving.cancelled()
    assert open_sessions() == []
