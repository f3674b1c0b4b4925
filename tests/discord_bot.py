"""The real bot against the Discord for tests: the real discord.py over real sockets, with scripted answers."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from discord_server import DiscordServer
from fakes import FakeEngines, FakeLab
from pydantic import SecretStr

from bot.platforms.discord.client import PortsideClient, run
from bot.platforms.discord.desk import Desk
from bot.platforms.discord.patience import Budgets
from bot.platforms.discord.serving import use_api
from bot.state.memory import Memory, open_memory
from bot.tutor import Tutor
from knowledge import Answer, Citation, Delta, Turn
from sandbox.demos import load_demos

PAUSE = 0.02  # between two edits: a test has no time
DEBOUNCE = 0.3


@dataclass(frozen=True)
class Settings:
    """What an operator has set."""

    discord_token: SecretStr | None = None
    discord_api_url: str = ""
    discord_helpers: str | None = None
    message_events: bool = False
    support_channels: frozenset[str] = frozenset()


@dataclass
class Scripted:
    """Answers with what it is told to, after `gate` has opened; an empty answer is a refusal."""

    answers: Mapping[str, str] = field(default_factory=dict)
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    heard: list[tuple[str, Sequence[Turn]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.gate.set()

    async def answer(self, question: str, history: Sequence[Turn] = ()) -> AsyncGenerator[Delta | Answer, None]:
        self.heard.append((question, history))
        text = next((said for word, said in self.answers.items() if word in question), f"About {question}. [1]")
        yield Delta(text[:5])
        await self.gate.wait()
        source = Citation(1, "Restart policies", "docker/restart.md", "What counts as an exit", None, "It acts.")
        refused = not text
        cited = () if refused else (source,)
        said = text or "That is not in the pages."
        yield Answer(question, said, "refused" if refused else "extractive", refused, cited, (), "selfheal", 0.0)


@dataclass
class Bot:
    """A bot that is there, and all that stands behind it."""

    server: DiscordServer
    client: PortsideClient
    desk: Desk
    memory: Memory
    answers: Scripted


@asynccontextmanager
async def discord_bot(
    server: DiscordServer,
    folder: Path,
    answers: Scripted | None = None,
    tutor: Tutor | None = None,
    pause: float = PAUSE,
    **settings: Any,
) -> AsyncIterator[Bot]:
    """The bot, from ready to gone."""
    chosen = Settings(SecretStr(server.token), server.base, **settings)
    answers = answers or Scripted()
    behind = tutor or Tutor(answers, load_demos(), FakeEngines(), FakeLab().open)
    use_api(chosen.discord_api_url)
    async with open_memory(folder) as memory:
        desk = Desk(behind, chosen, memory, Budgets(pause))
        client = PortsideClient(desk, DEBOUNCE)
        running = asyncio.create_task(run(client, server.token))
        try:
            await until_ready(server, running)
            yield Bot(server, client, desk, memory, answers)
        finally:
            running.cancel()
            await asyncio.wait([running])


async def until_ready(server: DiscordServer, running: asyncio.Task[None]) -> None:
    """Wait until the bot is there, or has failed to be."""
    listening = asyncio.create_task(server.until(lambda: server.gateway.ready))
    await asyncio.wait([listening, running], return_when=asyncio.FIRST_COMPLETED)
    listening.cancel()
    if running.done():
        await running
