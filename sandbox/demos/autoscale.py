"""Who notices the load? One copy on each side under the same load, for a while; then the load goes away again."""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any

from sandbox.demo import Demo, Options, Setting
from sandbox.docker_run import Container, docker_run
from sandbox.engines import Images
from sandbox.events import NAMES, Engine, Event, Finding, Result, Snapshot
from sandbox.figures import Row, actors, failed_requests, row, seconds
from sandbox.lanes import Lanes
from sandbox.load import Load
from sandbox.manifests import (
    DRAIN_SECONDS,
    GRACE_SECONDS,
    App,
    Autoscaling,
    Check,
    Manifest,
    autoscaler,
    deployment,
    service,
)
from sandbox.measuring import reached
from sandbox.names import Tag
from sandbox.plan import ADDRESS, APPLY, IMAGES, PLAIN, Plan, Step, ask, find_container, find_service, rollout_status
from sandbox.predicting import Prediction
from sandbox.routes import Address
from sandbox.sandbox import Sandbox
from sandbox.streams import both

APP = "web"
CHECK = Check()
SCALING = Autoscaling(most=4, cpu="50m", calm=5)
METRICS = "v1beta1.metrics.k8s.io"

# Wants 0.4 CPUs of each side, where one copy gets a quarter: too much for one, easy for four. It cannot pile up,
# because a burn ends with its time, however little of the CPU it got.
RATE = 40
BURN = "/burn?ms=10"

GET_HPA = f"kubectl get hpa {APP}"
_LOAD_SECONDS = 20  # as long as a listing keeps the load on
_TICK = 0.25

Steps = Sequence[tuple[float, int]]


def container(tag: Tag) -> Container:
    """Return Docker's side."""
    return Container(tag.container(APP))


def manifests(tag: Tag, images: Images) -> tuple[Manifest, ...]:
    """Return Kubernetes' side."""
    app = App(APP, images.of("1"), CHECK, drain=DRAIN_SECONDS)
    return deployment(tag, app), service(tag, APP), autoscaler(tag, APP, SCALING)


def autoscale(sandbox: Sandbox, options: Options) -> AsyncGenerator[Event, None]:
    """Start one copy on each side, put load on both, and watch who gets more copies, and fewer again."""
    return _Lanes(sandbox).run("autoscale", options, findings)


class _Lanes(Lanes):
    """Both sides of one run: what runs, and the load on it."""

    def __init__(self, sandbox: Sandbox) -> None:
        super().__init__(sandbox)
        self._addresses: dict[Engine, Address] = {}
        self._copies: dict[Engine, list[tuple[float, int]]] = {engine: [] for engine in Engine}
        self._load = Load(sandbox.clock, sandbox.clients, BURN, RATE)
        self._began = self._over = 0.0

    def see(self, event: Event) -> None:
        """Remember how many copies are ready on a side, whenever that changes."""
        if isinstance(event, Snapshot):
            ready = sum(instance.ready for instance in event.instances)
            copies = self._copies[event.engine]
            if not copies or copies[-1][1] != ready:
                copies.append((round(event.t, 3), ready))

    async def script(self, options: Options) -> None:
        """Start both sides, then switch the load on and off."""
        self.stage.narrate(
            "The same web server on each side, one copy. Kubernetes also gets a HorizontalPodAutoscaler: "
            f"1 to {SCALING.most} copies, {SCALING.cpu} of CPU for each."
        )
        await both(self._start_docker(), self._start_kubernetes())
        self._began = self.stage.sandbox.clock()
        await both(asyncio.sleep(self._pace.steady), options.guesses())
        async with self.stage.acting():
            await self._under_load()
            await self._until(1)
        await asyncio.sleep(self._pace.settled)
        self._over = self.stage.sandbox.clock()
        await self.stage.finish()

    async def _start_docker(self) -> None:
        wanted = container(self._docker.tag)
        self.stage.type(Engine.DOCKER, docker_run(wanted))
        await self._docker.run(wanted)
        self.stage.docker_runs()
        await self._probe(Engine.DOCKER, await self._docker.address(wanted.name))

    async def _start_kubernetes(self) -> None:
        cluster = self._cluster
        self.stage.type(Engine.KUBERNETES, APPLY)
        await cluster.apply(*manifests(cluster.tag, cluster.images))
        self.stage.type(Engine.KUBERNETES, GET_HPA)
        await self._probe(Engine.KUBERNETES, await cluster.service_address(APP))
        await cluster.ready(APP, 1)

    async def _probe(self, engine: Engine, address: Address) -> None:
        self._addresses[engine] = address
        await self.stage.probe(engine, address)

    async def _under_load(self) -> None:
        """Keep the load on until all copies that there may be have served for a moment, or for a while."""
        for engine in Engine:
            self.stage.acted_from_now(engine)
            self.stage.type(engine, load_command(self._addresses[engine]))
        async with self._load.on(self._addresses):
            self.stage.narrate(f"{RATE} requests a second to each side now cost CPU.")
            await self._until(SCALING.most)
            await asyncio.sleep(self._pace.settled)
        self.stage.narrate("The load is gone.")

    async def _until(self, copies: int) -> None:
        """Wait until Kubernetes has so many ready copies, at most for the time that a run is observed."""
        end = self.stage.sandbox.clock() + self._pace.observe
        while self.stage.sandbox.clock() < end:
            if sum(pod.ready for pod in await self._cluster.get_pods()) == copies:
                return
            await asyncio.sleep(_TICK)

    def figures(self) -> dict[str, Any]:
        """Return what this demo alone measures."""
        on, off = self._load.start, self._load.end
        moments = {
            "before": (self._began, on),
            "begins": (on, on + self._pace.settled),
            "ends": (off - self._pace.settled, off),
            "after": (self._over - self._pace.settled, self._over),
        }
        return {
            "load": [self._load.told()],
            "load_failed": {engine.value: failed for engine, failed in self._load.failed.items()},
            "replicas": {engine.value: [list(step) for step in self._copies[engine]] for engine in Engine},
            "reaction": {engine.value: reaction(self._copies[engine], on, off) for engine in Engine},
            "p90_ms": {
                engine.value: {name: self._p90(engine, *span) for name, span in moments.items()} for engine in Engine
            },
        }

    def _p90(self, engine: Engine, since: float, until: float) -> float | None:
        """Return what nine of ten steady requests took at most, of those that were sent in a span.

        A copy at its CPU limit stands still for the rest of every 100 ms (the kernel's CFS quota). Whether half of the
        requests meet that is chance.
        """
        asked = (one for one in self.stage.prober.requests(engine, since) if one.ok and one.sent < until)
        took = [(one.over - one.sent) * 1000 for one in asked]
        return round(reached(0.9, took), 1) if took else None


def reaction(copies: Steps, on: float, off: float) -> dict[str, Any]:
    """Say how many copies there were before the load and at most, and when: of steps of a time and a number each."""
    before = next((number for t, number in reversed(copies) if t <= on), 0)
    later = [(t, number) for t, number in copies if t > on]
    most = max([before, *(number for _, number in later)])
    if most == before:
        return {"before": before, "most": most, "up_seconds": None, "down_seconds": None}
    up = next(t for t, number in later if number == most)
    down = next((t for t, number in later if t > max(up, off) and number <= before), None)
    return {
        "before": before,
        "most": most,
        "up_seconds": round(up - on, 1),
        "down_seconds": None if down is None else round(down - off, 1),
    }


def load_command(address: Address | str) -> str:
    """Return what a learner would type to put the same load on an address, and ends with Ctrl-C."""
    return f'while sleep {1 / RATE:g}; do curl -so /dev/null "http://{address}{BURN}" & done'


def findings(measured: Mapping[str, Any]) -> list[Finding]:
    """Say who got more copies under load and gave them back, and what a user would have felt of it."""
    told = " ".join(_reacted(NAMES[engine], measured["reaction"][engine]) for engine in Engine)
    felt = (Finding(text=text, engine=engine) for engine in Engine if (text := _felt(engine, measured)))
    return [Finding(text=f"Under load, {told}"), *felt]


def _reacted(name: str, lane: Mapping[str, Any]) -> str:
    if lane["up_seconds"] is None:
        return f"{name} stayed at {_copies(lane['before'])}."
    went = f"{name} went to {_copies(lane['most'])} in {lane['up_seconds']:.1f} s"
    if lane["down_seconds"] is None:
        return f"{went}, and was not back at {_copies(lane['before'])} when the run ended."
    return f"{went}, and back to {_copies(lane['before'])} {lane['down_seconds']:.1f} s after the load."


def _felt(engine: Engine, measured: Mapping[str, Any]) -> str | None:
    p90 = measured["p90_ms"][engine]
    if None in p90.values():
        return None
    return (
        f"{NAMES[engine]}: nine of ten answers came within {p90['before']:.1f} ms before the load, "
        f"{p90['begins']:.1f} ms as it began and {p90['ends']:.1f} ms as it ended."
    )


def _copies(number: int) -> str:
    return "1 copy" if number == 1 else f"{number} copies"


def rows(result: Result) -> tuple[Row, ...]:
    """Return the measured table."""
    lanes = [result.engines[engine] for engine in Engine]
    reactions = [result.measured["reaction"][engine] for engine in Engine]
    p90 = [result.measured["p90_ms"][engine] for engine in Engine]
    return (
        row("Most copies", *(str(lane["most"]) for lane in reactions)),
        row("Reached after", *(_when(lane, "up_seconds") for lane in reactions)),
        row("Back after the load", *(_when(lane, "down_seconds") for lane in reactions)),
        row("p90 before the load", *(_ms(lane["before"]) for lane in p90)),
        row("p90 as it began", *(_ms(lane["begins"]) for lane in p90)),
        row("p90 as it ended", *(_ms(lane["ends"]) for lane in p90)),
        row("p90 after it", *(_ms(lane["after"]) for lane in p90)),
        Row("Failed requests", *map(failed_requests, lanes)),
        Row("Who acted", *map(actors, lanes)),
    )


def _most(result: Result, engine: Engine) -> str:
    return _copies(result.measured["reaction"][engine]["most"])


PREDICTION = Prediction("How many copies are there under load?", ("Still one", "Two or three", "More"), _most)


def _when(lane: Mapping[str, Any], which: str) -> str:
    if lane["up_seconds"] is None:
        return "no change"
    return "not in this run" if lane[which] is None else seconds(lane[which])


def _ms(value: float | None) -> str:
    return "not measured" if value is None else f"{value:.1f} ms"


def plan(_: Options) -> Plan:
    """Return the run as a learner would type it; here the load ends by itself."""
    wanted = container(PLAIN)
    loaded = ("export ADDRESS", f"timeout {_LOAD_SECONDS} bash -c '{load_command(ADDRESS)}' || true")
    back = f"kubectl wait hpa/{APP} --for=jsonpath='{{.status.currentReplicas}}'=1 --timeout=90s"
    load = f"Put load on it, for {_LOAD_SECONDS} s."
    return Plan(
        docker=(
            Step("Start one copy.", (docker_run(wanted), find_container(wanted.name), ask())),
            Step(load, loaded),
            Step("Did anybody notice?", (f"docker ps --filter name={wanted.name}",)),
        ),
        kubernetes=(
            Step("Declare one copy, and who may change that.", (APPLY, rollout_status(APP), find_service(APP), ask())),
            Step(load, loaded),
            Step("Did anybody notice?", (GET_HPA, f"kubectl get pods -l app={APP}")),
            Step("The load is gone. Wait for one copy again.", (back,)),
        ),
        containers=(wanted,),
        manifests=manifests(PLAIN, IMAGES),
    )


def lesson(result: Result) -> str | None:
    """Hold a run against this demo: nobody adds a container, the autoscaler adds pods and takes them away again."""
    docker, kubernetes = (result.measured["reaction"][engine] for engine in Engine)
    if docker["up_seconds"] is not None:
        return f"Docker went to {docker['most']} containers by itself."
    if kubernetes["up_seconds"] is None:
        return "Kubernetes added no pod under load."
    if kubernetes["down_seconds"] is None:
        return "Kubernetes did not take its pods away after the load."
    if "hpa" not in result.engines[Engine.KUBERNETES].acted_by:
        return "Kubernetes changed its copies, but the hpa did not report that it acted."
    return None


DEMO = Demo(
    name="autoscale",
    title="Autoscaling",
    question="Who notices the load?",
    explain="How does the HorizontalPodAutoscaler work?",
    run=autoscale,
    setup="One copy on each side, the same load on both for a while. One clock, 10 more requests a second measure it.",
    rows=rows,
    lesson=lesson,
    plan=plan,
    needs=(METRICS,),
    prediction=PREDICTION,
    seconds=65,
    deadline=150,
    settings={
        "scaleDown.stabilizationWindowSeconds": Setting(SCALING.calm, 300),
        "livenessProbe.periodSeconds": Setting(CHECK.period, 10),
        "readinessProbe.periodSeconds": Setting(1, 10),
        "lifecycle.preStop.sleep": Setting(DRAIN_SECONDS, "none"),
        "terminationGracePeriodSeconds": Setting(GRACE_SECONDS + DRAIN_SECONDS, 30),
    },
)
