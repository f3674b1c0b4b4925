"""What can go wrong in the tutor itself, and how any failure is told: a sentence, and a reference that the log has too.

BotError
├── BadMessage      what was said cannot be read: empty, too long, not text
├── Busy            a demo is running already, or too many are
├── BadSettings     an environment variable holds something that cannot be used
├── CannotListen    an address to serve on is taken or forbidden
├── NoMemory        what must outlive a restart cannot be kept
├── BadToken        a platform does not take a token, or there is none
└── NotAllowed      a platform forbids what the bot needs there: a scope, a permission, an intent
"""

import logging
import secrets
from dataclasses import dataclass
from pathlib import Path

from knowledge.errors import KnowledgeError
from sandbox.errors import SandboxError

_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"

log = logging.getLogger(__name__)


class BotError(Exception):
    """Something that the tutor has to say no to."""


class BadMessage(BotError):
    """What was said cannot be read."""


class Busy(BotError):
    """A demo is running already, or too many are."""


class BadSettings(BotError):
    """An environment variable holds something that cannot be used."""


class CannotListen(BotError):
    """An address to serve on is taken or forbidden."""

    def __init__(self, host: str, port: int, reason: str, setting: str = "PORTSIDE_WEB_PORT") -> None:
        what = "The page" if setting == "PORTSIDE_WEB_PORT" else "Slack over HTTP"
        super().__init__(
            f"{what} cannot be served on {host}:{port}: {reason}. "
            f"Stop what uses that address, or choose another one with {setting} and PORTSIDE_WEB_HOST."
        )


class NoMemory(BotError):
    """What must outlive a restart cannot be kept."""

    def __init__(self, file: Path) -> None:
        super().__init__(
            f"{file} cannot be used. "
            "Correct its folder's permissions, free some space, or choose another PORTSIDE_DATA."
        )


class BadToken(BotError):
    """A platform does not take a token, or there is none."""


class NotAllowed(BotError):
    """A platform forbids what the bot needs there: a scope, a permission, an intent."""


KNOWN = (BotError, KnowledgeError, SandboxError)


@dataclass(frozen=True)
class Trouble:
    """A failure as a learner is told it."""

    text: str
    advice: str
    reference: str


def trouble(error: BaseException) -> Trouble:
    """What to tell of an error; the log gets the same reference and, of an error of ours, the traceback."""
    reference = "".join(secrets.choice(_ALPHABET) for _ in range(6))
    if isinstance(error, KNOWN):
        log.warning("reference %s: %s", reference, error)
        text, _, advice = str(error).partition(". ")
        return Trouble(text.rstrip(".") + ".", advice, reference)
    log.error("reference %s", reference, exc_info=error)
    return Trouble(
        "Portside met a fault of its own.", "Try again; if it stays, show an operator the reference.", reference
    )
