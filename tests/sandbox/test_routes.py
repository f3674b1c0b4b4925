"""Nothing of a demo is sent to where the default route goes."""

import pytest

from sandbox.errors import EngineUnavailable
from sandbox.routes import Address, has_route, is_local, require_local

# eth0 default via 192.168.1.1; 192.168.1.0/24; 10.196.0.0/16; and half of everything, as some VPNs write it.
TABLE = """Iface Destination Gateway Flags RefCnt Use Metric Mask MTU Window IRTT
eth0 00000000 0101A8C0 0003 0 0 0 00000000 0 0 0
eth0 0001A8C0 00000000 0001 0 0 0 00FFFFFF 0 0 0
veth0 0000C40A 00000000 0001 0 0 0 0000FFFF 0 0 0
tun0 00000080 00000000 0001 0 0 0 00000080 0 0 0
"""


@pytest.mark.parametrize(
    ("host", "local"),
    [
        ("127.0.0.1", True),
        ("10.196.0.17", True),
        ("192.168.1.7", True),
        ("10.197.0.1", False),
        ("8.8.8.8", False),
        ("200.1.1.1", False),
    ],
)
def test_an_address_is_local_where_a_route_of_its_own_leads_to_it(host: str, local: bool) -> None:
    assert is_local(host, TABLE) is local


def test_without_any_route_only_loopback_is_local() -> None:
    assert is_local("127.0.0.1", TABLE.splitlines()[0])
    assert not is_local("10.196.0.17", TABLE.splitlines()[0])


def test_this_machine_has_a_route_to_itself_only_by_its_own_networks() -> None:
    assert has_route("127.0.0.1")
    assert not has_route("203.0.113.1")


def test_this_machine_has_no_route_of_its_own_to_a_documentation_address() -> None:
    with pytest.raises(EngineUnavailable, match=r"203\.0\.113\.1.*nothing was sent there\. Do this\."):
        require_local(Address("203.0.113.1", 8080), "Do this.")
