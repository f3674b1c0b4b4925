"""Whether cluster DNS answers: what is asked, and which reply counts."""

import struct
from ipaddress import IPv4Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.local import dns

ADDRESS = IPv4Address("10.196.0.10")
HEADER = struct.Struct("!6H")
ANSWERED, NO_SUCH_NAME, REFUSED = 0x8580, 0x8583, 0x8185


def reply(flags: int, *addresses: IPv4Address) -> bytes:
    """Build what a server sends: header, question, one record for each address."""
    records = b"".join(struct.pack("!3HIH", 0xC00C, 1, 1, 5, 4) + address.packed for address in addresses)
    return HEADER.pack(1, flags, 1, len(addresses), 0, 0) + dns.question("web.test")[HEADER.size :] + records


def test_a_question_is_one_name_in_labels_and_wants_an_address() -> None:
    packet = dns.question("kube-dns.kube-system")

    assert HEADER.unpack(packet[: HEADER.size]) == (1, 0x0100, 1, 0, 0, 0)
    assert packet[HEADER.size :] == b"\x08kube-dns\x0bkube-system\x00\x00\x01\x00\x01"


@pytest.mark.parametrize(
    ("packet", "counts"),
    [
        (reply(ANSWERED, ADDRESS), True),
        (reply(ANSWERED, IPv4Address("10.196.0.11"), ADDRESS), True),
        (reply(ANSWERED), False),
        (reply(ANSWERED, IPv4Address("10.196.0.11")), False),
        (reply(NO_SUCH_NAME, ADDRESS), False),
        (reply(REFUSED), False),
        (b"", False),
    ],
)
def test_only_a_reply_that_knows_the_address_counts(packet: bytes, counts: bool) -> None:
    assert dns.is_answer(packet, ADDRESS) is counts


@given(st.binary(max_size=40))
def test_noise_is_no_answer_unless_it_holds_the_address(packet: bytes) -> None:
    assert not dns.is_answer(packet, ADDRESS) or ADDRESS.packed in packet


def test_a_service_that_nobody_serves_does_not_answer() -> None:
    assert not dns.answers(IPv4Address("127.53.53.53"))
