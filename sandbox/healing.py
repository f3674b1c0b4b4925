"""One copy and more on each side, broken at once and watched: the script of every demo that puts in a fault."""

import asyncio
from collections.abc import Mapping

from sandbox.demo import Options, Setting
from sandbox.docker_run import Container, docker_run
from sandbox.engines import Images
from sandbox.errors import DemoFailed
from sandbox.events import Engine, Fault, Measured
from sandbox.manifests import GRACE_SECONDS, TOLERATION_SECONDS, App, Check, Manifest, deployment, service
from sandbox.names import Tag
from sandbox.plan import ADDRESS, APPLY, POD, ask, find_container, find_pod
from sandbox.routes import Address
from sandbox.stage import Stage
from sandbox.streams import both

APP = "web"
CHECK = Check()
FAULTS = (Fault.CRASH, Fault.HANG, Fault.OOM, Fault.REMOVE)
FAULT_PATHS = {Fault.CRASH: "/fault/crash", Fault.HANG: "/fault/hang", Fault.OOM: "/fault/leak"}
SETTINGS = {
    "--health-interval": Setting(f"{CHECK.period}s", "30s"),
    "--health-timeout": Setting(f"{CHECK.timeout}s", "30s"),
    "--health-retries": Setting(CHECK.failures, 3),
    "livenessProbe.periodSeconds": Setting(CHECK.period, 10),
    "livenessProbe.failureThreshold": Setting(CHECK.failures, 3),
    "readinessProbe.periodSeconds": Setting(1, 10),
    "readinessProbe.failureThreshold": Setting(CHECK.failures, 3),
    "terminationGracePeriodSeconds": Setting(GRACE_SECONDS, 30),
    "tolerationSeconds": Setting(TOLERATION_SECONDS, 300),
}

_INTRODUCTION = (
    "The same web server on each side. Docker gets a restart policy and a health check; "
    "Kubernetes gets a Deployment with two probes, and a Service."
)
_TICK = 0.1


def containers(tag: Tag, copies: int) -> tuple[Container, ...]:
    """Return Docker's side."""
    names = [APP] if copies == 1 else [f"{APP}{number}" for number in range(1, copies + 1)]
    return tuple(Container(tag.container(name), restart=True, check=CHECK) for name in names)


def manifests(tag: Tag, images: Images, copies: int, app: str = APP) -> tuple[Manifest, ...]:
    """Return Kubernetes' side."""
    return deployment(tag, App(app, images.of("1"), CHECK, copies)), service(tag, app)


class Healing:
    """Both sides of one run: what is started, broken and watched."""

    def __init__(self, stage: Stage, options: Options) -> None:
        self.stage = stage
        self._docker = stage.sandbox.docker
        self._cluster = stage.sandbox.cluster
        self._pace = stage.sandbox.pace
        self._options = options
        self._fault = options.fault or Fault.CRASH
        self._containers = containers(self._docker.tag, options.replicas)
        self._broken = 0.0

    async def script(self) -> None:
        """Start both sides, break them at once, and watch."""
        self.stage.narrate(_INTRODUCTION)
        await both(self._start_docker(), self._start_kubernetes())
        self.stage.narrate("Both sides are serving.")
        await both(asyncio.sleep(self._pace.steady), self._options.guesses())
        async with self.stage.acting():
            await self._break()
            await self._observe()
        await self.stage.finish()

    async def _start_docker(self) -> None:
        for container in self._containers:
            self.stage.type(Engine.DOCKER, docker_run(container))
            await self._docker.run(container)
        self.stage.docker_runs()
        name = self._containers[0].name
        self.stage.type(Engine.DOCKER, docker_ps(name))
        await self.stage.probe(Engine.DOCKER, await self._docker.address(name))

    async def _start_kubernetes(self) -> None:
        cluster = self._cluster
        self.stage.type(Engine.KUBERNETES, APPLY)
        await cluster.apply(*manifests(cluster.tag, cluster.images, self._options.replicas))
        self.stage.type(Engine.KUBERNETES, get_pods(APP))
        await self.stage.probe(Engine.KUBERNETES, await cluster.service_address(APP))
        await cluster.ready(APP, self._options.replicas)

    async def _break(self) -> None:
        """Put the fault into both sides at the same moment; what was over before it counts no more."""
        container, pod = self._containers[0].name, await self._pod()
        targets = {Engine.DOCKER: container, Engine.KUBERNETES: pod}
        addresses = {
            Engine.DOCKER: await self._docker.address(container),
            Engine.KUBERNETES: await self._cluster.pod_address(pod),
        }
        for engine, target in targets.items():
            self.stage.type(engine, fault_command(self._fault, engine, target, addresses[engine]))
        self.stage.inject(self._fault, targets)
        self._broken = self.stage.sandbox.clock()
        if self._fault is Fault.REMOVE:
            await both(self._docker.rm(container), self._cluster.delete(f"pods/{pod}"))
        else:
            path = FAULT_PATHS[self._fault]
            await both(self._docker.tell(container, path), self._cluster.tell(pod, path))

    async def _pod(self) -> str:
        pods = await self._cluster.get_pods()
        ready = next((pod.name for pod in pods if pod.ready), None)
        if ready is None:
            raise DemoFailed("No pod was ready any more before the fault. Start the demo again.")
        return ready

    async def _observe(self) -> None:
        """Watch for the whole time, or until both sides have been well for a while."""
        while (left := self._broken + self._pace.observe - self.stage.sandbox.clock()) > 0:
            if left <= self._pace.observe - self._pace.shortest and self.stage.prober.settled():
                return
            await asyncio.sleep(min(_TICK, left))


def docker_ps(name: str) -> str:
    """Return what a learner would type to see a container."""
    return f"docker ps --filter name={name}"


def get_pods(app: str) -> str:
    """Return what a learner would type to see an app's pods."""
    return f"kubectl get pods -l app={app}"


def fault_command(fault: Fault, engine: Engine, target: str, address: Address | str) -> str:
    """Return what a learner would type to break one side."""
    if fault is not Fault.REMOVE:
        return f"curl -X POST http://{address}{FAULT_PATHS[fault]}"
    return f"docker rm -f {target}" if engine is Engine.DOCKER else f"kubectl delete pod {target}"


def broken(fault: Fault, engine: Engine, app: str) -> tuple[str, ...]:
    """Return the lines that wait for an app's first answer and break it."""
    if engine is Engine.DOCKER:
        return find_container(app), ask(), fault_command(fault, engine, app, ADDRESS)
    return *find_pod(app), ask(), fault_command(fault, engine, POD, ADDRESS)


def differs(fault: Fault, lanes: Mapping[Engine, Measured]) -> str | None:
    """Say how a run differs from what is taught: Docker restarts what has ended; Kubernetes brings back everything."""
    docker, kubernetes = (lanes[engine] for engine in Engine)
    ends = fault in (Fault.CRASH, Fault.OOM)
    actor = "replicaset" if fault is Fault.REMOVE else "kubelet"
    if ends and not docker.recovered:
        return "Docker did not bring back what had ended."
    if ends and "dockerd" not in docker.acted_by:
        return "Docker was back, but dockerd did not report that it acted."
    if docker.recovered and not ends:
        return f"Docker brought back what it leaves alone after the fault {fault}."
    if not kubernetes.recovered:
        return "Kubernetes did not bring the app back."
    if actor not in kubernetes.acted_by:
        return f"Kubernetes was back, but the {actor} did not report that it acted."
    return None
