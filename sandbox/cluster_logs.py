"""A pod's log as it is written, whatever happens to the connection."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Iterator

import aiohttp

from sandbox.cluster_api import BAD_REQUEST, FIRST_OWN_ERROR, NOT_FOUND, Api, Refused, translated
from sandbox.cluster_patience import PATIENCE

_PAUSE = 0.25


async def followed_log(api: Api, path: str, ended: asyncio.Event) -> AsyncGenerator[str, None]:
    """Yield each line once: where the connection was lost, follow again from the start and leave out what is known.

    It goes on until the log ends after its time, or nothing was heard of it for a while.
    """
    known, heard = 0, float("inf")
    clock = asyncio.get_running_loop().time
    while not ended.is_set() and clock() - heard < PATIENCE:
        number = 0
        with translated(), _interrupted():
            async with contextlib.aclosing(api.lines(path)) as lines:
                async for line in lines:
                    number += 1
                    if number > known:
                        known, heard = number, clock()
                        yield line
        await asyncio.sleep(_PAUSE)


@contextlib.contextmanager
def _interrupted() -> Iterator[None]:
    """Let pass what is over in a moment: a pod that its kubelet does not know yet, or has not started; a restart."""
    try:
        yield
    except Refused as error:
        if error.status < FIRST_OWN_ERROR and error.status not in (BAD_REQUEST, NOT_FOUND):
            raise
    except (aiohttp.ClientError, TimeoutError, OSError):
        return
