"""Text for Slack and from Slack: both dialects, and what never passes."""

import re

import pytest
import slack_rules
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.platforms.slack.blocks import pieces
from bot.platforms.slack.text import clipped, escaped, heard, markdown, mentioned, mrkdwn, visible

PIECES = [
    *(
        "<@U012AB3CD>",
        "<!channel>",
        "<!here|x>",
        "<#C1|a>",
        "https://evil.example/?a=b",
        "[click](https://evil.example)",
    ),
    *(
        "`",
        "``",
        "```",
        "*",
        "**",
        "_",
        "](",
        "[",
        ")",
        "<",
        ">",
        "&",
        "|",
        "@here",
        "www.evil.example",
        "mailto:a@b.c",
    ),
    *("#", "-", "pod", "![x](http://evil.example/a.png)", "\u202e", "\u200b", "\x1b[31m", " ", "\n"),
]
HOSTILE = st.text() | st.lists(st.sampled_from(PIECES), max_size=30).map("".join)


@pytest.mark.parametrize(
    ("said", "slack", "streamed"),
    [
        ("A **pod** is *small*.", "A *pod* is _small_.", "A **pod** is *small*."),
        ("Run `docker ps <name>`.", "Run `docker ps &lt;name&gt;`.", "Run `docker ps <name>`."),
        ("a < b & c", "a &lt; b &amp; c", "a &lt; b &amp; c"),
        ("See [probes](../probes.md).", "See probes.", "See probes."),
        ("[docs](https://a.example/x)", "docs (`https://a.example/x`)", "docs (`https://a.example/x`)"),
        ("at https://a.example now", "at `https://a.example` now", "at `https://a.example` now"),
        ("# Pods\ntext", "*Pods*\ntext", "**Pods**\ntext"),
        ("It restarts. [1]", "It restarts. [1]", "It restarts. [1]"),
        ("2 * 3 * 4", "2 * 3 * 4", "2 * 3 * 4"),
        ("\x1b[31mred\x1b[0m \u202eturned", "red turned", "red turned"),
    ],
)
def test_light_markdown_becomes_both_dialects(said: str, slack: str, streamed: str) -> None:
    assert (mrkdwn(said), markdown(said)) == (slack, streamed)


@settings(max_examples=1000)
@given(HOSTILE)
@example("<@U1>")
@example("`<@U1>` @channel <https://evil.example|docs>")
def test_no_text_mentions_anyone_links_anything_or_hides_anything(text: str) -> None:
    for made in (escaped(text), mrkdwn(text)):
        slack_rules.harmless({"text": made})
        assert not re.search(r"(?i)@(here|channel|everyone)\b", made)


@settings(max_examples=1000)
@given(HOSTILE)
def test_no_streamed_text_mentions_anyone_or_links_anything(text: str) -> None:
    slack_rules.streamed(markdown(text))


@given(HOSTILE, st.integers(20, 200))
def test_pieces_are_short_enough_and_never_part_an_entity(text: str, most: int) -> None:
    parts = list(pieces(mrkdwn(text), most))

    assert all(0 < len(part) <= most for part in parts)
    assert all("&" not in re.sub(r"&(amp|lt|gt);", "", part) for part in parts)


@given(st.text(), st.integers(5, 50))
def test_clipped_text_is_short_enough_and_says_that_something_is_missing(text: str, most: int) -> None:
    made = clipped(text, most)

    assert len(made) <= most
    assert made == text or made.endswith("…")


@given(st.text())
def test_visible_text_has_no_invisible_signs(text: str) -> None:
    assert not slack_rules.INVISIBLE.search(visible(text))


@pytest.mark.parametrize(
    ("wrote", "said"),
    [
        ("<@UBOT> what is a pod?", "what is a pod?"),
        ("<@UBOT|portside> hi", "hi"),
        ("ask <@U1> or <@U2>", "ask @Ana or @somebody"),
        ("in <#C1|general> and <!here> <!subteam^S1|@ops>", "in #general and here @ops"),
        (
            "<https://a.example/x> and <https://b.example|the page>",
            "https://a.example/x and the page (https://b.example)",
        ),
        ("<http://kubernetes.io|kubernetes.io>", "http://kubernetes.io"),
        ("a &lt; b &amp;&amp; c", "a < b && c"),
        ("/demo selfheal —fault hang", "/demo selfheal --fault hang"),
        ("a pod — what is it", "a pod — what is it"),
    ],
)
def test_what_a_person_wrote_is_heard_as_people_see_it(wrote: str, said: str) -> None:
    assert heard(wrote, {"U1": "Ana"}, "UBOT") == said


def test_the_people_whom_a_message_mentions_are_found() -> None:
    assert mentioned("<@U1> and <@U2|bo> in <#C1>") == ("U1", "U2")
