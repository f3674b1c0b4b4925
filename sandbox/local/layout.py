"""Where everything of one pair of engines is and what it is called: pure, from the configuration alone.

So that cleaning needs no memory: whoever knows the data folder knows every name.
"""

import hashlib
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Self

from sandbox.engines import EngineConfig
from sandbox.errors import EngineUnavailable

NODES = ("node1", "node2", "node3")
SPARE = "spare"
API_PORT = 6443
METRICS_PORT = 4443
REGISTRY_PORT = 5000
# Of the box itself, so that no container and no pod reaches it; docker and containerd take plain HTTP from there.
REGISTRY = f"localhost:{REGISTRY_PORT}/portside"

_PREFIX = 16
_PRIVATE = tuple(map(IPv4Network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")))
_RUNTIME = Path("/run")


@dataclass(frozen=True)
class Layout:
    """The names, folders and addresses of one pair of engines.

    `home` is for what is kept, `runtime` is short because a socket's path may have 107 characters.
    """

    home: Path
    cache: Path
    tag: str
    network: IPv4Network

    @classmethod
    def of(cls, config: EngineConfig) -> Self:
        """Plan for a configuration. Raises `EngineUnavailable` where the address range cannot be used."""
        home = config.data.absolute() / "engines"
        tag = hashlib.sha256(str(home).encode()).hexdigest()[:8]
        return cls(home, config.cache.absolute(), tag, parse_range(config.network))

    @property
    def name(self) -> str:
        """The name of the cgroups, and of the folder for sockets."""
        return f"portside-{self.tag}"

    @property
    def runtime(self) -> Path:
        """The folder for sockets and what belongs to running processes only."""
        return _RUNTIME / self.name

    @property
    def state(self) -> Path:
        """The folder that is empty at each start and gone after the end."""
        return self.home / "state"

    @property
    def volumes(self) -> Path:
        """The folders of persistent volumes, which all nodes see."""
        return self.state / "volumes"

    @property
    def logs(self) -> Path:
        """The folder of one log file for each process."""
        return self.home / "logs"

    @property
    def report(self) -> Path:
        """How the engines do, as their keeper writes it."""
        return self.home / "status.json"

    @property
    def keep_mark(self) -> Path:
        """While it is there, the engines are kept though nobody needs them."""
        return self.home / "keep"

    @property
    def link(self) -> str:
        """The host's end of the pair that leads into the box; a link's name may have 15 characters."""
        return f"psd{self.tag}"

    @property
    def last_metric(self) -> str:
        """The metric of the range's last route: by it the route is found again, whatever range it was made for."""
        return str(0xFF000000 | int(self.tag[:6], 16))

    @property
    def docker_socket(self) -> Path:
        """Where our dockerd listens."""
        return self.runtime / "docker.sock"

    @property
    def docker_host(self) -> str:
        """The same, as `DOCKER_HOST` has it."""
        return f"unix://{self.docker_socket}"

    @property
    def spare_socket(self) -> Path:
        """Where the second Docker listens while somebody has borrowed it."""
        return self.runtime / f"{SPARE}.sock"

    @property
    def spare_host(self) -> str:
        """The same, as `DOCKER_HOST` has it."""
        return f"unix://{self.spare_socket}"

    @property
    def spare_disk(self) -> Path:
        """What the second Docker keeps while it has no power."""
        return self.state / SPARE

    @property
    def loans(self) -> Path:
        """Where the keeper lends machines, to root alone."""
        return self.runtime / "loans.sock"

    @property
    def admin(self) -> Path:
        """The operator's kubeconfig."""
        return self.home / "admin.kubeconfig"

    @property
    def bot(self) -> Path:
        """The bot's kubeconfig, which names a token file beside it."""
        return self.home / "bot.kubeconfig"

    @property
    def bot_token(self) -> Path:
        """The bot's token, written anew before it expires."""
        return self.home / "bot.token"

    def containerd_socket(self, node: str) -> Path:
        """Where a node's containerd listens."""
        return self.runtime / f"{node}.sock"

    @property
    def services(self) -> IPv4Network:
        """The first quarter: addresses of Services, which nobody has but kube-proxy's rules."""
        return self._quarters()[0]

    @property
    def dns_service(self) -> IPv4Address:
        """The address of the Service that every pod asks for names."""
        return self.services[10]

    @property
    def pods(self) -> IPv4Network:
        """The second quarter: addresses of pods."""
        return self._quarters()[1]

    def node_pods(self, node: str) -> IPv4Network:
        """The part of one node."""
        return list(self.pods.subnets(new_prefix=24))[NODES.index(node)]

    @property
    def docker_bridge(self) -> str:
        """The address and size of Docker's default bridge."""
        return f"{self._quarters()[2][1]}/24"

    @property
    def docker_pool(self) -> IPv4Network:
        """The last quarter: what Docker's other networks are given."""
        return self._quarters()[3]

    @property
    def spare_pool(self) -> IPv4Network:
        """What the second Docker's networks are given: a part of the third quarter."""
        return list(self._quarters()[2].subnets(new_prefix=20))[2]

    @property
    def host_address(self) -> IPv4Address:
        """The host's end of the link; the link is of Docker's half, and never given out by it."""
        return self.network[191 * 256 + 1]

    @property
    def box_address(self) -> IPv4Address:
        """The box's end of the link, where the API server is."""
        return self.network[191 * 256 + 2]

    @property
    def dns_address(self) -> IPv4Address:
        """Where cluster DNS answers: an address of the box beside its link, so that pods may reach it and no more."""
        return self.network[191 * 256 + 5]

    @property
    def api(self) -> str:
        """The API server's address."""
        return f"https://{self.box_address}:{API_PORT}"

    def _quarters(self) -> list[IPv4Network]:
        return list(self.network.subnets(new_prefix=18))


def parse_range(text: str) -> IPv4Network:
    """Read the engines' address range: a private /16. Raises `EngineUnavailable` with what to do."""
    try:
        network = IPv4Network(text)
    except ValueError as error:
        raise EngineUnavailable(_bad_range(text, "is not a range of IPv4 addresses")) from error
    if network.prefixlen != _PREFIX:
        raise EngineUnavailable(_bad_range(text, "is not a /16"))
    if not any(network.subnet_of(private) for private in _PRIVATE):
        raise EngineUnavailable(_bad_range(text, "is not a private range"))
    return network


def _bad_range(text: str, fault: str) -> str:
    return (
        f"The engines' address range {text!r} {fault}. Set PORTSIDE_ENGINE_RANGE to a free private /16, "
        "for example 10.196.0.0/16."
    )
