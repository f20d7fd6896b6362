"""Shared deadline timer: one timer for many operations."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

import pytest

from core.deadline import Deadline

T = TypeVar("T")


async def forever() -> None:
    await asyncio.Event().wait()


async def kept(deadline: Deadline, work: Coroutine[Any, Any, T]) -> T:
    with deadline:
        return await work


async def value() -> int:
    await asyncio.sleep(0)
    return 7


async def test_what_is_done_in_time_is_answered() -> None:
    assert await kept(Deadline(10), value()) == 7


async def test_whatever_takes_too_long_is_ended_and_nothing_else() -> None:
    deadline = Deadline(0.05)
    late = [asyncio.ensure_future(kept(deadline, forever())) for _ in range(3)]
    await asyncio.sleep(0.03)
    young = asyncio.ensure_future(kept(deadline, forever()))
    done, waiting = await asyncio.wait([*late, young], timeout=10, return_when=asyncio.FIRST_COMPLETED)
    assert [type(task.exception()) for task in done] == [TimeoutError] * len(done)
    assert young in waiting
    with pytest.raises(TimeoutError):
        await young
    assert all(isinstance(task.exception(), TimeoutError) for task in late)
    assert await kept(deadline, value()) == 7


async def test_a_cancelled_request_is_cancelled_and_not_late() -> None:
    task = asyncio.ensure_future(kept(Deadline(10), forever()))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_an_error_of_the_work_stays_what_it_is() -> None:
    async def failing() -> None:
        raise KeyError("of the work")

    with pytest.raises(KeyError):
        await kept(Deadline(10), failing())


async def test_a_task_goes_on_after_its_deadline() -> None:
    deadline = Deadline(0.01)
    with pytest.raises(TimeoutError):
        await kept(deadline, forever())
    await asyncio.sleep(0)
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0
