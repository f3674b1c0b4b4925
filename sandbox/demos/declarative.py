"""I want 5: commands here, a declared state there. What the same again does, and who puts right what was changed."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine, Mapping, Sequence
from functools import partial
from typing import Any

from sandbox.demo import Demo, Options, Setting
from sandbox.docker_run import Container, docker_run
from sandbox.engines import Images
from sandbox.errors import DemoFailed, NameTaken
from sandbox.events import NAMES, Engine, Event, Finding, Result
from sandbox.figures import Figure, Row, actors, row, seconds
from sandbox.lanes import Lanes
from sandbox.manifests import GRACE_SECONDS, App, Check, Manifest, deployment
from sandbox.names import Tag
from sandbox.plan import APPLY, IMAGES, PLAIN, POD, Plan, Step, find_pod, rollout_status
from sandbox.predicting import Prediction
from sandbox.sandbox import Sandbox
from sandbox.streams import both

APP = "web"
COPIES = 5
LEFT = 2  # copies, after a change by hand
CHECK = Check(period=1)
SCALE = f"kubectl scale deployment {APP} --replicas={LEFT}"
_TICK = 0.1


Act = Callable[[], Coroutine[Any, Any, Any]]


def containers(tag: Tag) -> tuple[Container, ...]:
    """Return Docker's side."""
    return tuple(Container(tag.container(f"{APP}{number}")) for number in range(1, COPIES + 1))


def manifests(tag: Tag, images: Images) -> tuple[Manifest, ...]:
    """Return Kubernetes' side."""
    return (deployment(tag, App(APP, images.of("1"), CHECK, COPIES)),)


def remove_line(engine: Engine, name: str) -> str:
    """Return what a learner would type to lose one copy."""
    return f"docker rm -f {name}" if engine is Engine.DOCKER else f"kubectl delete pod {name}"


def declarative(sandbox: Sandbox, options: Options) -> AsyncGenerator[Event, None]:
    """Ask for five copies on each side, ask again, remove some by hand, and see who brings them back."""
    return _Lanes(sandbox).run("declarative", options, findings)


class _Lanes(Lanes):
    """Both sides of one run: five containers, and a Deployment of five."""

    def __init__(self, sandbox: Sandbox) -> None:
        super().__init__(sandbox)
        self._containers = containers(self._docker.tag)
        self._measured: dict[str, Any] = {"copies": COPIES}

    async def script(self, options: Options) -> None:
        """Say what is wanted once and once more, then change it by hand in two ways."""
        self.stage.narrate("Five copies are wanted: five commands here, a file with the number five there.")
        await self._on_each("started_seconds", partial(self._run, self._containers), self._apply)
        self.stage.narrate("Five on each side. The same again, as a script would that runs once more.")
        await self._on_each("again", self._run_again, self._apply_again)
        await both(asyncio.sleep(self._pace.steady), options.guesses())
        for engine in Engine:
            self.stage.acted_from_now(engine)
        self.stage.narrate("One copy is removed by hand on each side.")
        await self._on_each("back_seconds", self._lose_container, self._lose_pod)
        self.stage.narrate(
            f"Now {LEFT} copies are left on each side: containers removed, the Deployment scaled by hand."
        )
        await self._on_each("left", self._remove_containers, self._scale)
        self.stage.narrate("Five again: a command for each container that is missing here, the same file there.")
        await self._on_each("restored_seconds", partial(self._run, self._containers[LEFT:]), self._restore)
        await self.stage.finish()

    async def _on_each(self, figure: str, docker: Act, kubernetes: Act) -> None:
        """Do one step on both sides at once, and keep what it measured."""
        async with self.stage.acting():
            self._measured[figure] = dict(zip(Engine, await both(docker(), kubernetes()), strict=True))

    async def _run(self, containers: Sequence[Container]) -> float | None:
        """Start containers one after the other; return after how many seconds all five run."""
        began = self._now()
        for container in containers:
            self.stage.type(Engine.DOCKER, docker_run(container))
            await self._docker.run(container)
        self.stage.docker_runs()
        return await self._all(Engine.DOCKER, began, self._pace.startup)

    async def _run_again(self) -> str:
        self.stage.type(Engine.DOCKER, docker_run(self._containers[0]))
        try:
            await self._docker.run(self._containers[0])
        except NameTaken as error:
            self.stage.narrate(f"Docker says: {error}")
            return str(error)
        raise DemoFailed("Docker has started two containers of one name, which it never does. Start the demo again.")

    async def _lose_container(self) -> float | None:
        """Nothing of Docker's is asked to bring it back; it is watched for as long as Kubernetes may take."""
        name = self._containers[-1].name
        self.stage.type(Engine.DOCKER, remove_line(Engine.DOCKER, name))
        began = self._now()
        await self._docker.rm(name)
        back = await self._all(Engine.DOCKER, began, self._pace.shortest)
        self._measured["watched_seconds"] = round(self._now() - began, 3)
        return back

    async def _remove_containers(self) -> int:
        for container in self._containers[LEFT:-1]:
            self.stage.type(Engine.DOCKER, remove_line(Engine.DOCKER, container.name))
            await self._docker.rm(container.name)
        await asyncio.sleep(self._pace.settled)
        return await self._ready(Engine.DOCKER)

    async def _apply(self) -> float | None:
        began = self._now()
        await self._declare()
        return await self._all(Engine.KUBERNETES, began, self._pace.startup)

    async def _apply_again(self) -> str:
        said = await self._declare()
        self.stage.narrate(f"kubectl apply says: {said}")
        return said

    async def _declare(self) -> str:
        cluster = self._cluster
        self.stage.type(Engine.KUBERNETES, APPLY)
        return ", ".join(await cluster.apply(*manifests(cluster.tag, cluster.images)))

    async def _lose_pod(self) -> float | None:
        name = next(pod.name for pod in await self._cluster.get_pods() if pod.ready)
        self.stage.type(Engine.KUBERNETES, remove_line(Engine.KUBERNETES, name))
        began = self._now()
        await self._cluster.delete(f"pods/{name}")
        return await self._all(Engine.KUBERNETES, began, self._pace.shortest)

    async def _scale(self) -> int:
        self.stage.type(Engine.KUBERNETES, SCALE)
        await self._cluster.patch(f"deployments/{APP}/scale", {"spec": {"replicas": LEFT}})
        await asyncio.sleep(self._pace.settled)
        return await self._ready(Engine.KUBERNETES)

    async def _restore(self) -> float | None:
        began = self._now()
        self._measured["applied"] = await self._declare()
        return await self._all(Engine.KUBERNETES, began, self._pace.startup)

    async def _all(self, engine: Engine, began: float, within: float) -> float | None:
        """Return after how many seconds all copies were ready; None where they were not within so many."""
        while await self._ready(engine) < COPIES:
            if self._now() > began + within:
                return None
            await asyncio.sleep(_TICK)
        return round(self._now() - began, 3)

    async def _ready(self, engine: Engine) -> int:
        copies = await (self._docker.ps() if engine is Engine.DOCKER else self._cluster.get_pods())
        return sum(copy.ready for copy in copies)

    def _now(self) -> float:
        return self.stage.sandbox.clock()

    def figures(self) -> dict[str, Any]:
        """Return what this demo alone measures."""
        return self._measured


def findings(measured: Mapping[str, Any]) -> list[Finding]:
    """Say who put right what was changed by hand, and what the same command did the second time."""
    back = " ".join(_back(NAMES[engine], measured["back_seconds"][engine], measured) for engine in Engine)
    said = (Finding(text=_again_said(NAMES[engine], measured["again"][engine]), engine=engine) for engine in Engine)
    left = ", ".join(f"{measured['left'][engine]} on {NAMES[engine]}" for engine in Engine)
    return [Finding(text=back), *said, Finding(text=f"Some seconds after a change by hand to {LEFT}: {left}.")]


def _again_said(name: str, answer: str) -> str:
    return f"{name}, told the same again: {answer.rstrip('.')}."


def _back(name: str, back: float | None, measured: Mapping[str, Any]) -> str:
    if back is None:
        return f"{name} did not have {measured['copies']} again within {measured['watched_seconds']:.0f} s."
    return f"{name} had {measured['copies']} again after {back:.1f} s."


def rows(result: Result) -> tuple[Row, ...]:
    """Return the measured table."""
    measured = result.measured
    return (
        row("Five ready after", *(seconds(measured["started_seconds"][engine]) for engine in Engine)),
        Row("The same again", Figure("refused", "failed"), Figure(measured["again"][Engine.KUBERNETES].split()[-1])),
        Row("One removed: back after", *(_figure(measured["back_seconds"][engine], measured) for engine in Engine)),
        row("Left after a change by hand", *(str(measured["left"][engine]) for engine in Engine)),
        row("Five again, by hand", *(seconds(measured["restored_seconds"][engine]) for engine in Engine)),
        Row("Who acted", *(actors(result.engines[engine]) for engine in Engine)),
    )


def _figure(back: float | None, measured: Mapping[str, Any]) -> Figure:
    return (
        Figure(f"not in {measured['watched_seconds']:.1f} s", "failed")
        if back is None
        else Figure(seconds(back), "good")
    )


def _again(result: Result, engine: Engine) -> str:
    return _figure(result.measured["back_seconds"][engine], result.measured).text


PREDICTION = Prediction(
    "One of five is removed: when are there five again?", ("Under 5 s", "Later", "Not by itself"), _again
)


def plan(_: Options) -> Plan:
    """Return the run as a learner would type it."""
    wanted, pods, containers_left = (
        containers(PLAIN),
        f"kubectl get pods -l app={APP}",
        f"docker ps --filter name={APP}",
    )
    runs = tuple(map(docker_run, wanted))
    removed = tuple(remove_line(Engine.DOCKER, one.name) for one in wanted)
    return Plan(
        docker=(
            Step("Start five copies, by a command each.", runs),
            Step("The same again is an error: a name is one container's.", (f"{runs[0]} || {containers_left}",)),
            Step("Lose one. Does anybody bring it back?", (removed[-1], containers_left)),
            Step(f"Remove others, so that {LEFT} are left.", removed[LEFT:-1]),
            Step("Five again: a command for each that is missing.", runs[LEFT:]),
        ),
        kubernetes=(
            Step("Declare five copies.", (APPLY, rollout_status(APP))),
            Step("The same again changes nothing.", (APPLY,)),
            Step(
                "Lose one. Does anybody bring it back?", (find_pod(APP)[0], remove_line(Engine.KUBERNETES, POD), pods)
            ),
            Step(f"Scale by hand, so that {LEFT} are left.", (SCALE, rollout_status(APP))),
            Step("Five again: the same file.", (APPLY, rollout_status(APP))),
        ),
        containers=wanted,
        manifests=manifests(PLAIN, IMAGES),
    )


def lesson(result: Result) -> str | None:
    """Hold a run against this demo: what is declared comes back, and a change by hand is not put right by itself."""
    measured = result.measured
    docker, kubernetes = Engine
    if measured["back_seconds"][docker] is not None:
        return "Docker brought back a container that was removed."
    if measured["back_seconds"][kubernetes] is None:
        return "Kubernetes did not replace the pod that was deleted."
    if not measured["again"][kubernetes].endswith(" unchanged"):
        return f"The same manifest again was not left unchanged: {measured['again'][kubernetes]}."
    if measured["left"][kubernetes] != LEFT:
        return f"{measured['left'][kubernetes]} pods were ready after a change by hand to {LEFT}."
    return None


DEMO = Demo(
    name="declarative",
    title="Declared state",
    question="I want 5",
    explain="What happens if someone changes a Deployment by hand?",
    run=declarative,
    setup="Five containers by command, five pods by a manifest, on one clock.",
    rows=rows,
    lesson=lesson,
    plan=plan,
    prediction=PREDICTION,
    seconds=40,
    settings={
        "livenessProbe.periodSeconds": Setting(CHECK.period, 10),
        "readinessProbe.periodSeconds": Setting(1, 10),
        "terminationGracePeriodSeconds": Setting(GRACE_SECONDS, 30),
    },
)
