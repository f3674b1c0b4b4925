"""Who brings it back? The same fault on both sides, and the outage that a user would have felt."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

from sandbox import http
from sandbox.demo import Demo, Setting
from sandbox.errors import DemoFailed
from sandbox.events import Command, Engine, Event, Fault, Injected, Narration, Observed, Result, Snapshot
from sandbox.manifests import GRACE_SECONDS, TOLERATION_SECONDS, Check, deployment, service
from sandbox.prober import Prober
from sandbox.quota import CPUS, MEMORY_MIB, RESTARTS
from sandbox.routes import Address
from sandbox.sandbox import Sandbox
from sandbox.streams import both, merged
from sandbox.telling import Story, findings

APP = "web"
CHECK = Check()
FAULT_PATHS = {Fault.CRASH: "/fault/crash", Fault.HANG: "/fault/hang", Fault.OOM: "/fault/leak"}

_INTRODUCTION = (
    "One copy of the same web server on each side. Docker gets a restart policy and a health check; "
    "Kubernetes gets a Deployment with two probes, and a Service."
)
_ACCEPTED = 202
_TICK = 0.1


async def selfheal(sandbox: Sandbox, fault: Fault | None) -> AsyncGenerator[Event, None]:
    """Start one copy on each side, break both at once, and watch who brings them back."""
    chosen = fault or Fault.CRASH
    lanes = _Lanes(sandbox, chosen)
    story = Story()
    acted: dict[Engine, list[str]] = {}
    async with aclosing(merged(sandbox.clock, *lanes.sources())) as events:
        async for event in events:
            yield event
            _note(event, acted)
            if sentence := story.sentence(event):
                yield Narration(t=event.t, text=sentence)
    measured = {engine: lanes.prober.measured(engine, tuple(acted[engine])) for engine in Engine}
    for finding in findings(measured):
        yield finding
    yield Result(demo="selfheal", fault=chosen, completed=True, error=None, cleaned_up=False, engines=measured)


def _note(event: Event, acted: dict[Engine, list[str]]) -> None:
    """Remember who acted on an engine since its fault, in order."""
    if isinstance(event, Injected):
        acted[event.engine] = []
    elif isinstance(event, Observed) and event.acted and event.engine in acted:
        names = acted[event.engine]
        names += [event.actor] if event.actor not in names else []


class _Lanes:
    """The sources of one run's events: a script, and for each side its requests and its engine's own reports."""

    def __init__(self, sandbox: Sandbox, fault: Fault) -> None:
        self._sandbox = sandbox
        self._fault = fault
        self._pace = sandbox.pace
        self._running = asyncio.Event()
        self._serving = {engine: asyncio.Event() for engine in Engine}
        self._container = ""
        self._address: Address | None = None
        self._broken = 0.0
        self.prober = Prober(sandbox.pace, sandbox.clock)

    def sources(self) -> tuple[AsyncGenerator[Event, None], ...]:
        """Return the script first: the run ends with it."""
        return (
            self._script(),
            self._docker(),
            self._docker_states(),
            self._docker_events(),
            self._kubernetes(),
            self._sandbox.cluster.watch(),
            self._sandbox.cluster.events(),
        )

    async def _script(self) -> AsyncGenerator[Event, None]:
        yield Narration(text=_INTRODUCTION)
        await asyncio.gather(*(serving.wait() for serving in self._serving.values()))
        yield Narration(text="Both sides are serving.")
        await asyncio.sleep(self._pace.steady)
        async with aclosing(self._break()) as events:
            async for event in events:
                yield event
        await self._observe()
        self.prober.finish()
        await self.prober.finished()
        # A watch is as silent while its API server is away as while nobody acts: only an answer tells them apart.
        await self._sandbox.cluster.get_pods()

    async def _docker(self) -> AsyncGenerator[Event, None]:
        docker = self._sandbox.docker
        name = docker.tag.container(APP)
        yield Command(engine=Engine.DOCKER, text=docker_run(name))
        self._container = await docker.run(APP, CHECK)
        self._running.set()
        yield Command(engine=Engine.DOCKER, text=f"docker ps --filter name={name}")
        self._address = await docker.address(name)
        async with aclosing(self._requests(Engine.DOCKER, self._address)) as probes:
            async for probe in probes:
                yield probe

    async def _kubernetes(self) -> AsyncGenerator[Event, None]:
        cluster = self._sandbox.cluster
        yield Command(engine=Engine.KUBERNETES, text="kubectl apply -f web.yaml")
        await cluster.apply(deployment(cluster.tag, APP, cluster.image, CHECK), service(cluster.tag, APP))
        yield Command(engine=Engine.KUBERNETES, text=f"kubectl get pods -l app={APP}")
        async with aclosing(self._requests(Engine.KUBERNETES, await cluster.service_address(APP))) as probes:
            async for probe in probes:
                yield probe

    async def _requests(self, engine: Engine, address: Address) -> AsyncGenerator[Event, None]:
        await self.prober.first_answer(address)
        self._serving[engine].set()
        async with aclosing(self.prober.probe(engine, address)) as probes:
            async for probe in probes:
                yield probe
        await asyncio.Event().wait()  # the script ends the run

    async def _docker_states(self) -> AsyncGenerator[Event, None]:
        await self._running.wait()
        shown = None
        while True:
            if (now := await self._sandbox.docker.ps()) != shown:
                shown = now
                yield Snapshot(engine=Engine.DOCKER, instances=now)
            await asyncio.sleep(self._pace.look)

    async def _docker_events(self) -> AsyncGenerator[Event, None]:
        """Follow the engine from our own start on: that one was no act of the engine's."""
        await self._running.wait()
        async with aclosing(self._sandbox.docker.events()) as events:
            async for event in events:
                yield event

    async def _break(self) -> AsyncGenerator[Event, None]:
        """Put the fault into both sides at the same moment; what was over before it counts no more."""
        pod = await self._pod()
        targets = {Engine.DOCKER: self._container, Engine.KUBERNETES: pod}
        addresses = {Engine.DOCKER: self._address, Engine.KUBERNETES: await self._sandbox.cluster.pod_address(pod)}
        for engine in Engine:
            yield Command(engine=engine, text=fault_command(self._fault, engine, targets[engine], addresses[engine]))
        for engine in Engine:
            for probe in self.prober.mark_fault(engine):
                yield probe
            yield Injected(engine=engine, fault=self._fault, target=targets[engine])
        self._broken = self._sandbox.clock()
        if self._fault is Fault.REMOVE:
            await both(self._sandbox.docker.rm(self._container), self._sandbox.cluster.delete_pod(pod))
        else:
            await asyncio.gather(*(self._tell(address) for address in addresses.values() if address))

    async def _pod(self) -> str:
        pods = await self._sandbox.cluster.get_pods()
        ready = next((pod.name for pod in pods if pod.ready), None)
        if ready is None:
            raise DemoFailed("No pod was ready any more before the fault. Start the demo again.")
        return ready

    async def _tell(self, address: Address) -> None:
        try:
            status = await http.request(address, "POST", FAULT_PATHS[self._fault], self._pace.timeout)
        except http.NoAnswer as error:
            raise DemoFailed(f"The fault could not be put in: {error}. Start the demo again.") from error
        if status != _ACCEPTED:
            raise DemoFailed(f"The app at {address} does not know the fault. Its image is not the demo image.")

    async def _observe(self) -> None:
        """Watch for the whole time, or until both sides have been well for a while."""
        while (left := self._broken + self._pace.observe - self._sandbox.clock()) > 0:
            if left <= self._pace.observe - self._pace.shortest and self.prober.settled():
                return
            await asyncio.sleep(min(_TICK, left))


def docker_run(name: str) -> str:
    """Return what a learner would type for the container, without what only locks it in."""
    return (
        f"docker run -d --name {name} --restart=on-failure:{RESTARTS} --memory={MEMORY_MIB}m --cpus={CPUS} "
        f'--health-cmd="/web health" --health-interval={CHECK.period}s --health-timeout={CHECK.timeout}s '
        f"--health-retries={CHECK.failures} portside/web:1"
    )


def fault_command(fault: Fault, engine: Engine, target: str, address: Address | None) -> str:
    """Return what a learner would type to break one side."""
    if fault is not Fault.REMOVE:
        return f"curl -X POST http://{address}{FAULT_PATHS[fault]}"
    return f"docker rm -f {target}" if engine is Engine.DOCKER else f"kubectl delete pod {target}"


def lesson(result: Result) -> str | None:
    """Hold a run against this demo: Docker restarts what has ended; Kubernetes brings back everything."""
    docker, kubernetes = (result.engines[engine] for engine in Engine)
    ends = result.fault in (Fault.CRASH, Fault.OOM)
    actor = "replicaset" if result.fault is Fault.REMOVE else "kubelet"
    if ends and not docker.recovered:
        return "Docker did not bring back what had ended."
    if ends and "dockerd" not in docker.acted_by:
        return "Docker was back, but dockerd did not report that it acted."
    if docker.recovered and not ends:
        return f"Docker brought back what it leaves alone after the fault {result.fault}."
    if not kubernetes.recovered:
        return "Kubernetes did not bring the app back."
    if actor not in kubernetes.acted_by:
        return f"Kubernetes was back, but the {actor} did not report that it acted."
    return None


DEMO = Demo(
    name="selfheal",
    title="Self-healing",
    question="Who brings it back?",
    faults=(Fault.CRASH, Fault.HANG, Fault.OOM, Fault.REMOVE),
    run=selfheal,
    seconds=45,
    lesson=lesson,
    settings={
        "--health-interval": Setting(f"{CHECK.period}s", "30s"),
        "--health-timeout": Setting(f"{CHECK.timeout}s", "30s"),
        "--health-retries": Setting(CHECK.failures, 3),
        "livenessProbe.periodSeconds": Setting(CHECK.period, 10),
        "livenessProbe.failureThreshold": Setting(CHECK.failures, 3),
        "readinessProbe.periodSeconds": Setting(1, 10),
        "readinessProbe.failureThreshold": Setting(CHECK.failures, 3),
        "terminationGracePeriodSeconds": Setting(GRACE_SECONDS, 30),
        "tolerationSeconds": Setting(TOLERATION_SECONDS, 300),
    },
)
