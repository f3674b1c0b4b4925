"""What goes over the wire: parts and engine states as JSON, in server-sent events. Pure."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from bot.parts import Part, Progress
from sandbox.engines import EngineStatus


def to_json(part: Part) -> dict[str, Any]:
    """A part as the page draws it: its own fields, and its kind as `type`."""
    return {"type": type(part).__name__.lower(), **asdict(part)}


def engines_to_json(engines: Sequence[EngineStatus], progress: Progress | None) -> dict[str, Any]:
    """How the engines do, and the card of what is being prepared, if anything is."""
    return {"engines": [asdict(engine) for engine in engines], "progress": progress and to_json(progress)}


def event(name: str, data: Any) -> bytes:
    """One server-sent event."""
    return f"event: {name}\ndata: {json.dumps(data, ensure_ascii=False, separators=(',', ':'))}\n\n".encode()
