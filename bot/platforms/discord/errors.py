"""What Discord may refuse, by name. Foreign exceptions are translated here and nowhere else.

DeliveryError
├── Unreachable     Discord did not take it now; it may take it later
├── Expired         an interaction's token is over: go on with the bot's own
└── Never           this message can not be shown here any more
    ├── MessageGone, ChannelGone, NoAccess, NoPermission, Archived, DmClosed
    └── Refused     for a reason of its own, which is in the log
"""

from collections.abc import Iterator
from contextlib import contextmanager

import aiohttp
import discord

from bot.delivery import DeliveryError
from bot.errors import BadToken, NotAllowed

HOW_TO_GET_ONE = "Make a new one at https://discord.com/developers/applications under Bot, and set DISCORD_TOKEN to it."
TOKEN_REFUSED = 4004


class Unreachable(DeliveryError):
    """Discord did not take it now; it may take it later."""


class Expired(DeliveryError):
    """An interaction's token is over."""


class Never(DeliveryError):
    """This message can not be shown here any more."""


class MessageGone(Never):
    """The message was deleted."""


class ChannelGone(Never):
    """The channel was deleted."""


class NoAccess(Never):
    """The bot was removed from the channel or the server."""


class NoPermission(Never):
    """The bot may not do that here."""


class Archived(Never):
    """The thread is archived or locked."""


class DmClosed(Never):
    """The person takes no direct messages from the bot."""


class Refused(Never):
    """Refused for a reason of its own."""


# Discord's own codes, which its documentation lists.
_CODES: dict[int, tuple[type[DeliveryError], str]] = {
    10003: (ChannelGone, "the channel was deleted"),
    10008: (MessageGone, "the message was deleted"),
    10015: (Expired, "the interaction's token is over"),
    10062: (Expired, "the interaction is over"),
    40060: (Expired, "the interaction was answered already"),
    50001: (NoAccess, "the bot cannot see the channel: it needs the permission View Channel"),
    50007: (DmClosed, "the person takes no direct messages from the bot"),
    50013: (NoPermission, "the bot needs Send Messages, Send Messages in Threads, Attach Files, Read Message History"),
    50027: (Expired, "the interaction's token is over"),
    50083: (Archived, "the thread is archived"),
}


@contextmanager
def translated() -> Iterator[None]:
    """Say by name what Discord refused. Raises `DeliveryError`."""
    try:
        yield
    except discord.InteractionResponded as error:
        raise Expired("the interaction was answered already") from error
    except discord.HTTPException as error:
        raise _named(error) from error
    except (discord.RateLimited, aiohttp.ClientError, OSError) as error:
        raise Unreachable(f"Discord cannot be reached: {type(error).__name__}") from error


def _named(error: discord.HTTPException) -> DeliveryError:
    if error.code in _CODES:
        kind, reason = _CODES[error.code]
        return kind(reason)
    if error.status >= 500 or error.status == 429:  # noqa: PLR2004 - HTTP's own numbers
        return Unreachable(f"Discord answers {error.status}")
    return Refused(f"Discord answers {error.status}, code {error.code}: {error.text[:200]}")


@contextmanager
def starting() -> Iterator[None]:
    """Say what keeps the bot from being there at all. Raises `BadToken`, `NotAllowed` or `Unreachable`."""
    try:
        yield
    except discord.LoginFailure as error:
        raise BadToken(f"Discord does not take DISCORD_TOKEN. {HOW_TO_GET_ONE}") from error
    except discord.PrivilegedIntentsRequired as error:
        raise NotAllowed(
            "Discord refuses the message-content intent. Switch it on at https://discord.com/developers/applications "
            "under Bot, or unset PORTSIDE_MESSAGE_EVENTS."
        ) from error
    except discord.ConnectionClosed as error:
        if error.code == TOKEN_REFUSED:
            raise BadToken(f"Discord takes DISCORD_TOKEN no more: it was revoked. {HOW_TO_GET_ONE}") from error
        raise NotAllowed(f"Discord closed the connection with code {error.code}. Try again in a minute.") from error
    except (discord.HTTPException, discord.GatewayNotFound, aiohttp.ClientError, OSError) as error:
        raise NotAllowed("Discord cannot be reached. Check the network and DISCORD_API_URL.") from error
