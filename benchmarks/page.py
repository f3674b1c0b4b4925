"""A page that somebody has open, read as a browser reads it: over HTTP and server-sent events."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

PORTSIDE = Path(sys.executable).with_name("portside")
PORT = 8199
DEADLINE = 900.0  # seconds; the first start of all compiles Kubernetes


@dataclass
class Page:
    """One learner's page."""

    client: httpx.Client
    server: subprocess.Popen[bytes]

    def ask(self, text: str) -> Iterator[dict[str, Any]]:
        """Send a message and yield the parts of the reply as they come."""
        turn = self.client.post("/messages", json={"text": text}).raise_for_status().json()["id"]
        yield from self.follow(f"/turns/{turn}/events")

    def follow(self, path: str) -> Iterator[dict[str, Any]]:
        """Yield what an event stream sends, until it ends."""
        with self.client.stream("GET", path) as stream:
            for line in stream.iter_lines():
                if line.startswith("data:"):
                    yield json.loads(line.removeprefix("data:"))

    def wait_for_answer(self, question: str) -> None:
        """Return when the question has its answer; the server may not listen yet."""
        while True:
            try:
                if any(part.get("type") == "sources" for part in self.ask(question)):
                    return
            except httpx.TransportError as error:
                if self.server.poll() is not None:
                    raise SystemExit("Not measured: portside web has ended, and said above why.") from error
                time.sleep(0.05)

    def wait_for_engines(self) -> None:
        """Return when both engines are ready."""
        for status in self.follow("/engines/events"):
            states = {engine["state"] for engine in status["engines"]}
            if states == {"ready"}:
                return
            if "failed" in states:
                break
        raise SystemExit("Not measured: an engine did not come up. portside engines up says why.")


def environment(data: Path) -> dict[str, str]:
    """Settings that keep a measured process apart from any other on this machine."""
    own = {
        "PORTSIDE_DATA": str(data),
        "PORTSIDE_WEB_PORT": str(PORT),
        "PORTSIDE_ENGINE_RANGE": "10.199.0.0/16",
        "PORTSIDE_QUESTIONS_PER_MINUTE": "1000",  # one learner asks as fast as is answered
    }
    return {**os.environ, **own}


@contextmanager
def serving(data: Path) -> Iterator[tuple[int, Page]]:
    """Run `portside web` on a data folder and open its page; yields its process id too."""
    process = subprocess.Popen([PORTSIDE, "web"], env=environment(data), stdout=subprocess.DEVNULL)
    address = f"http://127.0.0.1:{PORT}"
    try:
        with httpx.Client(base_url=address, headers={"Origin": address}, timeout=DEADLINE) as client:
            yield process.pid, Page(client, process)
    finally:
        process.terminate()
        process.wait(60)
