"""Five copies, please: what has to be typed on each side, how long it takes, and which copy gets the requests."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from typing import Any

from sandbox.demo import Demo, Options, Setting
from sandbox.docker_run import Container, docker_run
from sandbox.engines import Images
from sandbox.errors import DemoFailed, PortTaken
from sandbox.events import NAMES, Engine, Event, Finding, Result
from sandbox.figures import Row, failed_requests, row, seconds
from sandbox.lanes import Lanes
from sandbox.manifests import App, Check, Manifest, deployment, service
from sandbox.measuring import answered_by
from sandbox.names import Tag
from sandbox.plan import ADDRESS, APPLY, IMAGES, PLAIN, Plan, Step, ask, find_container, find_service, rollout_status
from sandbox.predicting import Prediction
from sandbox.quota import PORT
from sandbox.sandbox import Sandbox
from sandbox.streams import both

APP = "web"
COPIES = 5
CHECK = Check(period=1)


def container(tag: Tag, number: int, port: int) -> Container:
    """Return one copy on Docker's side."""
    return Container(copy_name(tag, number), publish=port)


def copy_name(tag: Tag, number: int) -> str:
    """Return what a container is called."""
    return tag.container(f"{APP}{number}")


def manifests(tag: Tag, images: Images) -> tuple[Manifest, ...]:
    """Return Kubernetes' side, of one copy."""
    return deployment(tag, App(APP, images.of("1"), CHECK)), service(tag, APP)


def kubectl_scale(copies: int) -> str:
    """Return what a learner would type for more copies."""
    return f"kubectl scale deployment {APP} --replicas={copies}"


def scale(sandbox: Sandbox, options: Options) -> AsyncGenerator[Event, None]:
    """Start one copy on each side, ask for more, and watch where the requests go."""
    return _Lanes(sandbox, options.replicas).run("scale", options, findings)


class _Lanes(Lanes):
    """Both sides of one run: so many copies on each."""

    def __init__(self, sandbox: Sandbox, copies: int) -> None:
        super().__init__(sandbox)
        self._copies = copies
        self._typed = dict.fromkeys(Engine, 0)
        self._took: dict[Engine, float] = {}
        self._asked = 0.0
        self._refused = ""

    async def script(self, options: Options) -> None:
        """Start one copy on each side, then ask for the others."""
        self.stage.narrate("One copy of the same web server on each side, and requests to both.")
        port = await self._docker.free_port()
        await both(self._first_container(port), self._first_pod())
        await both(asyncio.sleep(self._pace.steady), options.guesses())
        self.stage.narrate(f"Now {self._copies} copies are wanted on each side.")
        for engine in Engine:
            self.stage.acted_from_now(engine)
        async with self.stage.acting():
            self._asked = self.stage.sandbox.clock()
            await both(self._more_containers(port), self._more_pods())
        self.stage.narrate(f"{self._copies} copies serve on each side. Who gets the requests?")
        await asyncio.sleep(self._pace.shortest)
        await self.stage.finish()

    async def _first_container(self, port: int) -> None:
        await self._run(1, port)
        self.stage.docker_runs()
        await self.stage.probe(Engine.DOCKER, self._docker.published(port))

    async def _first_pod(self) -> None:
        cluster = self._cluster
        self.stage.type(Engine.KUBERNETES, APPLY)
        await cluster.apply(*manifests(cluster.tag, cluster.images))
        await self.stage.probe(Engine.KUBERNETES, await cluster.service_address(APP))

    async def _more_containers(self, port: int) -> None:
        """Each container needs a command and a port of its own: the first attempt takes the port that is taken."""
        try:
            await self._type_run(2, port)
        except PortTaken as error:
            self._refused = str(error)
            self.stage.narrate(f"Docker refuses the second container on the same port: {error}.")
        else:
            raise DemoFailed("Docker has published one port twice, which it never does. Start the demo again.")
        await self._docker.rm(self._name(2))
        for number in range(2, self._copies + 1):
            await self._type_run(number, await self._docker.free_port())
        await self._serving()

    async def _serving(self) -> None:
        for number in range(1, self._copies + 1):
            await self.stage.answers(Engine.DOCKER, await self._docker.address(self._name(number)))
        self._took[Engine.DOCKER] = self.stage.sandbox.clock() - self._asked

    async def _more_pods(self) -> None:
        self._typed[Engine.KUBERNETES] += 1
        self.stage.type(Engine.KUBERNETES, kubectl_scale(self._copies))
        await self._cluster.patch(f"deployments/{APP}/scale", {"spec": {"replicas": self._copies}})
        await self._cluster.ready(APP, self._copies)
        self._took[Engine.KUBERNETES] = self.stage.sandbox.clock() - self._asked

    def _name(self, number: int) -> str:
        return copy_name(self._docker.tag, number)

    async def _type_run(self, number: int, port: int) -> None:
        self._typed[Engine.DOCKER] += 1
        await self._run(number, port)

    async def _run(self, number: int, port: int) -> None:
        wanted = container(self._docker.tag, number, port)
        self.stage.type(Engine.DOCKER, docker_run(wanted))
        await self._docker.run(wanted)

    def figures(self) -> dict[str, Any]:
        """Return what this demo alone measures, from the moment on at which all copies served."""
        return {
            "copies": self._copies,
            "refused": self._refused,
            "commands": {engine.value: self._typed[engine] for engine in Engine},
            "seconds": {engine.value: round(self._took[engine], 3) for engine in Engine},
            "answered_by": {engine.value: self._shares(engine) for engine in Engine},
        }

    def _shares(self, engine: Engine) -> dict[str, int]:
        return answered_by(self.stage.prober.requests(engine, self._asked + max(self._took.values())))


def findings(measured: Mapping[str, Any]) -> list[Finding]:
    """Say how many copies answered on each side, and what it took to have them."""
    copies = measured["copies"]
    answered = {engine: len(measured["answered_by"][engine]) for engine in Engine}
    told = " ".join(f"{NAMES[engine]} sent requests to {answered[engine]} of {copies} copies." for engine in Engine)
    return [Finding(text=told), *(Finding(text=_typed(engine, measured), engine=engine) for engine in Engine)]


def _typed(engine: Engine, measured: Mapping[str, Any]) -> str:
    number, took = measured["commands"][engine], measured["seconds"][engine]
    return f"{NAMES[engine]}: {number} {'command' if number == 1 else 'commands'}, all serving after {took:.1f} s."


def rows(result: Result) -> tuple[Row, ...]:
    """Return the measured table."""
    measured = result.measured
    lanes = [result.engines[engine] for engine in Engine]
    docker, kubernetes = Engine
    return (
        row("Commands typed", *(str(measured["commands"][engine]) for engine in Engine)),
        row("All serving after", *(seconds(measured["seconds"][engine]) for engine in Engine)),
        row("Copies that answered", *(_reached(result, engine) for engine in Engine)),
        row("Share of each", *(_shares(measured["answered_by"][engine]) for engine in (docker, kubernetes))),
        Row("Failed requests", *map(failed_requests, lanes)),
    )


def _reached(result: Result, engine: Engine) -> str:
    return f"{len(result.measured['answered_by'][engine])} of {result.measured['copies']}"


PREDICTION = Prediction("How many of the copies does one address reach?", ("One", "Some of them", "All"), _reached)


def _shares(answered: Mapping[str, int]) -> str:
    total = sum(answered.values())
    return ", ".join(f"{100 * number / total:.0f} %" for number in sorted(answered.values(), reverse=True))


def plan(options: Options) -> Plan:
    """Return the run as a learner would type it: the first port is the app's own, the others follow it."""
    first, *others = (container(PLAIN, number, PORT + number - 1) for number in range(1, options.replicas + 1))
    refused = docker_run(container(PLAIN, 2, PORT))
    asked = f"for n in 1 2 3 4 5 6 7 8 9 10; do curl -sS http://{ADDRESS}/; done"
    return Plan(
        docker=(
            Step("Start one copy.", (docker_run(first), find_container(first.name), ask())),
            Step(
                "A port is one container's: the same one again is refused.",
                (f"{refused} || docker rm -f {copy_name(PLAIN, 2)}",),
            ),
            Step("Each copy needs a command and a port of its own.", tuple(map(docker_run, others))),
            Step("Who gets the requests to one address?", (asked,)),
        ),
        kubernetes=(
            Step("Declare one copy, and a Service.", (APPLY, rollout_status(APP), find_service(APP), ask())),
            Step("Ask for the others.", (kubectl_scale(options.replicas), rollout_status(APP))),
            Step("Who gets the requests to one address?", (asked,)),
        ),
        containers=(first, *others),
        manifests=manifests(PLAIN, IMAGES),
    )


def lesson(result: Result) -> str | None:
    """Hold a run against this demo: a container's port is one container's, a Service is all pods'."""
    measured = result.measured
    reached = {engine: len(measured["answered_by"][engine]) for engine in Engine}
    if not measured["refused"]:
        return "Docker published one port twice."
    if reached[Engine.DOCKER] != 1:
        return f"Docker's one address reached {reached[Engine.DOCKER]} copies."
    if reached[Engine.KUBERNETES] != measured["copies"]:
        return f"The Service reached {reached[Engine.KUBERNETES]} of {measured['copies']} copies."
    return None


DEMO = Demo(
    name="scale",
    title="Scaling",
    question="Five copies, please",
    explain="How do I scale an app to several copies?",
    run=scale,
    replicas=(COPIES, 2, 3, 4),
    setup="One copy first, then more. One clock, 10 requests a second to each side's one address.",
    rows=rows,
    lesson=lesson,
    plan=plan,
    prediction=PREDICTION,
    seconds=30,
    settings={
        "livenessProbe.periodSeconds": Setting(CHECK.period, 10),
        "readinessProbe.periodSeconds": Setting(1, 10),
    },
)
