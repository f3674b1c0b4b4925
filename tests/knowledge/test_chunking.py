import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.chunking import LIMIT, chunk, clean
from knowledge.documents import Document


def texts(page: str) -> list[tuple[str, str]]:
    return [(piece.heading, piece.text) for piece in chunk(Document("a.md", "Pods", page))]


def test_each_section_stands_under_the_path_of_its_headings() -> None:
    page = "# Pods\nIntro.\n## Phases\nFive.\n### Pending\nWaits.\n## Stop\nTERM."

    assert texts(page) == [
        ("Pods", "Intro."),
        ("Pods > Phases", "Five."),
        ("Pods > Phases > Pending", "Waits."),
        ("Pods > Stop", "TERM."),
    ]


def test_questions_that_are_placed_in_a_section_go_with_it_and_are_not_shown() -> None:
    page = '# Pods\n\n[asked]: # "What is a pod?"\n[asked]: # \'What is "pending"?\'\n\nIntro.\n## Phases\nFive.'

    pieces = list(chunk(Document("a.md", "Pods", page)))

    assert [(piece.text, piece.asked) for piece in pieces] == [
        ("Intro.", ("What is a pod?", 'What is "pending"?')),
        ("Five.", ()),
    ]


def test_a_heading_inside_code_is_no_heading() -> None:
    assert texts("```\n# a comment\n\nx\n```") == [("Pods", "```\n# a comment\n\nx\n```")]


def test_lists_stay_lists_and_paragraphs_become_one_line() -> None:
    assert texts("One\ntwo.\n- a\n  more\n- b\n  - c") == [("Pods", "One two.\n\n- a more\n- b\n  - c")]


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("see [the page](https://example.com/a) now", "see the page now"),
        ("**bold** and _leaning_ but snake_case_name", "bold and leaning but snake_case_name"),
        ("a <b>tag</b> and `<b>code</b>`", "a tag and `<b>code</b>`"),
        ('a {{< glossary_tooltip text="Pod" term_id="pod" >}} runs', "a Pod runs"),
        ('{{% heading "whatsnext" %}}', "Whatsnext"),
        ("![a picture](x.png)words", "words"),
        ("words {#anchor}", "words"),
        ("<script>alert(1)</script>", "alert(1)"),
    ],
)
def test_what_only_a_web_page_needs_is_left_out(written: str, read: str) -> None:
    assert clean(written) == read


def test_a_page_without_words_has_no_chunks() -> None:
    assert texts("# Pods\n\n<!-- nothing\nhere -->\n\n---\n") == []


@given(st.text(alphabet=st.sampled_from("abc .#`|-*>\n1[]()<~"), max_size=6000))
def test_no_chunk_is_longer_than_the_limit_or_empty(page: str) -> None:
    for piece in chunk(Document("a.md", "Pods", page)):
        assert 0 < len(piece.text) <= LIMIT
        assert piece.heading.startswith("Pods")


@given(st.lists(st.sampled_from(["alpha", "beta", "gamma.", "Delta"]), min_size=1, max_size=900))
def test_no_word_of_a_paragraph_is_lost(words: list[str]) -> None:
    pieces = [piece.text for piece in chunk(Document("a.md", "Pods", " ".join(words)))]

    assert " ".join(pieces).split() == words
