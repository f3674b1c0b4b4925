"""Answers over the project's own questions: `python -m benchmarks.answers [--misses]`."""

import asyncio
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from knowledge import (
    CURRICULUM,
    Answer,
    Answerer,
    Ingested,
    IngestEvent,
    Library,
    ingest,
    ingest_curriculum,
    open_library,
)
from knowledge.evaluating import Case, Scores, holds, load_cases, score
from knowledge.ingest import CORPUS

QUESTIONS = Path(__file__).parent / "questions.jsonl"
SPLITS = ("tune", "held")

ROWS = {
    "questions": "questions",
    "key facts in the answer": "facts",
    "refusal precision": "refusal_precision",
    "refusal recall": "refusal_recall",
    "wrongly refused": "wrongly_refused",
    "right page first": "first",
    "right page among the first five": "first_five",
    "right page cited first": "cited",
    "latency p50": "p50",
    "latency p95": "p95",
}


def table(columns: Sequence[tuple[str, Scores]]) -> str:
    """Return the scores as a Markdown table, one column for each split."""
    lines = ["| | " + " | ".join(name for name, _ in columns) + " |", "|---" * (len(columns) + 1) + "|"]
    for label, attribute in ROWS.items():
        cells = [_cell(attribute, getattr(scores, attribute)) for _, scores in columns]
        lines.append(f"| {label} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _cell(attribute: str, value: float) -> str:
    if attribute == "questions":
        return str(value)
    return f"{value * 1000:.1f} ms" if attribute in {"p50", "p95"} else f"{value * 100:.1f} %"


async def _answer(answerer: Answerer, case: Case) -> tuple[Case, Answer]:
    values = [value async for value in answerer.answer(case.question)]
    return next((case, value) for value in values if isinstance(value, Answer))


async def _answers(library: Library, cases: Sequence[Case]) -> list[tuple[Case, Answer]]:
    answerer = Answerer(library)
    return [await _answer(answerer, case) for case in cases]


def _speed(events: Iterable[IngestEvent]) -> str:
    *_, done = events
    assert isinstance(done, Ingested)  # noqa: S101 - an ingest always ends with what it did
    return f"{done.pages} pages in {done.seconds:.1f} s ({done.pages / done.seconds:.1f}/s)"


def _misses(pairs: Sequence[tuple[Case, Answer]]) -> str:
    """Return what went wrong; never for the held-out questions, which nobody shall learn from."""
    lines = []
    for case, answer in pairs:
        missed = [fact for fact in case.facts if not holds(answer.answer, fact)]
        if case.split == "tune" and (missed or answer.refused == case.answerable):
            cited = [one.heading for one in answer.citations]
            lines.append(f"- {case.question}\n  refused: {answer.refused}, missed: {missed}, cited: {cited}")
    return "\n".join(lines)


def measure(*, misses: bool = False) -> str:
    """Ingest the curriculum, ask every question, and return what the answers are worth."""
    with tempfile.TemporaryDirectory() as folder:
        shipped = _speed(ingest_curriculum(Path(folder)))
        anew = _speed(ingest(Path(folder), [CORPUS], "anew"))
        started = time.monotonic()
        with open_library(Path(folder), CURRICULUM) as library:
            opened = time.monotonic() - started
            cases = load_cases(QUESTIONS)
            asyncio.run(_answers(library, cases[:20]))  # the first questions pay for what is computed once
            pairs = asyncio.run(_answers(library, cases))
    columns = [(name, score([pair for pair in pairs if pair[0].split == name])) for name in SPLITS]
    speed = f"Ingest of the curriculum with the vectors that ship with it: {shipped}; embedded anew: {anew}."
    scores = table([*columns, ("all", score(pairs))])
    report = f"## Answers\n\n{scores}\n\n{speed}\nOpened in {opened:.2f} s.\n"
    return f"{report}\n{_misses(pairs)}" if misses else report


if __name__ == "__main__":
    print(measure(misses="--misses" in sys.argv))  # noqa: T201 - a report is what this command is for
