from pathlib import Path

import pytest

from knowledge.documents import Answer, Citation, Hit
from knowledge.evaluating import Case, holds, load_cases, score


def answered(text: str, *sources: str, refused: bool = False) -> Answer:
    hits = tuple(Hit(source, "", "", 0.5) for source in sources)
    citations = () if refused else (Citation(1, "", sources[0], "", None, ""),)
    return Answer("q", text, "refused" if refused else "extractive", refused, citations, hits, None, 0.01)


@pytest.mark.parametrize(
    ("answer", "fact", "held"),
    [
        ("It waits **30 seconds** [1].", ["30 seconds"], True),
        ("Run `kubectl scale`.", ["kubectl  SCALE", "other"], True),
        ("It waits 30 minutes.", ["30 seconds"], False),
    ],
)
def test_a_fact_is_held_in_any_of_its_wordings(answer: str, fact: list[str], held: bool) -> None:
    assert holds(answer, fact) is held


def test_answers_are_compared_with_what_was_expected() -> None:
    known = Case("a", "q", "tune", (("kubelet",), ("node",)), ("x.md",))
    beyond = Case("b", "q", "tune")
    pairs = [
        (known, answered("The kubelet.", "x.md", "y.md")),
        (known, answered("The kubelet on the node.", "y.md", "x.md")),
        (known, answered("No.", "y.md", refused=True)),
        (beyond, answered("No.", "y.md", refused=True)),
        (beyond, answered("Something.", "y.md")),
    ]

    found = score(pairs)

    assert found.facts == pytest.approx(3 / 6)
    assert (found.refusal_precision, found.refusal_recall) == (0.5, 0.5)
    assert found.wrongly_refused == pytest.approx(1 / 3)
    assert (found.first, found.first_five, found.cited) == (pytest.approx(1 / 3), pytest.approx(2 / 3), 0.5)
    assert found.p95 == 0.01


def test_a_set_without_answers_has_no_faults() -> None:
    assert score([]).facts == 1.0


def test_questions_are_read_from_lines(tmp_path: Path) -> None:
    path = tmp_path / "q.jsonl"
    path.write_text('{"qid": "a", "question": "q?", "split": "held", "facts": [["x", "y"]], "pages": ["p.md"]}\n\n')

    assert load_cases(path) == [Case("a", "q?", "held", (("x", "y"),), ("p.md",))]
