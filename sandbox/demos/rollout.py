"""A new version, no gap? Two updates and a way back on both sides, and what each cost the clients."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sandbox.demo import Demo, Options, Setting
from sandbox.docker_run import Container, docker_run
from sandbox.engines import Images, Version
from sandbox.errors import DemoFailed
from sandbox.events import NAMES, Engine, Event, Finding, Result
from sandbox.figures import Figure, Row, actors, row, seconds
from sandbox.lanes import Lanes
from sandbox.manifests import DRAIN_SECONDS, GRACE_SECONDS, App, Check, Manifest, deployment, service
from sandbox.measuring import Request, Span, undisturbed
from sandbox.names import Tag
from sandbox.plan import APPLY, IMAGES, PLAIN, Plan, Step, rollout_status
from sandbox.predicting import Prediction
from sandbox.quota import PORT
from sandbox.rollouts import rolled_out, set_image, status, undo
from sandbox.sandbox import Sandbox
from sandbox.streams import both, together

APP = "web"
COPIES = 3
CHECK = Check(period=1)
NEW: Version = "2"
BROKEN: Version = "never-ready"
BROKEN_SAYS = "3"  # what that version calls itself where it answers
STEPS = ("Version 2", "Never-ready version", "Back to version 2")
STATUS = f"kubectl rollout status deployment/{APP}"
UNDO = f"kubectl rollout undo deployment/{APP}"
_TICK = 0.1


def container(tag: Tag, version: Version, port: int) -> Container:
    """Return Docker's side in one version."""
    return Container(tag.container(APP), version, check=CHECK, publish=port)


def manifests(tag: Tag, images: Images) -> tuple[Manifest, ...]:
    """Return Kubernetes' side in version 1."""
    return deployment(tag, App(APP, images.of("1"), CHECK, COPIES, drain=DRAIN_SECONDS)), service(tag, APP)


def remove_lines(name: str) -> tuple[str, str]:
    """Return what a learner would type to free a container's port."""
    return f"docker stop {name}", f"docker rm {name}"


def set_image_line(image: str) -> str:
    """Return what a learner would type for another version."""
    return f"kubectl set image deployment/{APP} {APP}={image}"


def rollout(sandbox: Sandbox, options: Options) -> AsyncGenerator[Event, None]:
    """Update both sides to a good version, to one that never becomes ready, and back."""
    return _Lanes(sandbox).run("rollout", options, findings)


@dataclass(frozen=True)
class _Step:
    """One change on both sides, in the same time."""

    name: str
    start: float
    end: float


class _Lanes(Lanes):
    """Both sides of one run: one container on a published port, and three pods behind a Service."""

    def __init__(self, sandbox: Sandbox) -> None:
        super().__init__(sandbox)
        self._name = self._docker.tag.container(APP)
        self._port = 0
        self._steps: list[_Step] = []
        self._done: dict[Engine, list[float | None]] = {engine: [] for engine in Engine}
        self._stalled = ""

    async def script(self, options: Options) -> None:
        """Start version 1, then change it three times."""
        self.stage.narrate("Version 1 of the same web server: one container, and three pods behind a Service.")
        self._port = await self._docker.free_port()
        await both(self._start_docker(), self._start_kubernetes())
        await both(asyncio.sleep(self._pace.steady), options.guesses())
        for engine in Engine:
            self.stage.acted_from_now(engine)
        self.stage.narrate("Version 2 is out. Docker replaces its container, Kubernetes its pods one by one.")
        await self._step(STEPS[0], NEW, self._update)
        self.stage.narrate("The next version never becomes ready. Both sides get it.")
        await self._step(STEPS[1], BROKEN, self._stall)
        self.stage.narrate("Back to version 2 on both sides.")
        await self._step(STEPS[2], NEW, self._undo)
        await self.stage.finish()

    async def _start_docker(self) -> None:
        await self._run("1")
        self.stage.docker_runs()
        await self.stage.probe(Engine.DOCKER, self._docker.published(self._port))

    async def _start_kubernetes(self) -> None:
        cluster = self._cluster
        self.stage.type(Engine.KUBERNETES, APPLY)
        await cluster.apply(*manifests(cluster.tag, cluster.images))
        await self.stage.probe(Engine.KUBERNETES, await cluster.service_address(APP))
        await cluster.ready(APP, COPIES)

    async def _run(self, version: Version) -> None:
        wanted = container(self._docker.tag, version, self._port)
        self.stage.type(Engine.DOCKER, docker_run(wanted))
        await self._docker.run(wanted)

    async def _step(self, name: str, version: Version, roll: Callable[[], Coroutine[Any, Any, float | None]]) -> None:
        """Change both sides at once; a step lasts for a while, so that what comes after it counts too."""
        async with self.stage.acting():
            start = self._now()
            _, *ends = await together(asyncio.sleep(self._pace.shortest), self._replace(version), roll())
        for engine, end in zip(Engine, ends, strict=True):
            self._done[engine].append(None if end is None else end - start)
        self._steps.append(_Step(name, start, self._now()))

    def _now(self) -> float:
        return self.stage.sandbox.clock()

    async def _replace(self, version: Version) -> float:
        """Stop, remove, run: a published port is one container's. Returns when the new one answers."""
        stop, rm = remove_lines(self._name)
        self.stage.type(Engine.DOCKER, stop)
        await self._docker.stop(self._name)
        self.stage.type(Engine.DOCKER, rm)
        await self._docker.rm(self._name)
        await self._run(version)
        await self.stage.answers(Engine.DOCKER, self._docker.published(self._port))
        return self._now()

    async def _update(self) -> float:
        await self._set_image(NEW)
        return await self._rolled_out()

    async def _set_image(self, version: Version) -> None:
        image = self._cluster.images.of(version)
        self.stage.type(Engine.KUBERNETES, set_image_line(image))
        await self._change(set_image(await self._deployment(), image, version))

    async def _stall(self) -> None:
        """Watch the rollout of the broken version for as long as the step lasts: nothing ends it."""
        await self._set_image(BROKEN)
        self.stage.type(Engine.KUBERNETES, STATUS)
        await asyncio.sleep(self._pace.shortest)
        self._stalled = status(await self._deployment())
        self.stage.narrate(f"kubectl rollout status says: {self._stalled}")

    async def _undo(self) -> float:
        self.stage.type(Engine.KUBERNETES, UNDO)
        replicasets = (await self._cluster.get("replicasets"))["items"]
        changes = undo(await self._deployment(), replicasets)
        if changes is None:
            raise DemoFailed("Kubernetes has kept no earlier version to go back to. Start the demo again.")
        await self._change(changes)
        return await self._rolled_out()

    async def _deployment(self) -> dict[str, Any]:
        return await self._cluster.get(f"deployments/{APP}")

    async def _change(self, changes: Mapping[str, Any]) -> None:
        await self._cluster.patch(f"deployments/{APP}", changes)

    async def _rolled_out(self) -> float:
        """Wait for the end of the rollout, and return when that was."""
        end = self._now() + self._pace.startup
        while not rolled_out(now := await self._deployment()):
            if self._now() > end:
                raise DemoFailed(
                    f"The rollout did not come to its end within {self._pace.startup:g} s ({status(now)}). "
                    "The cluster may be busy: start the demo again in a moment."
                )
            await asyncio.sleep(_TICK)
        return self._now()

    def figures(self) -> dict[str, Any]:
        """Return what this demo alone measures: each step on each side, and what `kubectl rollout status` said."""
        steps = {engine.value: [self._figures(engine, n) for n in range(len(self._steps))] for engine in Engine}
        return {"steps": steps, "stalled": self._stalled}

    def _figures(self, engine: Engine, number: int) -> dict[str, Any]:
        step, done = self._steps[number], self._done[engine][number]
        requests = [one for one in self.stage.prober.requests(engine, step.start) if one.sent < step.end]
        measured = undisturbed(requests, Span(step.start, step.end), ())
        return {
            "name": step.name,
            "start": round(step.start, 3),
            "end": round(step.end, 3),
            "done_seconds": None if done is None else round(done, 3),
            "requests": measured.requests,
            "failed": measured.failed,
            "longest_gap_seconds": measured.longest_outage_seconds,
            "answered": _versions(requests),
        }


def _versions(requests: Sequence[Request]) -> dict[str, int]:
    """Count the good answers of each version."""
    return dict(Counter(request.version or "unknown" for request in requests if request.ok))


def broken_answers(measured: Mapping[str, Any], engine: Engine) -> int:
    """Return how many requests the version that is never ready has answered."""
    return sum(step["answered"].get(BROKEN_SAYS, 0) for step in measured["steps"][engine])


def findings(measured: Mapping[str, Any]) -> list[Finding]:
    """Say what the update cost, what the broken version did, and the longest gap of each step."""
    update = {engine: measured["steps"][engine][0] for engine in Engine}
    cost = [f"{step['failed']} of {step['requests']} on {NAMES[engine]}" for engine, step in update.items()]
    broken = [f"{broken_answers(measured, engine)} on {NAMES[engine]}" for engine in Engine]
    gaps = (Finding(text=_gaps(engine, measured["steps"][engine]), engine=engine) for engine in Engine)
    return [
        Finding(text=f"Requests that the update to version 2 failed: {', '.join(cost)}."),
        Finding(text=f"Requests that the never-ready version answered: {', '.join(broken)}."),
        *gaps,
        Finding(text=f"kubectl rollout status said of it: {measured['stalled']}", engine=Engine.KUBERNETES),
    ]


def _gaps(engine: Engine, steps: Sequence[Mapping[str, Any]]) -> str:
    longest = max(steps, key=lambda step: float(step["longest_gap_seconds"]))
    gap = longest["longest_gap_seconds"]
    told = f"the longest gap took {gap:.1f} s ({longest['name']})" if gap else "no gap"
    return f"{NAMES[engine]}: {told}."


def rows(result: Result) -> tuple[Row, ...]:
    """Return the measured table: what each step cost, who served the broken version, and who acted."""
    measured = result.measured
    steps = list(zip(*(measured["steps"][engine] for engine in Engine), strict=True))
    return (
        *(Row(f"{docker['name']}: failed", _failed(docker), _failed(kubernetes)) for docker, kubernetes in steps),
        *(Row(f"{docker['name']}: gap", _gap(docker), _gap(kubernetes)) for docker, kubernetes in steps),
        row("Answered by the never-ready", *(str(broken_answers(measured, engine)) for engine in Engine)),
        Row("Who acted", *(actors(result.engines[engine]) for engine in Engine)),
    )


def _failed(step: Mapping[str, Any]) -> Figure:
    return Figure(f"{step['failed']} of {step['requests']}", "failed" if step["failed"] else "good")


def _update(result: Result, engine: Engine) -> str:
    return _failed(result.measured["steps"][engine][0]).text


PREDICTION = Prediction(
    "How many requests fail while version 2 takes over?", ("None", "Under ten", "Ten or more"), _update
)


def _gap(step: Mapping[str, Any]) -> Figure:
    gap = step["longest_gap_seconds"]
    return Figure(seconds(gap), "failed") if gap else Figure("none", "good")


def plan(_: Options) -> Plan:
    """Return the run as a learner would type it."""
    last = container(PLAIN, NEW, PORT)
    remove, new = remove_lines(last.name), docker_run(last)
    return Plan(
        docker=(
            Step("Start version 1.", (docker_run(container(PLAIN, "1", PORT)),)),
            Step("Version 2 is out: the port is free only once version 1 is gone.", (*remove, new)),
            Step("The next version never becomes ready.", (*remove, docker_run(container(PLAIN, BROKEN, PORT)))),
            Step("Back to version 2.", (*remove, new)),
        ),
        kubernetes=(
            Step("Declare version 1.", (APPLY, rollout_status(APP))),
            Step("Version 2 is out.", (set_image_line(IMAGES.of(NEW)), rollout_status(APP))),
            Step(
                "The next version never becomes ready: its rollout does not end, so look for a few seconds.",
                (set_image_line(IMAGES.of(BROKEN)), f"{STATUS} --timeout=5s || kubectl get pods -l app={APP}"),
            ),
            Step("Back to version 2.", (UNDO, rollout_status(APP))),
        ),
        containers=(last,),
        manifests=manifests(PLAIN, IMAGES),
    )


def lesson(result: Result) -> str | None:
    """Hold a run against this demo: a replaced container leaves a gap, and only readiness holds a bad version back."""
    measured = result.measured
    docker, kubernetes = (measured["steps"][engine] for engine in Engine)
    if not all(step["failed"] for step in docker):
        return "Docker replaced its container without a failed request."
    if not broken_answers(measured, Engine.DOCKER):
        return "Docker sent no request to the version that is never ready."
    if broken_answers(measured, Engine.KUBERNETES):
        return "Kubernetes sent requests to a version that is never ready."
    if sum(step["failed"] for step in kubernetes) >= sum(step["failed"] for step in docker):
        return "Kubernetes failed as many requests as Docker."
    return None


DEMO = Demo(
    name="rollout",
    title="Rolling update",
    question="A new version, no gap?",
    explain="How do I update an app without downtime?",
    run=rollout,
    setup="One container on a published port, three pods behind a Service. One clock, 10 requests a second to each.",
    rows=rows,
    lesson=lesson,
    plan=plan,
    prediction=PREDICTION,
    seconds=45,
    settings={
        "--health-interval": Setting(f"{CHECK.period}s", "30s"),
        "livenessProbe.periodSeconds": Setting(CHECK.period, 10),
        "readinessProbe.periodSeconds": Setting(1, 10),
        "lifecycle.preStop.sleep": Setting(DRAIN_SECONDS, "none"),
        "terminationGracePeriodSeconds": Setting(GRACE_SECONDS + DRAIN_SECONDS, 30),
    },
)
