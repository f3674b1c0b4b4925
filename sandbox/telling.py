"""What the tutor says while a fault is watched and after it: from what was observed and measured, never from hope."""

from collections.abc import Mapping

from sandbox.events import NAMES, Engine, Event, Fault, Finding, Injected, Measured, Observed, Probe

_BROKEN = {
    Fault.CRASH: "The app on both sides was told to exit with an error.",
    Fault.HANG: "The app hangs on both sides now. Its process is still there.",
    Fault.OOM: "The app on both sides takes memory until it meets its limit.",
    Fault.REMOVE: "Both copies were removed by hand: a container here, a pod there.",
}
# What an engine reported, by how its own words begin.
_TOLD = {
    Engine.DOCKER: (
        ("oom", "Docker's container has met its memory limit."),
        ("die", "Docker's container has ended."),
        ("start", "Docker has started the container again."),
        ("health_status: unhealthy", "Docker has marked the container unhealthy."),
        ("destroy", "Docker's container is gone."),
    ),
    Engine.KUBERNETES: (
        ("OOMKilled", "The pod's container has met its memory limit."),
        ("Error", "The pod's container has ended with an error."),
        ("Unhealthy: Readiness", "The readiness probe has failed. A pod that is not ready gets no requests."),
        ("Killing: Container", "The liveness probe has failed. The kubelet is restarting the container."),
        ("SuccessfulCreate", "The ReplicaSet controller has created a new pod."),
        ("Started", "The kubelet has started the container."),
    ),
}


class Story:
    """Follows a run's events and says each thing once."""

    def __init__(self) -> None:
        self._said: set[str] = set()
        self._broken: set[Engine] = set()
        self._failing: set[Engine] = set()

    def sentence(self, event: Event) -> str | None:
        """Return what to say about an event, if it is new."""
        text = self._about(event)
        if text is None or text in self._said:
            return None
        self._said.add(text)
        return text

    def _about(self, event: Event) -> str | None:
        match event:
            case Injected(engine=engine, fault=fault):
                self._broken.add(engine)
                return _BROKEN[fault] if len(self._broken) == len(Engine) else None
            case Observed(engine=engine, text=text) if engine in self._broken:
                return next((told for begin, told in _TOLD[engine] if text.startswith(begin)), None)
            case Probe(engine=engine) if engine in self._broken:
                return self._answers(event)
        return None

    def _answers(self, probe: Probe) -> str | None:
        failed_before = probe.engine in self._failing
        if probe.failed:
            self._failing.add(probe.engine)
        return f"{NAMES[probe.engine]} answers again." if probe.ok and failed_before else None


def findings(measured: Mapping[Engine, Measured]) -> list[Finding]:
    """Say what was measured: who was back, the quicker first, and who acted."""
    order = sorted(measured.items(), key=lambda item: _seconds(item[1]))
    back = " ".join(_back(NAMES[engine], lane) for engine, lane in order)
    return [Finding(text=back), *(Finding(text=_acted(NAMES[engine], lane), engine=engine) for engine, lane in order)]


def _seconds(lane: Measured) -> float:
    return float("inf") if lane.recovery_seconds is None else lane.recovery_seconds


def _back(name: str, lane: Measured) -> str:
    if not lane.failed:
        return f"{name} failed no request."
    if lane.recovery_seconds is None:
        return f"{name} did not answer again within {lane.observed_seconds:.1f} s."
    return f"{name} answered again after {lane.recovery_seconds:.1f} s."


def _acted(name: str, lane: Measured) -> str:
    return f"{name}: {_listed(lane.acted_by)} acted; {lane.failed} of {lane.requests} requests failed."


def _listed(names: tuple[str, ...]) -> str:
    *others, last = names or ("nobody",)
    return f"{', '.join(others)} and {last}" if others else last
