"""Ends operations that take too long, with one timer for all of them.

A timer of its own costs a small operation more than its own work: it must be set and taken back.
"""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

T = TypeVar("T")


class Deadline:
    """The same number of seconds for everything that runs under it."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._running: dict[asyncio.Task[object], float] = {}
        """Tasks with the moments they must be done at; as they begin, so the earliest is first."""
        self._late: set[asyncio.Task[object]] = set()
        self._timer: asyncio.TimerHandle | None = None

    async def keep(self, work: Awaitable[T]) -> T:
        """What `work` comes to, or TimeoutError; a task keeps one deadline at a time."""
        task = asyncio.current_task()
        assert task is not None
        loop = asyncio.get_running_loop()
        cancelled_before = task.cancelling()
        ends = self._running[task] = loop.time() + self._seconds
        if self._timer is None:
            self._timer = loop.call_at(ends, self._look)
        try:
            return await work
        except asyncio.CancelledError:
            if task in self._late and task.uncancel() <= cancelled_before:
                raise TimeoutError from None
            raise
        finally:
            del self._running[task]
            self._late.discard(task)

    def _look(self) -> None:
        """Cancel those whose time is over, and come again when the next one's is."""
        loop = asyncio.get_running_loop()
        self._timer = None
        now = loop.time()
        for task, ends in self._running.items():
            if ends > now:
                self._timer = loop.call_at(ends, self._look)
                break
            if task not in self._late:
                self._late.add(task)
                task.cancel()
