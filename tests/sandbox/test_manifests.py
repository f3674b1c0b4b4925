"""What a run declares to Kubernetes passes its own policies."""

import re
from datetime import UTC, datetime

import pytest

from sandbox.manifests import (
    App,
    Autoscaling,
    Check,
    Manifest,
    autoscaler,
    client,
    deployment,
    fences,
    namespace,
    service,
)
from sandbox.names import CLIENT, EXPIRES_AT, MANAGED_BY, OWNER, RUN, Tag

TAG = Tag("abcdefghij", "ada", datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC))
DEPLOYMENT = deployment(TAG, App("web", "portside/web:1"))
POD = DEPLOYMENT["spec"]["template"]["spec"]
CONTAINER = POD["containers"][0]
AUTOSCALER = autoscaler(TAG, "web", Autoscaling(most=4, cpu="50m", calm=5))
CLIENT_POD = client(TAG, "client-1", "portside/web:1", ("probe", "10.0.0.1:8080"))
EVERYTHING = (namespace(TAG), *fences(TAG), DEPLOYMENT, CLIENT_POD, service(TAG, "web"), AUTOSCALER)


@pytest.mark.parametrize("manifest", EVERYTHING, ids=lambda manifest: manifest["kind"])
def test_every_object_says_whose_it_is(manifest: Manifest) -> None:
    labels = manifest["metadata"]["labels"]

    assert {MANAGED_BY: "bot", RUN: "abcdefghij", OWNER: "ada"}.items() <= labels.items()


def test_the_namespace_has_the_labels_that_the_policy_allows_and_an_expiry() -> None:
    metadata = namespace(TAG)["metadata"]
    foreign = {name for name in metadata["labels"] if not name.startswith("portside.dev/")}

    assert foreign == {"pod-security.kubernetes.io/enforce", "pod-security.kubernetes.io/enforce-version"}
    assert metadata["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    assert metadata["annotations"] == {EXPIRES_AT: "2030-01-02T03:04:05Z"}


def test_the_bot_gives_rights_to_itself_alone() -> None:
    binding = fences(TAG)[0]

    assert binding["roleRef"]["name"] == "portside-runner"
    assert binding["subjects"] == [{"kind": "ServiceAccount", "name": "bot", "namespace": "portside-system"}]


def test_a_run_talks_to_cluster_dns_and_to_its_own_app_alone() -> None:
    policy = next(one for one in fences(TAG) if one["kind"] == "NetworkPolicy")
    dns, app = policy["spec"]["egress"]

    assert policy["spec"]["policyTypes"] == ["Ingress", "Egress"]
    assert dns["to"] == [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}}}]
    assert {(port["protocol"], port["port"]) for port in dns["ports"]} == {("UDP", 53), ("TCP", 53)}
    assert app == {"to": [{"podSelector": {}}], "ports": [{"protocol": "TCP", "port": 8080}]}
    assert policy["spec"]["ingress"] == [{"ports": [{"protocol": "TCP", "port": 8080}]}]


def test_copies_that_shall_be_spread_are_so_as_long_as_there_are_nodes() -> None:
    spec = deployment(TAG, App("web", "image", spread=True))["spec"]["template"]["spec"]

    assert [(one["topologyKey"], one["whenUnsatisfiable"]) for one in spec["topologySpreadConstraints"]] == [
        ("kubernetes.io/hostname", "ScheduleAnyway")
    ]
    assert "topologySpreadConstraints" not in POD


def test_a_pod_is_hardened_as_restricted_asks_and_further() -> None:
    assert POD["automountServiceAccountToken"] is False
    assert POD["securityContext"]["runAsNonRoot"]
    assert POD["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert CONTAINER["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "readOnlyRootFilesystem": True,
    }


def test_a_pod_has_limits_that_the_policy_allows() -> None:
    limits = CONTAINER["resources"]["limits"]

    assert set(limits) == {"cpu", "memory"}
    assert int(re.fullmatch(r"(\d+)Mi", limits["memory"])[1]) <= 128


def test_a_pod_leaves_a_lost_node_after_two_seconds_and_stops_within_one() -> None:
    assert {toleration["tolerationSeconds"] for toleration in POD["tolerations"]} == {2}
    assert POD["terminationGracePeriodSeconds"] == 1


def test_a_pod_asks_the_cluster_for_names() -> None:
    assert POD["dnsPolicy"] == "ClusterFirst"


def test_the_probes_ask_as_often_as_the_check_says() -> None:
    assert CONTAINER["livenessProbe"]["periodSeconds"] == Check().period
    assert CONTAINER["livenessProbe"]["httpGet"] == {"path": "/healthz", "port": 8080}
    assert CONTAINER["readinessProbe"]["httpGet"] == {"path": "/readyz", "port": 8080}


def test_a_client_is_hardened_and_limited_as_the_app_is_and_is_no_copy_of_it() -> None:
    spec = CLIENT_POD["spec"]
    container = spec["containers"][0]
    differing = {"containers", "restartPolicy", "terminationGracePeriodSeconds"}

    assert {key: value for key, value in spec.items() if key not in differing} == {
        key: value for key, value in POD.items() if key not in differing
    }
    assert container["args"] == ["probe", "10.0.0.1:8080"]
    assert (container["securityContext"], container["resources"]) == (
        CONTAINER["securityContext"],
        CONTAINER["resources"],
    )
    assert not {"livenessProbe", "readinessProbe", "ports"} & container.keys()
    assert (CLIENT in CLIENT_POD["metadata"]["labels"], "app" in CLIENT_POD["metadata"]["labels"]) == (True, False)


def test_a_service_is_reached_from_within_the_cluster_only() -> None:
    assert set(service(TAG, "web")["spec"]) == {"selector", "ports"}


def test_an_autoscaler_keeps_the_average_cpu_of_its_deployments_pods_near_an_amount() -> None:
    spec = AUTOSCALER["spec"]
    target = spec["scaleTargetRef"]

    assert (target["kind"], target["name"]) == ("Deployment", DEPLOYMENT["metadata"]["name"])
    assert (spec["minReplicas"], spec["maxReplicas"]) == (1, 4)
    assert spec["metrics"][0]["resource"] == {"name": "cpu", "target": {"type": "AverageValue", "averageValue": "50m"}}
    assert spec["behavior"]["scaleDown"] == {"stabilizationWindowSeconds": 5}


def data(app: App) -> tuple[object, list[Manifest]]:
    spec = deployment(TAG, app)["spec"]
    return spec.get("strategy"), [one for one in spec["template"]["spec"]["volumes"] if one["name"] == "data"]


def test_what_has_data_ends_before_its_successor_starts() -> None:
    recreate = {"type": "Recreate"}
    claimed = {"name": "data", "persistentVolumeClaim": {"claimName": "notes"}}

    assert data(App("web", "portside/web:1")) == (None, [])
    assert data(App("web", "portside/web:1", claim="notes")) == (recreate, [claimed])
    assert data(App("web", "portside/web:1", empty_dir=True)) == (
        recreate,
        [{"name": "data", "emptyDir": {"sizeLimit": "8Mi"}}],
    )
