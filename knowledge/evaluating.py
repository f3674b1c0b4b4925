"""How good answers are: key facts that they hold, questions that they rightly refuse, pages that come first.

A set of questions is JSON lines of `qid`, `question`, `split`, `facts` (each a list of wordings) and `pages`.
A question without facts is one that has to be refused. Nothing is ever tuned on the split `held`.
"""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from knowledge.documents import Answer


@dataclass(frozen=True)
class Case:
    """One question of a set; each fact is a tuple of wordings, one of which has to occur in the answer."""

    qid: str
    question: str
    split: str
    facts: tuple[tuple[str, ...], ...] = ()
    pages: tuple[str, ...] = ()

    @property
    def answerable(self) -> bool:
        """Whether the pages cover the question."""
        return bool(self.facts)


@dataclass(frozen=True)
class Scores:
    """What a set of answers is worth; every figure but the counts is a share, or seconds."""

    questions: int
    facts: float
    refusal_precision: float
    refusal_recall: float
    wrongly_refused: float
    first: float
    first_five: float
    cited: float
    p50: float
    p95: float


def load_cases(path: Path) -> list[Case]:
    """Read a set of questions."""
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    return [
        Case(
            qid=row["qid"],
            question=row["question"],
            split=row["split"],
            facts=tuple(tuple(fact) for fact in row.get("facts", ())),
            pages=tuple(row.get("pages", ())),
        )
        for row in rows
    ]


def holds(answer: str, fact: Iterable[str]) -> bool:
    """Whether one wording of a fact occurs in an answer; case, marks and emphasis make no difference."""
    said = _plain(answer)
    return any(_plain(wording) in said for wording in fact)


def score(pairs: Sequence[tuple[Case, Answer]]) -> Scores:
    """Compare answers with what was expected of them."""
    covered = [(case, answer) for case, answer in pairs if case.answerable]
    refused = [case for case, answer in pairs if answer.refused]
    beyond = [case for case, _ in pairs if not case.answerable]
    rightly = sum(not case.answerable for case in refused)
    facts = [holds(answer.answer, fact) for case, answer in covered for fact in case.facts]
    found = [_place(case, answer) for case, answer in covered if case.pages]
    quoted = [one.source in case.pages for case, answer in covered if case.pages for one in answer.citations[:1]]
    times = sorted(answer.seconds for _, answer in pairs)
    return Scores(
        questions=len(pairs),
        facts=_share(sum(facts), len(facts)),
        refusal_precision=_share(rightly, len(refused)),
        refusal_recall=_share(rightly, len(beyond)),
        wrongly_refused=_share(len(refused) - rightly, len(covered)),
        first=_share(sum(place == 1 for place in found), len(found)),
        first_five=_share(sum(place <= 5 for place in found), len(found)),  # noqa: PLR2004 - the five of "first five"
        cited=_share(sum(quoted), len(quoted)),
        p50=times[len(times) // 2] if times else 0.0,
        p95=times[int(len(times) * 0.95)] if times else 0.0,
    )


def _plain(text: str) -> str:
    return " ".join(re.sub(r"\[\d+\]|[`*_]", "", text).casefold().split())


def _place(case: Case, answer: Answer) -> int:
    """Return at which place the first right page was found, or one beyond all."""
    places = [place for place, hit in enumerate(answer.hits, start=1) if hit.source in case.pages]
    return min(places, default=len(answer.hits) + 100)


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 1.0
