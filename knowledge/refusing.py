"""Whether the pages cover a question: how much of its rare words and of its meaning the best sections have."""

from dataclasses import astuple, dataclass

from knowledge.retrieval import Found

_LOOKED_AT = 3

# A logistic model over the signals, in their order, and its constant; fitted on the questions of `tune`, once with and
# once without the pages' authored questions, so that it holds for collections that have none.
_WEIGHTS = (4.7, 2.7, 2.4, -0.7, 7.4, -5.9, -1.4)
_CONSTANT = -6.4
# With less than this of a question covered, only its most general word was found (`kubernetes` among Kubernetes pages).
_THIN, _ALIKE = 0.08, 0.7


@dataclass(frozen=True)
class Signals:
    """What speaks for and against answering; each lies in 0..1.

    `cosine` and `score` are the best section's, `asked` that of the nearest authored question; `coverage` is the share
    of the question that one section has, `rarest` the rarity of the rarest word that it lacks; `unknown` is the share
    of words that occur nowhere in the collection, `foreign` whether one of those is no ordinary word.
    """

    cosine: float
    asked: float
    coverage: float
    rarest: float
    score: float
    unknown: float
    foreign: float


def signals(found: Found) -> Signals:
    """Measure a question against the best sections that were found."""
    if not found.chunks or not found.terms:
        return Signals(0.0, 0.0, 0.0, 1.0, 0.0, 1.0, 1.0)
    index, keywords = found.index, found.index.keywords
    top = [scored for _, scored in found.chunks[:_LOOKED_AT]]
    coverage, best = max(
        (index.coverage(found.terms, index.body(one.at) | index.around(one.at)), one.at) for one in top
    )
    among = index.body(best) | index.around(best)
    unknown = [term for term in found.terms if not keywords.knows(term)]
    return Signals(
        cosine=max(scored.cosine for scored in top),
        asked=max(scored.asked for scored in top),
        coverage=coverage,
        rarest=max((keywords.idf(term) for term in found.terms if term not in among), default=0.0) / keywords.unknown,
        score=top[0].score,
        unknown=len(unknown) / len(found.terms),
        foreign=float(any(keywords.special(term) for term in unknown)),
    )


def covered(found: Found) -> bool:
    """Whether the pages answer the question."""
    seen = signals(found)
    weighed = sum(weight * value for weight, value in zip(_WEIGHTS, astuple(seen), strict=True))
    return bool((seen.coverage >= _THIN or seen.cosine >= _ALIKE) and weighed + _CONSTANT > 0)
