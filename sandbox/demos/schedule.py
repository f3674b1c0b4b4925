"""Where does it run? Who chooses the machine, and what becomes of a wish for more than there is."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Mapping
from typing import Any

from sandbox.demo import Demo, Options, Setting
from sandbox.docker_run import Container, docker_run
from sandbox.engines import Images
from sandbox.errors import DemoFailed, QuotaExceeded
from sandbox.events import NAMES, Engine, Event, Finding, Instance, Result
from sandbox.figures import Row, actors, row
from sandbox.lanes import Lanes
from sandbox.manifests import App, Check, Manifest, deployment, pod, resource_quota
from sandbox.names import Tag
from sandbox.plan import APPLY, IMAGES, PLAIN, Plan, Step, apply, rollout_status
from sandbox.predicting import Prediction
from sandbox.sandbox import Sandbox
from sandbox.streams import both

APP, BIG, GREEDY = "web", "big", "greedy"
COPIES = 5
CHECK = Check(period=1)
TIMES = 2  # so many times the host's memory
SCRATCH = "1Pi"
CPUS = 0.5  # of the two last pods; with the copies, the second is over the namespace's quota
HOST_MEMORY = "docker info --format '{{.MemTotal}}'"
PLACES = "kubectl get pods -o wide"
DESCRIBE = f"kubectl describe pod {BIG}"
_LISTED_MIB = 2**20  # 1 TiB: a listing does not know the host
_TICK = 0.1
_MIB, _GIB = 2**20, 2**30


def containers(tag: Tag) -> tuple[Container, ...]:
    """Return the copies on Docker's side."""
    return tuple(Container(tag.container(f"{APP}{number}")) for number in range(1, COPIES + 1))


def greatest(tag: Tag, memory_mib: int) -> Container:
    """Return the one that may take more memory than there is; it waits, listens to nobody, and takes none."""
    return Container(tag.container(BIG), memory_mib=memory_mib, command="pause")


def manifests(tag: Tag, images: Images) -> tuple[Manifest, ...]:
    """Return the copies on Kubernetes' side."""
    return (deployment(tag, App(APP, images.of("1"), CHECK, COPIES)),)


def too_big(tag: Tag, images: Images) -> Manifest:
    """Return a pod that asks for more disk than any node has."""
    return pod(tag, App(BIG, images.of("1"), CHECK, cpus=CPUS, scratch=SCRATCH))


def too_many(tag: Tag, images: Images) -> Manifest:
    """Return a pod that is over the quota of its namespace."""
    return pod(tag, App(GREEDY, images.of("1"), CHECK, cpus=CPUS))


def schedule(sandbox: Sandbox, options: Options) -> AsyncGenerator[Event, None]:
    """Start copies on each side, then ask each side for more than there is, and Kubernetes for more than it allows."""
    return _Lanes(sandbox).run("schedule", options, findings)


class _Lanes(Lanes):
    """Both sides of one run. Nothing is probed: the question is where a copy runs, and whether it does."""

    def __init__(self, sandbox: Sandbox) -> None:
        super().__init__(sandbox)
        self._measured: dict[str, Any] = {"copies": COPIES, "placed": {}}

    async def script(self, options: Options) -> None:
        """Start the copies, then ask for too much in three ways."""
        self.stage.narrate(f"{COPIES} copies of the same web server on each side. Who chooses where each runs?")
        await both(self._containers(), self._pods())
        await both(asyncio.sleep(self._pace.steady), options.guesses())
        self.stage.narrate("Now one more on each side, which asks for more than any machine here has.")
        await both(self._too_much_memory(), self._too_much_disk())
        self.stage.narrate("And one pod that is over the quota of its namespace.")
        await self._over_quota()
        await asyncio.sleep(self._pace.steady)
        await both(self._still_running(), self._still_pending())
        await self.stage.finish()

    async def _containers(self) -> None:
        self.stage.docker_runs()
        for container in containers(self._docker.tag):
            await self._run(container)
        self.stage.type(Engine.DOCKER, "docker ps")
        running = [one for one in await self._docker.ps() if one.phase == "running"]
        self._measured["placed"]["docker"] = {"host": len(running)}

    async def _pods(self) -> None:
        self.stage.type(Engine.KUBERNETES, APPLY)
        await self._cluster.apply(*manifests(self._cluster.tag, self._cluster.images))
        await self._cluster.ready(APP, COPIES)
        self.stage.type(Engine.KUBERNETES, PLACES)
        nodes = Counter(one.node or "none" for one in await self._cluster.get_pods())
        self._measured["placed"]["kubernetes"] = dict(sorted(nodes.items()))

    async def _too_much_memory(self) -> None:
        """Docker takes a limit for what it is."""
        self.stage.type(Engine.DOCKER, HOST_MEMORY)
        host = await self._docker.memory()
        limit = TIMES * host // _MIB
        self._measured["limit"] = {"memory_bytes": limit * _MIB, "host_memory_bytes": host}
        await self._run(greatest(self._docker.tag, limit))

    async def _too_much_disk(self) -> None:
        await self._apply_pod(too_big(self._cluster.tag, self._cluster.images))
        self.stage.type(Engine.KUBERNETES, DESCRIBE)
        began = self.stage.sandbox.clock()
        said = await self._unschedulable(began + self._pace.startup)
        self._measured["pending"] = {"ephemeral_storage": SCRATCH, "since": round(began, 3), "said": said}
        self.stage.narrate(f"Pending. The scheduler says: {said}")

    async def _unschedulable(self, end: float) -> str:
        """Wait until the scheduler has said why a pod has no node."""
        while self.stage.sandbox.clock() < end:
            if said := unschedulable(await self._cluster.get(f"pods/{BIG}")):
                return said
            await asyncio.sleep(_TICK)
        raise DemoFailed(
            f"The scheduler has said nothing against a pod that asks for {SCRATCH} of disk. It may be busy, or away: "
            "start the demo again in a moment."
        )

    async def _over_quota(self) -> None:
        try:
            await self._apply_pod(too_many(self._cluster.tag, self._cluster.images))
        except QuotaExceeded as refusal:
            self._measured["refused"] = refusal.said
            self.stage.narrate(f"Refused at admission. The API server says: {refusal.said}")
        else:
            raise DemoFailed("Kubernetes let a pod in that is over the quota of its namespace. Start the demo again.")

    async def _still_running(self) -> None:
        self._measured["limit"]["phase"] = _phase(await self._docker.ps(), self._docker.tag.container(BIG))

    async def _still_pending(self) -> None:
        pending = self._measured["pending"]
        pending["phase"] = _phase(await self._cluster.get_pods(), BIG)
        pending["seconds"] = round(self.stage.sandbox.clock() - pending.pop("since"), 3)

    async def _apply_pod(self, manifest: Manifest) -> None:
        self.stage.type(Engine.KUBERNETES, apply(f"{manifest['metadata']['name']}.yaml"))
        await self._cluster.apply(manifest)

    async def _run(self, container: Container) -> None:
        self.stage.type(Engine.DOCKER, docker_run(container))
        await self._docker.run(container)

    def figures(self) -> dict[str, Any]:
        """Return what this demo alone measures."""
        return self._measured


def _phase(instances: tuple[Instance, ...], name: str) -> str:
    return next((one.phase for one in instances if one.name == name), "gone")


def unschedulable(pod: Mapping[str, Any]) -> str:
    """Return what the scheduler says of a pod that no node can take; nothing while it has not looked."""
    conditions = pod.get("status", {}).get("conditions", ())
    return next((str(one["message"]) for one in conditions if one.get("reason") == "Unschedulable"), "")


def findings(measured: Mapping[str, Any]) -> list[Finding]:
    """Say where the copies run, and what became of each wish for too much."""
    placed = {engine: measured["placed"][engine] for engine in Engine}
    docker, kubernetes = (sum(placed[engine].values()) for engine in Engine)
    nodes = len(placed[Engine.KUBERNETES])
    limit, pending = measured["limit"], measured["pending"]
    return [
        Finding(
            text=f"{NAMES[Engine.DOCKER]} runs {docker} copies on its one host. "
            f"{NAMES[Engine.KUBERNETES]} placed {kubernetes} on {nodes} {'node' if nodes == 1 else 'nodes'}."
        ),
        Finding(
            text=f"Docker: a container that may take {_gib(limit['memory_bytes'])} of a host with "
            f"{_gib(limit['host_memory_bytes'])} was started, and is {limit['phase']}.",
            engine=Engine.DOCKER,
        ),
        Finding(
            text=f"{pending['phase']} after {pending['seconds']:.0f} s: the pod was let in, and the scheduler found "
            f"no node. It says: {pending['said']}",
            engine=Engine.KUBERNETES,
        ),
        Finding(
            text=f"Refused at admission: the pod was never made. The API server says: {measured['refused']}",
            engine=Engine.KUBERNETES,
        ),
    ]


def _gib(count: int) -> str:
    return f"{count / _GIB:.1f} GiB"


def rows(result: Result) -> tuple[Row, ...]:
    """Return the measured table."""
    measured = result.measured
    limit, pending = measured["limit"], measured["pending"]
    memory = f"{limit['memory_bytes'] / _GIB:.1f} of {_gib(limit['host_memory_bytes'])}"
    return (
        row("Copies on", *(_places(measured["placed"][engine]) for engine in Engine)),
        Row("Who acted", *(actors(result.engines[engine]) for engine in Engine)),
        row("Too much", f"{limit['phase']}: {memory}", f"{pending['phase']}: {pending['ephemeral_storage']} of disk"),
        row("Over the quota", "not asked", "refused at admission"),
    )


def _places(placed: Mapping[str, int]) -> str:
    return ", ".join(f"{place}: {number}" for place, number in placed.items())


def _too_much(result: Result, engine: Engine) -> str:
    phase = result.measured["limit" if engine is Engine.DOCKER else "pending"]["phase"]
    return str(phase).lower()


PREDICTION = Prediction(
    "One copy wants more than fits: what happens?", ("It runs", "It waits", "It is refused"), _too_much
)


def plan(_: Options) -> Plan:
    """Return the run as a learner would type it: a quota of the learner's own stands in for that of the run."""
    wanted, big = containers(PLAIN), greatest(PLAIN, _LISTED_MIB)
    quota = resource_quota(PLAIN)
    refused = f"{apply(f'{GREEDY}.yaml')} || kubectl describe quota {quota['metadata']['name']}"
    return Plan(
        docker=(
            Step("Start the copies.", (*map(docker_run, wanted), "docker ps")),
            Step("One that may take 1 TiB, on a host that has so many bytes.", (HOST_MEMORY, docker_run(big))),
            Step("What became of it?", (f"docker ps --all --filter name={big.name}",)),
        ),
        kubernetes=(
            Step("Declare what this namespace may take.", (apply("quota.yaml"),)),
            Step("Declare the copies. Where do they run?", (APPLY, rollout_status(APP), PLACES)),
            Step(f"A pod that asks for {SCRATCH} of disk: the scheduler says why.", (apply(f"{BIG}.yaml"), DESCRIBE)),
            Step("A pod over the quota is refused at admission.", (refused,)),
        ),
        containers=(*wanted, big),
        manifests=manifests(PLAIN, IMAGES),
        files={
            "quota.yaml": (quota,),
            f"{BIG}.yaml": (too_big(PLAIN, IMAGES),),
            f"{GREEDY}.yaml": (too_many(PLAIN, IMAGES),),
        },
    )


def lesson(result: Result) -> str | None:
    """Hold a run against this demo: a scheduler spreads and may find no node, a quota refuses, Docker does neither."""
    measured = result.measured
    placed = {engine: sum(measured["placed"][engine].values()) for engine in Engine}
    if set(placed.values()) != {measured["copies"]}:
        return f"{placed[Engine.DOCKER]} containers and {placed[Engine.KUBERNETES]} pods were placed."
    if len(measured["placed"][Engine.KUBERNETES]) == 1:
        return "Kubernetes placed all pods on one node."
    if measured["limit"]["phase"] != "running":
        return "Docker did not run a container that may take more memory than the host has."
    if measured["pending"]["phase"] != "Pending":
        return f"The pod that asks for more than any node has is {measured['pending']['phase']}."
    if "exceeded quota" not in measured["refused"]:
        return "The pod over the quota was refused for another reason."
    return None


DEMO = Demo(
    name="schedule",
    title="Scheduling",
    question="Where does it run?",
    explain="How does Kubernetes decide where a pod runs?",
    run=schedule,
    setup="Copies on each side, then one more than fits. Nothing is broken, and no requests are sent.",
    rows=rows,
    lesson=lesson,
    plan=plan,
    prediction=PREDICTION,
    seconds=20,
    settings={
        "livenessProbe.periodSeconds": Setting(CHECK.period, 10),
        "readinessProbe.periodSeconds": Setting(1, 10),
    },
)
