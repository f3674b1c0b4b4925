"""What goes out to a chat platform: a reply is a sequence of parts, drawn by each platform in its own syntax.

A part with a key replaces the earlier part with that key where it stands, so that a reply can grow in place.
"""

from dataclasses import dataclass
from typing import Literal

Mark = Literal["good", "failed", "acted", "waiting"]
# What each is in text: every meaning has a sign besides its colour.
MARKS: dict[Mark, str] = {"good": "✓", "failed": "×", "acted": "◆", "waiting": "◌"}


@dataclass(frozen=True)
class Text:
    """A paragraph; `[1]` refers to the source of that number."""

    text: str
    key: str | None = None


@dataclass(frozen=True)
class Code:
    """Something typed or printed."""

    text: str
    language: str = "console"
    key: str | None = None


@dataclass(frozen=True)
class Cell:
    """One cell of a table, with the mark that says what it means."""

    text: str
    mark: Mark | None = None


@dataclass(frozen=True)
class Table:
    """A table whose first column names its rows: of figures, or of an answer's words with their light Markdown."""

    header: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    caption: str = ""
    words: bool = False
    key: str | None = None


@dataclass(frozen=True)
class Source:
    """Where the words with its number come from."""

    n: int
    title: str
    source: str
    heading: str
    url: str | None
    text: str


@dataclass(frozen=True)
class Sources:
    """The numbered sources of an answer."""

    sources: tuple[Source, ...]
    key: str | None = "sources"


@dataclass(frozen=True)
class Choice:
    """Something to do next: a button in a chat, a line to type in a terminal. `command` is a message to send."""

    label: str
    command: str
    primary: bool = False


@dataclass(frozen=True)
class Choices:
    """What a learner may do next."""

    choices: tuple[Choice, ...]
    key: str | None = "choices"


@dataclass(frozen=True)
class Entry:
    """A demo that may be run: `command` runs it as it is, each of `ways` in another way."""

    title: str
    question: str
    command: str
    seconds: float
    ways: tuple[Choice, ...] = ()

    @property
    def details(self) -> str:
        """How long it takes as a rule, and in which ways it may be run."""
        ways = f" Ways: {', '.join(way.label for way in self.ways)}." if self.ways else ""
        return f"About {self.seconds:.0f} s.{ways}"


@dataclass(frozen=True)
class Catalogue:
    """The demos that can be run here."""

    entries: tuple[Entry, ...]
    key: str | None = "catalogue"


@dataclass(frozen=True)
class Bar:
    """Requests that finished between `start` and `start + seconds` of a run."""

    start: float
    seconds: float
    ok: int
    failed: int


@dataclass(frozen=True)
class Act:
    """Something an engine did by itself, or (with `acted` false) only noted."""

    t: float
    actor: str
    text: str
    acted: bool


@dataclass(frozen=True)
class Tile:
    """One container or pod."""

    name: str
    phase: str
    detail: str
    mark: Mark


@dataclass(frozen=True)
class Count:
    """How many copies there were from a moment on, and how many of them were ready."""

    t: float
    ready: int
    total: int


@dataclass(frozen=True)
class Span:
    """One step of a lane, or a time of load: from when to when, and what became of its requests."""

    name: str
    start: float
    end: float
    requests: int = 0
    failed: int = 0


@dataclass(frozen=True)
class Lane:
    """One engine's side of a demo: what it is, how it does, what a learner would type to see the same."""

    engine: str
    name: str
    version: str
    state: str
    mark: Mark
    bars: tuple[Bar, ...] = ()
    tiles: tuple[Tile, ...] = ()
    acts: tuple[Act, ...] = ()
    back_at: float | None = None
    commands: tuple[str, ...] = ()
    counts: tuple[Count, ...] = ()
    steps: tuple[Span, ...] = ()


@dataclass(frozen=True)
class Guess:
    """What may be guessed, how many have guessed it, and the message that does."""

    label: str
    votes: int
    command: str


@dataclass(frozen=True)
class Ballot:
    """The guesses about one engine; `outcome` says at the end how many guessed what, and what was measured."""

    name: str
    guesses: tuple[Guess, ...]
    outcome: str = ""


@dataclass(frozen=True)
class Poll:
    """What the room guesses before a demo acts. `left` is how many seconds it is open yet, None once it is closed.

    `go` is the message that closes it; only who started the demo may.
    """

    question: str
    ballots: tuple[Ballot, ...]
    left: float | None
    go: str


@dataclass(frozen=True)
class Trial:
    """How one engine does with one fault of several; `away` is whether a request has failed since the fault.

    Once it is measured, `state` and `mark` are as in the measured table, and it `took` so many seconds until it was
    back, or as long as it was watched.
    """

    fault: str
    engine: str
    state: str = "starting"
    mark: Mark = "waiting"
    fault_at: float | None = None
    away: bool = False
    back_at: float | None = None
    took: float = 0.0


@dataclass(frozen=True)
class Card:
    """A demo, live or ended: two lanes on one clock. Times are seconds since the start of its `run`.

    Where several faults are shown side by side, `trials` stand in place of the lanes, and `table` shows them live.
    `recorded` is the label of a run that is played from a recording, with its date.
    """

    title: str
    subtitle: str
    state: Literal["running", "done", "failed", "stopped"]
    t: float
    total: float
    lanes: tuple[Lane, ...] = ()
    fault: str | None = None
    fault_at: float | None = None
    narration: str = ""
    headline: str = ""
    explanation: str = ""
    table: Table | None = None
    captions: tuple[str, ...] = ()
    load: tuple[Span, ...] = ()
    run: str = ""
    recorded: str | None = None
    poll: Poll | None = None
    trials: tuple[Trial, ...] = ()
    key: str | None = "card"

    @property
    def asked(self) -> bool:
        """Whether requests are sent to measure by: without them there is no strip to draw."""
        return any(lane.bars for lane in self.lanes)

    @property
    def charted(self) -> bool:
        """Whether there is a whole run to draw a chart of."""
        return self.state == "done" and bool(self.lanes or self.trials)

    @property
    def vote(self) -> Poll | None:
        """The poll while one may vote."""
        return self.poll if self.poll and self.poll.left is not None and self.state == "running" else None

    @property
    def guessed(self) -> tuple[str, ...]:
        """What was guessed about each engine, once the poll is closed."""
        ballots = self.poll.ballots if self.poll else ()
        return tuple(f"{ballot.name}: {ballot.outcome}" for ballot in ballots if ballot.outcome)


@dataclass(frozen=True)
class Step:
    """One step of getting ready; `seconds` it took, or has taken so far; `fraction` of it is done, if that is known."""

    title: str
    state: Literal["done", "now", "next", "failed"]
    seconds: float | None
    fraction: float | None = None


@dataclass(frozen=True)
class Progress:
    """What is being prepared, step by step."""

    title: str
    steps: tuple[Step, ...]
    seconds: float
    note: str = ""
    key: str | None = "progress"


@dataclass(frozen=True)
class Failure:
    """What went wrong, what is safe and what to do; the reference is in the log too."""

    text: str
    advice: str
    reference: str
    retry: str | None = None
    key: str | None = None


Part = Text | Code | Table | Sources | Choices | Catalogue | Card | Progress | Failure
Reply = tuple[Part, ...]


def update(reply: Reply, part: Part) -> Reply:
    """Add a part, or replace the one with the same key where it stands."""
    keys = [old.key for old in reply]
    if part.key is None or part.key not in keys:
        return (*reply, part)
    place = keys.index(part.key)
    return (*reply[:place], part, *reply[place + 1 :])
