"""What the engines are told: certificates that check out, kubeconfigs that only their owner reads, one plan."""

import base64
import json
import re
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtensionOID, NameOID

from sandbox.engines import EngineConfig
from sandbox.local import api, files, images, programs
from sandbox.local.certificates import Authority, write_private
from sandbox.local.layout import NODES, REGISTRY, Layout
from sandbox.local.plans import Plan
from sandbox.local.storage import CLASS, PROVISIONER

LAYOUT = Layout.of(EngineConfig(Path("/data"), Path("/cache"), "10.196.0.0/16"))
BINARY = Path("/cache/kubernetes")
MANIFESTS = list(api.manifests(LAYOUT, b"a certificate"))


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
        *programs.services(LAYOUT, BINARY),
        *programs.containerds(LAYOUT),
        *programs.kubelets(LAYOUT, BINARY),
        programs.storage(LAYOUT),
        programs.spare_dockerd(LAYOUT),
        programs.registry(LAYOUT),
    ]


def test_the_box_runs_two_dockers_a_control_plane_its_services_and_three_nodes() -> None:
    names = [program.name for program in all_programs()]

    assert len(set(names)) == len(names) == 17
    assert {"coredns", "metrics-server"} <= set(names)
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
    paths = [api.collection(manifest) for manifest in MANIFESTS]

    assert paths[:2] == ["/api/v1/namespaces", "/api/v1/namespaces/portside-system/serviceaccounts"]
    assert "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies" in paths
    assert "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings" in paths
    assert "/apis/discovery.k8s.io/v1/namespaces/kube-system/endpointslices" in paths
    assert paths[-1] == "/apis/apiregistration.k8s.io/v1/apiservices"


def test_every_policy_is_bound_denies_and_fails_closed() -> None:
    policies = {one["metadata"]["name"]: one for one in MANIFESTS if one["kind"] == "ValidatingAdmissionPolicy"}
    bindings = [one["spec"] for one in MANIFESTS if one["kind"] == "ValidatingAdmissionPolicyBinding"]

    assert {binding["policyName"] for binding in bindings} == set(policies)
    assert all("Deny" in binding["validationActions"] for binding in bindings)
    assert all(policy["spec"]["failurePolicy"] == "Fail" for policy in policies.values())


def named(kind: str, name: str) -> dict[str, Any]:
    return next(one for one in MANIFESTS if one["kind"] == kind and one["metadata"]["name"] == name)


def test_every_node_sends_its_pods_to_the_service_that_leads_to_cluster_dns() -> None:
    service = named("Service", "kube-dns")["spec"]["clusterIP"]
    endpoints = named("EndpointSlice", "kube-dns-portside")["endpoints"]

    assert {address for node in NODES for address in files._kubelet(LAYOUT, node, 0)["clusterDNS"]} == {service}
    assert [one["addresses"] for one in endpoints] == [[str(LAYOUT.dns_address)]]


@pytest.mark.parametrize("name", ["kube-dns", "metrics-server"])
def test_a_service_without_pods_finds_its_endpoints_by_label_and_port_name(name: str) -> None:
    service, endpoints = named("Service", name), named("EndpointSlice", f"{name}-portside")

    assert endpoints["metadata"]["labels"]["kubernetes.io/service-name"] == name
    assert {port["name"] for port in endpoints["ports"]} == {port["name"] for port in service["spec"]["ports"]}


def test_metrics_are_served_where_the_endpoint_says_by_whom_the_api_server_trusts(tmp_path: Path) -> None:
    layout = Layout.of(EngineConfig(tmp_path, tmp_path))
    layout.state.mkdir(parents=True)
    files.write_cluster(layout)
    authority = (layout.state / "pki" / "ca.crt").read_bytes()
    certificate = x509.load_pem_x509_certificate((layout.state / "pki" / "metrics-server-tls.crt").read_bytes())
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    endpoints = named("EndpointSlice", "metrics-server-portside")
    flags = programs.services(LAYOUT, BINARY)[1].argv

    certificate.verify_directly_issued_by(x509.load_pem_x509_certificate(authority))
    assert names.get_values_for_type(x509.DNSName) == ["metrics-server.kube-system.svc"]
    assert base64.b64decode(named("APIService", "v1beta1.metrics.k8s.io")["spec"]["caBundle"]) == b"a certificate"
    assert f"--bind-address={endpoints['endpoints'][0]['addresses'][0]}" in flags
    assert f"--secure-port={endpoints['ports'][0]['port']}" in flags


def test_cluster_dns_answers_at_its_own_address_with_its_own_rights(tmp_path: Path) -> None:
    layout = Layout.of(EngineConfig(tmp_path / "da ta", tmp_path))
    layout.state.mkdir(parents=True)
    files.write_cluster(layout)
    corefile = (layout.state / "Corefile").read_text()

    assert f"bind {layout.dns_address}\n" in corefile
    assert f'kubeconfig "{layout.state / "coredns.kubeconfig"}" portside\n' in corefile
    assert (layout.state / "coredns.kubeconfig").stat().st_mode & 0o777 == 0o600


def test_the_bots_role_touches_neither_secrets_nor_policies() -> None:
    rules = [rule for name in ("portside-bot", "portside-runner") for rule in named("ClusterRole", name)["rules"]]
    resources = {resource for rule in rules for resource in rule["resources"]}
    groups = {group for rule in rules for group in rule["apiGroups"]}

    assert resources.isdisjoint({"secrets", "configmaps", "serviceaccounts", "pods/exec", "nodes/proxy", "*"})
    assert "admissionregistration.k8s.io" not in groups
    assert {"apiGroups": ["metrics.k8s.io"], "resources": ["pods"], "verbs": ["get", "list"]} in rules


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


def test_the_default_class_of_every_new_cluster_is_ours() -> None:
    (made,) = (one for one in MANIFESTS if one["kind"] == "StorageClass")

    assert (made["metadata"]["name"], made["provisioner"]) == (CLASS, PROVISIONER)
    assert made["metadata"]["annotations"] == {"storageclass.kubernetes.io/is-default-class": "true"}


def test_the_registry_is_reached_from_the_box_alone_and_keeps_what_is_pushed_in_our_folder(tmp_path: Path) -> None:
    plan = Layout.of(EngineConfig(tmp_path, tmp_path))
    plan.state.mkdir(parents=True)

    files.write_registry(plan)
    content = yaml.safe_load(Path(programs.registry(plan).argv[-1]).read_text())

    assert content["http"]["addr"] == "127.0.0.1:5000"
    assert content["storage"]["filesystem"]["rootdirectory"].startswith(str(plan.state))
    assert REGISTRY.startswith("localhost:5000/")


def test_a_pod_may_run_what_our_registry_holds_by_digest_and_nothing_else_of_it() -> None:
    (policy,) = (
        one for one in MANIFESTS if one["metadata"]["name"] == "portside-shapes" and "matchConstraints" in one["spec"]
    )
    rule = policy["spec"]["validations"][0]["expression"]
    pattern = re.search(r"matches\('(.*)'\)\)", rule)
    digest = f"@sha256:{'a' * 64}"
    allowed = [f"{REGISTRY}/web-abc{digest}", f"{images.NAME}{digest}"]
    refused = [f"{REGISTRY}/web-abc:1", f"{REGISTRY}/other{digest}", f"localhost:5001/portside/web-a{digest}"]

    assert pattern is not None
    assert [name for name in (*allowed, *refused) if re.search(pattern[1], name)] == allowed
