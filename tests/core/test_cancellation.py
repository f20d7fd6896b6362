"""Cancellation that is insisted on."""

import asyncio

from core import cancellation


async def test_a_task_that_swallows_a_cancellation_ends_all_the_same() -> None:
    """A process whose start failed hung while it stopped: redis-py had swallowed the one cancellation."""
    swallowed = 0

    async def listen() -> None:
        nonlocal swallowed
        while swallowed < 2:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                swallowed += 1
        await asyncio.sleep(60)

    task = asyncio.create_task(listen())
    await asyncio.sleep(0)
    await cancellation.end([task, None])
    assert (swallowed, task.cancelled()) == (2, True)


async def test_one_that_never_ends_holds_nothing_up() -> None:
    asked = asyncio.Event()

    async def stay() -> None:
        while not asked.is_set():
            try:
                await asked.wait()
            except asyncio.CancelledError:
                continue

    task = asyncio.create_task(stay())
    await asyncio.sleep(0)
    await cancellation.end([task], seconds=0.2)
    assert not task.done()
    asked.set()
    await task


async def test_failures_of_those_that_end_are_theirs() -> None:
    async def fail() -> None:
        raise LookupError

    task = asyncio.create_task(fail())
    await cancellation.end([task])
    assert task.cancelled() or isinstance(task.exception(), LookupError)
