"""Names and addresses of a pair of engines: from the configuration alone, short enough, never overlapping."""

from ipaddress import IPv4Network, ip_network
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.engines import EngineConfig
from sandbox.errors import EngineUnavailable
from sandbox.local.layout import NODES, Layout, parse_range

SECONDS = st.integers(0, 255)
FOLDERS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=200)


def layout(network: str = "10.196.0.0/16", data: str = "/data") -> Layout:
    return Layout.of(EngineConfig(Path(data), Path("/cache"), network))


@given(SECONDS)
def test_the_parts_of_a_range_overlap_nowhere_and_fill_it_but_the_link(second: int) -> None:
    plan = layout(f"10.{second}.0.0/16")
    link = IPv4Network(f"{plan.host_address}/30", strict=False)
    parts = [
        plan.services,
        plan.pods,
        ip_network(plan.docker_bridge, strict=False),
        plan.docker_pool,
        plan.spare_pool,
        link,
    ]

    assert all(part.subnet_of(plan.network) for part in parts)
    assert not any(one.overlaps(other) for one in parts for other in parts if one is not other)
    assert {plan.host_address, plan.box_address} == set(link.hosts())
    assert plan.dns_service in plan.services
    assert plan.dns_address in plan.network
    assert not any(plan.dns_address in part for part in parts)


@given(SECONDS)
def test_each_node_has_pods_of_its_own(second: int) -> None:
    plan = layout(f"10.{second}.0.0/16")
    ranges = [plan.node_pods(node) for node in NODES]

    assert all(part.subnet_of(plan.pods) for part in ranges)
    assert len(set(ranges)) == len(NODES)


@given(FOLDERS)
def test_a_socket_has_a_short_path_and_the_link_a_short_name_wherever_the_data_is(folder: str) -> None:
    plan = layout(data=f"/{folder}")

    assert all(len(str(plan.containerd_socket(node))) < 40 for node in NODES)
    assert len(str(plan.runtime / "docker" / "containerd" / "containerd-debug.sock")) < 108
    assert len(plan.link) <= 15


@given(FOLDERS, FOLDERS)
def test_two_data_folders_share_no_name(one: str, other: str) -> None:
    first, second = layout(data=f"/{one}"), layout(data=f"/{other}")

    assert (first.home == second.home) == (first.tag == second.tag)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("10.196.0.0", "is not a /16"),
        ("10.196.0.0/24", "is not a /16"),
        ("10.196.1.0/16", "is not a range"),
        ("kubernetes", "is not a range"),
        ("", "is not a range"),
        ("8.8.0.0/16", "is not a private range"),
        ("127.0.0.0/16", "is not a private range"),
        ("169.254.0.0/16", "is not a private range"),
        ("0.0.0.0/16", "is not a private range"),
    ],
)
def test_a_range_that_cannot_be_is_refused_with_what_to_do(text: str, fault: str) -> None:
    with pytest.raises(EngineUnavailable, match=fault) as refused:
        parse_range(text)

    assert "PORTSIDE_ENGINE_RANGE" in str(refused.value)


@given(st.text(max_size=20).filter(lambda text: "/16" not in text))
def test_any_other_text_is_refused_too(text: str) -> None:
    with pytest.raises(EngineUnavailable) as refused:
        parse_range(text)

    assert repr(text) in str(refused.value)
