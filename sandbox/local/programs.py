"""The programs of the box, as command lines: dockerd, the control plane, and what makes a node."""

import sys
from dataclasses import dataclass
from pathlib import Path

from sandbox.local import cgroups
from sandbox.local.layout import API_PORT, METRICS_PORT, NODES, SPARE, Layout

# How the engines differ from their defaults: quicker, so that a learner can watch. Every run reports them.
SETTINGS = {
    "kubelet.crashLoopBackOff.maxContainerRestartPeriod": "1s",
    "kubelet.nodeStatusUpdateFrequency": "2s",
    "kubelet.nodeLeaseDurationSeconds": 8,
    "kubelet.podPidsLimit": 64,
    "kube-controller-manager.node-monitor-grace-period": "8s",
    "kube-controller-manager.node-monitor-period": "1s",
    "kube-controller-manager.node-eviction-rate": 10,
    "kube-controller-manager.horizontal-pod-autoscaler-sync-period": "2s",
    "kube-controller-manager.horizontal-pod-autoscaler-cpu-initialization-period": "5s",
    "kube-controller-manager.horizontal-pod-autoscaler-initial-readiness-delay": "2s",
    "kube-controller-manager.horizontal-pod-autoscaler-downscale-stabilization": "10s",
    "kube-proxy.iptables-min-sync-period": "100ms",
    "metrics-server.metric-resolution": "10s",
}

_ETCD = "http://127.0.0.1:2379"
_ETCD_PEER = "http://127.0.0.1:2380"


@dataclass(frozen=True)
class Program:
    """One long-running process of the box; its output goes to the log of its name."""

    name: str
    argv: tuple[str, ...]


def dockerd(layout: Layout) -> Program:
    """Docker's daemon, with nothing of its own outside of our folders."""
    flags = {
        "config-file": layout.state / "docker.json",
        "data-root": layout.state / "docker",
        "exec-root": layout.runtime / "docker",
        "pidfile": layout.runtime / "docker.pid",
        "host": layout.docker_host,
        "bip": layout.docker_bridge,
        "default-address-pool": f"base={layout.docker_pool},size=24",
        "cgroup-parent": f"/{layout.name}/docker",
        "exec-opt": "native.cgroupdriver=cgroupfs",
    }
    return Program("dockerd", ("dockerd", *_flags(flags)))


def registry(layout: Layout) -> Program:
    """Where our Docker pushes to, and our nodes pull from."""
    return Program("registry", ("docker-registry", "serve", str(layout.state / "registry.json")))


def spare_dockerd(layout: Layout) -> Program:
    """A second Docker's daemon. The rules of the box's network are the first one's: two would undo each other's."""
    flags = {
        "config-file": layout.state / "docker.json",
        "data-root": layout.spare_disk,
        "exec-root": layout.runtime / SPARE,
        "pidfile": layout.runtime / f"{SPARE}.pid",
        "host": layout.spare_host,
        "bridge": "none",
        "iptables": "false",
        "default-address-pool": f"base={layout.spare_pool},size=24",
        "cgroup-parent": f"/{layout.name}/{SPARE}/containers",
        "exec-opt": "native.cgroupdriver=cgroupfs",
    }
    return Program("dockerd-spare", (*_of(layout, SPARE), "dockerd", *_flags(flags)))


def control_plane(layout: Layout, binary: Path) -> tuple[Program, ...]:
    """What stands before everything else: etcd and the API server."""
    return (_component(binary, "etcd", _etcd(layout)), _component(binary, "kube-apiserver", _api_server(layout)))


def controllers(layout: Layout, binary: Path) -> tuple[Program, ...]:
    """What works on the API server's objects; one kube-proxy, because all nodes share the box's network."""
    return (
        _component(binary, "kube-controller-manager", _controller_manager(layout)),
        _component(binary, "kube-scheduler", _scheduler(layout)),
        _component(binary, "kube-proxy", _proxy(layout)),
    )


def services(layout: Layout, binary: Path) -> tuple[Program, ...]:
    """What every cluster is expected to have: names, and the figures that an autoscaler and kubectl top go by."""
    return (
        _component(binary, "coredns", {"conf": layout.state / "Corefile"}),
        _component(binary, "metrics-server", _metrics_server(layout)),
    )


def containerds(layout: Layout) -> tuple[Program, ...]:
    """Each node's container runtime."""
    return tuple(
        Program(
            f"containerd-{node}",
            (*_of(layout, node), "containerd", "--config", f"{layout.state / node / 'containerd.toml'}"),
        )
        for node in NODES
    )


def kubelets(layout: Layout, binary: Path) -> tuple[Program, ...]:
    """Each node's agent."""
    return tuple(Program(f"kubelet-{node}", (*_of(layout, node), *_kubelet(layout, binary, node))) for node in NODES)


def storage(layout: Layout) -> Program:
    """What makes volumes for claims."""
    place = (layout.home.parent, layout.cache, layout.network)
    return Program("storage", (sys.executable, "-m", "sandbox.local.storage", *map(str, place)))


def _of(layout: Layout, machine: str) -> tuple[str, ...]:
    """Begin the command line of a program that ends with its machine's power."""
    return cgroups.entering(layout, cgroups.programs_of(machine))


def _component(binary: Path, name: str, flags: dict[str, object]) -> Program:
    return Program(name, (str(binary), name, *_flags(flags)))


def _flags(flags: dict[str, object]) -> list[str]:
    return [f"--{name}={value}" for name, value in flags.items()]


def _settings(component: str) -> dict[str, object]:
    return {name.partition(".")[2]: value for name, value in SETTINGS.items() if name.startswith(f"{component}.")}


def _etcd(layout: Layout) -> dict[str, object]:
    return {
        "data-dir": layout.state / "etcd",
        "listen-client-urls": _ETCD,
        "advertise-client-urls": _ETCD,
        "listen-peer-urls": _ETCD_PEER,
        "unsafe-no-fsync": "true",  # nothing of it outlives the box
        "log-level": "warn",
    }


def _api_server(layout: Layout) -> dict[str, object]:
    pki = layout.state / "pki"
    return {
        "etcd-servers": _ETCD,
        "bind-address": "0.0.0.0",  # noqa: S104 - in the box's own network, behind its own rules
        "advertise-address": layout.box_address,
        "secure-port": API_PORT,
        "endpoint-reconciler-type": "none",
        "service-cluster-ip-range": layout.services,
        "tls-cert-file": pki / "apiserver.crt",
        "tls-private-key-file": pki / "apiserver.key",
        "client-ca-file": pki / "ca.crt",
        "kubelet-client-certificate": pki / "kubelet-client.crt",
        "kubelet-client-key": pki / "kubelet-client.key",
        "kubelet-preferred-address-types": "InternalIP",  # nobody knows the nodes' names
        "requestheader-client-ca-file": pki / "front-proxy-ca.crt",
        "requestheader-allowed-names": "front-proxy-client",
        "requestheader-username-headers": "X-Remote-User",
        "requestheader-group-headers": "X-Remote-Group",
        "requestheader-extra-headers-prefix": "X-Remote-Extra-",
        "proxy-client-cert-file": pki / "front-proxy-client.crt",
        "proxy-client-key-file": pki / "front-proxy-client.key",
        "enable-aggregator-routing": "true",  # to metrics-server itself, whether kube-proxy lives or not
        "service-account-issuer": "https://kubernetes.default.svc",
        "service-account-key-file": pki / "service-accounts.pub",
        "service-account-signing-key-file": pki / "service-accounts.key",
        "authorization-mode": "Node,RBAC",
        "enable-admission-plugins": "NodeRestriction",
        "profiling": "false",
    }


def _controller_manager(layout: Layout) -> dict[str, object]:
    pki = layout.state / "pki"
    return _settings("kube-controller-manager") | {
        "kubeconfig": layout.state / "kube-controller-manager.kubeconfig",
        "root-ca-file": pki / "ca.crt",
        "service-account-private-key-file": pki / "service-accounts.key",
        "use-service-account-credentials": "true",
        "flex-volume-plugin-dir": layout.state / "flexvolumes",
        "kube-api-qps": 200,  # forty controllers ask for their tokens at the start
        "kube-api-burst": 400,
        "leader-elect": "false",
        "bind-address": "127.0.0.1",
        "profiling": "false",
    }


def _scheduler(layout: Layout) -> dict[str, object]:
    return {
        "kubeconfig": layout.state / "kube-scheduler.kubeconfig",
        "leader-elect": "false",
        "bind-address": "127.0.0.1",
        "profiling": "false",
    }


def _proxy(layout: Layout) -> dict[str, object]:
    """Without limits of conntrack: these are the machine's, not the box's."""
    return _settings("kube-proxy") | {
        "kubeconfig": layout.state / "kube-proxy.kubeconfig",
        "proxy-mode": "iptables",
        "cluster-cidr": layout.pods,
        "hostname-override": NODES[0],
        "iptables-localhost-nodeports": "false",
        "nodeport-addresses": "127.0.0.0/8",
        "conntrack-max-per-core": 0,
        "conntrack-tcp-timeout-established": 0,
        "conntrack-tcp-timeout-close-wait": 0,
    }


def _metrics_server(layout: Layout) -> dict[str, object]:
    """It has no address of its own as a pod would; its Service's EndpointSlice leads here."""
    pki = layout.state / "pki"
    kubeconfig = layout.state / "metrics-server.kubeconfig"
    return _settings("metrics-server") | {
        "kubeconfig": kubeconfig,
        "authentication-kubeconfig": kubeconfig,
        "authorization-kubeconfig": kubeconfig,
        "bind-address": layout.box_address,
        "secure-port": METRICS_PORT,
        "tls-cert-file": pki / "metrics-server-tls.crt",
        "tls-private-key-file": pki / "metrics-server-tls.key",
        "kubelet-preferred-address-types": "InternalIP",  # nobody knows the nodes' names
        "kubelet-use-node-status-port": "true",  # the nodes share one address, each kubelet has a port
        "kubelet-insecure-tls": "true",  # a kubelet signs its certificate itself
        "kubelet-request-timeout": "5s",
        "profiling": "false",
    }


def _kubelet(layout: Layout, binary: Path, node: str) -> tuple[str, ...]:
    flags = {
        "config": layout.state / node / "kubelet.json",
        "kubeconfig": layout.state / f"{node}.kubeconfig",
        "root-dir": layout.runtime / f"kubelet-{node}",
        "cert-dir": layout.state / node / "pki",
        "hostname-override": node,
        "node-ip": layout.box_address,
    }
    return (str(binary), "kubelet", *_flags(flags))
