"""Where do requests go? Three copies on each side, and one of them that is not ready for a while."""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

from sandbox.clients import who
from sandbox.demo import Demo, Options, Setting
from sandbox.docker_run import Container, docker_run
from sandbox.engines import Images
from sandbox.errors import DemoFailed
from sandbox.events import NAMES, Engine, Event, Finding, Result
from sandbox.figures import Figure, Row, failed_requests, row, seconds
from sandbox.http import GOOD
from sandbox.lanes import Lanes
from sandbox.manifests import DRAIN_SECONDS, GRACE_SECONDS, App, Check, Manifest, deployment, service
from sandbox.measuring import Request, answered_by, step, within
from sandbox.names import Tag, write_time
from sandbox.plan import ADDRESS, APPLY, IMAGES, PLAIN, Plan, Step, ask, find_container, find_pod, rollout_status
from sandbox.predicting import Prediction
from sandbox.quota import PORT
from sandbox.rollouts import restart, rolled_out
from sandbox.sandbox import Sandbox
from sandbox.streams import both

APP = "web"
COPIES = 3
CHECK = Check()
READY, OUT, BACK, REPLACED = STEPS = "All ready", "One unready", "Ready again", "Pods replaced"

RESTART = f"kubectl rollout restart deployment/{APP}"

_ASKED = 30  # by name: kube-proxy draws a pod for each, and of three none is missed but once in 60,000 times
_TICK = 0.25

# A step's name, when it began and was over, and the requests that were sent in it.
_Span = tuple[str, float, float, list[Request]]


def containers(tag: Tag, port: int) -> tuple[Container, ...]:
    """Return Docker's side: of three containers one has the published port."""
    names = [tag.container(f"{APP}{number}") for number in range(1, COPIES + 1)]
    return tuple(Container(name, check=CHECK, publish=port if name == names[0] else None) for name in names)


def manifests(tag: Tag, images: Images) -> tuple[Manifest, ...]:
    """Return Kubernetes' side: three pods behind a Service."""
    return deployment(tag, App(APP, images.of("1"), CHECK, COPIES, drain=DRAIN_SECONDS)), service(tag, APP)


def loadbalance(sandbox: Sandbox, options: Options) -> AsyncGenerator[Event, None]:
    """Start three copies on each side, make one say that it is not ready, and watch who still gets requests."""
    return _Lanes(sandbox).run("loadbalance", options, findings)


class _Lanes(Lanes):
    """Both sides of one run, and when each step of it began."""

    def __init__(self, sandbox: Sandbox) -> None:
        super().__init__(sandbox)
        self._names = [self._docker.tag.container(f"{APP}{number}") for number in range(1, COPIES + 1)]
        self._began: dict[str, float] = {}
        self._over = 0.0
        self._pod = ""
        self._found: dict[str, list[str]] = {}

    async def script(self, options: Options) -> None:
        """Start both sides, take one copy of each out and back, then replace the pods behind the Service."""
        self.stage.narrate("Three copies of the same web server on each side, and one address for the clients.")
        await both(self._start_docker(), self._start_kubernetes())
        self._begin(READY)
        await both(asyncio.sleep(self._pace.steady), options.guesses())
        async with self.stage.acting():
            await self._take_out()
            await asyncio.sleep(self._pace.shortest)
        await self._take_back()
        await asyncio.sleep(self._pace.steady)
        async with self.stage.acting():
            await self._replace()
        self._over = self.stage.sandbox.clock()
        await self.stage.finish()

    def _begin(self, step: str) -> None:
        self._began[step] = self.stage.sandbox.clock()

    async def _start_docker(self) -> None:
        port = await self._docker.free_port()
        for container in containers(self._docker.tag, port):
            self.stage.type(Engine.DOCKER, docker_run(container))
            await self._docker.run(container)
        self.stage.docker_runs()
        for name in self._names:
            await self.stage.answers(Engine.DOCKER, await self._docker.address(name))
        await self.stage.probe(Engine.DOCKER, self._docker.published(port))

    async def _start_kubernetes(self) -> None:
        cluster = self._cluster
        self.stage.type(Engine.KUBERNETES, "kubectl apply -f web.yaml")
        await cluster.apply(*manifests(cluster.tag, cluster.images))
        await cluster.ready(APP, COPIES)
        self.stage.type(Engine.KUBERNETES, f"kubectl get endpointslices -l kubernetes.io/service-name={APP}")
        await self.stage.probe(Engine.KUBERNETES, await cluster.service_address(APP))
        self._pod = (await cluster.get_pods())[0].name
        self._found["before"] = await self._find()

    async def _take_out(self) -> None:
        """Make one copy of each side unready: on Docker the one that has the port, for the others get nothing."""
        self.stage.narrate("One copy of each side now says that it is not ready, and answers everybody so.")
        for engine in Engine:
            self.stage.acted_from_now(engine)
        await self._tell("/fault/unready")
        self._begin(OUT)

    async def _take_back(self) -> None:
        self.stage.narrate("It is ready again.")
        self._begin(BACK)
        await self._tell("/fault/ready")

    async def _tell(self, path: str) -> None:
        container = self._names[0]
        for engine, address in (
            (Engine.DOCKER, await self._docker.address(container)),
            (Engine.KUBERNETES, await self._cluster.pod_address(self._pod)),
        ):
            self.stage.type(engine, f"curl -X POST http://{address}{path}")
        await both(self._docker.tell(container, path), self._cluster.tell(self._pod, path))

    async def _replace(self) -> None:
        """Give the Service new pods; whoever knows its name needs to know nothing of that."""
        self.stage.narrate("All pods behind the Service are replaced now. Its name stays.")
        self.stage.type(Engine.KUBERNETES, RESTART)
        self._begin(REPLACED)
        old = await self._names_of_pods()
        await self._cluster.patch(f"deployments/{APP}", restart(write_time(datetime.now(UTC))))
        self.stage.type(Engine.KUBERNETES, f"kubectl rollout status deployment {APP}")
        await self._replaced(old)
        self._found["after"] = await self._find()

    async def _names_of_pods(self) -> set[str]:
        return {pod.name for pod in await self._cluster.get_pods()}

    async def _replaced(self, old: set[str]) -> None:
        """Wait until the new pods serve and the old ones are gone: one that is ending may still answer."""
        end = self.stage.sandbox.clock() + self._pace.startup
        while not rolled_out(await self._cluster.get(f"deployments/{APP}")) or old & await self._names_of_pods():
            if self.stage.sandbox.clock() > end:
                raise DemoFailed(
                    f"The pods were not replaced within {self._pace.startup:g} s. The cluster may be busy: start the "
                    "demo again in a moment."
                )
            await asyncio.sleep(_TICK)

    async def _find(self) -> list[str]:
        """Ask the Service by its name, from within a pod; return which pods answered."""
        pod = next(pod.name for pod in await self._cluster.get_pods() if pod.ready)
        address = await self._cluster.pod_address(pod)
        path = f"/fetch?service={APP}"
        self.stage.type(Engine.KUBERNETES, f'curl "http://{address}{path}"')
        answers = [await self._cluster.ask(pod, "GET", path) for _ in range(_ASKED)]
        found = [who(answer.body)[0] for answer in answers if answer.status == GOOD]
        return sorted({name for name in found if name})

    def figures(self) -> dict[str, Any]:
        """Return what this demo alone measures."""
        return {
            "copies": COPIES,
            "unready": {Engine.DOCKER.value: self._names[0], Engine.KUBERNETES.value: self._pod},
            "steps": {engine.value: [step(*span) for span in self._spans(engine)] for engine in Engine},
            "answered_by": {
                engine.value: {name: answered_by(asked) for name, _, _, asked in self._spans(engine)}
                for engine in Engine
            },
            "failing_seconds": {
                engine.value: failing(self._began[OUT], self._spans(engine)[1][-1]) for engine in Engine
            },
            "found_by_name": self._found,
        }

    def _spans(self, engine: Engine) -> list[_Span]:
        log = self.stage.prober.requests(engine)
        begun = [*self._began.values(), self._over]
        return [(name, *span, within(log, *span)) for name, span in zip(STEPS, pairwise(begun), strict=True)]


def failing(start: float, asked: Sequence[Request]) -> float:
    """Return how long after the start of a step a request still failed; 0 where none did."""
    return round(max((one.over - start for one in asked if not one.ok), default=0.0), 1)


def findings(measured: Mapping[str, Any]) -> list[Finding]:
    """Say what failed while a copy was not ready, who answered, and whether the name went on leading somewhere."""
    out = [_out(measured, engine) for engine in Engine]
    docker, kubernetes = (f"{one['failed']} of {one['requests']}" for one in out)
    lanes = [Finding(text=_answered(engine, measured), engine=engine) for engine in Engine]
    headline = f"While one of {measured['copies']} copies was not ready, Docker failed {docker} requests"
    named = Finding(text=_found(measured["found_by_name"]), engine=Engine.KUBERNETES)
    return [Finding(text=f"{headline}, Kubernetes {kubernetes}."), *lanes, named]


def _answered(engine: Engine, measured: Mapping[str, Any]) -> str:
    before, out, back = (len(measured["answered_by"][engine][name]) for name in (READY, OUT, BACK))
    copies = f"{before} of {measured['copies']} copies answered before"
    return f"{NAMES[engine]}: {copies}, {out} while one was not ready, {back} after that."


def _found(found: Mapping[str, Sequence[str]]) -> str:
    before, after = set(found["before"]), set(found["after"])
    return (
        f"From within a pod, the name {APP} led to {_counted(len(before), 'pod')} before all were replaced, and to "
        f"{_counted(len(after), 'pod')} after that, {len(after - before)} of them new."
    )


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _out(measured: Mapping[str, Any], engine: Engine) -> Mapping[str, Any]:
    """Return the step in which one copy was not ready."""
    found: Mapping[str, Any] = measured["steps"][engine][STEPS.index(OUT)]
    return found


def rows(result: Result) -> tuple[Row, ...]:
    """Return the measured table."""
    measured = result.measured
    answered = [
        row(f"{name}: answered", *(f"{len(measured['answered_by'][e][name])} of {measured['copies']}" for e in Engine))
        for name in (READY, OUT, BACK)
    ]
    steps = [_out(measured, engine) for engine in Engine]
    return (
        *answered,
        Row(f"{OUT}: failed", *(_failed(one) for one in steps)),
        row(f"{OUT}: failing for", *(seconds(measured["failing_seconds"][engine]) for engine in Engine)),
        Row("Failed in all", *map(failed_requests, (result.engines[engine] for engine in Engine))),
    )


def _failed(one: Mapping[str, Any]) -> Figure:
    return Figure(f"{one['failed']} of {one['requests']}", None if one["failed"] else "good")


def _while_out(result: Result, engine: Engine) -> str:
    return _failed(_out(result.measured, engine)).text


PREDICTION = Prediction("One copy is not ready: how many requests fail?", ("None", "A third", "All"), _while_out)


def lesson(result: Result) -> str | None:
    """Hold a run against this demo: a port leads to one container, ready or not; a Service to the pods that are."""
    measured = result.measured
    answered = {engine: [len(names) for names in measured["answered_by"][engine].values()] for engine in Engine}
    if answered[Engine.DOCKER][:2] != [1, 0]:
        return f"Docker's one port reached {answered[Engine.DOCKER][:2]} containers in turn, not one and then none."
    if answered[Engine.KUBERNETES][:3] != [COPIES, COPIES - 1, COPIES]:
        return f"The Service reached {answered[Engine.KUBERNETES][:3]} pods in turn, not all but the unready one."
    if not measured["found_by_name"]["before"] or not measured["found_by_name"]["after"]:
        return "The Service was not found by its name before and after its pods were replaced."
    return None


def plan(_: Options) -> Plan:
    """Return the run as a learner would type it."""
    wanted = containers(PLAIN, PORT)
    out, back = "One copy says that it is not ready.", "It is ready again."
    unready, ready = (f"curl -X POST http://{ADDRESS}/fault/{word}" for word in ("unready", "ready"))
    first, endpoints = find_container(wanted[0].name), f"kubectl get endpointslices -l kubernetes.io/service-name={APP}"
    return Plan(
        docker=(
            Step("Start three copies. One of them has the port.", tuple(map(docker_run, wanted))),
            Step(out, (first, ask(), unready)),
            Step(back, (ready,)),
        ),
        kubernetes=(
            Step("Declare three copies and a Service.", (APPLY, rollout_status(APP), endpoints)),
            Step(out, (*find_pod(APP), unready, endpoints)),
            Step(back, (ready, rollout_status(APP))),
            Step("Replace all pods. The Service keeps its name.", (RESTART, rollout_status(APP), endpoints)),
        ),
        containers=wanted,
        manifests=manifests(PLAIN, IMAGES),
    )


DEMO = Demo(
    name="loadbalance",
    title="Load balancing",
    question="Where do requests go?",
    explain="How does a Service balance load?",
    run=loadbalance,
    setup="Three copies on each side; one of them is not ready for a while. 10 requests a second to each one address.",
    rows=rows,
    plan=plan,
    lesson=lesson,
    prediction=PREDICTION,
    seconds=45,
    settings={
        "--health-interval": Setting(f"{CHECK.period}s", "30s"),
        "readinessProbe.periodSeconds": Setting(1, 10),
        "readinessProbe.failureThreshold": Setting(CHECK.failures, 3),
        "livenessProbe.periodSeconds": Setting(CHECK.period, 10),
        "lifecycle.preStop.sleep": Setting(DRAIN_SECONDS, "none"),
        "terminationGracePeriodSeconds": Setting(GRACE_SECONDS + DRAIN_SECONDS, 30),
    },
)
