"""The lifetimes of what a run makes fit into each other, and into what a cluster of ours admits."""

from pathlib import Path

import sandbox
from sandbox import lifetimes
from sandbox.demos import load_demos

ADMISSION = Path(sandbox.__file__).parent / "local" / "kubernetes" / "admission.yaml"


def test_no_demo_may_take_longer_than_a_prepared_sandbox_lasts() -> None:
    assert max(demo.deadline for demo in load_demos().values()) <= lifetimes.LONGEST_DEMO


def test_a_clean_up_is_over_before_the_reaper_comes() -> None:
    over = lifetimes.CLEANUP_TURN + lifetimes.CLEANUP

    assert lifetimes.NAMESPACE_GONE < lifetimes.CLEANUP
    assert over < lifetimes.MARGIN


def test_a_prepared_sandbox_expires_within_what_the_cluster_admits() -> None:
    longest = lifetimes.PREPARED + lifetimes.LONGEST_DEMO + lifetimes.MARGIN

    assert 0 < longest < lifetimes.MOST
    assert f"duration('{lifetimes.MOST / 60:.0f}m')" in ADMISSION.read_text()
