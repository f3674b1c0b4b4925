"""Questions in, pages out: vectors and keywords over one collection, fused.

A comparison ("docker or k8s when a host dies") is asked once as it stands and once for each side; a follow-up
("and in Kubernetes?") is asked together with what it follows.
"""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from knowledge.defining import wanted
from knowledge.documents import Chunk, Hit, Turn
from knowledge.embedding import Embedder, MiniLM
from knowledge.errors import BadQuestion, StoreUnusable
from knowledge.keywords import stem, words
from knowledge.ranking import Index, Query, Scored
from knowledge.store import Store
from knowledge.wording import ABBREVIATIONS, CIVIL, SIDES

LONGEST = 2000
_SIDE_WEIGHT, _OTHER_SIDE = 0.92, 0.85
_FOLLOWS = frozenset(
    {"and", "but", "it", "that", "they", "them", "this", "those", "then", "there", "also", "why", "so"}
)
_SHORT = 3


@dataclass(frozen=True)
class Found:
    """What a question found: its terms, and the best chunks, best first."""

    terms: tuple[str, ...]
    chunks: tuple[tuple[Chunk, Scored], ...]
    index: Index


class Library:
    """One open collection; a context manager, because it holds a database."""

    def __init__(self, store: Store, collection: str, embedder: Embedder) -> None:
        self._store = store
        self.collection = collection
        self.embedder = embedder
        self._stamp = -1
        self._index = self._current()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the store."""
        self._store.close()

    def search(self, words: str, limit: int = 10) -> list[Hit]:
        """Return the best pages, each once with its best chunk, best first."""
        return hits(self.find(words))[:limit]

    def find(self, question: str, history: Sequence[Turn] = ()) -> Found:
        """Return the best chunks for a question asked at this point of a conversation."""
        index = self._current()
        asked = follow(checked(question), history)
        texts = [asked, *_sides(asked)]
        vectors = self.embedder.embed([index.keywords.spelt(text) for text in texts])
        side = _only_side(asked)
        best: dict[int, Scored] = {}
        for place, (text, vector) in enumerate(zip(texts, vectors, strict=True)):
            weight = _SIDE_WEIGHT if place else 1.0
            query = Query(tuple(index.keywords.terms(text)), vector, wanted(index.keywords.spelt(text)))
            for found in index.rank(query):
                weighed = replace(found, score=found.score * weight * self._aimed(index, found.at, side))
                best[found.at] = max(best.get(found.at, weighed), weighed, key=lambda scored: scored.score)
        ranked = sorted(best.values(), key=lambda scored: (-scored.score, scored.at))
        chunks = tuple((index.chunks[scored.at], scored) for scored in ranked)
        return Found(tuple(index.keywords.terms(asked)), chunks, index)

    @staticmethod
    def _aimed(index: Index, at: int, side: str | None) -> float:
        """Return less than one for a chunk that speaks of the side alone that was not asked about."""
        said = index.body(at) | index.around(at)
        others = {stem(other) for other in SIDES} - {stem(side)} if side else set()
        return _OTHER_SIDE if side and others & said and stem(side) not in said else 1.0

    def _current(self) -> Index:
        """Return the index, loaded anew when another ingest has changed the collection."""
        stamp = self._store.stamp(self.collection)
        if stamp != self._stamp:
            snapshot = self._store.snapshot(self.collection)
            if snapshot.embedder != self.embedder.name:
                raise StoreUnusable(
                    f"The collection {self.collection!r} was made with another embedding model. Ingest it again."
                )
            self._index = Index(snapshot, self.embedder.plain_words)
            self._stamp = stamp
        return self._index


def open_library(folder: Path, collection: str = "curriculum", embedder: Embedder | None = None) -> Library:
    """Open a collection that was ingested before."""
    with ExitStack() as opened:
        library = Library(opened.enter_context(Store(folder)), collection, embedder or MiniLM())
        opened.pop_all()  # from here on the library closes the store
    return library


def hits(found: Found) -> list[Hit]:
    """Return the pages that were found, each once with its best chunk."""
    pages: dict[str, Hit] = {}
    for chunk, scored in found.chunks:
        score = round(min(max(scored.score, 0.0), 1.0), 4)
        pages.setdefault(chunk.source, Hit(chunk.source, chunk.heading, chunk.text, score))
    return list(pages.values())


def compared(terms: Sequence[str]) -> tuple[str, ...]:
    """Return the stems of both sides of a comparison, or nothing for any other question."""
    sides = tuple(stem(side) for side in SIDES)
    return sides if set(sides) <= set(terms) else ()


def checked(question: str) -> str:
    """Return a question fit to be looked up, or say what is wrong with it."""
    if len(question) > LONGEST:
        raise BadQuestion(
            f"The question is too long: {len(question):,} characters. Ask it in at most {LONGEST:,}, please."
        )
    if any(sign in "\x00\ufffd" or "\ud800" <= sign <= "\udfff" for sign in question):
        raise BadQuestion("The question is not text. Type it in words, please.")
    if not words(question) and not any(map(str.isalpha, question)):
        raise BadQuestion("The question is empty. Ask something like: what happens when a container crashes?")
    return question


def follow(question: str, history: Sequence[Turn]) -> str:
    """Return a question that stands alone: a follow-up together with what it follows."""
    said = words(question)
    meant = [part for word in said for part in ABBREVIATIONS.get(word, (word,))]
    if CIVIL.issuperset(said):
        return question
    leans = bool(said) and (said[0] in _FOLLOWS or bool({"it", "that", "they", "them", "this"} & set(said)))
    if not history or not (leans or len(said) <= _SHORT or said[:2] in (["what", "about"], ["how", "about"])):
        return question
    before = history[-1].question
    if any(side in meant for side in SIDES):
        before = " ".join(word for word in before.split() if not _is_side(word))
    return f"{before} {question}"


def _sides(question: str) -> list[str]:
    """Return a comparison asked for each side alone; nothing for any other question."""
    said = question.split()
    named = {side for side in SIDES if any(_is_side(word, side) for word in said)}
    if len(named) < len(SIDES):
        return []
    return [" ".join(word for word in said if not _is_side(word, other)) for other in reversed(SIDES)]


def _only_side(question: str) -> str | None:
    """Return the one side that a question names; None if it names both or neither."""
    named = [side for side in SIDES if any(_is_side(word, side) for word in question.split())]
    return named[0] if len(named) == 1 else None


def _is_side(word: str, *only: str) -> bool:
    meant = {part for piece in words(word) for part in ABBREVIATIONS.get(piece, (piece,))}
    return bool(meant & set(only or SIDES))
