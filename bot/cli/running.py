"""From a command's coroutine to an exit status: signals stop it cleanly, failures become one sentence."""

import asyncio
import signal
import sys
from collections.abc import Coroutine
from typing import NoReturn

from bot.errors import KNOWN, trouble

DONE, COULD_NOT, WRONG_USE, INTERRUPTED = 0, 1, 2, 130


def run(work: Coroutine[None, None, int]) -> NoReturn:
    """Run a command to its end and exit with its status; on SIGINT and SIGTERM it gives back what it holds first."""
    sys.exit(asyncio.run(_until_signalled(work)))


async def _until_signalled(work: Coroutine[None, None, int]) -> int:
    task = asyncio.ensure_future(work)
    got: list[int] = []

    def stop(number: int) -> None:
        # Once only: a second signal would cut the clean-up short.
        if not got:
            got.append(number)
            task.cancel()

    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop, number)
    try:
        return await task
    except asyncio.CancelledError:
        return INTERRUPTED if signal.SIGINT in got else 128 + signal.SIGTERM
    except KNOWN as error:
        fail(error)
        return COULD_NOT


def fail(error: Exception) -> None:
    """Say on standard error what is wrong and what to do, with the reference that the log has."""
    told = trouble(error)
    said = f"{told.text} {told.advice}".strip()
    print(f"portside: {said} (reference {told.reference})", file=sys.stderr)  # noqa: T201 - a command speaks by printing
