"""What goes in and what comes out: pages, chunks, hits and answers, as frozen values without clients or storage.

`Hit`, `Citation` and `Answer` have exactly the fields of the published JSON form, so `dataclasses.asdict` is that form.
"""

from dataclasses import dataclass
from typing import Literal

Mode = Literal["extractive", "model", "refused"]


@dataclass(frozen=True)
class Document:
    """One page. `source` is its path relative to the folder that was ingested, or its URL."""

    source: str
    title: str
    text: str
    url: str | None = None
    description: str = ""
    level: str | None = None
    demo: str | None = None
    next: tuple[str, ...] = ()
    questions: tuple[str, ...] = ()


@dataclass(frozen=True)
class Chunk:
    """A piece of one section; `heading` is the path of headings above it, outermost first.

    `questions` are all those of its page, `asked` those that its author placed in this very section.
    """

    source: str
    title: str
    heading: str
    text: str
    position: int
    url: str | None = None
    description: str = ""
    demo: str | None = None
    questions: tuple[str, ...] = ()
    asked: tuple[str, ...] = ()


@dataclass(frozen=True)
class Hit:
    """One page that was found, with its best chunk; `score` lies in 0..1 and falls from hit to hit."""

    source: str
    heading: str
    text: str
    score: float


@dataclass(frozen=True)
class Citation:
    """Where the words marked `[n]` come from; `text` are the words relied on."""

    n: int
    title: str
    source: str
    heading: str
    url: str | None
    text: str


@dataclass(frozen=True)
class Turn:
    """One earlier exchange of the conversation; `name` is who asked, where several people talk."""

    question: str
    answer: str = ""
    name: str = ""


@dataclass(frozen=True)
class Delta:
    """An answer in the making: `text` is all of it so far, and replaces what was shown before."""

    text: str


@dataclass(frozen=True)
class Answer:
    """A finished answer; a refused one cites nothing and still carries its hits."""

    question: str
    answer: str
    mode: Mode
    refused: bool
    citations: tuple[Citation, ...]
    hits: tuple[Hit, ...]
    demo: str | None
    seconds: float


@dataclass(frozen=True)
class Skipped:
    """A file that was left out of an ingest, and why."""

    source: str
    reason: str


@dataclass(frozen=True)
class Progress:
    """How far an ingest is: `done` of `total` pages; `source` is the page just finished."""

    done: int
    total: int
    source: str


@dataclass(frozen=True)
class Ingested:
    """The end of an ingest: pages found in the collection now, and what changed on the way there."""

    pages: int
    embedded: int
    unchanged: int
    removed: int
    skipped: int
    seconds: float


IngestEvent = Skipped | Progress | Ingested
