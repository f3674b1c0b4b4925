"""Serving Slack: tokens checked first, then Socket Mode or HTTP until cancelled, and an end that leaves nothing."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import aiohttp
from pydantic import SecretStr
from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.errors import SlackApiError

from bot.delivery import DeliveryError
from bot.errors import BadToken
from bot.platforms.slack.actions import Actions
from bot.platforms.slack.api import PAUSES, TIMEOUT, Api, Client, Pauses
from bot.platforms.slack.app import Listeners, Me, build
from bot.platforms.slack.commands import Commands
from bot.platforms.slack.errors import TOKEN, NoSlack, error_name, refused_token, translated
from bot.platforms.slack.events import Events
from bot.platforms.slack.http import listening
from bot.platforms.slack.people import People
from bot.platforms.slack.replies import Replies
from bot.platforms.slack.restart import tell_interrupted
from bot.platforms.slack.support import DEBOUNCE, Support
from bot.settings import Settings
from bot.state.memory import Memory
from bot.tutor import Tutor
from sandbox.streams import to_the_end


def check(settings: Settings) -> None:
    """Raise `BadToken` for a token that is missing or of another kind, before anything is started."""
    _secret(settings.slack_bot_token, "SLACK_BOT_TOKEN", "xoxb-")
    if not _is_over_http(settings):
        _secret(settings.slack_app_token, "SLACK_APP_TOKEN", "xapp-")


def _is_over_http(settings: Settings) -> bool:
    return bool(settings.slack_signing_secret and not settings.slack_app_token)


async def serve(
    tutor: Tutor, settings: Settings, memory: Memory, pauses: Pauses = PAUSES, debounce: float = DEBOUNCE
) -> None:
    """Talk on Slack until cancelled. Raises `BadToken`, also when a token is revoked meanwhile."""
    check(settings)
    token = _secret(settings.slack_bot_token, "SLACK_BOT_TOKEN", "xoxb-")
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=TIMEOUT)) as session:
        client = Client(token, settings.slack_api_url, session)
        me = await _identity(client, settings.slack_api_url)
        people = People(api := Api(client, pauses), me.user)
        replies = Replies(tutor, api, memory, bool(settings.slack_helpers), settings.message_events)
        support = Support(replies, people, settings.support_channels, debounce)
        events = Events(replies, people, support, settings.message_events)
        actions = Actions(replies, people, settings.slack_helpers)
        app = build(client, me, memory, Listeners(events, Commands(replies, people), actions))
        interrupted = await memory.interrupted("slack:")  # before there can be any of this process
        async with _connection(app, client, settings):
            telling = asyncio.create_task(tell_interrupted(replies, tutor.engines, interrupted))
            try:
                await client.lost
            finally:
                telling.cancel()
                await replies.running.close()


def _secret(value: SecretStr | None, setting: str, prefix: str) -> str:
    """A token of the right kind."""
    token = value.get_secret_value().strip() if value else ""
    if not token:
        raise BadToken(f"{setting} is not set. docs/slack.md says how to get one ({prefix}…) in three steps.")
    if not token.startswith(prefix):
        raise BadToken(f"{setting} is no token of its kind. It begins with {prefix}; docs/slack.md says where it is.")
    return token


async def _identity(client: Client, url: str) -> Me:
    """Who the bot is: whether its token is taken is known before anything is served."""
    try:
        told = await client.auth_test()
    except SlackApiError as error:
        if error_name(error) in TOKEN:
            raise refused_token("SLACK_BOT_TOKEN", error_name(error)) from error
        raise NoSlack(f"Slack says {error_name(error)} at {url}. Try again in a minute.") from error
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        raise NoSlack(f"Slack cannot be reached at {url}. Check the network and SLACK_API_URL.") from error
    return Me(told["user_id"], told["bot_id"], told["team_id"])


def _connection(app: AsyncApp, client: Client, settings: Settings) -> AbstractAsyncContextManager[None]:
    """Socket Mode with an app token, else HTTP."""
    if settings.slack_signing_secret and _is_over_http(settings):
        return _over_http(app, settings.slack_signing_secret.get_secret_value(), settings)
    return _over_socket(app, client, _secret(settings.slack_app_token, "SLACK_APP_TOKEN", "xapp-"))


@asynccontextmanager
async def _over_http(app: AsyncApp, secret: str, settings: Settings) -> AsyncIterator[None]:
    async with listening(app, secret, settings.web_host, settings.slack_port) as address:
        print(f"Slack's requests are taken on {address}", flush=True)  # noqa: T201 - for the reader
        yield


@asynccontextmanager
async def _over_socket(app: AsyncApp, client: Client, token: str) -> AsyncIterator[None]:
    """A connection that renews itself; Bolt's client would ask for ever with a token that is not taken."""
    try:
        with translated():
            opened = await client.apps_connections_open(app_token=token)
    except DeliveryError as error:
        if client.lost.done():
            await client.lost
        raise NoSlack(f"Socket Mode cannot be opened. {error}") from error
    handler = AsyncSocketModeHandler(app, token)
    handler.client.wss_uri = opened["url"]
    try:
        await handler.connect_async()  # type: ignore[no-untyped-call]
        print("Portside is on Slack", flush=True)  # noqa: T201 - for the reader
        yield
    finally:
        await to_the_end(handler.close_async())  # type: ignore[no-untyped-call]
