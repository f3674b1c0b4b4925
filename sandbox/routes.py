"""Where a packet would go: nothing of a demo may leave this machine."""

import ipaddress
from dataclasses import dataclass
from pathlib import Path

from sandbox.errors import EngineUnavailable

_TABLE = Path("/proc/net/route")
_WIDEST_LOCAL_PREFIX = 8


@dataclass(frozen=True)
class Address:
    """Where an app answers."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


def require_local(address: Address, advice: str) -> Address:
    """Return the address if packets to it stay on this machine's own networks. Raises EngineUnavailable with advice."""
    if has_route(address.host):
        return address
    raise EngineUnavailable(
        f"The demo's app has the address {address.host}, which this machine has no route of its own to, so nothing was "
        f"sent there. {advice}"
    )


def has_route(host: str) -> bool:
    """Say whether packets to a host stay on this machine's own networks; where that cannot be known, they do not."""
    try:
        table = _TABLE.read_text()
    except OSError:
        return False
    return is_local(host, table)


def is_local(host: str, table: str) -> bool:
    """Say whether the longest matching line of a routing table (as /proc/net/route) is not the default route."""
    target = ipaddress.ip_address(host)
    if target.is_loopback:
        return True
    matching = [network for line in table.splitlines()[1:] if target in (network := _network(line))]
    return bool(matching) and not is_default(max(matching, key=lambda network: network.prefixlen))


def is_default(network: ipaddress.IPv4Network) -> bool:
    """Say whether a route to this network is a default route, or half of one as some VPNs write it."""
    return network.prefixlen < _WIDEST_LOCAL_PREFIX


def _network(line: str) -> ipaddress.IPv4Network:
    fields = line.split()
    destination, mask = (_dotted(fields[column]) for column in (1, 7))
    return ipaddress.IPv4Network(f"{destination}/{mask}")


def _dotted(little_endian: str) -> ipaddress.IPv4Address:
    return ipaddress.IPv4Address(bytes.fromhex(little_endian)[::-1])
