"""Words in, scores out: BM25 over titles, headings, bodies and authored questions, forgiving of spelling.

A chunk's bag holds the words of its title and headings more than once, which weighs the fields apart in one index.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import pairwise

import bm25s  # type: ignore[import-untyped]  # ships no types
import numpy as np
import numpy.typing as npt
import Stemmer  # type: ignore[import-not-found]  # a compiled module without types
from rapidfuzz import process
from rapidfuzz.distance import OSA

from knowledge.documents import Chunk
from knowledge.wording import ABBREVIATIONS, STOPWORDS

Scores = npt.NDArray[np.float32]

_WORD = re.compile(r"[A-Za-z0-9]+(?:[-_./][A-Za-z0-9]+)*")
_SPLIT = re.compile(r"[-_./]")
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_STEMMER = Stemmer.Stemmer("english")
_TITLE, _HEADING, _QUESTIONS = 3, 2, 1
_SHORT, _LONG = 4, 8


@lru_cache(maxsize=100_000)
def stem(word: str) -> str:
    """Return the stem that stands for a word in the index."""
    return str(_STEMMER.stemWord(word))


def words(text: str) -> list[str]:
    """Return the words of a text in lower case; joined ones (`kube-proxy`, `ConfigMap`) as a whole and in parts."""
    found: list[str] = []
    for word in _WORD.findall(text.replace("\u2019", "'").replace("'s", "").replace("'", "")):
        parts = [part.lower() for piece in _SPLIT.split(word) for part in _HUMP.split(piece)]
        found.extend([word.lower(), *parts] if len(parts) > 1 else parts)
    return found


def stems(text: str) -> list[str]:
    """Return the stems of the words that carry meaning."""
    return [stem(word) for word in words(text) if word not in STOPWORDS]


class Keywords:
    """The keyword index of one collection. `plain` tells ordinary English words, which are never corrected."""

    def __init__(self, chunks: Sequence[Chunk], plain: frozenset[str]) -> None:
        self._plain = plain
        self._plain_stems = {stem(word) for word in plain}
        bags = [_bag(piece) for piece in chunks]
        self._spread = Counter(term for bag in bags for term in set(bag))
        self._total = len(bags)
        self._surfaces = _surfaces(chunks)
        self._known = list(self._surfaces)
        self._bm25 = bm25s.BM25(k1=1.2, b=0.5)
        self._bm25.index(bags, show_progress=False)
        self.unknown = float(np.log(1 + (self._total + 0.5) / 0.5))

    def terms(self, question: str) -> list[str]:
        """Return a question's stems, as it was meant."""
        said = [word for word in self._joined(words(self.spelt(question))) if word not in STOPWORDS]
        return list(dict.fromkeys(map(stem, said)))

    def spelt(self, question: str) -> str:
        """Return a question as its asker would have written it with time: in full words, rightly spelt."""
        return _WORD.sub(lambda found: self._spelt(found[0]), question)

    def _spelt(self, word: str) -> str:
        lower = word.lower()
        return " ".join(ABBREVIATIONS[lower]) if lower in ABBREVIATIONS else self._corrected(word)

    def _corrected(self, word: str) -> str:
        meant = self._correct(word.lower())
        return word if meant == word.lower() else meant

    def _joined(self, said: list[str]) -> list[str]:
        """Return words, and as one those that the index also writes as one, such as `config map` or `max surge`."""
        pairs = [before + word for before, word in pairwise(said)]
        return said + [both for both in pairs if len(both) >= _LONG and stem(both) in self._spread]

    def idf(self, term: str) -> float:
        """Return how rare a stem is here; one that does not occur at all is the rarest."""
        seen = self._spread.get(term, 0)
        return float(np.log(1 + (self._total - seen + 0.5) / (seen + 0.5)))

    def knows(self, term: str) -> bool:
        """Whether a stem occurs anywhere in the collection."""
        return term in self._spread

    def special(self, term: str) -> bool:
        """Whether a stem is no ordinary word of the language: a name, or a term of some trade."""
        return term not in self._plain_stems

    def scores(self, terms: Iterable[str]) -> Scores:
        """Return the BM25 score of every chunk."""
        known = [term for term in terms if term in self._spread]
        if not known:
            return np.zeros(self._total, dtype=np.float32)
        return np.asarray(self._bm25.get_scores(known), dtype=np.float32)

    def _correct(self, word: str) -> str:
        """Return the likeliest word of the index that was meant."""
        if (
            word in STOPWORDS
            or len(word) < _SHORT
            or stem(word) in self._spread
            or word in self._plain
            or any(map(str.isdigit, word))
        ):
            return word
        reach = 1 if len(word) < _LONG else 2
        near = process.extract(word, self._known, scorer=OSA.distance, score_cutoff=reach, limit=8)
        best = min(near, key=lambda found: (found[1], -self._surfaces[found[0]]), default=None)
        return best[0] if best else word


def _bag(piece: Chunk) -> list[str]:
    """Return the stems of a chunk, those of its fields as often as the fields weigh."""
    heading = piece.heading.removeprefix(piece.title)
    fields = [
        (piece.title, _TITLE),
        (heading, _HEADING),
        (" ".join(piece.questions), _QUESTIONS),
        (piece.description, 1),
        (piece.text, 1),
    ]
    return [term for text, weight in fields for term in stems(text) * weight] or [""]


def _surfaces(chunks: Sequence[Chunk]) -> Counter[str]:
    """Return the words that a misspelt one may be corrected to, with how often each occurs."""
    found: Counter[str] = Counter()
    for piece in chunks:
        found.update(word for word in words(f"{piece.heading} {piece.text}") if len(word) >= _SHORT)
    return found
