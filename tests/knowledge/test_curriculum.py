"""The curriculum keeps its own form: every page can be read, cited, led on from and asked about."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
CORPUS = ROOT / "knowledge" / "corpus"
PAGES = sorted(path.relative_to(CORPUS).as_posix() for path in CORPUS.rglob("*.md"))
LEVELS = {"beginner", "intermediate", "advanced"}
KEYS = {"title", "level", "demo", "next", "questions"}
MINIMUM_WORDS = 350
MINIMUM_QUESTIONS = 5
LONGEST_SECTION = 1500
COMPARISON_TERMS = [
    "container runtime",
    "build",
    "run",
    "ship",
    "registry",
    "port authority",
    "cranes",
    "logistics",
    "Scaling",
    "High availability",
    "Load balancing",
    "Networking",
    "Multi-node management",
    "Storage",
    "Monitoring",
    "Self-healing",
    "Cluster management",
    "Scheduling",
    "Storage orchestration",
    "Declarative management",
]

FRONT_MATTER = re.compile(r"\A---\n(?P<front>.*?)\n---\n(?P<body>.*)\Z", re.DOTALL)
PLACED = re.compile(r"^\[asked\]: # ([\"'])(.+)\1$", re.MULTILINE)
CODE_BLOCK = re.compile(r"^```.*?^```[ \t]*$", re.DOTALL | re.MULTILINE)
HEADING = re.compile(r"^#{1,6} .*$", re.MULTILINE)
FORBIDDEN = {
    "an HTML tag": re.compile(r"<[a-zA-Z/][^>\n]*>"),
    "an external link": re.compile(r"https?://"),
    "an exclamation mark": re.compile(r"!"),
    "a missing piece": re.compile(r"\b(?:TODO|TBD|FIXME)\b"),
}

every_page = pytest.mark.parametrize("page", PAGES)


def text_of(page: str) -> str:
    return (CORPUS / page).read_text(encoding="utf-8")


def front_of(page: str) -> dict[str, Any]:
    match = FRONT_MATTER.match(text_of(page))
    assert match, f"{page} does not open with front matter between --- lines"
    front = yaml.safe_load(match["front"])
    assert isinstance(front, dict)
    return front


def body_of(page: str) -> str:
    match = FRONT_MATTER.match(text_of(page))
    assert match, f"{page} does not open with front matter between --- lines"
    return match["body"]


def prose_of(page: str) -> str:
    return CODE_BLOCK.sub("", body_of(page))


def sections_of(page: str) -> list[str]:
    """Each heading with the text below it; a # inside a code block is a comment, not a heading."""
    body = body_of(page)
    masked = CODE_BLOCK.sub(lambda block: "`" * len(block[0]), body)
    starts = [heading.start() for heading in HEADING.finditer(masked)]
    return [body[start:end].strip() for start, end in zip(starts, [*starts[1:], len(body)], strict=True)]


def test_the_curriculum_has_at_least_twenty_pages() -> None:
    assert len(PAGES) >= 20


@every_page
def test_front_matter_has_exactly_the_five_keys(page: str) -> None:
    assert set(front_of(page)) == KEYS


@every_page
def test_the_title_is_a_short_line_of_text(page: str) -> None:
    title = front_of(page)["title"]
    assert isinstance(title, str)
    assert 0 < len(title.strip()) <= 60


def test_no_two_pages_share_a_title() -> None:
    titles = [front_of(page)["title"] for page in PAGES]
    assert sorted(titles) == sorted(set(titles))


@every_page
def test_the_level_is_one_of_three(page: str) -> None:
    assert front_of(page)["level"] in LEVELS


@every_page
def test_the_demo_is_one_that_exists_or_none(page: str) -> None:
    demo = front_of(page)["demo"]
    assert demo is None or (ROOT / "sandbox" / "demos" / f"{demo}.py").is_file()


def test_every_demo_is_offered_by_a_page() -> None:
    demos = {path.stem for path in (ROOT / "sandbox" / "demos").glob("[!_]*.py")}
    assert demos == {front_of(page)["demo"] for page in PAGES} - {None}


@every_page
def test_the_pages_to_read_next_exist_and_are_others(page: str) -> None:
    following = front_of(page)["next"]
    assert isinstance(following, list)
    assert following
    assert set(following) <= set(PAGES) - {page}


@every_page
def test_at_least_five_different_questions_are_written_as_questions(page: str) -> None:
    questions = front_of(page)["questions"]
    assert all(isinstance(question, str) and question.strip() for question in questions)
    assert len({question.casefold() for question in questions}) == len(questions) >= MINIMUM_QUESTIONS


@every_page
def test_a_question_is_placed_in_one_section_at_most_and_is_one_of_the_page(page: str) -> None:
    placed = [title for _, title in PLACED.findall(body_of(page))]
    assert body_of(page).count("[asked]") == len(set(placed)) == len(placed)
    assert set(placed) <= set(front_of(page)["questions"])


@every_page
def test_a_page_has_at_least_350_words_of_prose(page: str) -> None:
    assert len(prose_of(page).split()) >= MINIMUM_WORDS


@every_page
def test_no_section_is_longer_than_one_chunk(page: str) -> None:
    sections = sections_of(page)
    assert sections
    assert [section.splitlines()[0] for section in sections if len(section) > LONGEST_SECTION] == []


@every_page
def test_no_two_sections_of_a_page_share_a_heading(page: str) -> None:
    headings = [section.splitlines()[0] for section in sections_of(page)]
    assert sorted(headings) == sorted(set(headings))


@every_page
def test_every_code_block_is_closed(page: str) -> None:
    fences = [line for line in body_of(page).splitlines() if line.startswith("```")]
    assert len(fences) % 2 == 0


@every_page
@pytest.mark.parametrize("what", FORBIDDEN)
def test_prose_holds_nothing_that_the_page_style_forbids(page: str, what: str) -> None:
    prose_without_code = re.sub(r"`[^`\n]*`", "", prose_of(page))
    assert FORBIDDEN[what].findall(prose_without_code) == []


@every_page
def test_every_page_shows_a_command_with_its_output(page: str) -> None:
    assert any("$ " in block for block in CODE_BLOCK.findall(body_of(page)))


@pytest.mark.parametrize("term", COMPARISON_TERMS)
def test_the_comparison_page_keeps_the_comparison_s_own_terms(term: str) -> None:
    assert term.casefold() in text_of("comparing/docker-vs-kubernetes.md").casefold()
