"""One budget of edits for each channel, learned from the headers of every response."""

import re
from collections import OrderedDict
from collections.abc import Mapping
from types import SimpleNamespace

import aiohttp

from bot.budgets import Budget

PAUSE = 1.2  # seconds between two edits in a channel: Discord takes about five in five seconds
KEPT = 2_000  # channels whose budgets are kept; one that is forgotten begins anew
_CHANNEL = re.compile(r"/channels/(\d+)/messages(?:/\d+)?$")
_TOKEN = re.compile(r"/webhooks/\d+/([^/]+)")


class Budgets:
    """The budget of each channel. An interaction's own edits count on the channel in which people see them."""

    def __init__(self, pause: float = PAUSE) -> None:
        self._pause = pause
        self._channels: OrderedDict[str, Budget] = OrderedDict()
        self._tokens: OrderedDict[str, int] = OrderedDict()

    def of(self, channel: int, token: str = "") -> Budget:
        """A channel's budget; with `token`, what that interaction spends counts there too."""
        if token:
            self._tokens[token] = channel
            if len(self._tokens) > KEPT:
                self._tokens.popitem(last=False)
        budget = self._channels.setdefault(str(channel), Budget(self._pause))
        self._channels.move_to_end(str(channel))
        if len(self._channels) > KEPT:
            self._channels.popitem(last=False)
        return budget

    def learn(self, path: str, status: int, headers: Mapping[str, str]) -> None:
        """Hold a channel's edits for as long as a response asks for."""
        seconds = headers.get("Retry-After") or headers.get("X-RateLimit-Reset-After")
        spent = status == 429 or headers.get("X-RateLimit-Remaining") == "0"  # noqa: PLR2004 - HTTP's own number
        channel = self._channel(path)
        if seconds and spent and channel is not None:
            self.of(channel).hold(float(seconds))

    def _channel(self, path: str) -> int | None:
        if found := _CHANNEL.search(path):
            return int(found[1])
        found = _TOKEN.search(path)
        return self._tokens.get(found[1]) if found else None


def listening(budgets: Budgets) -> aiohttp.TraceConfig:
    """What tells the budgets of each response of Discord's."""

    async def ended(
        _session: aiohttp.ClientSession, _context: SimpleNamespace, params: aiohttp.TraceRequestEndParams
    ) -> None:
        budgets.learn(params.url.path, params.response.status, params.response.headers)

    config = aiohttp.TraceConfig()
    config.on_request_end.append(ended)
    return config
