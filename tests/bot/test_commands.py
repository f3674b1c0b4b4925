"""What a message asks for, whatever it holds."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.commands import (
    MAX_CHARACTERS,
    Ask,
    Command,
    Help,
    ListDemos,
    Replay,
    RunDemo,
    ShowCommands,
    TakeHome,
    Unknown,
    parse,
    read,
)
from bot.errors import BadMessage


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("What is a pod?", Ask("What is a pod?")),
        ("/ask What is a pod?", Ask("What is a pod?")),
        ("/ASK why", Ask("why")),
        ("/help", Help()),
        ("/demo", ListDemos()),
        ("/demo selfheal", RunDemo("selfheal")),
        ("/demo selfheal --fault hang", RunDemo("selfheal", "hang")),
        ("/demo --fault hang selfheal", RunDemo("selfheal", "hang")),
        ("/demo selfheal --fault=oom", RunDemo("selfheal", "oom")),
        ("/demo selfheal --fault=oom --replicas 3", RunDemo("selfheal", "oom", 3)),
        ("/replay selfheal", Replay("selfheal")),
        ("/replay selfheal --fault hang", Replay("selfheal", "hang")),
        ("/commands selfheal", ShowCommands("selfheal")),
        ("/commands selfheal --fault hang --replicas 3", ShowCommands("selfheal", "hang", 3)),
        ("/export scale --replicas 2", TakeHome("scale", None, 2)),
    ],
)
def test_a_message_is_read_as_what_it_asks_for(text: str, command: object) -> None:
    assert parse(text) == command


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("/demos", "Nearest: /demo."),
        ("/hlep", "Nearest: /help"),
        ("/xyzzy selfheal", "Nearest: /ask, /commands, /demo, /export, /help, /replay."),
        ("/ask", "/ask What is a pod?"),
        ("/demo selfheal --colour red", "option --colour not recognized"),
        ("/demo selfheal scale", "takes one name"),
        ("/demo selfheal --replicas many", "/demo scale --replicas 3"),
        ("/demo selfheal --replicas -1", "/demo scale --replicas 3"),
        ("/demo 'selfheal", "quotation mark"),
        ("/replay", "/replay selfheal --fault hang"),
        ("/commands", "/commands selfheal --fault hang"),
        ("/commands selfheal --replicas many", "The copies are a number."),
        ("/export", "/export selfheal --fault hang"),
        ("/export selfheal scale", "takes one name"),
    ],
)
def test_an_unknown_command_names_what_comes_near(text: str, said: str) -> None:
    command = parse(text)

    assert isinstance(command, Unknown)
    assert said in command.reason


@given(st.text() | st.text().map(lambda text: f"/demo {text}") | st.text().map(lambda text: f"/{text}"))
def test_no_text_makes_the_parser_fail(text: str) -> None:
    assert isinstance(parse(text), Command)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty"),
        (" \n\t ", "is empty"),
        ("x" * 100_000, f"more than {MAX_CHARACTERS}"),
        ("\x00\x01\x7fELF", "is not text"),
        (b"\xff\xfe".decode("utf-8", "replace"), "is not text"),
        (b"what \xff is".decode("utf-8", "surrogateescape"), "is not text"),
    ],
)
def test_what_cannot_be_read_is_refused_in_one_sentence_with_what_to_do(text: str, said: str) -> None:
    with pytest.raises(BadMessage, match=said):
        read(text)


@given(st.text(st.characters(categories=["L", "N", "P", "Zs"]), max_size=100).filter(str.strip))
def test_words_are_read_as_they_stand_but_trimmed(text: str) -> None:
    assert read(text) == text.strip()


@given(st.text())
def test_only_a_bad_message_is_ever_refused(text: str) -> None:
    with suppress(BadMessage):
        assert read(text)
