"""The machine is gone: a node and a second Docker lose their power, and each phase until all copies serve again.

Only one node can be lent at a time, so of two processes that share engines the second is refused; but another
process's other demos may meet the failure.
"""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack, aclosing
from dataclasses import replace
from typing import Any

from sandbox.demo import Demo, Options, Setting, completed
from sandbox.docker_run import Container, docker_run
from sandbox.engines import Images
from sandbox.errors import DemoFailed
from sandbox.events import (
    Engine,
    Event,
    Fault,
    Finding,
    Measured,
    Narration,
    Observed,
    Result,
)
from sandbox.figures import Figure, Row, actors, failed_requests, seconds
from sandbox.manifests import TOLERATION_SECONDS, App, Manifest, deployment, service
from sandbox.names import Tag
from sandbox.phases import PHASES, Phases, after
from sandbox.plan import APPLY, IMAGES, PLAIN, Plan, Step, rollout_status
from sandbox.sandbox import Sandbox, SecondDocker
from sandbox.stage import Stage
from sandbox.streams import both

APP = "web"
COPIES = 3
NAMED = {
    "not_ready": "Node not ready after",
    "evicted": "Its pods evicted after",
    "scheduled": "Scheduled elsewhere after",
    "serving": "All serving again after",
}

_INTRODUCTION = (
    f"A web server on each side: {COPIES} copies on the nodes of a cluster, behind a Service; "
    "and a container with a restart policy, on a second machine that has nothing but Docker."
)
_GONE = "Both machines have lost their power, with everything that ran on them."
_RETURN = "Both machines get their power back."
_TOLD = {
    "not_ready": "The node has been silent for too long: the node controller has declared it not ready.",
    "evicted": "The time that its pods tolerate is over: they are marked for deletion.",
    "scheduled": "The ReplicaSet has made new pods, and the scheduler has found other nodes for them.",
    "ready": f"All {COPIES} copies are ready again, without the node.",
}


def container(tag: Tag) -> Container:
    """Return Docker's side: one container on a machine of its own."""
    return Container(tag.container(APP), restart=True)


def manifests(tag: Tag, images: Images) -> tuple[Manifest, ...]:
    """Return Kubernetes' side: copies on different nodes, behind a Service."""
    return deployment(tag, App(APP, images.of("1"), replicas=COPIES, spread=True)), service(tag, APP)


async def nodefail(sandbox: Sandbox, options: Options) -> AsyncGenerator[Event, None]:
    """Cut the power of a machine on each side, watch what becomes of the app, and give the power back."""
    lanes, phases = _Lanes(Stage(sandbox)), Phases(COPIES)
    async with aclosing(lanes.stage.play(lanes.script(options))) as events:
        async for event in events:
            yield event
            for phase in phases.reached(event):
                yield Narration(t=event.t, text=_TOLD[phase])
    measured = lanes.figures(phases)
    engines = recovered(lanes.measured, measured)
    for finding in findings(engines, measured):
        yield finding
    yield completed("nodefail", engines, measured, Fault.POWER)


class _Lanes:
    """Both sides of one run, and the machines that fail."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.measured: Mapping[Engine, Measured] = {}
        self._sandbox = stage.sandbox
        self._cluster = stage.sandbox.cluster
        self._container = container(stage.sandbox.docker.tag)
        self._node = ""
        self._ready = asyncio.Event()
        self._returned: dict[Engine, float | None] = {}

    async def script(self, options: Options) -> None:
        """Start both sides, cut the power on both, watch, and give it back."""
        self.stage.narrate(_INTRODUCTION)
        await self._require_nodes()
        async with AsyncExitStack() as machine, AsyncExitStack() as power:
            second, _ = await both(self._start_docker(machine), self._start_kubernetes())
            await both(asyncio.sleep(self._sandbox.pace.steady), options.guesses())
            await self._cut(second, power)
            await asyncio.sleep(self._sandbox.pace.observe)
            await self.stage.finish()
            self.measured = self.stage.measured()
            self.stage.narrate(_RETURN)
            await both(self._return_docker(second), self._return_node(power))

    async def _require_nodes(self) -> None:
        """Refuse to take a node from a cluster that has none to spare."""
        async with aclosing(self._cluster.nodes()) as states:
            nodes = await anext(states)
        if away := [node for node, ready in nodes.items() if not ready]:
            raise DemoFailed(
                f"{' and '.join(away)} is not ready, so no other node can be spared, and none was stopped. Look at "
                "kubectl get nodes, and start the demo again when all are ready."
            )

    async def _start_docker(self, machine: AsyncExitStack) -> SecondDocker:
        second = await machine.enter_async_context(self._sandbox.second_docker())
        self.stage.type(Engine.DOCKER, docker_run(self._container))
        await second.run(self._container)
        self.stage.docker_runs(second)
        await self.stage.probe(Engine.DOCKER, await second.address(self._container.name))
        return second

    async def _start_kubernetes(self) -> None:
        cluster = self._cluster
        self.stage.type(Engine.KUBERNETES, "kubectl apply -f web.yaml")
        await cluster.apply(*manifests(cluster.tag, cluster.images))
        await cluster.ready(APP, COPIES)
        self.stage.type(Engine.KUBERNETES, f"kubectl get pods -l app={APP} -o wide")
        await self.stage.probe(Engine.KUBERNETES, await cluster.service_address(APP))

    async def _cut(self, second: SecondDocker, power: AsyncExitStack) -> None:
        """Cut the power of the second machine, and of a node that has a serving pod, at the same moment."""
        self._node = await self._serving_node()
        self.stage.type(Engine.KUBERNETES, "kubectl get nodes")
        self.stage.follow(self._node_states())
        self.stage.inject(Fault.POWER, {Engine.DOCKER: "the second machine", Engine.KUBERNETES: self._node})
        self.stage.narrate(_GONE)
        await both(second.cut(), power.enter_async_context(self._sandbox.node_stopped(self._node)))

    async def _serving_node(self) -> str:
        pods = await self._cluster.get_pods()
        node = next((pod.node for pod in pods if pod.ready and pod.node), None)
        if node is None:
            raise DemoFailed("No pod was ready any more before the power was cut. Start the demo again.")
        return node

    async def _node_states(self) -> AsyncGenerator[Event, None]:
        """Tell when the node is no longer ready, and when it is again: in the words of the events about nodes."""
        was = True
        async with aclosing(self._cluster.nodes()) as states:
            async for nodes in states:
                if (ready := nodes.get(self._node, False)) == was:
                    continue
                was = ready
                actor, reason = ("kubelet", "NodeReady") if ready else ("node-controller", "NodeNotReady")
                yield Observed(engine=Engine.KUBERNETES, actor=actor, text=f"{reason}: {self._node}")
                if ready:
                    self._ready.set()

    async def _return_docker(self, second: SecondDocker) -> None:
        """Give the second machine its power back, and see whether the container answers again by itself."""
        began = self._sandbox.clock()
        await second.start()
        self.stage.type(Engine.DOCKER, f"docker ps --all --filter name={self._container.name}")
        try:
            await self.stage.answers(Engine.DOCKER, await second.address(self._container.name))
        except DemoFailed:
            self._returned[Engine.DOCKER] = None
        else:
            self._returned[Engine.DOCKER] = after(began, self._sandbox.clock())

    async def _return_node(self, power: AsyncExitStack) -> None:
        """Give the node its power back, and see that it is ready: a run that leaves it away has failed."""
        began = self._sandbox.clock()
        await power.aclose()
        try:
            await asyncio.wait_for(self._ready.wait(), self._sandbox.pace.startup)
        except TimeoutError as error:
            raise DemoFailed(
                f"{self._node} has its power back, and is not ready. Look at kubectl get nodes; portside engines down "
                "and up gives a cluster with all nodes."
            ) from error
        self._returned[Engine.KUBERNETES] = after(began, self._sandbox.clock())

    def figures(self, phases: Phases) -> dict[str, Any]:
        """Return what this demo alone measures: seconds since the failure, and since the power was back."""
        return {
            "node": self._node,
            "copies": COPIES,
            "phases": phases.seconds(self.stage.prober.requests(Engine.KUBERNETES, phases.failed)),
            "returned": {engine.value: self._returned[engine] for engine in Engine},
        }


def recovered(engines: Mapping[Engine, Measured], measured: Mapping[str, Any]) -> dict[Engine, Measured]:
    """Count Kubernetes as back when all copies serve: while one is gone, every good answer has a failed one beside."""
    serving = measured["phases"]["serving"]
    kubernetes = replace(engines[Engine.KUBERNETES], recovered=serving is not None, recovery_seconds=serving)
    return {**engines, Engine.KUBERNETES: kubernetes}


def findings(engines: Mapping[Engine, Measured], measured: Mapping[str, Any]) -> list[Finding]:
    """Say what served again and when, through which phases, and what came back with the power."""
    return [
        Finding(text=f"{_kubernetes(engines, measured)} {_docker(engines)}"),
        Finding(text=_through(measured), engine=Engine.KUBERNETES),
        Finding(text=_back(measured), engine=Engine.DOCKER),
    ]


def _kubernetes(engines: Mapping[Engine, Measured], measured: Mapping[str, Any]) -> str:
    serving = measured["phases"]["serving"]
    if serving is None:
        return f"Kubernetes had not all copies serving within {seconds(engines[Engine.KUBERNETES].observed_seconds)}."
    return f"Kubernetes had {measured['copies']} copies serving on other nodes after {serving:.1f} s."


def _docker(engines: Mapping[Engine, Measured]) -> str:
    lane = engines[Engine.DOCKER]
    if lane.recovered:
        return f"Docker's container answered again after {seconds(lane.recovery_seconds)}."
    return f"Docker's container did not answer within {seconds(lane.observed_seconds)}."


def _through(measured: Mapping[str, Any]) -> str:
    phases = measured["phases"]
    words = {
        "not_ready": f"{measured['node']} not ready",
        "evicted": "pods evicted",
        "scheduled": "scheduled elsewhere",
    }
    told = [f"{said} after {phases[phase]:.1f} s" for phase, said in words.items() if phases[phase] is not None]
    return f"Kubernetes: {', '.join(told) or 'no phase was reached'}."


def _back(measured: Mapping[str, Any]) -> str:
    returned = measured["returned"][Engine.DOCKER]
    if returned is None:
        return "Docker: with the power back, the container did not return."
    return f"Docker: with the power back, the container answered after {returned:.1f} s."


def rows(result: Result) -> tuple[Row, ...]:
    """Return the measured table: Docker has no phases, for nobody looks after another machine's containers."""
    docker, kubernetes = (result.engines[engine] for engine in Engine)
    phases, returned = result.measured["phases"], result.measured["returned"]
    steps = [Row(name, Figure("–"), _phase(phases[phase], kubernetes)) for phase, name in NAMED.items()]
    serving = Row(NAMED["serving"], _phase(docker.recovery_seconds, docker), steps.pop().kubernetes)
    return (
        *steps,
        serving,
        Row("Failed requests", *map(failed_requests, (docker, kubernetes))),
        Row("Longest outage", *(Figure(seconds(lane.longest_outage_seconds)) for lane in (docker, kubernetes))),
        Row("Who acted", *map(actors, (docker, kubernetes))),
        Row("With its power back", *map(_returned, ("answers", "node ready"), (returned[e] for e in Engine))),
    )


def _phase(value: float | None, lane: Measured) -> Figure:
    if value is None:
        return Figure(f"not in {seconds(lane.observed_seconds)}", "failed")
    return Figure(seconds(value), "good")


def _returned(what: str, value: float | None) -> Figure:
    return Figure("not back" if value is None else f"{what} after {seconds(value)}")


def lesson(result: Result) -> str | None:
    """Hold a run against this demo: nobody replaces a machine's containers, but a cluster replaces a node's pods."""
    docker, kubernetes = (result.engines[engine] for engine in Engine)
    phases = result.measured["phases"]
    if docker.recovered or docker.acted_by:
        return "Something brought Docker's container back while its machine had no power."
    if missed := [NAMED[phase].lower() for phase in PHASES if phases[phase] is None]:
        return f"Kubernetes did not come through its phases: {missed[0]} was not seen."
    if not {"node-controller", "replicaset", "scheduler"} <= set(kubernetes.acted_by):
        return f"Of Kubernetes only these reported that they acted: {', '.join(kubernetes.acted_by) or 'nobody'}."
    if result.measured["returned"][Engine.KUBERNETES] is None:
        return "The node did not come back with its power."
    return None


def plan(_: Options) -> Plan:
    """Return what a learner can type of it: a machine's power is not for typing."""
    wanted = container(PLAIN)
    look = f"kubectl get pods -l app={APP} -o wide"
    gone = f"docker ps --all --filter name={wanted.name}"
    return Plan(
        docker=(
            Step("Start it, with a restart policy.", (docker_run(wanted),)),
            Step(
                "Cut this machine's power, and look from another one.",
                (gone,),
            ),
        ),
        kubernetes=(
            Step("Declare three copies on different nodes.", (APPLY, rollout_status(APP), look)),
            Step("Cut the power of a node that has a copy, and look.", ("kubectl get nodes", look)),
        ),
        containers=(wanted,),
        manifests=manifests(PLAIN, IMAGES),
    )


DEMO = Demo(
    name="nodefail",
    title="The machine is gone",
    question="The machine is gone: what now?",
    run=nodefail,
    faults=(Fault.POWER,),
    explain="What happens when a node dies?",
    setup=(
        "One clock, 10 requests a second to each side. It runs alone: it waits until no other demo runs, and the next "
        "ones wait for it."
    ),
    rows=rows,
    plan=plan,
    lesson=lesson,
    alone=True,
    seconds=75,
    settings={
        "tolerationSeconds": Setting(TOLERATION_SECONDS, 300),
        "kube-controller-manager.node-monitor-grace-period": Setting("8s", "50s"),
        "kube-controller-manager.node-monitor-period": Setting("1s", "5s"),
        "kubelet.nodeLeaseDurationSeconds": Setting(8, 40),
    },
)
