"""A tutor and engines that stand in for the real ones behind the page: ordinary adapters with a script."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field, replace

from bot.messages import Message
from bot.parts import (
    Act,
    Ballot,
    Bar,
    Card,
    Catalogue,
    Cell,
    Choice,
    Choices,
    Code,
    Entry,
    Failure,
    Guess,
    Lane,
    Part,
    Poll,
    Progress,
    Source,
    Sources,
    Step,
    Table,
    Text,
    Tile,
)
from bot.platforms.web.app import WebChat
from bot.platforms.web.server import Tutor, listen, run
from bot.platforms.web.turns import Turns
from bot.presenting import present_text
from sandbox.engines import ClusterEndpoint, DockerEndpoint, EngineStatus, EngineStep
from sandbox.events import Engine

FAULT, ACTED, BACK, TOTAL = 10.0, 17.4, 21.7, 40.0

READY = (
    EngineStatus(Engine.DOCKER, "ready", "27.1", "unix:///run/docker.sock"),
    EngineStatus(Engine.KUBERNETES, "ready", "1.36", "https://10.1.2.3:6443"),
)
BUILDING = (
    READY[0],
    EngineStatus(
        Engine.KUBERNETES,
        "building",
        steps=(
            EngineStep("Go modules, checked against go.sum", "done", 14.2),
            EngineStep("Compile control plane and kubelet", "now", 69.0),
            EngineStep("Start three nodes", "next"),
            EngineStep("Load the demo image", "next"),
        ),
    ),
)
ROOTLESS = (
    EngineStatus(Engine.DOCKER, "failed", detail="Starting an engine needs root. Run make run as root."),
    EngineStatus(Engine.KUBERNETES, "failed", detail="Starting an engine needs root. Run make run as root."),
)

ANSWER: tuple[Part, ...] = (
    Text(
        "A restart policy acts when the container's main process exits. [1] A process that hangs has not exited. "
        "A health check marks the container *unhealthy*, and plain Docker leaves it at that. [2]\n\n"
        "In Kubernetes a liveness probe that keeps failing makes the kubelet restart the container, on the same node "
        "and in the same pod. [3]",
        key="answer",
    ),
    Code("livenessProbe:\n  httpGet:\n    path: /healthz\n    port: 8080\n  periodSeconds: 2", language="yaml"),
    Sources(
        (
            Source(1, "Restart policies", "docker/restart.md", "What counts as an exit", None, "It acts on an exit."),
            Source(2, "Health checks", "docker/health.md", "The verdict", None, "The engine records the verdict."),
            Source(3, "Probes", "kubernetes/probes.md", "Liveness", "https://example.org/probes", "The kubelet acts."),
        )
    ),
    Choices((Choice("See it happen", "/demo selfheal --fault hang", primary=True),)),
)
TERMINAL = Code("$ docker run \\\n    --name web portside/web:1\n8f3c\n$ docker ps --quiet\n8f3c", language="console")
TWICE = Sources(
    (
        Source(1, "Pods", "kubernetes/pods.md", "Pods > What is shared", None, "One address."),
        Source(2, "Pods", "kubernetes/pods.md", "Pods > What is not", None, "Not the files."),
        Source(3, "Probes", "kubernetes/probes.md", "Probes > Liveness", None, "The kubelet acts."),
    )
)
TABLES: tuple[Part, ...] = (
    *present_text(
        "The faults end differently on the two sides:\n\n"
        "| fault | Docker with `--restart always` and a check | Kubernetes with a liveness probe |\n"
        "|---|---|---|\n"
        "| crash | the engine restarts the container | the kubelet restarts the container |\n"
        "| hang | nobody acts; the container is marked *unhealthy* | the kubelet kills and restarts it [2] |\n\n"
        "Docker was faster after a crash: [1]\n\n"
        "| fault | Docker | Kubernetes |\n"
        "|---|---|---|\n"
        "| crash | 1.5 s | 2.9 s |\n"
        "| `SIGSTOP` | not within 30 s | 6.2 s |"
    ),
    Sources(
        (
            Source(1, "Crash", "docker/crash.md", "Back-off", None, "| fault | Docker |\n|---|---|\n| crash | 1.5 s |"),
            Source(2, "Probes", "kubernetes/probes.md", "Liveness", None, "The kubelet acts."),
        )
    ),
)
ERROR = Failure(
    "Docker stopped answering in the middle of the run.",
    "What the run made on Kubernetes is removed. Start Docker, then run the demo again.",
    "k3f9ab",
    retry="/demo selfheal --fault hang",
)
HOSTILE = Text("<img src=x onerror=alert(1)> <script>alert(2)</script> [9] [a](javascript:alert(3))")
PREPARING = Progress(
    "Kubernetes is being built, once",
    (Step("Compile control plane and kubelet", "now", 69.0), Step("Start three nodes", "next", None)),
    83.0,
    "The demo begins when it is ready.",
)


CATALOGUE = Catalogue(
    tuple(
        Entry(title, question, f"/demo {name}", seconds, ways)
        for name, title, question, seconds, ways in (
            (
                "selfheal",
                "Self-healing",
                "Who brings it back?",
                45.0,
                (
                    *(Choice(fault, f"/demo selfheal --fault {fault}") for fault in ("crash", "hang", "oom", "remove")),
                    *(Choice(f"{n} copies", f"/demo selfheal --replicas {n}") for n in (2, 3)),
                ),
            ),
            ("scale", "Scaling", "Five copies, please", 40.0, (Choice("3 copies", "/demo scale --replicas 3"),)),
            *(
                (f"demo-{n}", f"Lesson {n}", f"What becomes of it when machine {n} is gone?", 60.0, ())
                for n in range(3, 12)
            ),
        )
    )
)


def bars(now: float, back: float | None) -> tuple[Bar, ...]:
    """Ten requests a second, in intervals of half a second."""
    found = []
    for step in range(int(now * 2)):
        start = step / 2
        good = start < FAULT or (back is not None and start >= back)
        found.append(Bar(start, 0.5, 5 if good else 0, 0 if good else 5))
    return tuple(found)


def docker_lane(t: float) -> Lane:
    """Docker notes that the container is unhealthy and leaves it."""
    hung = t >= FAULT
    tile = Tile("web", "unhealthy" if hung else "healthy", "restarts 0", "failed" if hung else "good")
    noted = (Act(14.0, "dockerd", "health_status: unhealthy", False),) if t >= 14 else ()
    state, mark = ("not answering", "failed") if hung else ("answering", "good")
    lane = Lane("docker", "Docker", "27.1", state, mark, bars(t, None), (tile,), noted)
    return replace(
        lane, commands=("docker run -d --name web --restart=on-failure:5 portside/web:1", "docker ps --filter name=web")
    )


def kubernetes_lane(t: float) -> Lane:
    """The kubelet restarts the container."""
    hung, back = t >= FAULT, t >= BACK
    away = hung and not back
    tile = Tile("web-7c9f", "not ready" if away else "ready", "node-2\nrestarts 1", "waiting" if away else "good")
    acts = (Act(ACTED, "kubelet", "Killing: its liveness probe has failed", True),) if t >= ACTED else ()
    more = (Act(18.1, "kubelet", "Started: the container runs again", True),) if t >= 18.1 else ()
    state, mark = ("not answering", "failed") if away else ("answering again" if back else "answering", "good")
    lane = Lane("kubernetes", "Kubernetes", "1.36, 3 nodes", state, mark, bars(t, BACK), (tile,), (*acts, *more))
    return replace(
        lane,
        back_at=BACK if back else None,
        commands=("kubectl apply -f web.yaml", "kubectl get pods --selector app=web --watch"),
    )


def card(t: float) -> Card:
    """The demo at a moment."""
    words = [(0, "Both sides are serving."), (FAULT, "The app hangs on both sides now. Its process is still there.")]
    words += [(ACTED, "The liveness probe has failed. The kubelet is restarting the container.")]
    words += [(BACK, "Kubernetes answers again.")]
    return Card(
        title="Who brings it back?",
        subtitle="Fault: the app hangs. Same image, one clock, 10 requests a second to each.",
        state="running",
        t=t,
        total=TOTAL,
        lanes=(docker_lane(t), kubernetes_lane(t)),
        fault="hang" if t >= FAULT else None,
        fault_at=FAULT if t >= FAULT else None,
        narration=[text for at, text in words if at <= t][-1],
    )


def guesses(docker: tuple[int, int, int], kubernetes: tuple[int, int, int]) -> tuple[Ballot, ...]:
    """How many guessed what."""
    labels = ("Under 5 s", "Within 30 s", "Not within 30 s")
    return tuple(
        Ballot(name, tuple(Guess(*one, f"/vote 0a1b2c3d {name.lower()} {n}") for n, one in enumerate(counted, 1)))
        for name, counted in (
            ("Docker", zip(labels, docker, strict=True)),
            ("Kubernetes", zip(labels, kubernetes, strict=True)),
        )
    )


def voted(left: float | None, t: float = 3.0) -> Card:
    """The demo while the room guesses; at its end with what was guessed, for `left` None."""
    poll = Poll("How long until it answers again?", guesses((1, 3, 0), (2, 1, 1)), left, "/vote 0a1b2c3d go")
    if left is not None:
        return replace(card(t), poll=poll)
    said = (
        "1 said under 5 s, 3 said within 30 s. Measured: not in 30.0 s.",
        "2 said under 5 s, 1 said within 30 s, 1 said not within 30 s. Measured: 11.7 s.",
    )
    ballots = tuple(replace(one, outcome=words) for one, words in zip(poll.ballots, said, strict=True))
    return replace(finished(), poll=replace(poll, ballots=ballots))


def finished() -> Card:
    """The demo with its measured table."""
    rows = (
        (Cell("Back after"), Cell("not in 30.0 s", "failed"), Cell("11.7 s", "good")),
        (Cell("Failed requests"), Cell("300 of 300"), Cell("117 of 300")),
        (Cell("Longest outage"), Cell("30.0 s"), Cell("11.7 s")),
        (Cell("Who acted"), Cell("nobody"), Cell("kubelet", "acted")),
    )
    return replace(
        card(TOTAL),
        state="done",
        headline="Kubernetes answered again after 11.7 s. Docker did not within 30 s.",
        explanation="The kubelet restarted the container when its liveness probe had failed. Docker left its own.",
        table=Table(("", "Docker", "Kubernetes"), rows, "Measured in this run"),
        captions=(
            "Docker 27.1 on this machine. Kubernetes 1.36, 3 nodes on this machine.",
            "Other than the engines' defaults: periodSeconds 2.",
            "Cleaned up in 1.4 s: 1 container and 1 namespace removed, nothing left.",
        ),
    )


def unasked() -> Card:
    """The end of a demo that breaks nothing and sends no requests, with words of an engine that no line can hold."""
    lanes = tuple(replace(lane, bars=(), back_at=None, state="2 of 2 ready") for lane in finished().lanes)
    still = tuple(replace(lane, acts=tuple(replace(act, acted=False) for act in lane.acts)) for lane in lanes)
    return replace(
        finished(), lanes=still, fault=None, fault_at=None, explanation=f"Docker says: {'0123456789abcdef' * 4}"
    )


# What is said to a word; everything else gets the answer.
SAID: dict[str, tuple[Part, ...]] = {
    "/error": (ERROR,),
    "/hostile": (HOSTILE,),
    "/twice": (TWICE,),
    "/tables": TABLES,
    "/terminal": (TERMINAL,),
    "/vote": (Text("Noted: Kubernetes within 30 s. Until the vote closes you may change it."),),
    "/catalogue": (CATALOGUE,),
    "/guessed": (voted(None),),
    "/unasked": (unasked(),),
    "/predict": (voted(12.0),),
    "/prepare": (PREPARING,),
}
UNENDING = ("/predict", "/prepare")


@dataclass
class FakeEngines:
    """Engines in a state that a test sets."""

    states: tuple[EngineStatus, ...] = READY

    def status(self) -> tuple[EngineStatus, ...]:
        return self.states

    async def progress(self) -> AsyncIterator[tuple[EngineStatus, ...]]:
        yield self.states

    async def docker(self) -> DockerEndpoint:
        raise NotImplementedError

    async def cluster(self) -> ClusterEndpoint:
        raise NotImplementedError


@dataclass
class FakeTutor:
    """Answers what it is asked for by name; a demo begins at `begin` and goes `speed` times as fast as the clock.

    It tells something new every `step` seconds.
    """

    begin: float = 0.0
    speed: float = 1.0
    step: float = 0.25
    engines: FakeEngines = field(default_factory=FakeEngines)
    heard: list[Message] = field(default_factory=list)
    running: asyncio.Event = field(default_factory=asyncio.Event)
    removing: asyncio.Event | None = None  # how long the clean-up takes: until it is set
    cleaned_up: asyncio.Event = field(default_factory=asyncio.Event)

    async def reply(self, message: Message) -> AsyncGenerator[Part, None]:
        self.heard.append(message)
        word = message.text.split()[0]
        if word == "/demo":
            async with aclosing(self._demo()) as parts:
                async for part in parts:
                    yield part
            return
        for part in SAID.get(word, ANSWER):
            yield part
        if word in UNENDING:
            await asyncio.Event().wait()

    async def _demo(self) -> AsyncGenerator[Part, None]:
        try:
            t = self.begin
            while t < TOTAL:
                yield card(t)
                self.running.set()
                await asyncio.sleep(self.step)
                t += self.step * self.speed
            yield finished()
            yield Choices((Choice("Again with another fault", "/demo selfheal --fault crash", primary=True),))
        finally:
            if self.removing:
                await self.removing.wait()
            self.cleaned_up.set()


@asynccontextmanager
async def served(tutor: Tutor, patience: float = 15.0) -> AsyncIterator[str]:
    """The page of a tutor on a port of its own; its address."""
    listener = listen("127.0.0.1", 0)
    serving = asyncio.create_task(run(WebChat(Turns(tutor, patience), tutor.engines), listener, "127.0.0.1"))
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        serving.cancel()
        await asyncio.wait([serving])
