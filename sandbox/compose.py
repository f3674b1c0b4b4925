"""Containers as a compose file, for a learner to keep: pure."""

from collections.abc import Sequence
from typing import Any

from sandbox.docker_run import HEALTH, IMAGE, Container
from sandbox.manifests import Check
from sandbox.quota import CPUS, DATA, PORT, RESTARTS


def compose(containers: Sequence[Container]) -> dict[str, Any]:
    """Return one service for each container, and their volumes."""
    volumes = {container.volume: {"name": container.volume} for container in containers if container.volume}
    services = {container.name: _service(container) for container in containers}
    return {"services": services} | ({"volumes": volumes} if volumes else {})


def _service(container: Container) -> dict[str, Any]:
    service: dict[str, Any] = {
        "image": f"{IMAGE}:{container.version}",
        "container_name": container.name,
        "hostname": container.name,
    }
    if container.command:
        service["command"] = [container.command]
    if container.publish:
        service["ports"] = [f"{container.publish}:{PORT}"]
    if container.volume:
        service["volumes"] = [f"{container.volume}:{DATA}"]
    if container.restart:
        service["restart"] = f"on-failure:{RESTARTS}"
    service["healthcheck"] = _healthcheck(container.check) if container.check else {"disable": True}
    return service | {
        "mem_limit": f"{container.memory_mib}m",
        "cpus": CPUS,
        "read_only": not container.writable,
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges:true"],
    }


def _healthcheck(check: Check) -> dict[str, Any]:
    return {
        "test": ["CMD", *HEALTH],
        "interval": f"{check.period}s",
        "timeout": f"{check.timeout}s",
        "retries": check.failures,
    }
