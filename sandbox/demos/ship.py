"""Build, run, ship: an image of the run's own, pushed to a registry, and pulled from there by a node under its digest.

Only the shipped Dockerfile is built, and pushed only to the registry that is set. The clean-up removes the image from
Docker. What was pushed stays in the registry, where nothing of ours may delete: the one beside our own engines goes
when they go. A node drops the image when its disk is full.
"""

import asyncio
import re
from collections.abc import AsyncGenerator, Mapping
from typing import Any

from sandbox.demo import Demo, Options, Setting
from sandbox.docker_run import Build, Container, docker_build, docker_run
from sandbox.engines import common_registry
from sandbox.events import Engine, Event, Finding, Observed, Result
from sandbox.figures import Row, failed_requests, row, seconds
from sandbox.lanes import Lanes
from sandbox.manifests import App, Check, Manifest, deployment, service
from sandbox.names import Tag
from sandbox.plan import APPLY, PLAIN, Plan, Step, rollout_status
from sandbox.predicting import Prediction
from sandbox.quota import PORT
from sandbox.sandbox import Sandbox

APP = "web"
CHECK = Check(period=1)
COLOUR = "#5B3A8C"

_TOOK = re.compile(r"^Pulled: Successfully pulled image .* in (?:(\d+)m)?([\d.]+)(ms|s)\b")
# A learner's own registry, which `docker run -p 5000:5000 registry` would start.
PUSHED = "localhost:5000/web:1"
GO_BUILD = "CGO_ENABLED=0 go build -trimpath -o web . && mkdir -p data"
IMAGE_ID = f"kubectl get pods -l app={APP} -o jsonpath='{{..imageID}}'"

_SHOWN = 12  # characters of a digest that a person compares


def container(tag: Tag, port: int, image: str) -> Container:
    """Return Docker's side: the image that was just built."""
    return Container(tag.container(APP), publish=port, image=image)


def manifests(tag: Tag, reference: str) -> tuple[Manifest, ...]:
    """Return Kubernetes' side: the image by the name that a node pulls it under."""
    return deployment(tag, App(APP, reference, CHECK)), service(tag, APP)


def ship(sandbox: Sandbox, options: Options) -> AsyncGenerator[Event, None]:
    """Build and run on Docker, push, and let the cluster run what was pushed."""
    return _Lanes(sandbox).run("ship", options, findings)


def pulled(text: str) -> float | None:
    """Return how long a pull took, as the kubelet says it; None for anything else."""
    found = _TOOK.match(text)
    if found is None:
        return None
    minutes, number, unit = found.groups()
    return round(int(minutes or 0) * 60 + float(number) / (1000 if unit == "ms" else 1), 3)


class _Lanes(Lanes):
    """Both sides of one run, one after the other: what the one has pushed, the other pulls."""

    def __init__(self, sandbox: Sandbox) -> None:
        super().__init__(sandbox)
        self._took: dict[str, float] = {}
        self._digests: dict[Engine, str] = {}
        self._image = ""
        self._node = ""
        self._pull: float | None = None

    def see(self, event: Event) -> None:
        """Remember how long the first pull took."""
        if isinstance(event, Observed) and self._pull is None:
            self._pull = pulled(event.text)

    async def script(self, options: Options) -> None:
        """Build, run, push; then declare what was pushed, and see that the same digest serves."""
        registry = common_registry(self._docker.registry, self._cluster.registry)
        self._image = f"{registry}/{APP}-{self._docker.tag.run}:1"
        self.stage.narrate("An image of this run's own is built from a Dockerfile. Each line is the builder's.")
        async with self.stage.acting():
            await self._build()
        await options.guesses()
        async with self.stage.acting():
            await self._run()
        await asyncio.sleep(self._pace.steady / 2)
        self.stage.narrate(f"The image is pushed to {registry}. What names it from now on is its digest.")
        async with self.stage.acting():
            digest = await self._push()
        self.stage.narrate("A Deployment names the image by that digest. A node has to pull it.")
        async with self.stage.acting():
            await self._deploy(f"{self._image.rpartition(':')[0]}@{digest}")
        self.stage.narrate("Both sides serve the same image.")
        await asyncio.sleep(self._pace.steady)
        await self.stage.finish()

    async def _build(self) -> None:
        wanted = Build(self._image, COLOUR)
        self.stage.type(Engine.DOCKER, docker_build(wanted))
        await self._timed("build", self._docker.build(wanted, self._say))

    async def _run(self) -> None:
        docker = self._docker
        port = await docker.free_port()
        wanted = container(docker.tag, port, self._image)
        self.stage.type(Engine.DOCKER, docker_run(wanted))
        began = self.stage.sandbox.clock()
        await docker.run(wanted)
        self.stage.docker_runs()
        await self.stage.probe(Engine.DOCKER, docker.published(port))
        self._took["run"] = self.stage.sandbox.clock() - began

    async def _push(self) -> str:
        self.stage.type(Engine.DOCKER, f"docker push {self._image}")
        digest: str = await self._timed("push", self._docker.push(self._image, self._say))
        self._digests[Engine.DOCKER] = digest
        return digest

    async def _deploy(self, reference: str) -> None:
        cluster = self._cluster
        self.stage.type(Engine.KUBERNETES, "kubectl apply -f web.yaml")
        began = self.stage.sandbox.clock()
        await cluster.apply(*manifests(cluster.tag, reference))
        await cluster.ready(APP, 1)
        await self.stage.probe(Engine.KUBERNETES, await cluster.service_address(APP))
        self._took["serving"] = self.stage.sandbox.clock() - began
        self.stage.type(Engine.KUBERNETES, IMAGE_ID)
        pod = (await cluster.get(f"pods?labelSelector=app={APP}"))["items"][0]
        self._node = pod["spec"]["nodeName"]
        self._digests[Engine.KUBERNETES] = pod["status"]["containerStatuses"][0]["imageID"].rpartition("@")[2]

    async def _timed(self, step: str, work: Any) -> Any:
        began = self.stage.sandbox.clock()
        done = await work
        self._took[step] = self.stage.sandbox.clock() - began
        return done

    def _say(self, line: str) -> None:
        self.stage.tell(Observed(engine=Engine.DOCKER, actor="dockerd", text=line))

    def figures(self) -> dict[str, Any]:
        """Return what this demo alone measures; the pull took what the kubelet said."""
        return {
            "image": self._image,
            "node": self._node,
            "digests": {engine.value: self._digests[engine] for engine in Engine},
            "seconds": {step: round(took, 3) for step, took in self._took.items()} | {"pull": self._pull},
        }


def findings(measured: Mapping[str, Any]) -> list[Finding]:
    """Say whether both sides ran the same image, and how long each step took."""
    took = measured["seconds"]
    docker, kubernetes = (_short(measured["digests"][engine]) for engine in Engine)
    same = measured["digests"][Engine.DOCKER] == measured["digests"][Engine.KUBERNETES]
    both_run = f"Docker pushed {docker}, and {measured['node']} runs {kubernetes}"
    pull = "" if took["pull"] is None else f", of which the pull took {took['pull']:.1f} s"
    steps = ", ".join(f"{step} {took[step]:.1f} s" for step in ("build", "run", "push"))
    return [
        Finding(text=f"{both_run}: {'the same digest' if same else 'digests that differ'}."),
        Finding(text=f"Docker: {steps}.", engine=Engine.DOCKER),
        Finding(text=f"Kubernetes: serving after {took['serving']:.1f} s{pull}.", engine=Engine.KUBERNETES),
    ]


def _short(digest: str) -> str:
    return digest.rpartition(":")[2][:_SHOWN]


def rows(result: Result) -> tuple[Row, ...]:
    """Return the measured table."""
    took, lanes = result.measured["seconds"], [result.engines[engine] for engine in Engine]
    return (
        row("Digest", *(_short(result.measured["digests"][engine]) for engine in Engine)),
        row("Built in", seconds(took["build"]), "–"),
        row("Pushed, pulled in", seconds(took["push"]), seconds(took["pull"])),
        row("Serving after", seconds(took["run"]), seconds(took["serving"])),
        Row("Failed requests", *map(failed_requests, lanes)),
    )


def _serving(result: Result, engine: Engine) -> str:
    return seconds(result.measured["seconds"]["run" if engine is Engine.DOCKER else "serving"])


PREDICTION = Prediction(
    "The image is built: how long until it serves?", ("Under 2 s", "Under 10 s", "Longer"), _serving
)


def lesson(result: Result) -> str | None:
    """Hold a run against this demo: a node pulls and runs exactly what was pushed."""
    pushed, runs = (result.measured["digests"][engine] for engine in Engine)
    if pushed != runs:
        return f"Docker pushed {pushed}, and the pod runs {runs}."
    if result.measured["seconds"]["pull"] is None:
        return "No node reported that it has pulled the image."
    return None


def plan(_: Options) -> Plan:
    """Return the run as a learner would type it, in the folder of the Dockerfile and with a registry of their own."""
    build, wanted = Build(PUSHED, COLOUR), container(PLAIN, PORT, PUSHED)
    digest = "docker inspect --format '{{index .RepoDigests 0}}'"
    return Plan(
        docker=(
            Step("Build the program and its image, in the folder sandbox/image.", (GO_BUILD, docker_build(build))),
            Step("Run it.", (docker_run(wanted),)),
            Step("Ship it: from now on its digest names it.", (f"docker push {PUSHED}", f"{digest} {PUSHED}")),
        ),
        kubernetes=(
            Step("Declare what was pushed. A node pulls it.", (APPLY, rollout_status(APP))),
            Step("See which digest runs.", (IMAGE_ID,)),
        ),
        containers=(wanted,),
        manifests=manifests(PLAIN, PUSHED),
    )


DEMO = Demo(
    name="ship",
    title="Build, run, ship",
    question="Build it here, run it there?",
    run=ship,
    explain="What is a registry?",
    setup="One image, built once. One clock, 10 requests a second to each side as soon as it serves.",
    rows=rows,
    plan=plan,
    lesson=lesson,
    prediction=PREDICTION,
    ships=True,
    seconds=30,
    settings={"readinessProbe.periodSeconds": Setting(1, 10), "livenessProbe.periodSeconds": Setting(CHECK.period, 10)},
)
