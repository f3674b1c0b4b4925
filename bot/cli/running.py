"""From a command's coroutine to an exit status: signals stop it cleanly, failures become one sentence."""

import asyncio
import io
import locale
import signal
import sys
from collections.abc import Coroutine
from typing import NoReturn

from bot.errors import BadMessage, trouble
from knowledge.errors import BadQuestion, UnknownCollection
from sandbox.errors import BadRequest, CannotExport, NoRecording, UnknownDemo

DONE, COULD_NOT, WRONG_USE, INTERRUPTED = 0, 1, 2, 130
# What was typed is wrong, not what was met.
MISTYPED = (BadMessage, BadQuestion, BadRequest, CannotExport, NoRecording, UnknownCollection, UnknownDemo)

STOPPING = "Stopping: what was begun is put away first."


def run(work: Coroutine[None, None, int]) -> NoReturn:
    """Run a command to its end and exit with its status; on SIGINT and SIGTERM it gives back what it holds first."""
    for stream in (sys.stdout, sys.stderr):
        # Python takes the C locale for UTF-8, which a terminal in that locale need not know.
        if sys.flags.utf8_mode and isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding=locale.getencoding(), errors="replace")
    sys.exit(asyncio.run(_until_signalled(work)))


async def _until_signalled(work: Coroutine[None, None, int]) -> int:
    task = asyncio.ensure_future(work)
    got: list[int] = []

    def stop(number: int) -> None:
        # Once only: a second signal would cut the clean-up short.
        if not got:
            got.append(number)
            if sys.stderr.isatty():
                print(f"\n{STOPPING}", file=sys.stderr)  # noqa: T201 - a command speaks by printing
            task.cancel()

    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop, number)
    try:
        return await task
    except asyncio.CancelledError:
        return 128 + signal.SIGTERM if signal.SIGTERM in got else INTERRUPTED
    except BrokenPipeError:  # whoever read the output has enough of it
        raise
    except Exception as error:  # noqa: BLE001 - the outer boundary: whatever failed is told, with a reference to the log
        fail(error)
        return WRONG_USE if isinstance(error, MISTYPED) else COULD_NOT


def fail(error: Exception) -> None:
    """Say on standard error what is wrong and what to do, with the reference that the log has."""
    from bot.cli.printing import err  # noqa: PLC0415 - most commands fail at nothing, and print without it

    told = trouble(error)
    err(f"{f'{told.text} {told.advice}'.strip()} (reference {told.reference})")
