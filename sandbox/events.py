"""What a running demo reports, in the order it happens: a closed union of frozen values.

Every event carries `t`, the seconds since its run began on one monotonic clock, and the id of its run.
A demo leaves both out and `sandbox.demo.perform` stamps them; the prober sets `t` itself,
because a probe's `t` is the end of the interval it covers. Where several faults are shown side by side in one run,
`fault` says to which of them an event belongs.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

UNSTAMPED = -1.0

# The first word of what an engine reports when it changed something, as docker and Kubernetes spell it.
# `health_status` and `Unhealthy` are missing on purpose: a verdict is not an act.
ACTS = frozenset(
    {"start", "Killing", "SuccessfulCreate", "SuccessfulRescale", "Scheduled", "Started", "TaintManagerEviction"}
)


class Engine(StrEnum):
    """One lane."""

    DOCKER = "docker"
    KUBERNETES = "kubernetes"


# What people call them.
NAMES = {Engine.DOCKER: "Docker", Engine.KUBERNETES: "Kubernetes"}


class Fault(StrEnum):
    """What a demo breaks."""

    CRASH = "crash"
    HANG = "hang"
    OOM = "oom"
    REMOVE = "remove"
    POWER = "power"


@dataclass(frozen=True, kw_only=True)
class Timed:
    """Something that happened at a moment of a run."""

    t: float = UNSTAMPED
    run: str = ""


@dataclass(frozen=True)
class EngineInfo:
    """Which engine a lane ran on: its own version, where it stands, and how many nodes it has."""

    version: str
    where: str
    nodes: int | None = None


@dataclass(frozen=True)
class Started(Timed):
    """The run has begun; `settings` maps what differs from the engines' defaults to the value used."""

    demo: str
    fault: Fault | None
    replicas: int
    engines: Mapping[Engine, EngineInfo]
    settings: Mapping[str, Any] = field(default_factory=dict)
    recorded: str | None = None


@dataclass(frozen=True)
class Narration(Timed):
    """A sentence from the tutor."""

    text: str


@dataclass(frozen=True)
class Command(Timed):
    """What a learner would type for what was just done."""

    engine: Engine
    text: str
    fault: Fault | None = None


@dataclass(frozen=True)
class Instance:
    """One running copy: a container or a pod."""

    name: str
    phase: str
    ready: bool
    restarts: int
    node: str | None
    version: str | None


@dataclass(frozen=True)
class Snapshot(Timed):
    """What runs on one engine at one moment."""

    engine: Engine
    instances: tuple[Instance, ...]
    fault: Fault | None = None


@dataclass(frozen=True)
class Probe(Timed):
    """Requests that finished in the last `seconds` (at most 0.5); `p50_ms` of the good ones."""

    engine: Engine
    ok: int
    failed: int
    seconds: float
    p50_ms: float | None
    fault: Fault | None = None


@dataclass(frozen=True)
class Observed(Timed):
    """What an engine itself reported, in its own words; the text begins with its reason or action."""

    engine: Engine
    actor: str
    text: str
    fault: Fault | None = None

    @property
    def acted(self) -> bool:
        """Whether the engine changed something, rather than only noted it."""
        return self.text.partition(":")[0] in ACTS


@dataclass(frozen=True)
class Injected(Timed):
    """The fault, at the moment it was put into one lane."""

    engine: Engine
    fault: Fault
    target: str


@dataclass(frozen=True)
class Finding(Timed):
    """What the demo showed, with the number that shows it."""

    text: str
    engine: Engine | None = None
    fault: Fault | None = None


@dataclass(frozen=True)
class Cleanup(Timed):
    """What was removed from one engine when the run ended, and what was left (nothing, if all is well)."""

    engine: Engine
    removed: tuple[str, ...]
    left: tuple[str, ...]
    seconds: float


@dataclass(frozen=True)
class Measured:
    """What one lane measured from the fault on; times in seconds, None where nothing was probed or injected."""

    recovered: bool | None
    recovery_seconds: float | None
    observed_seconds: float | None
    requests: int | None
    failed: int | None
    longest_outage_seconds: float | None
    acted_by: tuple[str, ...]


@dataclass(frozen=True)
class Result(Timed):
    """The last event of every run, also of one that failed or was stopped."""

    demo: str
    fault: Fault | None
    completed: bool
    error: str | None
    cleaned_up: bool
    engines: Mapping[Engine, Measured]
    measured: Mapping[str, Any] = field(default_factory=dict)


Event = Started | Narration | Command | Snapshot | Probe | Observed | Injected | Finding | Cleanup | Result
