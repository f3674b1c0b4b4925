"""What a log of requests says about an outage."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.events import Engine
from sandbox.measuring import Request, Span, measure, probes, settled

SPAN = Span(fault=10.0, end=40.0)


def good(sent: float, took: float = 0.01) -> Request:
    return Request(sent, sent + took, ok=True)


def bad(sent: float, took: float = 0.0) -> Request:
    return Request(sent, sent + took, ok=False)


requests = st.builds(
    lambda sent, took, ok: Request(sent, sent + took, ok),
    st.floats(10, 40),
    st.floats(0, 1),
    st.booleans(),
)


def test_an_app_that_never_failed_has_recovered_at_once() -> None:
    measured = measure([good(11), good(12)], SPAN, ())

    assert (measured.recovered, measured.recovery_seconds, measured.longest_outage_seconds) == (True, 0.0, 0.0)


def test_recovery_is_counted_from_the_fault_to_the_first_good_answer_after_a_failure() -> None:
    measured = measure([good(10.1), bad(11), bad(12), good(13, took=0.5), good(14)], SPAN, ("kubelet",))

    assert measured.recovery_seconds == 3.5
    assert measured.longest_outage_seconds == 2.5
    assert (measured.requests, measured.failed, measured.acted_by) == (5, 2, ("kubelet",))


def test_an_app_that_never_came_back_was_out_until_the_end_of_observation() -> None:
    measured = measure([good(10.5), bad(11, took=1), bad(39.9, took=1)], SPAN, ())

    assert (measured.recovered, measured.recovery_seconds) == (False, None)
    assert measured.longest_outage_seconds == 29.0
    assert measured.observed_seconds == 30.0


def test_a_quick_answer_ends_an_outage_before_a_slow_one_that_was_sent_earlier() -> None:
    measured = measure([bad(11), good(11.1, took=0.9), good(11.5, took=0.01)], SPAN, ())

    assert measured.recovery_seconds == pytest.approx(1.51)


def test_the_longest_of_several_outages_is_told() -> None:
    measured = measure([bad(11), good(12), bad(20), good(25), bad(30), good(31)], SPAN, ())

    assert measured.longest_outage_seconds == 5.01


def test_a_request_that_was_under_way_at_the_fault_cannot_have_failed_before_it() -> None:
    measured = measure([bad(9.5, took=1), good(12)], SPAN, ())

    assert measured.longest_outage_seconds == pytest.approx(2.01)


def test_an_answer_to_a_request_that_was_under_way_at_the_fault_is_no_recovery() -> None:
    measured = measure([bad(9.98, took=1), good(9.99, took=0.02), bad(10.1, took=1), bad(39, took=1)], SPAN, ())

    assert (measured.recovered, measured.recovery_seconds) == (False, None)
    assert measured.longest_outage_seconds == 30.0


def test_answers_are_back_before_the_time_outs_of_the_outage_are_over() -> None:
    measured = measure([bad(10.1, took=1), bad(10.3, took=1), good(10.5), good(11), good(11.2)], SPAN, ())

    assert measured.recovery_seconds == pytest.approx(0.51)


@given(st.lists(requests))
def test_no_outage_is_longer_than_the_observation(log: list[Request]) -> None:
    measured = measure(log, SPAN, ())

    assert 0 <= measured.longest_outage_seconds <= 31.01
    assert measured.recovered == (measured.recovery_seconds is not None)


@given(st.lists(requests), st.floats(0.0, 5.0))
def test_probes_count_each_request_once_in_intervals_of_half_a_second_at_most(log: list[Request], held: float) -> None:
    found = probes(Engine.DOCKER, log, since=10.0, until=10.0 + held)

    assert sum(probe.ok for probe in found) == sum(request.ok for request in log)
    assert sum(probe.failed for probe in found) == sum(not request.ok for request in log)
    assert all(probe.seconds <= 0.5 for probe in found)
    assert sum(probe.seconds for probe in found) == pytest.approx(held)
    assert found[-1].t == pytest.approx(10.0 + held)


def test_a_lane_is_settled_when_all_recent_requests_were_good() -> None:
    assert settled([bad(1), good(6), good(9)], now=10, seconds=5)
    assert not settled([good(6), bad(9)], now=10, seconds=5)
    assert not settled([good(1)], now=10, seconds=5)
