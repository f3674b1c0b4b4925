"""The chart of a run shows what its card holds, and its alt text says the result."""

import io
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib import image
from web_fakes import finished

from bot.charts import _counted, describe, draw
from bot.palette import DARK, LIGHT, Palette
from bot.parts import Bar, Card, Count, Lane, Span, Trial


def test_the_chart_is_a_picture_that_a_phone_can_show() -> None:
    height, width, _ = image.imread(io.BytesIO(draw(finished())), format="png").shape

    assert (width, height) == (960, 720)


def colours(png: bytes) -> set[str]:
    pixels = image.imread(io.BytesIO(png), format="png")[:, :, :3].reshape(-1, 3)
    return {"#" + "".join(f"{round(float(part) * 255):02X}" for part in pixel) for pixel in np.unique(pixels, axis=0)}


@pytest.mark.parametrize("palette", [LIGHT, DARK])
def test_a_chart_is_drawn_in_the_colours_of_its_palette(palette: Palette) -> None:
    drawn = colours(draw(finished(), palette))

    assert {palette.surface, palette.good, palette.failed, palette.acted, palette.ink} <= drawn


def test_steps_and_load_and_copies_are_drawn_and_what_failed_in_each_step_is_told() -> None:
    card = finished()
    plain, lane = replace(card, fault=None, fault_at=None), card.lanes[1]
    steps = (Span("new version", 0.0, 10.0, 100, 0), Span("never ready", 10.0, 40.0, 300, 12))
    stepped = replace(plain, lanes=(replace(lane, steps=steps),))
    counted = replace(plain, lanes=(replace(lane, counts=(Count(0.0, 1, 1), Count(20.0, 4, 4))),))
    loaded = replace(plain, load=(Span("20/s", 5.0, 25.0),))
    pictures = {draw(one) for one in (plain, stepped, counted, loaded)}

    assert len(pictures) == 4
    assert "12 of them in step never ready" in describe(stepped)


def test_the_alt_text_says_who_was_back_and_what_failed() -> None:
    told = describe(finished())

    assert "Kubernetes answered again after 11.7 s. Docker did not within 30 s." in told
    assert "Docker: 100 requests answered, 300 failed, fault at 10.0 s." in told


def test_several_faults_are_drawn_as_bars_and_told_one_by_one() -> None:
    away = Trial("crash", "docker", "1.3 s", "good", took=1.3)
    gone = Trial("hang", "docker", "not in 30.0 s", "failed", took=30.0)
    card = Card(
        "Every fault",
        "",
        "done",
        40.0,
        40.0,
        trials=(away, replace(away, engine="kubernetes", state="never away", took=0.0), gone),
    )

    assert {LIGHT.good, LIGHT.failed} <= colours(draw(card))
    assert describe(card).endswith("crash: Docker 1.3 s, Kubernetes never away. hang: Docker not in 30.0 s.")


def test_requests_are_counted_in_half_seconds_of_which_one_begins_at_the_fault() -> None:
    bars = (Bar(9.6, 0.3, 3, 0), Bar(9.9, 0.1, 1, 0), Bar(10.0, 0.2, 0, 2), Bar(10.2, 0.4, 0, 4))
    lane = Lane("docker", "Docker", "", "not back", "failed", bars)
    counted = {middle: pytest.approx(requests) for middle, requests in _counted(lane, 10.0).items()}

    assert counted == {9.75: (4, 0), 10.25: (0, 5), 10.75: (0, 1)}


@given(st.lists(st.tuples(st.floats(0.05, 0.5), st.integers(0, 5), st.integers(0, 5)), max_size=80), st.floats(0, 30))
def test_no_request_is_lost_or_drawn_on_the_other_side_of_the_fault(
    told: list[tuple[float, int, int]], fault_at: float
) -> None:
    bars, start = [], fault_at
    for seconds, ok, failed in told:
        bars.append(Bar(start, seconds, ok, failed))
        start += seconds
    counted = _counted(Lane("docker", "Docker", "", "", "good", tuple(bars)), fault_at)

    assert sum(ok for ok, _ in counted.values()) == pytest.approx(sum(ok for _, ok, _ in told))
    assert sum(failed for _, failed in counted.values()) == pytest.approx(sum(failed for _, _, failed in told))
    assert all(middle > fault_at for middle in counted)


def test_a_card_without_requests_can_be_drawn() -> None:
    card = finished()

    assert draw(replace(card, lanes=tuple(replace(lane, bars=()) for lane in card.lanes))).startswith(b"\x89PNG")
