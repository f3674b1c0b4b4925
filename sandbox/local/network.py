"""The host's side of the box's network: one link, and routes by which nothing of the range ever leaves."""

import json
import subprocess
from ipaddress import IPv4Network
from typing import Any

from sandbox.errors import EngineUnavailable
from sandbox.local.layout import Layout
from sandbox.routes import is_default

BOX_LINK = "portside0"


def connect(layout: Layout, process: int) -> None:
    """Lead the range into the network of a process of the box. Raises `EngineUnavailable` where it is taken."""
    require_free(layout)
    network = str(layout.network)
    # Whatever else is lost, a packet for the range ends here instead of following the default route.
    _ip("route", "add", "unreachable", network, "metric", layout.last_metric)
    _ip("link", "add", layout.link, "type", "veth", "peer", "name", BOX_LINK, "netns", str(process))
    _ip("link", "set", layout.link, "addrgenmode", "none")
    _ip("address", "add", f"{layout.host_address}/30", "dev", layout.link)
    _ip("link", "set", layout.link, "up")
    _ip("route", "add", network, "via", str(layout.box_address))


def disconnect(layout: Layout) -> None:
    """Remove link and routes, whatever there is of them."""
    if any(link["ifname"] == layout.link for link in _list("link")):
        _ip("link", "delete", layout.link, check=False)
    for route in _list("route", "show", "table", "main"):
        if str(route.get("metric")) == layout.last_metric:
            _ip("route", "delete", "unreachable", route["dst"], "metric", layout.last_metric, check=False)


def require_free(layout: Layout) -> None:
    """Raise `EngineUnavailable` where somebody else's route or address overlaps the range."""
    for route in _list("route", "show", "table", "all"):
        taken = IPv4Network(route["dst"].replace("default", "0.0.0.0/0"))
        if route.get("dev") != layout.link and not is_default(taken) and taken.overlaps(layout.network):
            raise EngineUnavailable(
                f"The address range {layout.network} is in use here: there is a route to {taken}. "
                "Set PORTSIDE_ENGINE_RANGE to a free private /16, for example 10.197.0.0/16."
            )


def _list(*words: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(_ip("-4", "-json", *words) or "[]")
    return found


def _ip(*words: str, check: bool = True) -> str:
    done = subprocess.run(["ip", *words], capture_output=True, text=True, check=False)
    if check and done.returncode:
        raise EngineUnavailable(f"The engines' network cannot be made: ip {' '.join(words)}: {done.stderr.strip()}")
    return done.stdout
