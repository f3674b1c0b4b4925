"""The one process of a data folder that makes its engines, keeps them while somebody needs them, and cleans up.

Started as `python -m sandbox.local.keeper PLAN` by the first process that needs engines, on its own from then on.
"""

import asyncio
import contextlib
import logging
import os
import signal
import sys
from collections.abc import Iterator
from typing import IO

from sandbox.local import box
from sandbox.local.layout import Layout
from sandbox.local.locks import Locks
from sandbox.local.plans import Plan
from sandbox.local.starting import Starting

log = logging.getLogger("portside.engines")

_LOOK = 0.25
_PATIENCE = 1.5
_PAUSE = 1.0
_LOG_LIMIT = 4 << 20


class Keeper:
    """Makes the engines again whenever their box ends, until nobody needs them any more."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._layout = Layout.of(plan.config)
        self._locks = Locks(self._layout.home)
        self._last: IO[bytes] | None = None

    async def keep(self) -> None:
        """Keep the engines, and put the machine back in the end."""
        unneeded = asyncio.create_task(self._until_unneeded())
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, unneeded.cancel)
        working = asyncio.create_task(self._work())
        await asyncio.wait((unneeded, working), return_when=asyncio.FIRST_COMPLETED)
        working.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await working
        await asyncio.to_thread(box.clean, self._layout)
        self._layout.report.unlink(missing_ok=True)

    async def _until_unneeded(self) -> None:
        """Return once nobody has needed the engines for a while; from then on nobody can begin to."""
        alone = 0.0
        while alone < _PATIENCE:
            await asyncio.sleep(_LOOK)
            claimed = None if self._layout.keep_mark.exists() else self._locks.claim()
            alone = alone + _LOOK if claimed else 0.0
            if claimed and alone >= _PATIENCE:
                self._last = claimed
            elif claimed:
                claimed.close()

    async def _work(self) -> None:
        while True:
            await asyncio.to_thread(box.clean, self._layout)
            await Starting(self._plan.config, self._layout, cluster=self._plan.cluster).run()
            log.warning("the box has ended; making it again")
            await asyncio.sleep(_PAUSE)


def main() -> None:
    """Become the keeper, or leave it to the one there is; whoever waits is told by the end of standard output."""
    plan = Plan.from_text(sys.argv[1])
    layout = Layout.of(plan.config)
    lock = Locks(layout.home).keep()
    if lock is None:
        return
    with lock, _logging(layout):
        asyncio.run(Keeper(plan).keep())


@contextlib.contextmanager
def _logging(layout: Layout) -> Iterator[None]:
    layout.logs.mkdir(parents=True, exist_ok=True)
    path = layout.logs / "keeper.log"
    if path.exists() and path.stat().st_size > _LOG_LIMIT:
        path.unlink()
    with path.open("ab") as file:
        for stream in (sys.stdout, sys.stderr):
            os.dup2(file.fileno(), stream.fileno())
        logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", stream=sys.stderr)
        yield


if __name__ == "__main__":
    main()
