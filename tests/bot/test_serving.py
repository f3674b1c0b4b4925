"""Several chats in one process: what ends one ends all, and each ends in its own time."""

import asyncio

import pytest

from bot.cli.serving import together


class Chat:
    """Talks until it is ended, and takes some turns of the event loop to end."""

    def __init__(self) -> None:
        self.talking = asyncio.Event()
        self.cleaned_up = False

    async def serve(self) -> None:
        self.talking.set()
        try:
            await asyncio.Event().wait()
        finally:
            for _ in range(10):
                await asyncio.sleep(0)
            self.cleaned_up = True


async def broken(after: asyncio.Event) -> None:
    await after.wait()
    raise OSError("no such network")


async def test_the_end_of_all_cuts_nobodys_clean_up_short_when_another_one_ends_at_once() -> None:
    chat = Chat()
    serving = asyncio.create_task(together(chat.serve(), asyncio.Event().wait()))
    await chat.talking.wait()
    serving.cancel()
    await asyncio.wait([serving])

    assert chat.cleaned_up
    assert serving.cancelled()


async def test_what_one_of_them_cannot_do_is_raised_once_the_others_have_cleaned_up() -> None:
    chat = Chat()
    with pytest.raises(OSError, match="no such network"):
        await together(chat.serve(), broken(chat.talking))

    assert chat.cleaned_up
