"""What every demo shows beside its own script: what runs on each side, what the engines report, and the requests."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine, Mapping
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from typing import Any

from sandbox.errors import DemoFailed
from sandbox.events import Command, Engine, Event, Fault, Injected, Measured, Narration, Observed, Snapshot
from sandbox.prober import NeverAnswered, Prober
from sandbox.routes import Address
from sandbox.sandbox import Docker, Sandbox
from sandbox.streams import Stream, stop


class Stage:
    """Both lanes of one run. A script tells what it does; all else is told by itself from its beginning on."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self._docker: Docker = sandbox.docker
        self.prober = Prober(sandbox.pace, sandbox.clock, sandbox.clients)
        self._stream = Stream(sandbox.clock, self._note)
        self._acted: dict[Engine, list[str]] = {engine: [] for engine in Engine}
        self._broken = False
        self._shown = asyncio.Event()

    async def play(self, script: Coroutine[Any, Any, None]) -> AsyncGenerator[Event, None]:
        """Yield everything that happens until the script has ended."""
        cluster = self.sandbox.cluster
        for source in (self._docker_states(), self._docker_events(), cluster.watch(), cluster.events()):
            self._stream.follow(source)
        try:
            async with aclosing(self._stream.until(script)) as events:
                async for event in events:
                    yield event
        except NeverAnswered as error:
            if error.engine is not Engine.KUBERNETES:  # Docker itself refuses to start what cannot run
                raise
            raise DemoFailed(f"{error} {await cluster.warning()}".strip()) from error

    def tell(self, event: Event) -> None:
        """Say that something happened now."""
        self._stream.tell(event)

    def narrate(self, text: str) -> None:
        """Say a sentence."""
        self.tell(Narration(text=text))

    def type(self, engine: Engine, text: str) -> None:
        """Show what a learner would type for what is done now."""
        self.tell(Command(engine=engine, text=text))

    def inject(self, fault: Fault, targets: Mapping[Engine, str]) -> None:
        """Say that a fault comes into both sides now; what was over before it counts no more."""
        for engine, target in targets.items():
            for probe in self.prober.mark_fault(engine):
                self.tell(probe)
            self.tell(Injected(engine=engine, fault=fault, target=target))

    def follow(self, source: AsyncGenerator[Event, None]) -> None:
        """Tell from now on what else happens."""
        self._stream.follow(source)

    def docker_runs(self, docker: Docker | None = None) -> None:
        """Follow what Docker does from now on: what the demo itself started before was no act of the engine's.

        Where a demo runs its containers on another machine, that is the Docker to follow.
        """
        self._docker = docker or self._docker
        self._shown.set()

    async def probe(self, engine: Engine, address: Address) -> None:
        """Send requests at a steady pace until `finish`; return once the app has answered for the first time."""
        self._stream.follow(self.prober.probe(engine, address))
        await self.prober.serving(engine)

    async def answers(self, engine: Engine, address: Address) -> None:
        """Wait for the first answer of an app; it is not counted."""
        await self.prober.first_answer(engine, address)

    @asynccontextmanager
    async def acting(self) -> AsyncGenerator[None, None]:
        """Do in the block what is measured: for its first seconds no other run of this process starts or acts."""
        turns, run, pace = self.sandbox.turns, self.sandbox.run, self.sandbox.pace
        if turns.acting(run):
            self.narrate("Another run is at work. This one waits for its turn, so that neither disturbs the other.")
        async with AsyncExitStack() as turn:
            await turn.enter_async_context(turns.act(run, pace.patience))
            ending = asyncio.create_task(_after(pace.turn, turn.aclose))
            try:
                yield
            finally:
                await stop(ending)

    async def finish(self) -> None:
        """Send no more requests, and wait for the last answer."""
        self.prober.finish()
        await self.prober.finished()
        # A watch is as silent while its API server is away as while nobody acts: only an answer tells them apart.
        await self.sandbox.cluster.get_pods()

    def measured(self) -> dict[Engine, Measured]:
        """Return what each side measured; only after `finish`."""
        return {engine: self.prober.measured(engine, tuple(self._acted[engine])) for engine in Engine}

    def acted_from_now(self, engine: Engine) -> None:
        """Count who acts from now on: what was done before was only setting up."""
        self._acted[engine] = []

    def _note(self, event: Event) -> None:
        """Remember who acted on an engine since its fault, in order.

        Docker does nothing by itself until something breaks: what it starts before that, it was told to start.
        """
        if isinstance(event, Injected):
            self._broken = True
            self.acted_from_now(event.engine)
        elif isinstance(event, Observed) and event.acted and (self._broken or event.engine is Engine.KUBERNETES):
            names = self._acted[event.engine]
            names += [event.actor] if event.actor not in names else []

    async def _docker_states(self) -> AsyncGenerator[Event, None]:
        await self._shown.wait()
        shown = None
        while True:
            if (now := await self._docker.ps()) != shown:
                shown = now
                yield Snapshot(engine=Engine.DOCKER, instances=now)
            await asyncio.sleep(self.sandbox.pace.look)

    async def _docker_events(self) -> AsyncGenerator[Event, None]:
        await self._shown.wait()
        async with aclosing(self._docker.events()) as events:
            async for event in events:
                yield event


async def _after(seconds: float, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    await asyncio.sleep(seconds)
    await work()
