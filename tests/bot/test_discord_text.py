"""Whatever is said to or by the tutor, on Discord it mentions nobody, links nowhere and stays in its block."""

import pytest
from discord_markdown import Span, kinds, spans
from hypothesis import given
from hypothesis import strategies as st

from bot.platforms.discord.text import block, code, cut, link, prose, seen, shortened, size

PAGE = "https://docs.example.org/probes"
# Signs that mean something to Discord, more often than chance would have them.
SIGNS = """
` `` ``` * ** _ __ ~~ || \\ [ ] ( ) ]( < > @ # : a b é 🐳 [1] `a` **a**
@everyone @here <@1> <@!1> <@&1> <#1> </ask:1> <t:1> <:a:1> <id:guide> https:// discord://x
https://evil.example/x [a](https://evil.example) `https://evil.example`
"""
PIECES = st.sampled_from([*SIGNS.split(), PAGE, " ", "\n", "\u202e", "\x1b[31m", "\u200b", "\ud800"])
TEXTS = st.one_of(st.text(), st.lists(PIECES).map("".join))


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("a *hung* process, **not** an exit", [("text", "a "), ("italic text", "hung"), ("text", " process, ")]),
        ("`docker ps` lists them", [("code", "docker ps"), ("text", " lists them")]),
        ("``docker `ps` `` is odd", [("text", "``docker "), ("code", "ps"), ("text", " `` is odd")]),
        ("snake_case_name * 2", [("text", "snake_case_name * 2")]),
        ("<@123> and @everyone", [("text", "<@123> and @\u200beveryone")]),
        ("see https://evil.example/a?b=c.", [("text", "see "), ("code", "https://evil.example/a?b=c"), ("text", ".")]),
        (f"see {PAGE}.", [("text", "see "), ("link", PAGE), ("text", ".")]),
        ("[click](https://evil.example)", [("text", "[click]("), ("code", "https://evil.example"), ("text", ")")]),
        ("It acts. [1] And [2].", [("text", "It acts. [1] And [2].")]),
        ("**Note: `a`** b", [("bold text", "Note: "), ("bold code", "a"), ("text", " b")]),
        ("C:\\temp\\x", [("text", "C:\\temp\\x")]),
        ("a\u202eb\u200bc\x1b[0m", [("text", "abc[0m")]),
    ],
)
def test_words_are_read_as_they_were_written(said: str, shown: list[tuple[str, str]]) -> None:
    read = [(span.kind, span.text) for span in spans(prose(said, frozenset({PAGE})))]

    assert read[: len(shown)] == shown


@given(TEXTS)
def test_no_text_mentions_anyone_or_leads_anywhere(text: str) -> None:
    assert kinds(prose(text)) <= {"text", "code", "bold", "italic"}


@given(TEXTS)
def test_only_the_addresses_of_sources_are_links(text: str) -> None:
    targets = {span.target for span in spans(prose(text, frozenset({PAGE}))) if span.kind.endswith("link")}

    assert targets <= {PAGE}


@given(TEXTS, st.integers(2, 60))
def test_a_text_that_is_cut_stays_as_harmless_as_it_was(text: str, limit: int) -> None:
    short = shortened(prose(text), limit)

    assert size(short) <= max(limit, 2)
    assert kinds(short) <= {"text", "code", "bold", "italic"}


@given(TEXTS, st.sampled_from(["", "yaml", "YAML", "a`b", "x" * 30]))
def test_nothing_breaks_out_of_a_block_of_code(text: str, language: str) -> None:
    assert {span.kind for span in spans(block(text, language))} == {"block"}


@given(TEXTS)
def test_code_within_a_line_is_one_piece(text: str) -> None:
    assert [span.kind for span in spans(code(text))] == ["code"]


@given(TEXTS, st.one_of(st.none(), TEXTS, st.just(PAGE)))
def test_a_title_leads_to_its_own_page_or_nowhere(title: str, url: str | None) -> None:
    targets = {span.target for span in spans(link(title, url)) if "link" in span.kind}

    assert targets <= {url}


def test_a_title_with_an_address_is_a_link_to_it() -> None:
    assert list(spans(link("Probes [beta]", PAGE))) == [Span("link", "Probes \\[beta\\]", PAGE)]


@given(TEXTS, st.integers(2, 50))
def test_a_cut_text_is_never_too_long(text: str, limit: int) -> None:
    assert size(cut(seen(text), limit)) <= limit
