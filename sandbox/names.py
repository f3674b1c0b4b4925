"""What objects of a run are called, and what they carry: so that a sweep needs no memory."""

import hashlib
import re
import secrets
import string
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

MANAGED_BY = "portside.dev/managed-by"
RUN = "portside.dev/run"
PART = "portside.dev/part"
OWNER = "portside.dev/owner"
# What asks the apps from beside them: a label, and how its name begins. It is no copy of the app.
CLIENT = "portside.dev/client"
CLIENT_APP = "client"
EXPIRES_AT = "portside.dev/expires-at"

BOT = "bot"
PREFIX = "portside-"
NAMESPACE = re.compile(r"portside-[a-z0-9]{8,20}")

# Whether an object is to go, by its labels and annotations.
Due = Callable[[Mapping[str, str]], bool]

_ALPHABET = string.ascii_lowercase + string.digits
_LABEL_VALUE = re.compile(r"[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?")
_TIME = "%Y-%m-%dT%H:%M:%SZ"


@dataclass(frozen=True)
class Tag:
    """Whose an object is, and until when; `part` where a run has several namespaces and networks."""

    run: str
    owner: str
    expires: datetime
    part: str = ""

    @property
    def place(self) -> str:
        """The name of the namespace, and of the Docker network."""
        return PREFIX + self.run + self.part

    def container(self, app: str) -> str:
        """A name that is short enough to read and that no other run's container has."""
        return "-".join(filter(None, (app, self.part, self.run[:5])))

    def labels(self) -> dict[str, str]:
        """What every object carries; a label of Kubernetes cannot hold a time, so the expiry is apart."""
        part = {PART: self.part} if self.part else {}
        return {MANAGED_BY: BOT, RUN: self.run, OWNER: owner_label(self.owner)} | part

    def expiry(self) -> dict[str, str]:
        """A Docker label, a Kubernetes annotation."""
        return {EXPIRES_AT: write_time(self.expires)}


class Plain(Tag):
    """Of no run: a learner's own objects have plain names, stand wherever the learner works, and carry no labels."""

    def __init__(self, part: str = "") -> None:
        super().__init__(run="", owner="", expires=datetime.max.replace(tzinfo=UTC), part=part)

    @property
    def place(self) -> str:
        """Wherever the learner works."""
        return ""

    def labels(self) -> dict[str, str]:
        """None: nobody sweeps them."""
        return {}


def new_run() -> str:
    """Make an id that fits into a name; it is never used again."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(10))


def owner_label(owner: str) -> str:
    """Return the owner where a label can hold it, else a digest: any chat's ids are welcome."""
    if _LABEL_VALUE.fullmatch(owner):
        return owner
    return "sha256." + hashlib.sha256(owner.encode()).hexdigest()[:32]


def write_time(moment: datetime) -> str:
    """Write an absolute time as RFC 3339, to the second."""
    return moment.astimezone(UTC).strftime(_TIME)


def expired(marks: Mapping[str, str], now: datetime) -> bool:
    """Say whether an object's expiry has passed; one that has none, or one we did not write, never expires."""
    try:
        moment = datetime.strptime(marks.get(EXPIRES_AT, ""), _TIME).replace(tzinfo=UTC)
    except ValueError:
        return False
    return moment < now
