"""A run's own network, made so that nothing in it finds a way out. Blocking calls."""

from ipaddress import IPv4Network
from typing import Any

import docker
from docker.types import IPAMConfig, IPAMPool

_NO_MASQUERADE = {"com.docker.network.bridge.enable_ip_masquerade": "false"}
_GATEWAY = "DefaultGatewayIPv4"
_ATTEMPTS = 5


def create(client: docker.DockerClient, name: str, labels: dict[str, str]) -> None:
    """Make a network that does not masquerade: enough where the engine itself has no way out."""
    client.networks.create(name, driver="bridge", options=_NO_MASQUERADE, labels=labels)


def create_closed(client: docker.DockerClient, name: str, labels: dict[str, str]) -> None:
    """Make a network whose containers reach each other and nothing else, on an engine that may reach anything.

    Docker's own `--internal` would do, but publishes no port, and says nothing of that (Docker 20.10). Instead the
    containers' default gateway is an address that nobody has. Where the network is, Docker chooses: it is made once to
    learn a range that is free, and once more with the gateway in it.
    """
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            client.networks.create(
                name, driver="bridge", options=_NO_MASQUERADE, labels=labels, ipam=_nobody(_free(client, name, labels))
            )
        except docker.errors.APIError as error:
            if attempt == _ATTEMPTS or "overlaps" not in str(error):
                raise
        else:
            return


def _free(client: docker.DockerClient, name: str, labels: dict[str, str]) -> IPv4Network:
    """Return a range that Docker has free. Another network may take it before it is used."""
    found = client.networks.create(name, driver="bridge", internal=True, labels=labels)
    try:
        found.reload()
        configured: list[dict[str, Any]] = found.attrs["IPAM"]["Config"]
    finally:
        found.remove()
    return next(IPv4Network(one["Subnet"]) for one in configured if ":" not in one["Subnet"])


def _nobody(subnet: IPv4Network) -> IPAMConfig:
    """Reserve the last address of a range, so that no container gets it, and name it as the way out."""
    gateway = subnet.broadcast_address - 1
    return IPAMConfig(pool_configs=[IPAMPool(subnet=str(subnet), aux_addresses={_GATEWAY: str(gateway)})])
