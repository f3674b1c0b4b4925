"""Whether the pages cover a question: how much of its rare words and of its meaning the best section has."""

from dataclasses import dataclass

from knowledge.retrieval import Found

# Weights of a logistic model over the signals, and the bar; set on the questions of `tune`.
_COSINE, _COVERAGE, _MISSING, _BAR = 6.0, 3.0, 1.5, 2.6


@dataclass(frozen=True)
class Signals:
    """What speaks for and against answering; each lies in 0..1."""

    cosine: float
    asked: float
    coverage: float
    missing: float
    score: float


def signals(found: Found) -> Signals:
    """Measure a question against the best sections that were found."""
    if not found.chunks:
        return Signals(0.0, 0.0, 0.0, 1.0, 0.0)
    index = found.index
    top = [scored for _, scored in found.chunks[:3]]
    covered = [(index.coverage(found.terms, index.body(one.at) | index.around(one.at)), one.at) for one in top]
    coverage, at = max(covered)
    among = index.body(at) | index.around(at)
    rarest = max((index.keywords.idf(term) for term in found.terms if term not in among), default=0.0)
    cosine = max(scored.cosine for scored in top)
    asked = max(scored.asked for scored in top)
    return Signals(cosine, asked, coverage, rarest / index.keywords.unknown, top[0].score)


def covered(found: Found) -> bool:
    """Whether the pages answer the question."""
    seen = signals(found)
    return _COSINE * seen.cosine + _COVERAGE * seen.coverage - _MISSING * seen.missing > _BAR
