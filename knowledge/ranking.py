"""Every chunk of a collection, scored for one question: cosine and BM25, fused and ranked again by what they cover."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from knowledge.defining import explained
from knowledge.keywords import Keywords, stems
from knowledge.store import Snapshot

# Weights of the light re-ranker; each signal lies in 0..1, and so does their sum. Fitted on the questions of `tune`.
_COSINE, _ASKED, _KEYWORDS, _RANKS, _PAGE, _AROUND, _BODY = 0.36, 0.34, 0.03, 0.18, 0.02, 0.01, 0.06
# What it adds that a section explains the very thing that is asked about, and that a page names this very question:
# nothing for one that is only as near as `_EXACT_FROM`, all for the same words.
_EXPLAINS, _EXACT, _EXACT_FROM = 0.18, 0.2, 0.87
# The share of a question that a page says it answers which counts for the page's other sections.
_OF_PAGE = 0.8
_CANDIDATES = 50
_RANK_CONSTANT = 10


@dataclass(frozen=True)
class Query:
    """A question as the indexes want it."""

    terms: tuple[str, ...]
    vector: npt.NDArray[np.float32]
    wanted: str = ""


@dataclass(frozen=True)
class Scored:
    """A chunk with its score for one question."""

    at: int
    score: float
    cosine: float
    asked: float


class Index:
    """The chunks of one snapshot with everything that ranking needs."""

    def __init__(self, snapshot: Snapshot, plain: frozenset[str]) -> None:
        chunks = self.chunks = snapshot.chunks
        self.keywords = Keywords(chunks, plain)
        self._vectors = snapshot.vectors
        self._asked_vectors = snapshot.asked
        self._asks = np.array([bool(piece.questions) for piece in chunks])
        sources: dict[str, int] = {}
        self.page_of = np.array([sources.setdefault(piece.source, len(sources)) for piece in chunks])
        self.pages: dict[int, list[int]] = defaultdict(list)
        for at, page in enumerate(self.page_of):
            self.pages[int(page)].append(at)
        self._meant = [
            self._section(row, question, sources[source]) for row, (question, source) in enumerate(snapshot.questions)
        ]
        self._headings = [frozenset(stems(piece.heading)) for piece in chunks]
        self._asked = [frozenset(stems(" ".join(piece.questions))) for piece in chunks]
        self._bodies: dict[int, frozenset[str]] = {}
        self._explains: dict[int, frozenset[str]] = {}

    def body(self, at: int) -> frozenset[str]:
        """Return the stems of a chunk's own words."""
        if at not in self._bodies:
            self._bodies[at] = frozenset(stems(self.chunks[at].text))
        return self._bodies[at]

    def _explained(self, at: int) -> frozenset[str]:
        """Return the names of what a chunk explains."""
        if at not in self._explains:
            self._explains[at] = explained(self.chunks[at].text)
        return self._explains[at]

    def around(self, at: int) -> frozenset[str]:
        """Return the stems of the headings and authored questions that a chunk stands under."""
        return self._headings[at] | self._asked[at]

    def coverage(self, terms: Sequence[str], among: frozenset[str]) -> float:
        """Return how much of a question is among some stems, rare words counting for more."""
        weights = {term: self.keywords.idf(term) for term in terms}
        total = sum(weights.values())
        return sum(weight for term, weight in weights.items() if term in among) / total if total else 0.0

    def _section(self, row: int, question: str, page: int) -> tuple[int, int]:
        """Return a question's page and the chunk that answers it: as its author says, else the nearest by meaning."""
        members = self.pages[page]
        placed = [at for at in members if question in self.chunks[at].asked]
        nearest = members[int(np.argmax(self._vectors[members] @ self._asked_vectors[row]))]
        return page, placed[0] if placed else nearest

    def _asked_near(self, query: Query) -> npt.NDArray[np.float32]:
        """Return how near the question is to one that each page says it answers; to the chunk, if it says none."""
        near = np.where(self._asks, 0.0, self.cosines(query)).astype(np.float32)
        if not self._meant:
            return near
        for (page, section), cosine in zip(self._meant, self._asked_vectors @ query.vector, strict=True):
            members = self.pages[page]
            near[members] = np.maximum(near[members], _OF_PAGE * cosine)
            near[section] = max(near[section], cosine)
        return near

    def cosines(self, query: Query) -> npt.NDArray[np.float32]:
        """Return how near each chunk is to the question."""
        return np.asarray(np.clip(self._vectors @ query.vector, 0.0, 1.0), dtype=np.float32)

    def rank(self, query: Query) -> list[Scored]:
        """Return the best chunks, best first."""
        cosines = self.cosines(query)
        keywords = _share(self.keywords.scores(query.terms))
        page_best = _best_by_page(keywords, self.page_of)
        ranks = _fused(cosines, keywords)
        asked = self._asked_near(query)
        exact = np.clip((asked - _EXACT_FROM) / (1 - _EXACT_FROM), 0.0, 1.0)
        first = _COSINE * cosines + _KEYWORDS * keywords + _RANKS * ranks + _ASKED * asked + _EXACT * exact
        candidates = np.argsort(-first)[:_CANDIDATES]
        scored = [
            Scored(at, float(first[at] + _PAGE * page_best[at]) + self._said(query, at), cosine, near)
            for at, cosine, near in zip(
                candidates.tolist(), cosines[candidates].tolist(), asked[candidates].tolist(), strict=True
            )
        ]
        return sorted(scored, key=lambda found: -found.score)

    def _said(self, query: Query, at: int) -> float:
        """Return how much of a question stands in a chunk and around it, and whether the chunk explains it."""
        around = self.coverage(query.terms, self.around(at))
        body = self.coverage(query.terms, self.body(at) | self._headings[at])
        explains = bool(query.wanted) and query.wanted in self._explained(at)
        return _AROUND * around + _BODY * body + _EXPLAINS * explains


def _share(scores: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return scores as shares of the best one."""
    best = scores.max(initial=0.0)
    return (scores / best).astype(np.float32) if best > 0 else scores


def _fused(*signals: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return the reciprocal ranks of several signals, averaged, 1 for what is first in all of them."""
    fused = np.zeros(len(signals[0]), dtype=np.float32)
    for signal in signals:
        ranks = np.empty(len(signal), dtype=np.float32)
        ranks[np.argsort(-signal)] = np.arange(len(signal))
        fused += (signal > 0) * (_RANK_CONSTANT / (_RANK_CONSTANT + ranks))
    return np.divide(fused, len(signals), dtype=np.float32)


def _best_by_page(scores: npt.NDArray[np.float32], page_of: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
    """Return, for each chunk, how much the best chunks of its page together score, as a share of the best page."""
    sums = np.zeros(int(page_of.max(initial=0)) + 1, dtype=np.float32)
    order = np.argsort(-scores)
    seen = np.zeros(len(sums), dtype=np.int64)
    for at in order[: _CANDIDATES * 4]:
        page = page_of[at]
        sums[page] += scores[at] / (1 + seen[page])
        seen[page] += 1
    return _share(sums)[page_of]
