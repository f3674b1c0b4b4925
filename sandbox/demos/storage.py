"""Where did my data go? A note is written, its container or pod replaced, and the note read back."""

import asyncio
import json
from collections.abc import AsyncGenerator, Mapping
from typing import Any

from sandbox.demo import Demo, Options, Setting
from sandbox.docker_run import Container, docker_run
from sandbox.engines import Images
from sandbox.errors import DemoFailed
from sandbox.events import NAMES, Engine, Event, Finding, Instance, Result
from sandbox.figures import Figure, Row, actors, row, seconds
from sandbox.lanes import Lanes
from sandbox.manifests import GRACE_SECONDS, App, Check, Manifest, claim, deployment, elsewhere
from sandbox.names import Tag
from sandbox.notes import NOTE, answered, read, write, wrote
from sandbox.observing import StorageClass
from sandbox.plan import ADDRESS, APPLY, IMAGES, PLAIN, Plan, Step, ask, find_container, find_pod, rollout_status
from sandbox.predicting import Prediction
from sandbox.routes import Address
from sandbox.sandbox import Sandbox
from sandbox.streams import together

# Where the data is: in what is the copy's own, or on a volume.
OWN, VOLUME = "own", "volume"
APPS = {OWN: "plain", VOLUME: "kept"}
KINDS = {
    Engine.DOCKER: {OWN: "own layer", VOLUME: "named volume"},
    Engine.KUBERNETES: {OWN: "emptyDir", VOLUME: "PersistentVolumeClaim"},
}
VOLUME_NAME = "notes"
CHECK = Check(period=1)
CLASSES = "kubectl get storageclass"
PLACES = "kubectl get pods -o wide"
OURS = "portside.dev/folders"
_TICK = 0.1


def storage(sandbox: Sandbox, options: Options) -> AsyncGenerator[Event, None]:
    """Write four notes, replace what wrote them, and read them back."""
    return _Lanes(sandbox).run("storage", options, findings)


def containers(tag: Tag) -> dict[str, Container]:
    """Return the two copies on Docker's side."""
    return {
        OWN: Container(tag.container(APPS[OWN]), writable=True),
        VOLUME: Container(tag.container(APPS[VOLUME]), volume=tag.container(VOLUME_NAME)),
    }


def manifests(tag: Tag, images: Images) -> tuple[Manifest, ...]:
    """Return the two copies on Kubernetes' side, and the claim of one of them."""
    own = App(APPS[OWN], images.of("1"), CHECK, empty_dir=True)
    kept = App(APPS[VOLUME], images.of("1"), CHECK, claim=VOLUME_NAME)
    return (claim(tag, VOLUME_NAME), deployment(tag, own), deployment(tag, kept))


def volume_create(container: Container) -> str:
    """Return what a learner would type for a container's volume."""
    return f"docker volume create {container.volume}"


def docker_rm(container: Container) -> str:
    """Return what a learner would type to remove a container."""
    return f"docker rm -f {container.name}"


def kubectl_patch(app: str, node: str) -> str:
    """Return what a learner would type for another pod that is rather not on a node."""
    return f"kubectl patch deployment {app} -p '{json.dumps(elsewhere(node))}'"


class _Lanes(Lanes):
    """Both sides of one run, each with one copy that has a volume and one that has only what is its own."""

    def __init__(self, sandbox: Sandbox) -> None:
        super().__init__(sandbox)
        self._containers = containers(self._docker.tag)
        self._pods: dict[str, Instance] = {}
        self._measured: dict[str, Any] = {"note": NOTE, "docker": {}, "kubernetes": {}}

    async def script(self, options: Options) -> None:
        """Write, replace, read back."""
        self.stage.type(Engine.KUBERNETES, CLASSES)
        self._set_class(await self._cluster.default_class())
        self.stage.narrate(
            "Each app writes a note: into the container's own layer, on a named volume, into the pod's emptyDir, and "
            "on the volume of a PersistentVolumeClaim."
        )
        self.stage.docker_runs()
        await together(self._write_in_pods(), *(self._write_in_container(case) for case in APPS))
        await asyncio.sleep(self._pace.steady)
        await options.guesses()
        self.stage.acted_from_now(Engine.KUBERNETES)
        self.stage.narrate("Now each container and each pod is replaced by a new one. Is the note still there?")
        async with self.stage.acting():
            await together(*(work(case) for case in APPS for work in (self._replace_container, self._replace_pod)))
        await asyncio.sleep(self._pace.steady)
        await self.stage.finish()

    def _set_class(self, found: StorageClass) -> None:
        self._measured["storage_class"] = {"name": found.name, "provisioner": found.provisioner}

    async def _write_in_container(self, case: str) -> None:
        container = self._containers[case]
        if container.volume:
            self.stage.type(Engine.DOCKER, volume_create(container))
            await self._docker.volume_create(container.volume)
        self.stage.type(Engine.DOCKER, write(await self._run(container)))
        wrote(container.name, await self._docker.ask(container.name, "PUT", "/data", NOTE.encode()))

    async def _run(self, container: Container) -> Address:
        """Start a container and wait for its first answer."""
        self.stage.type(Engine.DOCKER, docker_run(container))
        await self._docker.run(container)
        address = await self._docker.address(container.name)
        await self.stage.answers(Engine.DOCKER, address)
        return address

    async def _replace_container(self, case: str) -> None:
        container = self._containers[case]
        began = self.stage.sandbox.clock()
        self.stage.type(Engine.DOCKER, docker_rm(container))
        await self._docker.rm(container.name)
        self.stage.type(Engine.DOCKER, read(await self._run(container)))
        note = answered(container.name, await self._docker.ask(container.name, "GET", "/data"))
        self._measured["docker"][case] = {"read": note, "seconds": self._since(began)}

    async def _write_in_pods(self) -> None:
        self.stage.type(Engine.KUBERNETES, APPLY)
        await self._cluster.apply(*manifests(self._cluster.tag, self._cluster.images))
        await together(*(self._write_in_pod(case) for case in APPS))

    async def _write_in_pod(self, case: str) -> None:
        cluster = self._cluster
        pod = self._pods[case] = await self._ready(APPS[case])
        self.stage.type(Engine.KUBERNETES, write(await cluster.pod_address(pod.name)))
        wrote(pod.name, await cluster.ask(pod.name, "PUT", "/data", NOTE.encode()))

    async def _replace_pod(self, case: str) -> None:
        """Ask for a pod on another node, for the same data: the old pod ends, and a new one starts."""
        cluster, app, old = self._cluster, APPS[case], self._pods[case]
        node = old.node or ""
        began = self.stage.sandbox.clock()
        self.stage.type(Engine.KUBERNETES, kubectl_patch(app, node))
        await cluster.patch(f"deployments/{app}", elsewhere(node))
        new = await self._ready(app, old.name)
        self.stage.type(Engine.KUBERNETES, read(await cluster.pod_address(new.name)))
        note = answered(new.name, await cluster.ask(new.name, "GET", "/data"))
        nodes = {"from": node, "to": new.node}
        self._measured["kubernetes"][case] = {"read": note, "seconds": self._since(began), **nodes}

    async def _ready(self, app: str, other_than: str = "") -> Instance:
        """Wait until a new pod of an app is ready."""
        end = self.stage.sandbox.clock() + self._pace.observe
        while self.stage.sandbox.clock() < end:
            for pod in await self._cluster.get_pods():
                if pod.name.startswith(f"{app}-") and pod.name != other_than and pod.ready:
                    return pod
            await asyncio.sleep(_TICK)
        raise DemoFailed(
            f"No new pod of {app} was ready within {self._pace.observe:g} s. Its volume may not be there, "
            "or the cluster is busy: start the demo again in a moment."
        )

    def _since(self, began: float) -> float:
        return round(self.stage.sandbox.clock() - began, 3)

    def figures(self) -> dict[str, Any]:
        """Return what this demo alone measures."""
        return self._measured


def findings(measured: Mapping[str, Any]) -> list[Finding]:
    """Say what was read back in each case, and what that took."""
    told = (f"{NAMES[engine]}: {_fates(engine, measured[engine])}." for engine in Engine)
    return [
        Finding(text=" ".join(told)),
        Finding(text=_container(measured["docker"][VOLUME]), engine=Engine.DOCKER),
        Finding(text=_pod(measured["kubernetes"][VOLUME]), engine=Engine.KUBERNETES),
        Finding(text=_reach(measured["storage_class"]), engine=Engine.KUBERNETES),
    ]


def _fates(engine: Engine, found: Mapping[str, Any]) -> str:
    return ", ".join(f"{place} {_fate(found[case])}" for case, place in KINDS[engine].items())


def _fate(found: Mapping[str, Any]) -> str:
    """Say what became of a note."""
    if found["read"] is None:
        return "gone"
    return "there" if found["read"] == NOTE else "changed"


def _container(found: Mapping[str, Any]) -> str:
    return f"Docker: a new container on the same host answered from the volume after {found['seconds']:.1f} s."


def _pod(found: Mapping[str, Any]) -> str:
    where = "again" if found["from"] == found["to"] else f"after {found['from']}"
    return f"Kubernetes: a new pod on {found['to']}, {where}, answered from the volume after {found['seconds']:.1f} s."


def _reach(made: Mapping[str, str]) -> str:
    """Say what lets a volume be reached from another node: not the same in every cluster."""
    if made["provisioner"] == OURS:
        return (
            "The nodes of this cluster share one disk, as with NFS. Elsewhere the StorageClass and the access mode "
            "decide which nodes reach a volume."
        )
    return f"The StorageClass {made['name']} ({made['provisioner']}) decides which nodes reach its volumes."


def rows(result: Result) -> tuple[Row, ...]:
    """Return the measured table."""
    measured = result.measured
    moved = measured["kubernetes"][VOLUME]
    return (
        Row("Its own data", *(_cell(engine, OWN, measured) for engine in Engine)),
        Row("On a volume", *(_cell(engine, VOLUME, measured) for engine in Engine)),
        row("Read back after", *(seconds(measured[engine][VOLUME]["seconds"]) for engine in Engine)),
        row("Replaced on", "the same host", f"{moved['from']}, then {moved['to']}"),
        Row("Who acted", *(actors(result.engines[engine]) for engine in Engine)),
    )


def _cell(engine: Engine, case: str, measured: Mapping[str, Any]) -> Figure:
    fate = _fate(measured[engine][case])
    return Figure(f"{KINDS[engine][case]}: {fate}", "good" if fate == "there" else "failed")


def _kept(result: Result, engine: Engine) -> str:
    return _fates(engine, result.measured[engine])


PREDICTION = Prediction(
    "Is the note still there after its app was replaced?", ("Always", "On a volume alone", "Never"), _kept
)


def plan(_: Options) -> Plan:
    """Return the run as a learner would type it."""
    wanted = containers(PLAIN)
    own, kept = wanted.values()
    ready = tuple(map(rollout_status, APPS.values()))
    return Plan(
        docker=(
            Step("Write a note into the container's own layer.", (*_start(own), write(ADDRESS))),
            Step("Replace the container. Is the note still there?", (docker_rm(own), *_start(own), read(ADDRESS))),
            Step("Write one on a named volume.", (volume_create(kept), *_start(kept), write(ADDRESS))),
            Step("Replace that container, too.", (docker_rm(kept), *_start(kept), read(ADDRESS))),
        ),
        kubernetes=(
            Step("A default class makes the volume of a claim.", (CLASSES,)),
            Step("Declare one app with an emptyDir, and one with a claim.", (APPLY, *ready)),
            *(Step(f"Write a note in {app}.", (*find_pod(app), ask(), write(ADDRESS))) for app in APPS.values()),
            *(Step(f"Replace the pod of {app}. Is the note still there?", _moved(app)) for app in APPS.values()),
        ),
        containers=tuple(wanted.values()),
        manifests=manifests(PLAIN, IMAGES),
    )


def _start(container: Container) -> tuple[str, ...]:
    return (docker_run(container), find_container(container.name), ask())


def _moved(app: str) -> tuple[str, ...]:
    """Return the lines that replace a pod: the shell puts the node's name in between the quotes."""
    node = f"NODE=$(kubectl get pods -l app={app} -o jsonpath='{{.items[0].spec.nodeName}}')"
    return (node, kubectl_patch(app, "'$NODE'"), rollout_status(app), *find_pod(app), ask(), read(ADDRESS), PLACES)


def lesson(result: Result) -> str | None:
    """Hold a run against this demo: what outlives a container or a pod stands on a volume, also on another node."""
    measured = result.measured
    for engine in Engine:
        if _fate(measured[engine][OWN]) != "gone":
            return f"A note in the {KINDS[engine][OWN]} outlived its replacement on {NAMES[engine]}."
        if _fate(measured[engine][VOLUME]) != "there":
            return f"A note on the {KINDS[engine][VOLUME]} was lost on {NAMES[engine]}."
    moved = measured["kubernetes"][VOLUME]
    return f"The new pod was on {moved['to']} again." if moved["from"] == moved["to"] else None


DEMO = Demo(
    name="storage",
    title="Storage",
    question="Where did my data go?",
    explain="What happens to my data when a pod is replaced?",
    run=storage,
    setup="Two apps on each side, with a volume and without. Each writes a note and is replaced. Nothing is probed.",
    rows=rows,
    lesson=lesson,
    plan=plan,
    prediction=PREDICTION,
    seconds=25,
    settings={
        "livenessProbe.periodSeconds": Setting(CHECK.period, 10),
        "readinessProbe.periodSeconds": Setting(1, 10),
        "terminationGracePeriodSeconds": Setting(GRACE_SECONDS, 30),
    },
)
