"""Chunks and their vectors, kept in chromadb (embedded, persistent); the only import of chromadb.

Several processes may share one folder: one at a time ingests (a lock of the operating system, gone with its process),
and readers work on a snapshot that they load whole, so that they never see a page half-way between two versions.
A page is added in one transaction before its older version goes; ids carry the content's digest, so a process that
was killed in between leaves nothing that the next ingest would not put right.
"""

import fcntl
import hashlib
import json
import re
import sqlite3
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np

from knowledge.documents import Chunk
from knowledge.embedding import Vectors
from knowledge.errors import StoreUnusable, UnknownCollection

_BATCH = 2000
# Raised whenever chunks are cut, embedded or kept differently, so that an older index is made anew.
_FORMAT = 3
# How SQLite says that a file holds something else than what it once wrote.
_DAMAGED = ("not a database", "malformed")


@dataclass(frozen=True)
class Page:
    """A page to store; `digest` differs with its content, `root` is the folder that it was found in."""

    root: str
    source: str
    digest: str
    chunks: tuple[Chunk, ...]

    @property
    def questions(self) -> tuple[str, ...]:
        """Return the questions that the page says it answers."""
        return self.chunks[0].questions

    @property
    def texts(self) -> list[str]:
        """Return what is stored: the words of each chunk, then the questions that the page says it answers."""
        return [chunk.text for chunk in self.chunks] + list(self.questions)

    @property
    def key(self) -> str:
        """Return what stays the same from version to version."""
        return f"{self.root}#{self.source}"


@dataclass(frozen=True)
class Snapshot:
    """A collection at one moment; `questions`, each with its source, are what the rows of `asked` stand for."""

    chunks: tuple[Chunk, ...]
    vectors: Vectors
    questions: tuple[tuple[str, str], ...]
    asked: Vectors
    embedder: str


class Store:
    """One data folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        with _usable(folder):
            folder.mkdir(parents=True, exist_ok=True)
            # Two processes that make the same database at the same moment would trip over each other.
            with _locked(folder / "open.lock"):
                self._client = _client(folder)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the database."""
        self._client.close()

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Wait until nobody else ingests into this folder, and keep others waiting."""
        with _usable(self._folder), _locked(self._folder / "ingest.lock"):
            yield

    def names(self) -> list[str]:
        """Return the names of the collections, as their makers wrote them."""
        with _usable(self._folder):
            return sorted(str((found.metadata or {}).get("name", "")) for found in self._client.list_collections())

    def embedder(self, collection: str) -> str | None:
        """Return which embedder made a collection, or None if there is none that this version can read."""
        if collection not in self.names():
            return None
        about = self._client.get_collection(_safe(collection), embedding_function=None).metadata
        return str(about["embedder"]) if about.get("format") == _FORMAT else None

    def create(self, collection: str, embedder: str) -> None:
        """Make an empty collection, in the place of one of the same name."""
        with _usable(self._folder):
            if collection in self.names():
                self._client.delete_collection(_safe(collection))
            about = {"name": collection, "embedder": embedder, "format": _FORMAT, "hnsw:space": "cosine"}
            self._client.create_collection(_safe(collection), metadata=about, embedding_function=None)

    def pages(self, collection: str, roots: set[str]) -> dict[str, set[str]]:
        """Return the digests under which the pages of some roots are stored: one each, more after a kill."""
        found: dict[str, set[str]] = defaultdict(set)
        with _usable(self._folder):
            rows = self._open(collection).get(where={"root": {"$in": sorted(roots)}}, include=["metadatas"])
        for row in rows["metadatas"] or []:
            found[str(row["key"])].add(str(row["digest"]))
        return found

    def add(self, collection: str, pages: Sequence[Page], vectors: Vectors) -> None:
        """Store whole pages; the rows of `vectors` are those of their texts, page by page."""
        rows = [(page, place, text) for page in pages for place, text in enumerate(page.texts)]
        with _usable(self._folder):
            target = self._open(collection)
            for start in range(0, len(rows), _BATCH):
                part = rows[start : start + _BATCH]
                target.upsert(
                    ids=[f"{page.digest}#{place}" for page, place, _ in part],
                    embeddings=vectors[start : start + _BATCH],
                    documents=[text for _, _, text in part],
                    metadatas=[_row(page, place) for page, place, _ in part],
                )

    def remove(self, collection: str, key: str, digests: set[str]) -> None:
        """Drop the given versions of a page."""
        if not digests:
            return
        with _usable(self._folder):
            self._open(collection).delete(where={"$and": [{"key": key}, {"digest": {"$in": sorted(digests)}}]})

    def finish(self, collection: str) -> None:
        """Tell readers that the collection has changed."""
        with _usable(self._folder):
            (self._folder / f"{_safe(collection)}.changed").touch()

    def stamp(self, collection: str) -> int:
        """Return a number that differs after each ingest that changed something."""
        path = self._folder / f"{_safe(collection)}.changed"
        return path.stat().st_mtime_ns if path.exists() else 0

    def snapshot(self, collection: str) -> Snapshot:
        """Load a collection whole, its chunks in reading order."""
        with _usable(self._folder):
            source = self._open(collection)
            found = source.get(include=["metadatas", "documents", "embeddings"])
        rows = list(zip(found["metadatas"] or [], found["documents"] or [], strict=True))
        order = sorted(range(len(rows)), key=lambda at: (str(rows[at][0]["source"]), int(str(rows[at][0]["place"]))))
        vectors = np.asarray(found["embeddings"], dtype=np.float32).reshape(len(rows), -1)
        pieces = [at for at in order if rows[at][0]["heading"]]
        questions = [at for at in order if not rows[at][0]["heading"]]
        return Snapshot(
            chunks=tuple(_chunk(rows[at][0], rows[at][1]) for at in pieces),
            vectors=vectors[pieces],
            questions=tuple((rows[at][1], str(rows[at][0]["source"])) for at in questions),
            asked=vectors[questions],
            embedder=str(source.metadata["embedder"]),
        )

    def _open(self, collection: str) -> Any:
        from rapidfuzz import process  # noqa: PLC0415 - only needed to help with a wrong name

        names = self.names()
        if collection not in names:
            near = process.extract(collection, names, limit=3, score_cutoff=60)
            raise UnknownCollection(collection, tuple(name for name, _, _ in near))
        found = self._client.get_collection(_safe(collection), embedding_function=None)
        if found.metadata.get("format") != _FORMAT:
            raise StoreUnusable(f"The collection {collection!r} was made by another version. Ingest it again.")
        return found


def _client(folder: Path) -> Any:
    # chromadb takes more than a second to import, and most commands never open a store.
    import chromadb  # noqa: PLC0415
    from chromadb.config import Settings  # noqa: PLC0415

    return chromadb.PersistentClient(path=str(folder / "chroma"), settings=Settings(anonymized_telemetry=False))


def _safe(name: str) -> str:
    """Return a name that chromadb and file systems accept, different for different names."""
    digest = hashlib.sha256(name.encode()).hexdigest()[:12]
    readable = re.sub(r"[^a-z0-9]+", "-", name.lower())[:40].strip("-")
    return f"c-{readable}-{digest}" if readable else f"c-{digest}"


def _row(page: Page, place: int) -> dict[str, str | int]:
    """Return one text of a page as the flat values that chromadb keeps; a question stands under no heading."""
    first = page.chunks[0]
    piece = page.chunks[place] if place < len(page.chunks) else None
    return {
        "key": page.key,
        "root": page.root,
        "digest": page.digest,
        "place": place,
        "source": page.source,
        "heading": piece.heading if piece else "",
        "title": first.title,
        "url": first.url or "",
        "description": first.description,
        "demo": first.demo or "",
        "questions": json.dumps(first.questions),
        "asked": json.dumps(piece.asked if piece else ()),
    }


def _chunk(row: Mapping[str, Any], text: str) -> Chunk:
    return Chunk(
        source=row["source"],
        title=row["title"],
        heading=row["heading"],
        text=text,
        position=int(row["place"]),
        url=row["url"] or None,
        description=row["description"],
        demo=row["demo"] or None,
        questions=tuple(json.loads(row["questions"])),
        asked=tuple(json.loads(row["asked"])),
    )


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


@contextmanager
def _usable(folder: Path) -> Iterator[None]:
    """Translate what chromadb and the file system raise when the folder cannot be used."""
    from chromadb.errors import ChromaError  # noqa: PLC0415 - see `_client`

    try:
        yield
    except (OSError, sqlite3.Error, ChromaError) as error:
        reason = str(getattr(error, "strerror", None) or error).splitlines()[0][:200]
        if any(words in reason for words in _DAMAGED):
            raise StoreUnusable(
                f"The index in {folder} is damaged ({reason}). Remove that folder: the curriculum is taken in again by "
                "itself, and pages of yours with portside ingest."
            ) from error
        raise StoreUnusable(
            f"The data folder {folder} cannot be used ({reason}). "
            "Check that it can be written and has room, or name another one in PORTSIDE_DATA."
        ) from error
