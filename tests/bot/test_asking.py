"""What counts as a question where nobody called the tutor by name."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.questions import is_question


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("Why does my pod restart all the time?", True),
        ("how do I roll back a deployment", True),
        ("my container exits with code 137, any ideas?", True),
        ("kubectl apply fails with connection refused", True),
        ("Pods stuck in Pending since this morning", True),
        ("Thanks, that did it!", False),
        ("good morning everyone", False),
        ("New release of our chart is out", False),
        ("ok?", False),
        ("```\nwhy does this fail?\n```", False),
        ("", False),
    ],
)
def test_a_question_is_told_from_talk(text: str, asked: bool) -> None:
    assert is_question(text) == asked


@given(st.text())
def test_no_text_is_too_strange_to_judge(text: str) -> None:
    assert is_question(text) in {True, False}
