"""How an engine is reached, and whether its containers' addresses are this machine's own."""

import socket

import docker
from docker.utils import kwargs_from_env

from sandbox.routes import has_route

# Starting a container takes a second, and ten where the machine has five times as much to do as it can.
_TIMEOUT = 15


def dial(host: str) -> docker.DockerClient:
    """Reach an engine, over TLS where docker's own settings ask for that."""
    tls = kwargs_from_env().get("tls", False) if host.startswith("tcp://") else False
    return docker.DockerClient(base_url=host, version="auto", timeout=_TIMEOUT, tls=tls)


def is_here(client: docker.DockerClient) -> bool:
    """Say whether an engine's containers are on this very machine's networks, by its name and its default network.

    A forwarded socket, a virtual machine and an engine without root each fail in one of the two.
    """
    if client.info()["Name"] != socket.gethostname():
        return False
    networks = client.networks.list(names=["bridge"])
    subnets = [config["Subnet"] for network in networks for config in network.attrs["IPAM"]["Config"] or ()]
    return any(has_route(subnet.partition("/")[0]) for subnet in subnets if ":" not in subnet)
