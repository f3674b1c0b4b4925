"""The composition root: settings in, a tutor out, everything given back at the end."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bot.settings import Settings, limits
from bot.state.runs import KeptRuns
from bot.tutor import Tutor
from bot.votes import Votes
from knowledge import CURRICULUM, Answerer, IngestEvent, Library, ModelSettings, ingest_curriculum, open_library
from sandbox.demos import load_demos
from sandbox.engines import Engines
from sandbox.sandbox import Sandbox

if TYPE_CHECKING:
    from sandbox.pool import Pool

Progress = Callable[[IngestEvent], None]


@asynccontextmanager
async def build(settings: Settings, engines: Engines, progress: Progress) -> AsyncIterator[Tutor]:
    """A tutor that answers at once, also while its engines come up."""
    sandboxes = _Sandboxes(engines, settings.warm_sandboxes)
    async with (
        open_knowledge(settings, progress) as library,
        _meanwhile(_patrol(engines)),
        _meanwhile(sandboxes.keep()),
    ):
        answerer = Answerer(library, model=model(settings))
        runs = KeptRuns(settings.data)
        tutor = Tutor(
            answerer, load_demos(), engines, sandboxes.open, limits(settings), runs, Votes(settings.vote_seconds)
        )
        await tutor.look()
        yield tutor


class _Sandboxes:
    """Where demos get their sandboxes from, some of them prepared."""

    def __init__(self, engines: Engines, warm: int) -> None:
        self._engines = engines
        self._warm = warm
        self._pool: Pool | None = None

    @asynccontextmanager
    async def open(self, owner: str, seconds: float) -> AsyncIterator[Sandbox]:
        pool = await self._loaded()
        async with pool.open(owner, seconds) as sandbox:
            yield sandbox

    async def keep(self) -> None:
        """Keep the pool, as soon as no engine is on its way."""
        async for _ in self._engines.progress():
            """Until then its demos come first."""
        await (await self._loaded()).keep()

    async def _loaded(self) -> "Pool":
        make = await asyncio.to_thread(_load_pool)
        self._pool = self._pool or make(self._engines, self._warm)
        return self._pool


def _load_pool() -> Callable[[Engines, int], "Pool"]:
    """Import the clients of both engines: more than a second, which the engines had better use to come up."""
    from sandbox.lab import Lab  # noqa: PLC0415
    from sandbox.pool import Pool  # noqa: PLC0415

    return lambda engines, warm: Pool(Lab(engines), warm)


@asynccontextmanager
async def open_knowledge(
    settings: Settings, progress: Progress, collection: str = CURRICULUM
) -> AsyncIterator[Library]:
    """What can be searched; the curriculum is taken in first where it is new."""
    folder = knowledge_folder(settings)
    if collection == CURRICULUM:
        await asyncio.to_thread(_take_in, folder, progress)
    with await asyncio.to_thread(open_library, folder, collection) as library:
        yield library


def _take_in(folder: Path, progress: Progress) -> None:
    for event in ingest_curriculum(folder):
        progress(event)


def knowledge_folder(settings: Settings) -> Path:
    """Where the index is kept."""
    return settings.data / "knowledge"


def model(settings: Settings) -> ModelSettings | None:
    """The model that words answers, where one is set."""
    if not settings.openai_model:
        return None
    # An endpoint of one's own may want no key; the openai package always does.
    key = settings.openai_api_key.get_secret_value() if settings.openai_api_key else "none"
    return ModelSettings(settings.openai_base_url, key, settings.openai_model)


@asynccontextmanager
async def _meanwhile(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Do something in the background while the block runs; its own clean-up is waited for."""
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _patrol(engines: Engines) -> None:
    """Sweep what is past its expiry, once the engines are up and every 30 s from then on."""
    async for _ in engines.progress():
        """Until no engine is on its way."""
    await (await asyncio.to_thread(_load_patrol))(engines)


def _load_patrol() -> Callable[[Engines], Awaitable[None]]:
    from sandbox.reaper import patrol  # noqa: PLC0415 - as in `_load_pool`

    return patrol
