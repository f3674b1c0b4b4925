"""A server that restarts, and rights that are not known yet: what is asked again, and for how long."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import aiohttp

from sandbox.cluster_api import BUSY, FIRST_OWN_ERROR, FORBIDDEN, Refused

Answer = TypeVar("Answer")

# An API server that was killed is back within seconds; whoever is away longer is told to be.
PATIENCE = 8.0
# A RoleBinding or a quota takes a moment to be known; after a restart all rights do.
_FORBIDDEN_PATIENCE = 2.0
_PAUSE = 0.1

UNREACHABLE = (aiohttp.ClientError, TimeoutError, OSError, ValueError)


async def patiently(
    send: Callable[[], Coroutine[Any, Any, Answer]], patience: float, done: tuple[int, Answer] | None = None
) -> Answer:
    """Send a request, and again to a server that is away for less than `patience`. Raises what the last one raised.

    What was sent when the server went may have been done: `done` is how it says so the second time, and what it means.
    """
    began, lost = asyncio.get_running_loop().time(), False
    while True:
        try:
            return await send()
        except (Refused, *UNREACHABLE) as error:
            if lost and done and isinstance(error, Refused) and error.status == done[0]:
                return done[1]
            lost = lost or _away(error)
            if asyncio.get_running_loop().time() - began > _allowed(error, lost, patience):
                raise
        await asyncio.sleep(_PAUSE)


def _away(error: Exception) -> bool:
    return not isinstance(error, Refused) or error.status == BUSY or error.status >= FIRST_OWN_ERROR


def _allowed(error: Exception, lost: bool, patience: float) -> float:
    """Say after how many seconds an error is no longer that of a server, or of rights, that are just coming."""
    if _away(error):
        return patience
    if isinstance(error, Refused) and error.status == FORBIDDEN:
        return patience if lost else min(_FORBIDDEN_PATIENCE, patience)
    return -1.0
