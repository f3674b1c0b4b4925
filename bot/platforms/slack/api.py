"""Calls of Slack's Web API, each within the budget of its method, which all replies of a workspace share."""

import asyncio
import logging
from dataclasses import dataclass
from typing import Any

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.budgets import Budget
from bot.delivery import DeliveryError
from bot.platforms.slack.errors import TOKEN, Limited, Unreachable, error_name, refused_token, translated

POST, UPDATE, START, APPEND, STOP = (
    "chat.postMessage",
    "chat.update",
    "chat.startStream",
    "chat.appendStream",
    "chat.stopStream",
)
QUERIES = frozenset({"users.info", "conversations.replies", "assistant.threads.setTitle"})  # these take no JSON
TRIES = 8
TIMEOUT = 30.0

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Pauses:
    """Seconds between two calls: Slack allows 50 updates and 100 appended pieces a minute, and a post a second."""

    update: float = 1.25
    append: float = 0.65
    post: float = 1.0

    def of(self, method: str) -> float:
        """The pause of a method; others are called at once, until Slack asks for patience."""
        return {UPDATE: self.update, APPEND: self.append, POST: self.post}.get(method, 0.0)


PAUSES = Pauses()


class Client(AsyncWebClient):
    """The web client; whoever waits for `lost` learns that a token is not taken any more."""

    def __init__(self, token: str, base_url: str, session: aiohttp.ClientSession) -> None:
        super().__init__(token, base_url, session=session, retry_handlers=[])
        self.lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def api_call(self, api_method: str, **arguments: Any) -> Any:
        """Call a method."""
        try:
            return await super().api_call(api_method, **arguments)
        except SlackApiError as error:
            if error_name(error) in TOKEN:
                app = api_method == "apps.connections.open"
                self.lose("SLACK_APP_TOKEN" if app else "SLACK_BOT_TOKEN", error_name(error))
            raise

    def lose(self, setting: str, why: str) -> None:
        """A token is not taken any more."""
        if not self.lost.done():
            self.lost.set_exception(refused_token(setting, why))


class Api:
    """Calls that wait for their turn, and none before a Retry-After has passed."""

    def __init__(self, client: Client, pauses: Pauses) -> None:
        self.client = client
        self._pauses = pauses
        self._budgets: dict[tuple[str, str], tuple[Budget, asyncio.Lock]] = {}

    async def turn(self, method: str, channel: str = "") -> None:
        """Wait until a method may be called."""
        await self._budget(method, channel)[0].turn()

    async def once(self, method: str, **arguments: Any) -> dict[str, Any]:
        """Call now, or lose the call. Raises `DeliveryError`."""
        budget, one_at_a_time = self._budget(method, str(arguments.get("channel", "")))
        async with one_at_a_time:  # so that no call is on its way while another one is told to wait
            if budget.held:
                raise Limited(0)
            try:
                with translated():
                    form: dict[str, Any] = {"params" if method in QUERIES else "json": arguments}
                    answer = await self.client.api_call(method, **form)
            except Limited as limited:
                budget.hold(limited.seconds)
                raise
        return dict(answer.data)

    async def sure(self, method: str, **arguments: Any) -> dict[str, Any]:
        """Call when it is one's turn, again and again until Slack has taken it or never will."""
        for attempt in range(TRIES):
            await self.turn(method, str(arguments.get("channel", "")))
            try:
                return await self.once(method, **arguments)
            except Limited:
                log.info("%s waits, as Slack asks", method)
            except Unreachable as lost:
                if method == POST or attempt == TRIES - 1:  # a post that got lost may have arrived: no second one
                    raise
                log.warning("%s: %s", method, lost)
                self._budget(method, str(arguments.get("channel", "")))[0].hold(min(2**attempt * 0.25, 8.0))
        raise Unreachable(f"{method} was given up after {TRIES} tries.")

    async def quietly(self, method: str, **arguments: Any) -> dict[str, Any] | None:
        """Call for something that may be missing: None where it failed, and a line in the log."""
        try:
            return await self.once(method, **arguments)
        except DeliveryError as error:
            log.info("%s: %s", method, error)
            return None

    async def upload(
        self, name: str, data: bytes, alt: str = "", channel: str | None = None, thread_ts: str | None = None
    ) -> str:
        """Upload a file, into a thread where one is named; its id."""
        with translated():
            answer = await self.client.files_upload_v2(
                filename=name, file=data, title=name, alt_txt=alt or None, channel=channel, thread_ts=thread_ts
            )
        return str(answer["files"][0]["id"])

    def _budget(self, method: str, channel: str) -> tuple[Budget, asyncio.Lock]:
        """Posts are counted for each channel, everything else for the workspace."""
        key = (method, channel if method == POST else "")
        if key not in self._budgets:
            self._budgets[key] = (Budget(self._pauses.of(method)), asyncio.Lock())
        return self._budgets[key]


class Turns:
    """One message's turns among all calls of a method: a turn that was waited for is used once."""

    def __init__(self, api: Api, method: str) -> None:
        self._api = api
        self._method = method
        self._mine = False

    async def wait(self) -> None:
        """Wait for a turn."""
        await self._api.turn(self._method)
        self._mine = True

    async def use(self) -> None:
        """Use the turn, waiting for it where it was not waited for yet."""
        if not self._mine:
            await self._api.turn(self._method)
        self._mine = False
