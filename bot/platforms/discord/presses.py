"""What a button stands for, kept in its own custom_id: it works after a restart without anybody's memory. Pure."""

import re
from dataclasses import dataclass
from typing import Literal, get_args

Action = Literal["say", "vote", "stop", "share", "human", "helpful", "unhelpful"]
SAYING = ("say", "vote")  # these carry a message
MOST = 100  # characters of a custom_id
_FORM = re.compile(r"([a-z]+):([0-9a-f]{1,16}):(.*)", re.DOTALL)


@dataclass(frozen=True)
class Press:
    """A click on a button of `owner`, whose message it answered; `command` is what a `say` or `vote` button says."""

    action: Action
    owner: int
    command: str = ""


def written(press: Press) -> str:
    """The custom_id."""
    return f"{press.action}:{press.owner:x}:{press.command}"


def fits(press: Press) -> bool:
    """Whether a button can carry it."""
    return len(written(press)) <= MOST


def read(custom_id: str) -> Press | None:
    """What a custom_id stands for; None if it is no button of ours."""
    found = _FORM.fullmatch(custom_id)
    action = next((name for name in get_args(Action) if found and name == found[1]), None)
    if found is None or action is None or (action in SAYING) != bool(found[3]):
        return None
    return Press(action, int(found[2], 16), found[3])
