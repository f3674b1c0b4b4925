"""What the page gets and what it is made of: pure functions and plain files."""

import json
import re
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException

from bot.parts import Part
from bot.platforms.web import intake
from bot.platforms.web.app import PAGE
from bot.platforms.web.guard import refusal
from bot.platforms.web.latest import Latest
from bot.platforms.web.wire import event, to_json

FILES = sorted(PAGE.iterdir())


@pytest.mark.parametrize("kind", get_args(Part), ids=lambda kind: kind.__name__)
def test_each_kind_of_part_has_a_drawing_on_the_page(kind: type[Part]) -> None:
    drawings = (PAGE / "parts.js").read_text().partition("const DRAWINGS = {")[2].partition("};")[0]

    assert re.search(rf"^\s*{kind.__name__.lower()}\b", drawings, re.MULTILINE)


@given(st.from_type(Part))  # type: ignore[arg-type]
def test_any_part_is_one_event_of_json_with_its_fields_and_its_kind(part: Part) -> None:
    name, data, *rest = event("part", to_json(part)).decode().split("\n")
    drawn = json.loads(data.removeprefix("data: "))

    assert (name, rest) == ("event: part", ["", ""])
    assert drawn.pop("type") == type(part).__name__.lower()
    assert set(drawn) == set(part.__dataclass_fields__)


@given(st.binary())
def test_any_bytes_are_read_as_text_or_refused(raw: bytes) -> None:
    try:
        found = intake.read(raw)
    except HTTPException as refused:
        found = refused.detail

    assert found.strip()


@given(st.text(st.characters(exclude_categories=["C"], exclude_characters="\ufffd"), min_size=1).filter(str.strip))
def test_any_words_arrive_as_they_were_sent(words: str) -> None:
    assert intake.read(json.dumps({"text": words}).encode()) == words.strip()


@pytest.mark.parametrize(
    ("headers", "allowed"),
    [
        ({"host": "127.0.0.1:8000"}, True),
        ({"host": "localhost:8000", "origin": "http://localhost:8000"}, True),
        ({"host": "[::1]:8000", "origin": "http://[::1]:8000"}, True),
        ({"host": "192.0.2.7:8000"}, True),
        ({"host": "tutor.example.org"}, True),
        ({"host": "127.0.0.1:8000", "sec-fetch-site": "same-origin"}, True),
        ({}, False),
        ({"host": "rebound.example.org:8000"}, False),
        ({"host": "127.0.0.1.example.org"}, False),
        ({"host": "127.0.0.1:8000", "origin": "http://localhost:8000"}, False),
        ({"host": "127.0.0.1:8000", "origin": "http://127.0.0.1:9000"}, False),
        ({"host": "127.0.0.1:8000", "origin": "null"}, False),
        ({"host": "127.0.0.1:8000", "sec-fetch-site": "cross-site"}, False),
    ],
    ids=str,
)
def test_only_the_page_itself_may_ask(headers: dict[str, str], allowed: bool) -> None:
    reason = refusal(Headers(headers), "/messages", "tutor.example.org")

    assert (reason is None) is allowed


async def test_a_slow_reader_misses_states_in_between_but_never_the_last() -> None:
    latest = Latest(0)
    seen = []
    async for value in latest.follow():
        seen.append(value)
        if value == 0:
            latest.set(1)
            latest.set(2)
        elif not latest.closed:
            latest.set(3)
            latest.close()

    assert seen == [0, 2, 3]


def test_the_whole_page_is_under_100_kb() -> None:
    assert sum(path.stat().st_size for path in FILES) < 100_000


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_the_page_asks_nothing_of_the_network_and_puts_no_markup_in(path: Path) -> None:
    words = path.read_text().replace("http://www.w3.org/", "")

    assert re.findall(r"(?:src|href)=\"https?:|@import|url\(|innerHTML|insertAdjacentHTML|document\.write", words) == []


@pytest.mark.parametrize("path", [path for path in FILES if path.suffix == ".js"], ids=lambda path: path.name)
def test_a_module_of_the_page_says_what_it_is_and_is_short(path: Path) -> None:
    lines = path.read_text().splitlines()

    assert lines[0].startswith("// ")
    assert len(lines) < 250
