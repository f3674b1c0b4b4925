"""Files in, a collection that can be searched out, reported page by page.

Each folder or file that was named is a root. Ingesting a root again embeds its new and changed pages, and pages of it
that are gone go; pages of other roots in the same collection stay.
"""

import hashlib
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass, replace
from pathlib import Path
from stat import S_ISDIR, S_ISREG

import numpy as np

from knowledge.chunking import STEP, chunk
from knowledge.documents import Document, Ingested, IngestEvent, Progress, Skipped
from knowledge.embedding import Embedder, MiniLM, Remembered, Vectors
from knowledge.errors import NothingToIngest, UnreadablePage
from knowledge.loaders import formats
from knowledge.store import Page, Store

CORPUS = Path(__file__).parent / "corpus"
CURRICULUM = "curriculum"

# Pages are embedded together up to this many chunks: enough to sort them by length, little enough to show progress.
_GROUP = 64
# How far a chunk's vector is drawn towards that of its heading: headings are what questions resemble most.
_HEADING = 0.5


@dataclass(frozen=True)
class _File:
    """A file to read: its root, and its path relative to that."""

    path: Path
    root: str
    source: str


def ingest_curriculum(folder: Path) -> Iterator[IngestEvent]:
    """Bring the curriculum's collection up to date with the pages that ship with the tutor."""
    # A root of this name is the same one wherever the tutor is installed.
    files = [_File(file.path, "portside", file.source) for file in find_files([CORPUS])]
    return _ingest(folder, files, CURRICULUM, Remembered())


def ingest(
    folder: Path, paths: Sequence[Path], collection: str = CURRICULUM, embedder: Embedder | None = None
) -> Iterator[IngestEvent]:
    """Bring a collection up to date with the given files and folders."""
    for path in paths:
        _check(path)
    files = list(find_files(paths))
    if not files:
        raise NothingToIngest(f"{', '.join(map(str, paths))} holds no files. Name a folder with Markdown pages.")
    return _ingest(folder, files, collection, embedder)


def _check(path: Path) -> None:
    try:
        if path.is_dir():
            next(path.iterdir(), None)
        else:
            path.stat()
    except FileNotFoundError as error:
        raise NothingToIngest(f"There is no file or folder {path}. Check the path.") from error
    except OSError as error:
        reason = f"{path} cannot be read ({error.strerror})"
        raise NothingToIngest(f"{reason}. Check the path and its permissions.") from error


def _ingest(folder: Path, files: Sequence[_File], collection: str, embedder: Embedder | None) -> Iterator[IngestEvent]:
    started = time.monotonic()
    pages: list[Page] = []
    skipped = 0
    for file in files:
        for found in read_pages(file):
            if isinstance(found, Skipped):
                skipped += 1
                yield found
            else:
                pages.append(found)
    if not pages:
        raise NothingToIngest("No page can be read there, so nothing was changed. Name Markdown files in UTF-8.")
    with Store(folder) as store, store.writing():
        made_by = store.embedder(collection)
        if made_by != (embedder.name if embedder else MiniLM.name):
            store.create(collection, embedder.name if embedder else MiniLM.name)
        update = _Update(store, collection, {file.root for file in files}, pages)
        yield Progress(len(pages) - len(update.changed), len(pages), "")
        yield from update.run(embedder)
    unchanged = len(pages) - len(update.changed)
    seconds = time.monotonic() - started
    yield Ingested(len(pages), len(update.changed), unchanged, len(update.gone), skipped, seconds)


class _Update:
    """What an ingest changes in a collection."""

    def __init__(self, store: Store, collection: str, roots: set[str], pages: Sequence[Page]) -> None:
        self._store = store
        self._collection = collection
        self._total = len(pages)
        self._before = store.pages(collection, roots)
        self.changed = [page for page in pages if self._before.get(page.key) != {page.digest}]
        self.gone = self._before.keys() - {page.key for page in pages}

    def run(self, embedder: Embedder | None) -> Iterator[Progress]:
        """Write the changed pages, group by group, then drop those that are gone."""
        done = self._total - len(self.changed)
        for group in _groups(self.changed):
            embedder = embedder or MiniLM()  # loaded only when a page has changed
            self._store.add(self._collection, group, vectors_of(group, embedder))
            for page in group:
                self._store.remove(self._collection, page.key, self._before.get(page.key, set()) - {page.digest})
            done += len(group)
            yield Progress(done, self._total, group[-1].source)
        for key in self.gone:
            self._store.remove(self._collection, key, self._before[key])
        if self.changed or self.gone:
            self._store.finish(self._collection)


def vectors_of(pages: Sequence[Page], embedder: Embedder) -> Vectors:
    """Return the vectors of the pages' texts, page by page: chunks drawn towards their headings, and questions."""
    chunks = [piece for page in pages for piece in page.chunks]
    bodies = [f"{piece.heading}\n{piece.text}" for piece in chunks]
    headings = [f"{piece.title}: {piece.heading.rsplit(STEP, 1)[-1]}" for piece in chunks]
    questions = [question for page in pages for question in page.questions]
    made = embedder.embed([*bodies, *headings, *questions])
    drawn, asked = made[: len(chunks)] + _HEADING * made[len(chunks) : 2 * len(chunks)], made[2 * len(chunks) :]
    drawn /= np.linalg.norm(drawn, axis=1, keepdims=True)
    rows: list[Vectors] = []
    for page in pages:
        rows += [drawn[: len(page.chunks)], asked[: len(page.questions)]]
        drawn, asked = drawn[len(page.chunks) :], asked[len(page.questions) :]
    return np.vstack(rows)


def _groups(pages: Sequence[Page]) -> Iterator[list[Page]]:
    group: list[Page] = []
    for page in pages:
        group.append(page)
        if sum(len(waiting.chunks) for waiting in group) >= _GROUP:
            yield group
            group = []
    if group:
        yield group


def find_files(paths: Sequence[Path]) -> Iterator[_File]:
    """Yield the files under the given paths, and the folders that cannot be listed; hidden ones are nobody's pages."""
    for path in paths:
        root = str(path.resolve())
        if path.is_file():
            yield _File(path, root, path.name)
        for inside in _inside(path) if path.is_dir() else ():
            relative = inside.relative_to(path)
            if not any(part.startswith(".") for part in relative.parts):
                yield _File(inside, root, relative.as_posix())


def _inside(folder: Path) -> list[Path]:
    """Return the files in a folder at any depth, and the folders in it that cannot be listed."""
    unlisted: list[str] = []
    walked = os.walk(folder, onerror=lambda error: unlisted.append(error.filename))
    files = [Path(at, name) for at, _, names in walked for name in names]
    return sorted([*files, *map(Path, unlisted)])


def read_pages(file: _File) -> Iterator[Page | Skipped]:
    """Yield the pages of a file, or why it has none."""
    try:
        if reason := _unfit(file.path):
            yield Skipped(file.source, reason)
            return
        for document in formats()[file.path.suffix.lower()](file.path):
            yield _page(file, document)
    except OSError as error:
        yield Skipped(file.source, f"it cannot be read ({error.strerror})")
    except UnreadablePage as error:
        yield Skipped(file.source, str(error))


def _unfit(path: Path) -> str | None:
    """Say why nothing can be loaded from a path, if so. Raises `OSError` where it cannot even be looked at."""
    mode = path.stat().st_mode
    if S_ISDIR(mode):
        return "it is a folder that cannot be listed"
    if path.suffix.lower() not in formats():
        return f"it does not end in {' or '.join(sorted(formats()))}"
    return None if S_ISREG(mode) else "it is no ordinary file"


def _page(file: _File, document: Document) -> Page:
    document = replace(document, source=file.source)
    chunks = tuple(chunk(document))
    if not chunks:
        raise UnreadablePage("it is empty")
    digest = hashlib.sha256(repr((file.root, astuple(document))).encode("utf-8", "replace")).hexdigest()[:24]
    return Page(file.root, file.source, digest, chunks)
