"""What is done for claims follows from the claims and volumes alone."""

from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from sandbox.local.storage import CLASS, todo, volume, volume_name

UIDS = st.frozensets(st.uuids().map(str), max_size=5)


def claim(uid: str, **spec: object) -> dict[str, Any]:
    wanted = {
        "storageClassName": CLASS,
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": "8Mi"}},
    }
    return {"metadata": {"namespace": "portside-a", "name": "data", "uid": uid}, "spec": wanted | spec}


@given(UIDS, UIDS)
def test_after_the_work_each_claim_has_its_volume_and_no_volume_is_left_over(
    wanted: frozenset[str], made: frozenset[str]
) -> None:
    there = frozenset(f"pvc-{uid}" for uid in made)

    work = todo([claim(uid) for uid in wanted], there)

    assert (there | {volume_name(one) for one in work.make}) - work.remove == {f"pvc-{uid}" for uid in wanted}
    assert work.remove <= there


def test_a_claim_of_another_class_or_with_a_volume_of_its_own_gets_none_of_ours() -> None:
    work = todo([claim("1", storageClassName="fast"), claim("2", volumeName="mine")], frozenset())

    assert work.make == ()
    assert work.remove == frozenset()


def test_a_volume_is_its_claims_alone_and_as_large() -> None:
    made = volume(claim("1"), Path("/volumes/pvc-1"))

    assert made["metadata"]["name"] == "pvc-1"
    assert made["spec"]["claimRef"]["uid"] == "1"
    assert made["spec"]["capacity"] == {"storage": "8Mi"}
    assert made["spec"]["hostPath"]["path"] == "/volumes/pvc-1"
