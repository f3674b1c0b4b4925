"""What kubectl's rollout commands read and change, over the API's JSON."""

from typing import Any

import pytest

from sandbox.rollouts import restart, rolled_out, set_image, status, undo

DONE = {"observedGeneration": 2, "replicas": 3, "updatedReplicas": 3, "availableReplicas": 3}
WAITING = 'Waiting for deployment "web" rollout to finish: '


def thing(revision: int, version: str, **metadata: Any) -> dict[str, Any]:
    labels = {"app": "web", "version": version}
    container = {"name": "web", "image": f"portside/web:{version}", "ports": [{"containerPort": 8080}]}
    return {
        "metadata": {
            "name": "web",
            "uid": "web-uid",
            "generation": 2,
            "annotations": {"deployment.kubernetes.io/revision": str(revision)},
            **metadata,
        },
        "spec": {"replicas": 3, "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}}},
    }


def replicaset(revision: int, version: str, owner: str = "web-uid") -> dict[str, Any]:
    made = thing(revision, version, ownerReferences=[{"uid": owner}])
    made["spec"]["template"]["metadata"]["labels"]["pod-template-hash"] = "abc"
    return made


@pytest.mark.parametrize(
    ("state", "said"),
    [
        (DONE, 'deployment "web" successfully rolled out'),
        ({}, "Waiting for deployment spec update to be observed..."),
        (DONE | {"observedGeneration": 1}, "Waiting for deployment spec update to be observed..."),
        (DONE | {"updatedReplicas": 1}, WAITING + "1 out of 3 new replicas have been updated..."),
        (DONE | {"replicas": 4}, WAITING + "1 old replicas are pending termination..."),
        (DONE | {"availableReplicas": 2}, WAITING + "2 of 3 updated replicas are available..."),
    ],
)
def test_a_rollout_is_told_as_kubectl_tells_it(state: dict[str, int], said: str) -> None:
    deployment = thing(2, "2") | {"status": state}

    assert status(deployment) == said
    assert rolled_out(deployment) == (state == DONE)


def test_another_image_changes_nothing_else_of_a_container() -> None:
    changes = set_image(thing(1, "1"), "portside/web:2", "2")["spec"]["template"]

    assert changes["spec"]["containers"] == thing(1, "2")["spec"]["template"]["spec"]["containers"]
    assert changes["metadata"]["labels"] == {"version": "2"}


def test_undo_takes_the_template_of_the_revision_before_without_its_hash() -> None:
    others = [replicaset(7, "9", "of another"), replicaset(1, "1"), replicaset(3, "3"), replicaset(2, "2")]

    assert undo(thing(3, "3"), others) == {"spec": {"template": thing(2, "2")["spec"]["template"]}}


def test_there_is_nothing_to_undo_before_the_first_change() -> None:
    assert undo(thing(1, "1"), [replicaset(1, "1")]) is None


def test_a_restart_changes_nothing_of_a_template_but_when_it_was_restarted() -> None:
    changes = restart("2030-01-02T03:04:05Z")

    assert changes["spec"]["template"] == {
        "metadata": {"annotations": {"kubectl.kubernetes.io/restartedAt": "2030-01-02T03:04:05Z"}}
    }
