"""What a container is made with, in the words of docker's API: what a learner says of it, and what locks it in."""

from typing import Any

import docker
from docker.types import LogConfig, Ulimit

from sandbox.docker_run import HEALTH, Container
from sandbox.manifests import Check
from sandbox.quota import CPUS, DATA, PIDS, PORT, RESTARTS, TMP_MIB, USER

_SECOND = 1_000_000_000


def alias(port: int) -> str:
    """Return the name by which a network finds whoever has published a port of the machine."""
    return f"published-{port}"


def locked_in(network: str) -> dict[str, Any]:
    """Return what every container of ours is made with; memory and disk are as wanted of each."""
    return {
        "network": network,
        "user": f"{USER}:{USER}",
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges"],
        "tmpfs": {"/tmp": f"size={TMP_MIB}m,noexec,nosuid,nodev"},  # noqa: S108 - a path in the container
        "nano_cpus": int(CPUS * _SECOND),
        "pids_limit": PIDS,
        "ipc_mode": "private",
        "ulimits": [Ulimit(name="nofile", soft=256, hard=256), Ulimit(name="core", soft=0, hard=0)],
        "log_config": LogConfig(type="json-file", config={"max-size": "1m", "max-file": "1"}),
    }


def wanted(container: Container) -> dict[str, Any]:
    """Return what a learner would say of a container."""
    memory = f"{container.memory_mib}m"
    arguments: dict[str, Any] = {
        "name": container.name,
        "hostname": container.name,
        "command": container.command or None,
        "mem_limit": memory,
        "memswap_limit": memory,
        "read_only": not container.writable,
        "healthcheck": _health(container.check) if container.check else {"test": ["NONE"]},
    }
    if container.restart:
        arguments["restart_policy"] = {"Name": "on-failure", "MaximumRetryCount": RESTARTS}
    if container.volume:
        arguments["volumes"] = {container.volume: {"bind": DATA, "mode": "rw"}}
    return arguments


def published(client: docker.DockerClient, port: int, address: str, network: str) -> dict[str, Any]:
    """Return what publishes a container's port at an address of the machine, and names it so in its network."""
    named = client.api.create_endpoint_config(aliases=[alias(port)])
    return {"ports": {f"{PORT}/tcp": (address, port)}, "networking_config": {network: named}}


def _health(check: Check) -> dict[str, Any]:
    return {
        "test": ["CMD", *HEALTH],
        "interval": check.period * _SECOND,
        "timeout": check.timeout * _SECOND,
        "retries": check.failures,
    }
