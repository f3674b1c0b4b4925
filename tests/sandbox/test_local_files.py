"""What the engines are told: certificates that check out, kubeconfigs that only their owner reads, one plan."""

import json
from ipaddress import ip_address
from pathlib import Path

import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtensionOID, NameOID

from sandbox.engines import EngineConfig
from sandbox.local import api, files, programs
from sandbox.local.certificates import Authority, write_private
from sandbox.local.layout import NODES, Layout
from sandbox.local.plans import Plan

LAYOUT = Layout.of(EngineConfig(Path("/data"), Path("/cache"), "10.196.0.0/16"))
BINARY = Path("/cache/kubernetes")


def test_a_server_certificate_names_its_addresses_and_is_signed_by_the_authority() -> None:
    authority = Authority.create("test-ca")
    pair = authority.server("kube-apiserver", (ip_address("10.0.0.1"),), ("localhost",))  # type: ignore[arg-type]
    certificate = x509.load_pem_x509_certificate(pair.certificate)
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value

    certificate.verify_directly_issued_by(x509.load_pem_x509_certificate(authority.certificate))
    assert names.get_values_for_type(x509.IPAddress) == [ip_address("10.0.0.1")]
    assert names.get_values_for_type(x509.DNSName) == ["localhost"]


def test_a_client_certificate_says_user_and_group_and_serves_nobody() -> None:
    pair = Authority.create("test-ca").client("system:node:node1", "system:nodes")
    certificate = x509.load_pem_x509_certificate(pair.certificate)
    usage = certificate.extensions.get_extension_for_oid(ExtensionOID.EXTENDED_KEY_USAGE).value

    assert isinstance(certificate.public_key(), ec.EllipticCurvePublicKey)
    assert certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value == "system:node:node1"
    assert certificate.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)[0].value == "system:nodes"
    assert [purpose.dotted_string for purpose in usage] == ["1.3.6.1.5.5.7.3.2"]  # type: ignore[attr-defined]


def test_a_private_file_is_replaced_and_nobody_else_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text("old")
    path.chmod(0o644)

    write_private(path, b"new")

    assert path.read_bytes() == b"new"
    assert path.stat().st_mode & 0o777 == 0o600
    assert [file.name for file in tmp_path.iterdir()] == ["key"]


@pytest.mark.parametrize("node", NODES)
def test_a_node_has_its_own_pods_cgroup_socket_and_no_way_out(node: str) -> None:
    network = files._network(LAYOUT, node)["plugins"][0]
    kubelet = files._kubelet(LAYOUT, node, NODES.index(node))

    assert network["ipMasq"] is False
    assert network["ipam"]["ranges"] == [[{"subnet": str(LAYOUT.node_pods(node))}]]
    assert kubelet["cgroupRoot"] == f"/{LAYOUT.name}/{node}"
    assert node in kubelet["containerRuntimeEndpoint"]
    assert kubelet["authentication"]["anonymous"] == {"enabled": False}
    assert kubelet["authorization"] == {"mode": "Webhook"}


def all_programs() -> list[programs.Program]:
    return [
        programs.dockerd(LAYOUT),
        *programs.control_plane(LAYOUT, BINARY),
        *programs.controllers(LAYOUT, BINARY),
        *programs.containerds(LAYOUT),
        *programs.kubelets(LAYOUT, BINARY),
        programs.storage(LAYOUT),
    ]


def test_the_box_runs_dockerd_a_control_plane_and_three_nodes() -> None:
    names = [program.name for program in all_programs()]

    assert len(set(names)) == len(names) == 13
    assert sum(name.startswith("kubelet") for name in names) == 3


def test_every_setting_that_is_told_to_a_learner_is_one_that_a_program_gets() -> None:
    flags = {flag for program in all_programs() for flag in program.argv}
    kubelet = files._kubelet(LAYOUT, "node1", 0)

    for name, value in programs.SETTINGS.items():
        component, _, setting = name.partition(".")
        told = kubelet
        for part in setting.split(".") if component == "kubelet" else ():
            told = told[part]
        assert told == value if component == "kubelet" else f"--{setting}={value}" in flags


def test_every_manifest_has_a_place_at_the_api_server() -> None:
    paths = [api.collection(manifest) for manifest in api.manifests()]

    assert paths[:2] == ["/api/v1/namespaces", "/api/v1/namespaces/portside-system/serviceaccounts"]
    assert "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies" in paths
    assert "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings" in paths


def test_every_policy_is_bound_denies_and_fails_closed() -> None:
    manifests = list(api.manifests())
    policies = {one["metadata"]["name"]: one for one in manifests if one["kind"] == "ValidatingAdmissionPolicy"}
    bindings = [one["spec"] for one in manifests if one["kind"] == "ValidatingAdmissionPolicyBinding"]

    assert {binding["policyName"] for binding in bindings} == set(policies)
    assert all("Deny" in binding["validationActions"] for binding in bindings)
    assert all(policy["spec"]["failurePolicy"] == "Fail" for policy in policies.values())


def test_the_bots_role_touches_neither_secrets_nor_policies() -> None:
    rules = [rule for one in api.manifests() if one["kind"] == "ClusterRole" for rule in one["rules"]]
    resources = {resource for rule in rules for resource in rule["resources"]}
    groups = {group for rule in rules for group in rule["apiGroups"]}

    assert resources.isdisjoint({"secrets", "configmaps", "serviceaccounts", "pods/exec", "nodes/proxy", "*"})
    assert "admissionregistration.k8s.io" not in groups


def test_a_plan_survives_the_command_line() -> None:
    plan = Plan(EngineConfig(Path("/da ta"), Path("/cache"), docker_host="unix:///x.sock"), cluster=True)

    assert Plan.from_text(plan.to_text()) == plan


def test_a_kubeconfig_is_yaml_that_names_its_only_context(tmp_path: Path) -> None:
    plan = Layout.of(EngineConfig(tmp_path, tmp_path))
    path = tmp_path / "admin.kubeconfig"

    files._write_kubeconfig(plan, path, "admin", {"token": "x"})
    content = yaml.safe_load(path.read_text())

    assert content == json.loads(path.read_text())
    assert content["current-context"] == content["contexts"][0]["name"]
    assert content["clusters"][0]["cluster"]["server"] == "https://10.196.191.2:6443"
    assert path.stat().st_mode & 0o777 == 0o600
