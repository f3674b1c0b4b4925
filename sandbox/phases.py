"""When a cluster comes through each phase of a node's failure: read from the events of a run."""

from collections.abc import Sequence

from sandbox.events import Engine, Event, Injected, Instance, Observed, Snapshot
from sandbox.measuring import Request
from sandbox.observing import TERMINATING

PHASES = ("not_ready", "evicted", "scheduled", "serving")


class Phases:
    """When each phase was reached, from the events of a run, on its clock."""

    def __init__(self, copies: int) -> None:
        self._copies = copies
        self.failed = 0.0
        self.at: dict[str, float] = {}
        self._node = ""
        self._shown: tuple[Instance, ...] = ()
        self._before: frozenset[str] = frozenset()
        self._lost: frozenset[str] = frozenset()

    def reached(self, event: Event) -> list[str]:
        """Return which phases are reached with this event."""
        new = [phase for phase in self._seen(event) if phase not in self.at]
        self.at |= dict.fromkeys(new, event.t)
        return new

    def _seen(self, event: Event) -> list[str]:
        match event:
            case Injected(engine=Engine.KUBERNETES, target=node):
                self._fail(node, event.t)
            case Observed(text=text) if self._node and text == f"NodeNotReady: {self._node}":
                return ["not_ready"]
            case Snapshot(engine=Engine.KUBERNETES, instances=pods):
                self._shown = pods
                return self._of_pods(pods) if self._node else []
        return []

    def _fail(self, node: str, t: float) -> None:
        self._node, self.failed = node, t
        self._before = frozenset(pod.name for pod in self._shown)
        self._lost = frozenset(pod.name for pod in self._shown if pod.node == node)

    def _of_pods(self, pods: Sequence[Instance]) -> list[str]:
        left = {pod.name for pod in pods if pod.phase != TERMINATING}
        placed = [pod for pod in pods if pod.name not in self._before and pod.node not in (None, self._node)]
        ready = [pod for pod in pods if pod.ready and pod.node != self._node]
        reached = {
            "evicted": not self._lost & left,
            "scheduled": len(placed) >= len(self._lost),
            "ready": len(ready) >= self._copies,
        }
        return [phase for phase, there in reached.items() if there]

    def seconds(self, requests: Sequence[Request]) -> dict[str, float | None]:
        """Return the seconds from the failure to each phase; None for what was not reached while it was watched."""
        at = self.at | {"serving": self._serving(requests)}
        return {phase: after(self.failed, at.get(phase)) for phase in PHASES}

    def _serving(self, requests: Sequence[Request]) -> float | None:
        """Find when all copies were ready and no request failed any more."""
        last = max((request.sent for request in requests if not request.ok), default=self.failed)
        good = min((request.over for request in requests if request.ok and request.sent > last), default=None)
        ready = self.at.get("ready")
        return None if good is None or ready is None else max(good, ready)


def after(began: float, t: float | None) -> float | None:
    """Return the seconds between two moments, to the millisecond; None for one that never came."""
    return None if t is None else round(t - began, 3)
