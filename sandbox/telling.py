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
    """Say what was measured: who was back, and who acted."""
    acted = (Finding(text=_acted(NAMES[engine], lane), engine=engine) for engine, lane in measured.items())
    return [Finding(text=back(measured)), *acted]


def back(engines: Mapping[Engine, Measured]) -> str:
    """Say who was back, the quicker first, in the same form for both."""
    back = sorted((m.recovery_seconds or 0.0, NAMES[e]) for e, m in engines.items() if m.recovered and m.failed)
    sentences = [f"{name} answered again after {seconds:.1f} s." for seconds, name in back]
    sentences += [f"{NAMES[e]} failed no request." for e, m in engines.items() if m.recovered and not m.failed]
    gone = [(NAMES[e], m.observed_seconds or 0.0) for e, m in engines.items() if m.recovered is False]
    if len(gone) > 1:
        return f"Neither answered again within {gone[0][1]:.0f} s."
    did_not = "did not" if back else "did not answer again"
    return " ".join([*sentences, *(f"{name} {did_not} within {seconds:.0f} s." for name, seconds in gone)])


def _acted(name: str, lane: Measured) -> str:
    actors = " and ".join(f"the {actor}" if actor != "dockerd" else actor for actor in lane.acted_by)
    return f"On {name}, {actors or 'nobody'} acted."
