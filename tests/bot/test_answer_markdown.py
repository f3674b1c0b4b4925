"""The blocks of an answer's Markdown: words, code and tables."""

import pytest

from bot.markdown import blocks, settled, unmarked
from bot.parts import Cell, Code, Table, Text

WORDS = "| Docker | Kubernetes |\n|---|---|\n| `docker ps` | **get** pods |\n| image |"


def test_a_table_is_a_part_of_its_own_between_the_words_around_it() -> None:
    lead, table, rest = blocks(f"These words differ: [1]\n\n{WORDS}\n\nAnd so on.")

    assert (lead, rest) == (Text("These words differ: [1]"), Text("And so on."))
    assert table == Table(
        ("Docker", "Kubernetes"),
        ((Cell("`docker ps`"), Cell("**get** pods")), (Cell("image"), Cell(""))),
        words=True,
    )


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("```yaml\nkind: Pod\n```", Code("kind: Pod", "yaml")),
        ("~~~\n| a |\n|---|\n~~~", Code("| a |\n|---|", "console")),
        ("```\nnot closed", Code("not closed", "console")),
        ("`docker ps | wc`\n- one\n- two", Text("`docker ps | wc`\n- one\n- two")),
        ("| a bar | alone", Text("| a bar | alone")),
        ("# A heading\n\n1. one\n2. two", Text("# A heading\n\n1. one\n2. two")),
        ("  <b>no markup</b> &amp; \\| \r\n", Text("<b>no markup</b> &amp; \\|")),
    ],
)
def test_what_is_no_table_and_no_code_stays_words_as_they_are(text: str, part: Text | Code) -> None:
    assert list(blocks(text)) == [part]


def test_a_table_without_marks_says_the_same_words() -> None:
    (table,) = blocks("| `a|b` | *c* |\n|---|---|\n| `x \\| y` | 5 * 3 [1] |".replace("a|b", "a b"))

    assert isinstance(table, Table)
    assert unmarked(table).header == ("a b", "c")
    assert unmarked(table).rows == ((Cell("x | y"), Cell("5 * 3 [1]")),)


def test_measured_figures_are_no_markdown() -> None:
    table = Table(("", "Docker"), ((Cell("`up` to"), Cell("*7* s")),))

    assert unmarked(table) == table


@pytest.mark.parametrize(
    ("growing", "kept"),
    [
        ("Words that gro", "Words that gro"),
        ("Words:\n\n| a | b", "Words:\n"),
        ("Words:\n\n| a | b |\n|---|", "Words:\n"),
        ("Words:\n\n| a | b |\n|---|---|\n| 1 | 2 |\n", "Words:\n"),
        ("Words:\n\n```ya", "Words:\n"),
        ("Words:\n\n- ", "Words:\n"),
        ("Words:\n\n- an item", "Words:\n\n- an item"),
    ],
)
def test_what_may_yet_become_a_table_or_code_is_not_shown_before_it_is_one(growing: str, kept: str) -> None:
    assert settled(growing) == kept
