"""Slack: how soon a delivery is acknowledged and something is seen, edits and refusals, a flood, memory of threads.

The app and a Slack of the tests share one process and real sockets; the tutor behind it is scripted, so that what is
measured is the chat's own share. Slack's published rates hold, and so do the pauses of production.
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

from chat_fakes import ChatTutor
from slack_people import Person, portside
from slack_server import Rate, SlackServer, running
from slack_workspace import Channel

from bot.platforms.slack.api import Pauses

QUESTION = "My container hangs but does not exit. Does anything restart it?"
USERS, COMMANDS, SECONDS, THREADS = 100, 500, 10.0, 1000


@asynccontextmanager
async def slack(channels: int = 1) -> AsyncIterator[SlackServer]:
    """A workspace with Slack's own rates for edits."""
    async with running() as server:
        server.workspace.links.add("https://example.org/probes")
        server.rates |= {"chat.update": Rate(50, 60.0, 5), "chat.appendStream": Rate(100, 60.0, 5)}
        names = [f"C{number:08d}" for number in range(1, channels + 1)]
        server.workspace.channels |= {name: Channel(name) for name in names}
        server.workspace.users |= {f"U{number:08d}": f"Person {number}" for number in range(1, USERS + 1)}
        yield server


async def answers(folder: Path, rounds: int = 40) -> tuple[list[float], list[float]]:
    """Milliseconds from a mention to its acknowledgement, and to the first text that can be seen."""
    acks, seen = [], []
    async with slack() as server, portside(server, ChatTutor(), folder, Pauses()):
        ana = Person(server)
        for _ in range(rounds):
            before, begun = len(server.workspace.posts), time.perf_counter()
            await ana.mention(QUESTION)
            acks.append(1000 * (time.perf_counter() - begun))
            await server.until(lambda: len(server.workspace.posts) > before and server.workspace.last.text)  # noqa: B023
            seen.append(1000 * (time.perf_counter() - begun))
    return acks, seen


async def demos(folder: Path, at_once: int = 4) -> tuple[float, float]:
    """Edits for each of some demos of 40 s at once, and how many of 1,000 edits Slack refused with 429."""
    async with slack(at_once) as server, portside(server, ChatTutor(step=0.25, speed=1.0), folder, Pauses()):
        people = [Person(server, f"U{number:08d}") for number in range(1, at_once + 1)]
        await asyncio.gather(
            *(one.command("/demo", "selfheal", f"C{number:08d}") for number, one in enumerate(people, 1))
        )
        await server.until(lambda: pictures(server) == at_once, 120)
        edits = server.count("chat.update")
    return edits / at_once, 1000 * server.limited / edits


def pictures(server: SlackServer) -> int:
    """How many demos have ended with their chart."""
    return sum("image" in [block["type"] for block in post.blocks] for post in server.workspace.posts.values())


async def flood(folder: Path) -> tuple[list[float], float]:
    """Milliseconds to each acknowledgement of a flood of commands, and the seconds until all have a visible reply."""
    async with slack(USERS) as server, portside(server, ChatTutor(), folder, Pauses()):
        begun = time.perf_counter()
        acks = await asyncio.gather(*(_command(server, number) for number in range(COMMANDS)))
        await server.until(lambda: len(server.workspace.posts) + len(server.responses) == COMMANDS, 300)
        return acks, time.perf_counter() - begun


async def _command(server: SlackServer, number: int) -> float:
    """One of the commands, at its moment."""
    await asyncio.sleep(number * SECONDS / COMMANDS)
    person, channel = Person(server, f"U{number % USERS + 1:08d}"), f"C{number % USERS + 1:08d}"
    begun = time.perf_counter()
    await person.command("/help" if number % 2 else "/ask", "" if number % 2 else QUESTION, channel)
    return 1000 * (time.perf_counter() - begun)


async def threads(folder: Path) -> float:
    """Megabytes by which the process grows with 1,000 answered threads, those of the tests' Slack included."""
    async with slack() as server, portside(server, ChatTutor(), folder, Pauses()):
        ana, process = Person(server), psutil.Process()
        await ana.mention(QUESTION)
        before = process.memory_info().rss
        for _ in range(THREADS):
            await ana.mention(QUESTION)
        await server.until(lambda: server.count("chat.stopStream") == THREADS + 1, 120)
        return float(process.memory_info().rss - before) / 1e6


CHAT = Chat("Slack", threads, answers, demos, flood)
