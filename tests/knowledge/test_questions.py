"""The project's own questions are worth measuring with, and the answers to them stay as good as they were."""

from collections.abc import Iterator

import pytest
from conftest import ask, last
from rapidfuzz import fuzz

from benchmarks.answers import QUESTIONS
from knowledge import Answerer, Library, ingest_curriculum, open_library
from knowledge.chunking import chunk
from knowledge.embedding import MiniLM, Remembered
from knowledge.evaluating import Case, Scores, holds, load_cases, score
from knowledge.ingest import CORPUS, find_files
from knowledge.loaders import formats

CASES = load_cases(QUESTIONS)
PAGES = {file.source: document for file in find_files([CORPUS]) for document in formats()[".md"](file.path)}


def test_there_are_enough_questions_of_each_sort() -> None:
    assert len(CASES) >= 120
    assert sum(not case.answerable for case in CASES) >= 40
    assert 0.25 <= sum(case.split == "held" for case in CASES) / len(CASES) <= 0.4
    assert len({case.qid for case in CASES}) == len({case.question for case in CASES}) == len(CASES)


def test_no_question_is_a_copy_of_one_that_a_page_names() -> None:
    authored = [question.casefold() for page in PAGES.values() for question in page.questions]

    copies = [
        case.question for case in CASES if any(fuzz.ratio(case.question.casefold(), one) > 92 for one in authored)
    ]

    assert copies == []


@pytest.mark.parametrize("case", [case for case in CASES if case.answerable], ids=lambda case: case.qid)
def test_every_fact_stands_in_a_page_that_is_named_for_it(case: Case) -> None:
    texts = [piece.text for source in case.pages for piece in chunk(PAGES[source])]

    assert [fact for fact in case.facts if not any(holds(text, fact) for text in texts)] == []


@pytest.fixture(scope="module")
def curriculum(tmp_path_factory: pytest.TempPathFactory, model: MiniLM) -> Iterator[Library]:
    folder = tmp_path_factory.mktemp("curriculum")
    last(ingest_curriculum(folder))
    with open_library(folder, embedder=model) as opened:
        yield opened


async def test_answers_over_the_curriculum_stay_good(curriculum: Library) -> None:
    answerer = Answerer(curriculum)

    scores: Scores = score([(case, (await ask(answerer, case.question))[1]) for case in CASES])

    assert scores.facts > 0.85
    assert scores.refusal_precision > 0.85
    assert scores.refusal_recall > 0.8
    assert scores.wrongly_refused < 0.05
    assert scores.first_five > 0.94


def test_a_question_leads_to_the_section_that_its_author_placed_it_in(curriculum: Library) -> None:
    placed = [(question, piece.heading) for page in PAGES.values() for piece in chunk(page) for question in piece.asked]

    missed = [question for question, heading in placed if curriculum.search(question)[0].heading != heading]

    assert placed
    assert missed == []


@pytest.mark.parametrize(
    ("question", "heading"),
    [
        ("what is a stateful set", "StatefulSets, DaemonSets and Jobs > What a StatefulSet is"),
        ("explain drift", "Declarative management > Drift and how to see it"),
        ("what's a reconcile loop", "Declarative management > The reconcile loop"),
        ("self healing", "Self-healing"),
    ],
)
def test_the_section_that_explains_a_thing_comes_first(curriculum: Library, question: str, heading: str) -> None:
    assert curriculum.search(question)[0].heading == heading


async def test_the_questions_that_pages_name_are_answered(curriculum: Library) -> None:
    answerer = Answerer(curriculum)
    asked = [question for page in PAGES.values() for question in page.questions[:2]]

    refused = [question for question in asked if (await ask(answerer, question))[1].refused]

    assert len(refused) <= len(asked) * 0.02


def test_most_vectors_of_the_curriculum_are_shipped() -> None:
    remembered = Remembered()
    texts = [question for page in PAGES.values() for question in page.questions]

    known = sum(remembered.knows(text) for text in texts)

    assert known >= 0.9 * len(texts), "run tools/embed_curriculum.py"
