"""A few sandboxes that are prepared before anybody asks: network, namespace, quota and policies stand already.

They carry labels and an expiry like everything else: what a killed process leaves of them goes to the reaper.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

from sandbox import lifetimes
from sandbox.errors import SandboxError
from sandbox.lab import Lab, LabSandbox, removed_after
from sandbox.sandbox import Sandbox
from sandbox.streams import to_the_end, together

log = logging.getLogger(__name__)

OWNER = "pool"
# A run that has just begun needs the machine more than whoever comes next.
_REST_SECONDS = 5.0
_LOOK_SECONDS = 30.0


class Pool:
    """Opens sandboxes as a `Lab` does, and sooner while it has a prepared one. Without `keep` it never has."""

    def __init__(self, lab: Lab, size: int, kept: float = lifetimes.PREPARED) -> None:
        self._lab = lab
        self._size = size
        self._kept = kept
        self._prepared: list[LabSandbox] = []
        self._spent: list[LabSandbox] = []
        self._taken = asyncio.Event()
        self.full = asyncio.Event()

    @asynccontextmanager
    async def open(self, owner: str, seconds: float) -> AsyncGenerator[Sandbox, None]:
        """Give a prepared sandbox to an owner, or make one where none is there that lasts long enough."""
        if taken := await self._take(owner, seconds):
            async with removed_after(taken):
                yield taken
        else:
            async with self._lab.open(owner, seconds) as made:
                yield made

    async def _take(self, owner: str, seconds: float) -> LabSandbox | None:
        while self._prepared and _lasts(self._prepared[0], seconds):
            sandbox = self._prepared.pop(0)
            self.full.clear()
            self._taken.set()
            if await _stands(sandbox):
                return sandbox.given(owner, seconds)
            self._spent.append(sandbox)
        return None

    async def keep(self) -> None:
        """Keep the pool full, and no sandbox in it too long, until cancelled; then give everything back."""
        try:
            while self._size:
                try:
                    await self._fill()
                except SandboxError as error:
                    log.warning("no sandbox can be prepared now: %s", error)
                await self._wanted()
        finally:
            await to_the_end(together(*(sandbox.remove() for sandbox in (*self._prepared, *self._spent))))
            self._prepared.clear()

    async def _fill(self) -> None:
        """Throw away what is old or gone, and make what is missing: one after the other, in nobody's way."""
        self._spent += [sandbox for sandbox in self._prepared if not _lasts(sandbox, lifetimes.LONGEST_DEMO)]
        self._prepared = [sandbox for sandbox in self._prepared if sandbox not in self._spent]
        while self._spent:
            await to_the_end(self._spent.pop().remove())
        while len(self._prepared) < self._size:
            self._prepared.append(await self._made())
        self.full.set()

    async def _made(self) -> LabSandbox:
        sandbox = await self._lab.connect(OWNER, self._kept + lifetimes.LONGEST_DEMO)
        try:
            await sandbox.prepare()
        except BaseException:
            await to_the_end(sandbox.remove())
            raise
        return sandbox

    async def _wanted(self) -> None:
        """Wait until one was taken, or it is time to look how old they are."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(min(_LOOK_SECONDS, self._kept)):
                await self._taken.wait()
        if self._taken.is_set():
            self._taken.clear()
            await asyncio.sleep(_REST_SECONDS)


def _lasts(sandbox: LabSandbox, seconds: float) -> bool:
    """Say whether a demo of so many seconds ends, and is cleaned up, before the sandbox expires."""
    return sandbox.expires - datetime.now(UTC) >= timedelta(seconds=seconds + lifetimes.MARGIN)


async def _stands(sandbox: LabSandbox) -> bool:
    """Look whether an engine has lost it meanwhile; what cannot be looked at is made anew, and told there."""
    try:
        return await sandbox.stands()
    except SandboxError as error:
        log.warning("a prepared sandbox cannot be used: %s", error)
        return False
