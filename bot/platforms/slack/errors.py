"""Slack's errors as ours, in one place.

DeliveryError
├── Limited     Slack wants patience: the call may be made again later
├── NotThere    nothing can be posted there, now or later; its advice says why and what to do
├── Gone        the message is no more, may not be changed, or a person has stopped it
├── StreamOver  a stream was ended by Slack; its message can be edited
├── Unreachable Slack did not answer, or with a fault of its own; the call may be made again
└── Refused     anything else that Slack said no to
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError

from bot.delivery import DeliveryError
from bot.errors import BadToken, BotError

TOO_MANY_REQUESTS = 429
FAULTS = frozenset({"internal_error", "fatal_error", "service_unavailable", "request_timeout"})
TOKEN = frozenset(
    {"invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired", "not_allowed_token_type"}
)
THERE = {
    "not_in_channel": "I am not in this channel. Type /invite @Portside, and ask again.",
    "channel_not_found": "I cannot see this conversation. Ask in a channel that I am in, or in a direct message.",
    "is_archived": "This channel is archived. Ask in another one.",
    "restricted_action": "This workspace does not let me post here. Ask in another channel.",
    "restricted_action_read_only_channel": "Only some people may post in this channel. Ask in another one.",
    "restricted_action_thread_locked": "This thread is locked. Ask in another one.",
    "missing_scope": "I lack a permission here. Ask who installed me to install docs/slack.md's manifest again.",
    "no_permission": "I lack a permission here. Ask who installed me to install docs/slack.md's manifest again.",
    "messages_tab_disabled": "Direct messages to me are switched off. Ask in a channel that I am in.",
    "cannot_dm_bot": "There is no direct message with a bot. Ask in a channel that I am in.",
    "user_disabled": "This account is deactivated.",
}
GONE = frozenset(
    {
        "message_not_found",
        "cant_update_message",
        "edit_window_closed",
        "thread_not_found",
        "cant_delete_message",
        "stopped_by_user",
    }
)
OVER = frozenset({"message_not_in_streaming_state", "streaming_state_conflict", "streaming_mode_mismatch"})


class Limited(DeliveryError):
    """Slack wants patience for so many seconds."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"Slack asks for {seconds:.0f} s of patience.")
        self.seconds = seconds


class NotThere(DeliveryError):
    """Nothing can be posted there: by Slack's name for the log, and as advice for whoever asked."""

    def __init__(self, name: str, advice: str) -> None:
        super().__init__(f"Slack says {name}.")
        self.advice = advice


class Gone(DeliveryError):
    """The message is no more, may not be changed, or a person has stopped it."""


class StreamOver(DeliveryError):
    """A stream was ended; its message can be edited."""


class Unreachable(DeliveryError):
    """Slack did not answer, or with a fault of its own."""


class Refused(DeliveryError):
    """Slack said no."""


class NoSlack(BotError):
    """Slack is not to be reached when the bot starts."""


@contextmanager
def translated() -> Iterator[None]:
    """Raise what a call of the Web API raises as an error of ours."""
    try:
        yield
    except SlackApiError as error:
        raise _named(error) from error
    except (SlackClientError, aiohttp.ClientError, TimeoutError, OSError) as error:
        raise Unreachable(f"Slack could not be reached: {type(error).__name__}.") from error


def _named(error: SlackApiError) -> Exception:
    """The error by its name: the most specific first."""
    name = error_name(error)
    if error.response.status_code == TOO_MANY_REQUESTS or name in {"ratelimited", "rate_limited"}:
        return Limited(float(_header(error.response.headers, "retry-after") or 1))
    if not name or name in FAULTS:
        return Unreachable(f"Slack says {name or error.response.status_code}.")
    if name in THERE:
        return NotThere(f"{name} ({_needed(error)})" if name == "missing_scope" else name, THERE[name])
    if name in GONE:
        return Gone(f"Slack says {name}.")
    if name in OVER:
        return StreamOver(f"Slack says {name}.")
    return Refused(f"Slack says {name}.")


def error_name(error: SlackApiError) -> str:
    """What Slack calls it; empty where its answer was no JSON."""
    told = error.response.data
    return str(told.get("error", "")) if isinstance(told, dict) else ""


def _needed(error: SlackApiError) -> str:
    """What a token lacks, and for which method."""
    return f"{error.response.api_url.rpartition('/')[2]} needs {error.response.get('needed') or 'another one'}"


def _header(headers: Mapping[str, Any], name: str) -> str | None:
    return next((str(value) for key, value in headers.items() if key.lower() == name), None)


def refused_token(setting: str, why: str) -> BadToken:
    """A token that Slack does not take, with the place where there is a new one."""
    page = "Basic Information, App-Level Tokens" if setting == "SLACK_APP_TOKEN" else "OAuth & Permissions"
    return BadToken(f"Slack does not take {setting} ({why}). Copy a new one from api.slack.com/apps, {page}.")
