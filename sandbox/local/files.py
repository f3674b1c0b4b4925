"""The files that the engines read: certificates, kubeconfigs, and each node's configuration."""

import json
from pathlib import Path
from string import Template
from typing import Any

from sandbox.local.certificates import Authority, signing_keys, write_private
from sandbox.local.layout import NODES, REGISTRY_PORT, Layout
from sandbox.local.programs import SETTINGS

PAUSE_IMAGE = "registry.local/portside/pause:1"

_CLIENTS = ("kube-controller-manager", "kube-scheduler", "kube-proxy", "coredns", "metrics-server")
_CNI_FOLDERS = (Path("/usr/lib/cni"), Path("/opt/cni/bin"))

_CONTAINERD = Template("""version = 2
root = "$root"
state = "$state"
disabled_plugins = ["io.containerd.internal.v1.opt"]
[grpc]
  address = "$socket"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "$pause"
  # Without CAP_SYS_RESOURCE, as in many sandboxes, nobody may lower the score.
  restrict_oom_score_adj = true
  # A pod's network ends with its node.
  netns_mounts_under_state_dir = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "$cni"
    conf_dir = "$networks"
""")


# Names of this cluster and no others: what else is asked for is refused, never passed on.
_COREFILE = Template("""cluster.local in-addr.arpa {
    bind $address
    errors
    kubernetes {
        kubeconfig "$kubeconfig" portside
    }
}
""")


def write_docker(layout: Layout) -> None:
    """Write what keeps dockerd away from the machine's own configuration."""
    (layout.state / "docker.json").write_text("{}")


def write_registry(layout: Layout) -> None:
    """Write where the registry listens, and what it keeps; as JSON, which is YAML too."""
    content = {
        "version": 0.1,
        "log": {"level": "warn", "accesslog": {"disabled": True}},
        "storage": {"filesystem": {"rootdirectory": str(layout.state / "registry")}, "delete": {"enabled": True}},
        "http": {"addr": f"127.0.0.1:{REGISTRY_PORT}"},
    }
    (layout.state / "registry.json").write_text(json.dumps(content, indent=1))


def write_cluster(layout: Layout) -> None:
    """Write everything that the cluster's processes read at their start."""
    authority = Authority.create("portside-ca")
    _write_keys(layout, authority)
    _write_kubeconfigs(layout, authority)
    corefile = _COREFILE.substitute(address=layout.dns_address, kubeconfig=layout.state / "coredns.kubeconfig")
    (layout.state / "Corefile").write_text(corefile)
    for index, node in enumerate(NODES):
        _write_node(layout, node, index)


def _write_keys(layout: Layout, authority: Authority) -> None:
    pki = layout.state / "pki"
    pki.mkdir(mode=0o700)
    (pki / "ca.crt").write_bytes(authority.certificate)
    hosts = ("localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc")
    addresses = (layout.box_address, layout.services[1])
    authority.server("kube-apiserver", addresses, hosts).write(pki, "apiserver")
    authority.server("metrics-server", (layout.box_address,), ("metrics-server.kube-system.svc",)).write(
        pki, "metrics-server-tls"
    )
    authority.client("kube-apiserver-kubelet-client").write(pki, "kubelet-client")
    # Of its own, so that no other client's certificate can speak for somebody else.
    front_proxy = Authority.create("portside-front-proxy-ca")
    (pki / "front-proxy-ca.crt").write_bytes(front_proxy.certificate)
    front_proxy.client("front-proxy-client").write(pki, "front-proxy-client")
    private, public = signing_keys()
    write_private(pki / "service-accounts.key", private)
    (pki / "service-accounts.pub").write_bytes(public)


def _write_kubeconfigs(layout: Layout, authority: Authority) -> None:
    pki = layout.state / "pki"
    users = {
        **{name: (f"system:{name}", None) for name in _CLIENTS},
        **{node: (f"system:node:{node}", "system:nodes") for node in NODES},
        "admin": ("portside-admin", "system:masters"),
    }
    for name, (user, group) in users.items():
        authority.client(user, group).write(pki, name)
        path = layout.admin if name == "admin" else layout.state / f"{name}.kubeconfig"
        credentials = {"client-certificate": str(pki / f"{name}.crt"), "client-key": str(pki / f"{name}.key")}
        _write_kubeconfig(layout, path, user, credentials)
    _write_kubeconfig(layout, layout.bot, "bot", {"tokenFile": str(layout.bot_token)})


def _write_kubeconfig(layout: Layout, path: Path, user: str, credentials: dict[str, str]) -> None:
    """Write it as JSON, which is YAML too."""
    cluster = {"server": layout.api, "certificate-authority": str(layout.state / "pki" / "ca.crt")}
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "portside", "cluster": cluster}],
        "users": [{"name": user, "user": credentials}],
        "contexts": [{"name": "portside", "context": {"cluster": "portside", "user": user}}],
        "current-context": "portside",
    }
    write_private(path, json.dumps(content, indent=1).encode())


def _write_node(layout: Layout, node: str, index: int) -> None:
    folder = layout.state / node
    networks = folder / "cni"
    networks.mkdir(parents=True)
    (networks / "10-bridge.conflist").write_text(json.dumps(_network(layout, node)))
    (folder / "resolv.conf").touch()
    (folder / "kubelet.json").write_text(json.dumps(_kubelet(layout, node, index)))
    containerd = _CONTAINERD.substitute(
        root=folder / "containerd",
        state=layout.runtime / f"containerd-{node}",
        socket=layout.containerd_socket(node),
        pause=PAUSE_IMAGE,
        cni=cni_folder(),
        networks=networks,
    )
    (folder / "containerd.toml").write_text(containerd)


def cni_folder() -> Path | None:
    """Return where the plugins are that connect pods; None where they are not installed."""
    return next((folder for folder in _CNI_FOLDERS if (folder / "bridge").exists()), None)


def _network(layout: Layout, node: str) -> dict[str, Any]:
    bridge = {
        "type": "bridge",
        "bridge": f"pods-{node}",
        "isGateway": True,
        "ipMasq": False,  # nobody outside of the box shall see a pod's connection
        "hairpinMode": True,
        "ipam": {
            "type": "host-local",
            "dataDir": str(layout.state / node / "addresses"),
            "ranges": [[{"subnet": str(layout.node_pods(node))}]],
            "routes": [{"dst": "0.0.0.0/0"}],
        },
    }
    return {"cniVersion": "0.4.0", "name": node, "plugins": [bridge]}


def _kubelet(layout: Layout, node: str, index: int) -> dict[str, Any]:
    folder = layout.state / node
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "port": 10260 + index,
        "healthzPort": 10270 + index,
        "readOnlyPort": 0,
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": str(layout.state / "pki" / "ca.crt")},
        },
        "authorization": {"mode": "Webhook"},
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": f"/{layout.name}/{node}",
        "failCgroupV1": False,
        "failSwapOn": False,
        "containerRuntimeEndpoint": f"unix://{layout.containerd_socket(node)}",
        "podLogsDir": str(folder / "pod-logs"),
        "volumePluginDir": str(folder / "plugins"),
        "resolvConf": str(folder / "resolv.conf"),
        "clusterDNS": [str(layout.dns_service)],
        "clusterDomain": "cluster.local",
        "makeIPTablesUtilChains": False,
        "imageGCHighThresholdPercent": 100,
        "evictionHard": {"memory.available": "50Mi"},
        "containerLogMaxSize": "1Mi",
        "containerLogMaxFiles": 2,
        "maxPods": 60,
        "nodeStatusUpdateFrequency": SETTINGS["kubelet.nodeStatusUpdateFrequency"],
        "nodeLeaseDurationSeconds": SETTINGS["kubelet.nodeLeaseDurationSeconds"],
        "podPidsLimit": SETTINGS["kubelet.podPidsLimit"],
        "crashLoopBackOff": {
            "maxContainerRestartPeriod": SETTINGS["kubelet.crashLoopBackOff.maxContainerRestartPeriod"]
        },
    }
