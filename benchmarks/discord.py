"""Discord: how soon a command is acknowledged and something is seen, edits and refusals, a flood, memory of threads.

The bot and a Discord of the tests share one process and real sockets; the tutor behind it is scripted, so that what is
measured is the chat's own share. The limits that people observe of Discord hold, and so does the pause of production.
"""

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import psutil

from benchmarks.chats import Chat

sys.path.append(str(Path(__file__).parent.parent / "tests"))

import discord_payloads as payloads
import discord_rules as rules
from chat_fakes import ChatTutor
from discord_bot import discord_bot
from discord_server import Asked, DiscordServer, discord_server

from bot.platforms.discord.patience import PAUSE

QUESTION = "My container hangs but does not exit. Does anything restart it?"
USERS, COMMANDS, SECONDS, THREADS = 100, 500, 10.0, 1000
FIRST = 7_000_000_000_000_000_000  # the first of the channels' ids
EDITS, HOOKS = r"/channels/\d+/messages/\d+", r"/webhooks/.*/messages/.*"


@asynccontextmanager
async def discord(channels: int = 1) -> AsyncIterator[DiscordServer]:
    """A server with so many channels."""
    async with discord_server() as server:
        server.channels |= {number: payloads.channel(number) for number in range(FIRST, FIRST + channels)}
        yield server


async def answers(folder: Path, rounds: int = 40) -> tuple[list[float], list[float]]:
    """Milliseconds from /ask to its acknowledgement, and to the first text that can be seen."""
    acks, seen = [], []
    async with discord(rounds) as server, discord_bot(server, folder, tutor=ChatTutor(), pause=PAUSE):
        for number in range(rounds):
            asked = await server.command("ask", {"question": QUESTION}, place=FIRST + number)
            await server.until_shown("A restart policy acts", FIRST + number)
            acks.append(1000 * asked.after)
            seen.append(1000 * (time.monotonic() - asked.sent))
    return acks, seen


async def demos(folder: Path, at_once: int = 4) -> tuple[float, float]:
    """Edits for each of some demos of 40 s at once, and how many of 1,000 edits Discord refused with 429."""
    async with (
        discord(at_once) as server,
        discord_bot(server, folder, tutor=ChatTutor(step=0.25, speed=1.0), pause=PAUSE),
    ):
        server.limit(EDITS, 5 * at_once, 5.0)
        server.limit(HOOKS, 5 * at_once, 5.0)
        for number in range(at_once):
            await server.command("demo", {"name": "selfheal"}, who=number + 1, place=FIRST + number)
        await server.until(lambda: sum(bool(message["attachments"]) for message in server.of_bot()) == at_once, 120)
        edits = sum(request.method == "PATCH" for request in server.requests)
    return edits / at_once, 1000 * server.limited / edits


async def flood(folder: Path) -> tuple[list[float], float]:
    """Milliseconds to each acknowledgement of a flood of commands, and the seconds until all have a visible reply."""
    async with discord(USERS) as server, discord_bot(server, folder, tutor=ChatTutor(), pause=PAUSE):
        begun = time.monotonic()
        await asyncio.gather(*(_command(server, number) for number in range(COMMANDS)))
        await server.until(lambda: sum(map(_is_answered, server.of_bot())) == COMMANDS, 300)
        return [1000 * asked.after for asked in server.asked.values()], time.monotonic() - begun


async def _command(server: DiscordServer, number: int) -> Asked:
    """One of the commands, at its moment."""
    await asyncio.sleep(number * SECONDS / COMMANDS)
    person, place = number % USERS + 1, FIRST + number % USERS
    if number % 2:
        return await server.command("help", who=person, place=place)
    return await server.command("ask", {"question": QUESTION}, who=person, place=place)


def _is_answered(message: dict[str, object]) -> bool:
    said = rules.texts(message["components"])
    return "A restart policy acts" in said or "Ask about Docker" in said


async def threads(folder: Path) -> float:
    """Megabytes by which the process grows with 1,000 answered threads, those of the tests' Discord included."""
    async with discord(THREADS + 1) as server, discord_bot(server, folder, tutor=ChatTutor(), pause=PAUSE):
        process = psutil.Process()
        for number in range(THREADS + 1):
            if number == 1:
                before = process.memory_info().rss
            await server.command("ask", {"question": QUESTION}, place=FIRST + number)
            await server.until_shown("A restart policy acts", FIRST + number)
        return float(process.memory_info().rss - before) / 1e6


CHAT = Chat("Discord", threads, answers, demos, flood)
