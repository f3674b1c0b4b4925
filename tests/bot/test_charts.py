"""The chart of a run shows what its card holds, and its alt text says the result."""

import io
from dataclasses import replace

from matplotlib import image
from web_fakes import finished

from bot.charts import _counted, describe, draw
from bot.parts import Bar, Lane


def test_the_chart_is_a_picture_that_a_phone_can_show() -> None:
    height, width, _ = image.imread(io.BytesIO(draw(finished())), format="png").shape

    assert (width, height) == (960, 516)


def test_the_alt_text_says_who_was_back_and_what_failed() -> None:
    told = describe(finished())

    assert "Kubernetes answered again after 11.7 s. Docker did not within 30 s." in told
    assert "Docker: 100 requests answered, 300 failed, fault at 10.0 s." in told


def test_requests_are_counted_in_half_seconds_of_which_one_begins_at_the_fault() -> None:
    bars = (Bar(9.6, 0.3, 3, 0), Bar(9.9, 0.15, 2, 0), Bar(10.05, 0.2, 0, 2), Bar(10.25, 0.5, 0, 4))
    lane = Lane("docker", "Docker", "", "not back", "failed", bars)

    assert _counted(lane, 10.05) == {9.8: (5, 0), 10.3: (0, 6)}


def test_a_card_without_requests_can_be_drawn() -> None:
    card = finished()

    assert draw(replace(card, lanes=tuple(replace(lane, bars=()) for lane in card.lanes))).startswith(b"\x89PNG")
