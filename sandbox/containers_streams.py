"""A stream that docker's library reads with blocking calls, as one of ours."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import requests
import urllib3


async def followed(stream: Any) -> AsyncGenerator[Any, None]:
    """Yield what the stream yields, until it ends or breaks."""
    items: asyncio.Queue[tuple[Any, ...]] = asyncio.Queue()
    loop = asyncio.get_running_loop()

    def read() -> None:
        with contextlib.suppress(requests.RequestException, urllib3.exceptions.HTTPError, ValueError):
            for item in stream:
                loop.call_soon_threadsafe(items.put_nowait, (item,))
        loop.call_soon_threadsafe(items.put_nowait, ())

    # A thread of its own: the shared ones are few, and this one is taken for as long as the run lasts.
    thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="docker-stream")
    reading = loop.run_in_executor(thread, read)
    try:
        while item := await items.get():
            yield item[0]
    finally:
        with contextlib.suppress(OSError):  # the engine may have hung up first
            stream.close()
        await reading
        thread.shutdown(wait=False)


async def lines(pieces: AsyncGenerator[bytes, None]) -> AsyncGenerator[str, None]:
    """Yield whole lines, however they were cut into pieces."""
    begun = b""
    async with contextlib.aclosing(pieces):
        async for piece in pieces:
            *whole, begun = (begun + piece).split(b"\n")
            for line in whole:
                yield line.decode(errors="replace")
