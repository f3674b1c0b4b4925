"""Many people at once on Slack: every command is acknowledged in time, and no more demos run than may."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fakes import FakeEngines, FakeLab, FakeSandbox
from slack_people import Person, buttons, portside
from slack_server import SlackServer, running
from slack_workspace import Channel, Post

from bot.limits import Allowed, Limits
from bot.tutor import Tutor
from sandbox.demos import load_demos

PEOPLE = range(1, 101)


class Counting(FakeLab):
    """Knows how many sandboxes there were at once."""

    most = 0

    @asynccontextmanager
    async def open(self, owner: str, seconds: float) -> AsyncIterator[FakeSandbox]:
        async with super().open(owner, seconds) as sandbox:
            self.most = max(self.most, self.opened - self.closed)
            yield sandbox


def settled(post: Post) -> bool:
    """Run, refused or failed: it is over."""
    return "Stop" not in buttons(post.blocks)


async def commands(server: SlackServer, number: int) -> None:
    """One person's: a demo, then the catalogue again and again, each as soon as the one before is acknowledged."""
    person = Person(server, f"U{number:08d}")
    for text in ("selfheal", "", "", "", ""):
        await person.command("/demo", text, f"C{number:08d}")


async def test_500_commands_of_100_people_are_acknowledged_and_four_demos_run_at_once(tmp_path: Path) -> None:
    lab = Counting()
    tutor = Tutor(None, load_demos(), FakeEngines(), lab.open, Limits(Allowed(demos=4, waiting=2)))  # type: ignore[arg-type]
    async with running() as server:
        server.workspace.users |= {f"U{number:08d}": f"Person {number}" for number in PEOPLE}
        server.workspace.channels |= {f"C{number:08d}": Channel(f"C{number:08d}") for number in PEOPLE}
        async with portside(server, tutor, tmp_path):
            await asyncio.gather(*(commands(server, number) for number in PEOPLE))
            await server.until(lambda: len(server.responses) == 400, 60)
            posts = server.workspace.posts
            await server.until(lambda: len(posts) == 100 and all(map(settled, posts.values())), 60)

    assert lab.most == 4
    assert lab.opened == lab.closed
