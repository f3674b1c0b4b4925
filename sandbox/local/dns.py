"""Whether cluster DNS answers: one question, asked as a pod asks it."""

import contextlib
import socket
import struct
from ipaddress import IPv4Address

_NAME = "kube-dns.kube-system.svc.cluster.local"
_PORT = 53
_TIMEOUT = 0.5
_A, _INTERNET, _RECURSION_WANTED, _FAILURE = 1, 1, 0x0100, 0x000F


def answers(service: IPv4Address) -> bool:
    """Say whether the Service of cluster DNS knows its own address."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking, contextlib.suppress(OSError):
        asking.settimeout(_TIMEOUT)
        asking.connect((str(service), _PORT))
        asking.send(question(_NAME))
        return is_answer(asking.recv(512), service)
    return False


def question(name: str) -> bytes:
    """Ask for the IPv4 address of a name."""
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    return struct.pack("!6H", 1, _RECURSION_WANTED, 1, 0, 0, 0) + labels + struct.pack("!BHH", 0, _A, _INTERNET)


def is_answer(packet: bytes, address: IPv4Address) -> bool:
    """Say whether a reply tells of no failure and holds the address."""
    return len(packet) > 12 and not packet[3] & _FAILURE and address.packed in packet[12:]  # noqa: PLR2004 - the header
