"""Edits keep the distance that a platform wants, and never come before a Retry-After has passed."""

import asyncio

from bot.budgets import Budget


async def moments(budget: Budget, turns: int) -> list[float]:
    loop = asyncio.get_running_loop()
    found: list[float] = []

    async def one() -> None:
        await budget.turn()
        found.append(loop.time())

    await asyncio.gather(*(one() for _ in range(turns)))
    return found


async def test_the_first_turn_is_free_and_the_next_keep_their_distance() -> None:
    began = asyncio.get_running_loop().time()
    first, second, third = await moments(Budget(0.05), 3)

    assert first - began < 0.05 <= second - first
    assert third - second >= 0.05


async def test_nobody_passes_before_a_retry_after_has_passed_also_who_waits_already() -> None:
    loop = asyncio.get_running_loop()
    budget = Budget(0.01)
    await budget.turn()
    waiting = asyncio.create_task(budget.turn())
    await asyncio.sleep(0)
    budget.hold(0.1)
    held = loop.time()
    await waiting

    assert loop.time() - held >= 0.1


async def test_who_gives_up_waiting_holds_up_nobody() -> None:
    budget = Budget(0.02)
    await budget.turn()
    leaving = asyncio.create_task(budget.turn())
    await asyncio.sleep(0)
    leaving.cancel()
    await asyncio.wait([leaving])

    async with asyncio.timeout(5):
        await budget.turn()
