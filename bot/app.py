"""The composition root: settings in, a tutor out, everything given back at the end."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from bot.settings import Settings
from bot.tutor import Tutor
from knowledge import CURRICULUM, Answerer, IngestEvent, Library, ModelSettings, ingest_curriculum, open_library
from sandbox.demos import load_demos
from sandbox.engines import Engines
from sandbox.lab import Lab
from sandbox.reaper import patrol

Progress = Callable[[IngestEvent], None]


@asynccontextmanager
async def build(settings: Settings, engines: Engines, progress: Progress) -> AsyncIterator[Tutor]:
    """A tutor that answers at once, also while its engines come up."""
    async with open_knowledge(settings, progress) as library, _patrolled(engines):
        yield Tutor(Answerer(library, model=model(settings)), load_demos(), engines, Lab(engines).open)


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
    """Sweep what is past its expiry, at the start and every 30 s."""
    task = asyncio.create_task(patrol(engines))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
