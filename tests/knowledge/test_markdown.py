from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.errors import UnreadablePage
from knowledge.loaders import formats
from knowledge.loaders.markdown import load, parse


def test_front_matter_is_read_and_left_out_of_the_text() -> None:
    page = "---\ntitle: Pods\nlevel: beginner\ndemo: null\nnext: [a.md]\nquestions:\n  - What?\n---\n# Pods\ntext\n"

    document = parse(page, "pods.md")

    assert (document.title, document.level, document.demo) == ("Pods", "beginner", None)
    assert (document.next, document.questions) == (("a.md",), ("What?",))
    assert document.text == "# Pods\ntext\n"


@pytest.mark.parametrize(
    ("page", "title"),
    [
        ("# From the heading #\nx", "From the heading"),
        ("no heading", "my page"),
        ("---\ntitle: [a, b]\n---\n## Second\n", "Second"),
        ("---\n: broken: [\n---\n# Still read\n", "Still read"),
        ("\ufeff# With a mark\r\nx", "With a mark"),
    ],
)
def test_every_page_has_a_title(page: str, title: str) -> None:
    assert parse(page, "folder/my-page.md").title == title


def test_signs_that_are_not_seen_are_dropped() -> None:
    assert parse("a\u202eb\u200bc\x1b[31m", "x.md").text == "abc[31m"


@pytest.mark.parametrize(
    ("content", "reason"), [(b"\xff\xfe", "not UTF-8"), (b"a\x00b", "binary"), (b"a" * 5_000_001, "larger than 5 MB")]
)
def test_a_file_that_is_no_text_is_refused_with_the_reason(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "x.md"
    path.write_bytes(content)

    with pytest.raises(UnreadablePage, match=reason):
        list(load(path))


def test_every_loader_names_its_suffixes() -> None:
    assert {".md", ".markdown"} <= formats().keys()


@given(st.text(max_size=500))
def test_any_text_is_a_page(page: str) -> None:
    document = parse(page, "folder/my-page.md")

    assert document.title
    assert not {"\x00", "\u202e"} & set(document.text)
