"""What comes in from a chat platform."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Said:
    """Something said earlier in a conversation: by whom, as people see the name, or by the tutor itself."""

    name: str
    text: str
    ours: bool = False


@dataclass(frozen=True)
class Message:
    """One thing a learner said: `author`, `conversation` and `channel` are the platform's own ids.

    In a channel one demo runs at a time; without one, the conversation is a channel of its own. `earlier` are the last
    things said before, oldest first, for a conversation that the tutor does not remember.
    """

    text: str
    author: str
    conversation: str
    channel: str = ""
    earlier: tuple[Said, ...] = ()
