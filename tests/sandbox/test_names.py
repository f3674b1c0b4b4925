"""Names and marks of what a run makes."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.names import EXPIRES_AT, NAMESPACE, Tag, expired, new_run, owner_label, write_time

NOW = datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)
LABEL_VALUE = re.compile(r"([A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?)?")
seconds = st.integers(-10_000_000, 10_000_000)


def test_a_run_gets_a_namespace_name_that_the_policy_allows() -> None:
    tag = Tag(new_run(), "ada", NOW)

    assert NAMESPACE.fullmatch(tag.place)


def test_no_two_runs_share_an_id() -> None:
    assert len({new_run() for _ in range(1000)}) == 1000


def test_a_container_name_is_short_and_carries_the_run() -> None:
    assert Tag("abcdefghij", "ada", NOW).container("web") == "web-abcde"


@given(st.text())
def test_any_owner_becomes_a_valid_label_value(owner: str) -> None:
    assert LABEL_VALUE.fullmatch(owner_label(owner))
    assert owner_label(owner)


@given(st.text(), st.text())
def test_two_owners_never_share_a_label(one: str, other: str) -> None:
    assert (owner_label(one) == owner_label(other)) == (one == other)


@given(seconds)
def test_an_object_expires_when_its_time_has_passed(offset: int) -> None:
    marks = {EXPIRES_AT: write_time(NOW + timedelta(seconds=offset))}

    assert expired(marks, NOW) == (offset < 0)


@pytest.mark.parametrize("marks", [{}, {EXPIRES_AT: ""}, {EXPIRES_AT: "soon"}, {EXPIRES_AT: "1999-13-99"}])
def test_what_has_no_expiry_of_ours_never_expires(marks: dict[str, str]) -> None:
    assert not expired(marks, NOW)


@given(st.text())
def test_no_text_is_too_strange_to_be_an_expiry(text: str) -> None:
    assert expired({EXPIRES_AT: text}, NOW) in {True, False}
