"""The composition root: settings in, a tutor out, everything given back at the end."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from bot.settings import Settings, limits
from bot.state.runs import KeptRuns
from bot.tutor import Tutor
from bot.votes import Votes
from knowledge import CURRICULUM, Answerer, IngestEvent, Library, ModelSettings, ingest_curriculum, open_library
from sandbox.demos import load_demos
from sandbox.engines import Engines
from sandbox.sandbox import OpenSandbox, Sandbox

if TYPE_CHECKING:
    from sandbox.lab import Lab

Progress = Callable[[IngestEvent], None]


@asynccontextmanager
async def build(settings: Settings, engines: Engines, progress: Progress) -> AsyncIterator[Tutor]:
    """A tutor that answers at once, also while its engines come up."""
    async with open_knowledge(settings, progress) as library, _patrolled(engines):
        answerer = Answerer(library, model=model(settings))
        runs = KeptRuns(settings.data)
        tutor = Tutor(
            answerer, load_demos(), engines, _sandboxes(engines), limits(settings), runs, Votes(settings.vote_seconds)
        )
        await tutor.look()
        yield tutor


def _sandboxes(engines: Engines) -> OpenSandbox:
    @asynccontextmanager
    async def open_sandbox(owner: str, seconds: float) -> AsyncIterator[Sandbox]:
        lab = await asyncio.to_thread(_load_lab)
        async with lab(engines).open(owner, seconds) as sandbox:
            yield sandbox

    return open_sandbox


def _load_lab() -> "type[Lab]":
    """Import the clients of both engines: more than a second, which the engines had better use to come up."""
    from sandbox.lab import Lab  # noqa: PLC0415

    return Lab


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
async def _patrolled(engines: Engines) -> AsyncIterator[None]:
    """Sweep what is past its expiry, once the engines are up and every 30 s from then on."""
    task = asyncio.create_task(_patrol(engines))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _patrol(engines: Engines) -> None:
    async for _ in engines.progress():
        """Until no engine is on its way."""
    await (await asyncio.to_thread(_load_patrol))(engines)


def _load_patrol() -> Callable[[Engines], Awaitable[None]]:
    from sandbox.reaper import patrol  # noqa: PLC0415 - as in `_load_lab`

    return patrol
