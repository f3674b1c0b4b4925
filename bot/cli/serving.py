"""`portside web`, `chat`, `slack`, `discord` and `serve`: the tutor for as long as it is wanted."""

import asyncio
import sys
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from importlib import import_module
from typing import Any, Literal

from bot.cli.printing import IngestBar, out
from bot.cli.running import DONE
from bot.platforms import web
from bot.platforms.terminal.chat import converse
from bot.platforms.terminal.text import render
from bot.presenting import present_help
from bot.settings import Settings, engine_config
from bot.state.memory import open_memory
from bot.tutor import Tutor
from sandbox.local import open_engines
from sandbox.streams import stop

Chat = Literal["slack", "discord"]


async def serve_web(settings: Settings) -> int:
    """Serve the page until stopped."""
    with web.listen(settings.web_host, settings.web_port) as listener:
        async with tutoring(settings) as tutor:
            await web.serve(tutor, settings, listener)
    return DONE


async def serve_chat(settings: Settings, chat: Chat) -> int:
    """Talk on one platform until stopped."""
    platform(chat).check(settings)
    async with tutoring(settings) as tutor, open_memory(settings.data) as memory:
        await platform(chat).serve(tutor, settings, memory)
    return DONE


async def serve_all(settings: Settings) -> int:
    """Serve the page and every chat that has tokens; what one of them cannot do ends all."""
    chats = [platform(chat) for chat in with_tokens(settings)]
    for chat in chats:
        chat.check(settings)
    with web.listen(settings.web_host, settings.web_port) as listener:
        async with open_memory(settings.data) as memory, tutoring(settings) as tutor:
            talking = [chat.serve(tutor, settings, memory) for chat in chats]
            await together(web.serve(tutor, settings, listener), *talking)
    return DONE


def with_tokens(settings: Settings) -> list[Chat]:
    """The chats that can be reached."""
    tokens: dict[Chat, object] = {"slack": settings.slack_bot_token, "discord": settings.discord_token}
    return [chat for chat, token in tokens.items() if token]


def platform(chat: Chat) -> Any:
    """The package of a chat. Its library takes a second to import, and only who has that chat pays for it."""
    return import_module(f"bot.platforms.{chat}")


async def together(*works: Coroutine[Any, Any, None]) -> None:
    """Do all until one ends or fails; then end the others, each once: a second time would cut its clean-up short."""
    tasks = [asyncio.create_task(work) for work in works]
    try:
        ended, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        await stop(*tasks)
    for task in ended:
        task.result()


async def invite(settings: Settings) -> int:
    """Print the link that invites the Discord bot."""
    out(await platform("discord").invite(settings))
    return DONE


async def chat(settings: Settings) -> int:
    """Talk in the terminal until the end of input."""
    out(render(present_help()))
    if sys.stdin.isatty():
        out("\nCtrl-D ends the conversation.")
    asked = settings if sys.stdin.isatty() else settings.model_copy(update={"vote_seconds": 0})  # a pipe has no keys
    async with tutoring(asked) as tutor:
        await converse(tutor, sys.stdin, sys.stdout)
    return DONE


@asynccontextmanager
async def tutoring(settings: Settings) -> AsyncIterator[Tutor]:
    """A tutor with engines behind it, which are given back at the end."""
    async with open_engines(engine_config(settings)) as engines:
        # The clients of both engines take seconds to import: the engines use them to come up.
        from bot.app import build  # noqa: PLC0415

        async with build(settings, engines, IngestBar()) as tutor:
            yield tutor
