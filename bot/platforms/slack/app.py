"""The Bolt app: which listener hears what, each delivery once, and what a learner is told of an error."""

import functools
import logging
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.response import BoltResponse
from slack_sdk.webhook.async_client import AsyncWebhookClient

from bot.commands import COMMANDS
from bot.errors import trouble
from bot.platforms.slack.actions import Actions
from bot.platforms.slack.api import Client
from bot.platforms.slack.cards import VOTE
from bot.platforms.slack.commands import Commands
from bot.platforms.slack.errors import NotThere
from bot.platforms.slack.events import Events
from bot.platforms.slack.render import FEEDBACK, HUMAN, SAY, SHARE, STOP
from bot.state.memory import Memory

EXPLAIN = "explain"
ANYTHING = re.compile(".*")

Next = Callable[[], Awaitable[None]]

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Me:
    """The bot itself, as Slack knows it: its user, its bot id, its workspace."""

    user: str
    bot: str
    team: str


@dataclass(frozen=True)
class Listeners:
    """What hears, obeys and is pressed."""

    events: Events
    commands: Commands
    actions: Actions


def build(client: Client, me: Me, memory: Memory, listeners: Listeners) -> AsyncApp:
    """The app with all its listeners. Signatures are checked before it, over the raw body."""

    async def authorize() -> AuthorizeResult:
        """Who we are is known, and need not be asked with each event."""
        return AuthorizeResult(
            enterprise_id=None, team_id=me.team, bot_token=client.token, bot_id=me.bot, bot_user_id=me.user
        )

    app = AsyncApp(name="portside", client=client, authorize=authorize, request_verification_enabled=False)

    @app.middleware
    async def once(body: dict[str, Any], next_: Next) -> BoltResponse | None:
        """Slack delivers again what it did not see acknowledged, also after a restart of the bot."""
        delivery = body.get("event_id") or body.get("trigger_id")
        if delivery and not await memory.first(f"slack:{delivery}"):
            return BoltResponse(status=200)
        await next_()
        return None

    _hear(app, listeners.events)
    _obey(app, listeners.commands, listeners.actions)
    return app


def _hear(app: AsyncApp, events: Events) -> None:
    app.event("app_mention")(_guarded(events.mentioned))
    app.event("message")(_guarded(events.message))
    app.event("app_home_opened")(_guarded(events.home_opened))
    app.event("assistant_thread_started")(_guarded(events.pane_opened))
    for name in ("app_uninstalled", "tokens_revoked"):
        app.event(name)(_guarded(events.revoked))
    app.event(ANYTHING)(_ignored)  # what nobody hears would not be acknowledged, and come again


def _obey(app: AsyncApp, commands: Commands, actions: Actions) -> None:
    for name in COMMANDS:
        app.command(name)(_guarded(commands.command))
    app.shortcut(EXPLAIN)(_guarded(commands.explain))
    app.action(re.compile(rf"^{SAY}\."))(_guarded(actions.say))
    app.action(re.compile(rf"^{VOTE}\."))(_guarded(actions.vote))
    app.action(STOP)(_guarded(actions.stop))
    app.action(SHARE)(_guarded(actions.share))
    app.action(HUMAN)(_guarded(actions.human))
    app.action(FEEDBACK)(_guarded(actions.judge))
    app.action(ANYTHING)(_guarded(actions.unknown))


def _guarded(listener: Callable[..., Awaitable[None]]) -> Callable[..., Awaitable[None]]:
    """The listener, which tells what went wrong: Bolt would forget that a delivery was acknowledged."""

    @functools.wraps(listener)  # Bolt reads the names of its arguments
    async def guarded(**given: Any) -> None:
        try:
            await listener(**given)
        except Exception as error:  # noqa: BLE001 - the outer boundary, as in `deliver`
            await _tell(error, given.get("body") or given.get("command") or {})

    return guarded


async def _ignored() -> None:
    """An event that is of no concern."""


async def _tell(error: Exception, body: dict[str, Any]) -> None:
    """Tell the asker alone; where there is no way to, the log has it."""
    text = _sentence(error)
    if url := body.get("response_url"):
        await AsyncWebhookClient(url).send(text=text, response_type="ephemeral", replace_original=False)


def _sentence(error: Exception) -> str:
    """What an asker is told, and the log knows by its name."""
    if isinstance(error, NotThere):
        log.warning("nothing can be said there: %s", error)
        return error.advice
    told = trouble(error)
    return f"{told.text} {told.advice} (reference {told.reference})"
