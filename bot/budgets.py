"""One budget of edits for everything that a platform counts together: a channel's messages, a workspace's calls."""

import asyncio


class Budget:
    """At least `pause` seconds lie between two edits, and none comes before a Retry-After has passed."""

    def __init__(self, pause: float) -> None:
        self._pause = pause
        self._free_at = self._held_until = 0.0
        self._queue = asyncio.Lock()  # first come, first served

    async def turn(self) -> None:
        """Wait for one's place."""
        loop = asyncio.get_running_loop()
        async with self._queue:
            # Looked at again after each wait: the server may have asked for more patience meanwhile.
            while (wait := self._free_at - loop.time()) > 0:  # noqa: ASYNC110 - a moment is waited for, no event
                await asyncio.sleep(wait)
            self._free_at = loop.time() + self._pause

    def hold(self, seconds: float) -> None:
        """Let nobody through for so long: the server has said so."""
        self._held_until = max(self._held_until, asyncio.get_running_loop().time() + seconds)
        self._free_at = max(self._free_at, self._held_until)

    @property
    def held(self) -> bool:
        """Whether what the server has asked for is not over yet."""
        return asyncio.get_running_loop().time() < self._held_until
