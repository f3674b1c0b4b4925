"""One `portside web` process: start-up, latency, a whole run, lag behind kubectl, memory."""

import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from benchmarks.page import PORTSIDE, Page, environment, serving
from benchmarks.tables import percentile, table
from bot.settings import read_settings

COLUMNS = (
    "custom-columns=NAME:.metadata.name,"
    "RESTARTS:.status.containerStatuses[0].restartCount,READY:.status.containerStatuses[0].ready"
)
QUESTIONS = (
    "What is a pod, compared with a container?",
    "Does Docker restart a container that hangs?",
    "why isnt docker enough for many servers",
    "what happens to my data when a pod moves to another node",
    "Who decides where a pod runs?",
)


@dataclass
class Sightings:
    """When a pod was first seen with so many restarts and so ready, by the name of who saw it."""

    first: dict[tuple[str, str, str], float] = field(default_factory=dict)

    def note(self, who: str, pod: str, state: str) -> None:
        """Remember the first time only."""
        self.first.setdefault((who, pod, state), time.monotonic())

    def lags(self) -> list[float]:
        """Seconds by which the page came after kubectl, for each state that both saw."""
        by_kubectl = {key: seen for key, seen in self.first.items() if key[0] == "kubectl"}
        pairs = [(seen, self.first.get(("page", pod, state))) for (_, pod, state), seen in by_kubectl.items()]
        return [shown - seen for seen, shown in pairs if shown is not None]


@contextmanager
def kubectl_watching(data: Path, sightings: Sightings) -> Iterator[None]:
    """Follow all pods with kubectl while the block runs."""
    said = subprocess.run(
        [PORTSIDE, "engines", "kubeconfig"], env=environment(data), capture_output=True, text=True, check=True
    )
    command = [
        kubectl(),
        "--kubeconfig",
        said.stdout.strip(),
        "get",
        "pods",
        "-A",
        "--watch",
        "--no-headers",
        "-o",
        COLUMNS,
    ]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    reader = threading.Thread(target=follow, args=(process, sightings))
    reader.start()
    try:
        yield
    finally:
        process.terminate()
        reader.join()


def follow(process: subprocess.Popen[str], sightings: Sightings) -> None:
    """Note each line that kubectl prints at the moment it comes."""
    for line in process.stdout or ():
        sightings.note("kubectl", *pod_state(line))


def kubectl() -> str:
    """The kubectl that is part of the local cluster's binary."""
    return str(next(read_settings().cache.glob("kubernetes-*/kubectl"), "kubectl"))


def pod_state(line: str) -> tuple[str, str]:
    """A pod's name, and its restarts and readiness as one word."""
    name, restarts, ready = line.split()[:3]
    return name, f"{restarts} {ready}"


def follow_demo(page: Page, sightings: Sightings, processes: list[psutil.Process]) -> dict[str, float]:
    """Run selfheal once and return its figures; what the page shows of pods goes into the sightings."""
    begun = time.monotonic()
    figures = {"first lane": 0.0, "memory": 0.0}
    for part in page.ask("/demo selfheal --fault crash"):
        if part.get("type") != "card":
            continue
        figures["memory"] = max(figures["memory"], megabytes(processes))
        if not figures["first lane"] and any(lane["tiles"] for lane in part["lanes"]):
            figures["first lane"] = time.monotonic() - begun
        note_tiles(part, sightings)
    return figures | {"whole run": time.monotonic() - begun}


def note_tiles(card: dict[str, Any], sightings: Sightings) -> None:
    """Note what the Kubernetes lane of a card says of its pods."""
    for lane in card["lanes"]:
        for tile in lane["tiles"] if lane["engine"] == "kubernetes" else ():
            restarts = tile["detail"].rpartition(" ")[2]
            sightings.note("page", tile["name"], f"{restarts} {str(tile['mark'] == 'good').lower()}")


def megabytes(processes: list[psutil.Process]) -> float:
    """Resident memory in MB; a page that two processes share counts twice."""
    return sum(float(process.memory_info().rss) for process in processes if process.is_running()) / 1e6


def have_kubernetes_built() -> None:
    """Bring the engines up and down once: what is built then is no part of what is measured."""
    with tempfile.TemporaryDirectory() as folder:
        for word in ("up", "down"):
            command = [PORTSIDE, "engines", word]
            if subprocess.run(command, env=environment(Path(folder)), stdout=sys.stderr, check=False).returncode:
                raise SystemExit(f"Not measured: portside engines {word} failed, and said above why.")


def timed_start(data: Path) -> tuple[float, float]:
    """Seconds from the command to the first answer and to both engines being ready."""
    begun = time.monotonic()
    with serving(data) as (_, page):
        page.wait_for_answer(QUESTIONS[0])
        answered = time.monotonic() - begun
        page.wait_for_engines()
        return answered, time.monotonic() - begun


def latencies(page: Page, rounds: int = 20) -> list[float]:
    """Milliseconds from a question to its whole answer, over HTTP."""
    found = []
    for question in QUESTIONS * rounds:
        begun = time.perf_counter()
        page.wait_for_answer(question)
        found.append(1000 * (time.perf_counter() - begun))
    return found


def measure() -> str:
    """All figures of this module as Markdown."""
    have_kubernetes_built()
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder)
        cold, warm = timed_start(data), timed_start(data)
        with serving(data) as (pid, page):
            page.wait_for_answer(QUESTIONS[0])
            page.wait_for_engines()
            milliseconds = latencies(page)
            bot = [psutil.Process(pid)]
            idle = megabytes(bot)
            sightings = Sightings()
            with kubectl_watching(data, sightings):
                run = follow_demo(page, sightings, bot)
    lags = [1000 * lag for lag in sightings.lags()]
    starts = [("first answer", cold[0], warm[0]), ("engines ready", cold[1], warm[1])]
    rows = [
        ("question answered, p50 / p95", f"{percentile(milliseconds, 50):.0f} / {percentile(milliseconds, 95):.0f} ms"),
        ("selfheal, first lane visible", f"{run['first lane']:.2f} s"),
        ("selfheal, whole run with clean-up", f"{run['whole run']:.1f} s"),
        (
            f"lag of the page behind kubectl --watch, p50 / max of {len(lags)}",
            f"{percentile(lags, 50):.0f} / {max(lags):.0f} ms" if lags else "nothing that both saw",
        ),
        ("memory of the bot, idle / in a run", f"{idle:.0f} / {run['memory']:.0f} MB"),
    ]
    return "\n".join(
        [
            table(
                "Start of `portside web`, Kubernetes built",
                ("seconds until", "new data folder", "again"),
                [(name, f"{first:.1f}", f"{again:.1f}") for name, first, again in starts],
            ),
            table("Serving", ("figure", "measured"), rows),
        ]
    )
