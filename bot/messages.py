"""What comes in from a chat platform."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Message:
    """One thing a learner said: `author` and `conversation` are the platform's own ids."""

    text: str
    author: str
    conversation: str
