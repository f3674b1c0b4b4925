"""Six learners at once on one pair of engines: each run comes to its end, and nothing of any is left."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from bot.verifying import reason
from sandbox.demo import choose, perform
from sandbox.demos import load_demos
from sandbox.engines import Engines
from sandbox.events import Result
from sandbox.lab import Lab
from sandbox.reaper import sweep

pytestmark = [pytest.mark.docker, pytest.mark.kubernetes]

CHOICES = [("selfheal", fault) for fault in ("crash", "hang", "oom", "remove")] + [("scale", None), ("rollout", None)]


async def run(lab: Lab, learner: str, name: str, fault: str | None) -> Result:
    events = [event async for event in perform(*choose(load_demos(), name, fault), learner, lab.open)]
    assert isinstance(events[-1], Result)
    return events[-1]


@pytest.mark.timeout(180)
async def test_six_learners_demos_at_once_all_complete_with_a_verified_cleanup_and_their_lesson(
    engines: Engines,
) -> None:
    demos = load_demos()
    lab = Lab(engines)
    results = await asyncio.gather(*(run(lab, f"learner-{n}", *choice) for n, choice in enumerate(CHOICES)))

    assert [(end.error, end.completed, end.cleaned_up) for end in results] == [(None, True, True)] * len(CHOICES)
    assert [reason(demos[end.demo], end) for end in results] == [None] * len(CHOICES)
    runs = {end.run for end in results}
    swept = await sweep(engines, datetime.now(UTC) + timedelta(minutes=15))
    assert len(runs) == len(CHOICES)
    assert not [one for one in swept.removed for run_id in runs if run_id in one]
