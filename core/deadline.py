"""Ends operations that take too long, with one timer for all of them.

A timer of its own costs a small operation more than its own work: it must be set and taken back.
"""

import asyncio
from collections.abc import Awaitable, Coroutine
from contextvars import ContextVar, copy_context
from typing import Any, TypeVar

T = TypeVar("T")

NEVER = float("inf")

_ends: ContextVar[float] = ContextVar("ends", default=NEVER)


def ends() -> float:
    """The moment, by the event loop's clock, at which whatever runs here will be ended."""
    return _ends.get()


def end_at(moment: float) -> None:
    """Set that moment for the tasks made from here: work for several ends with the last of them."""
    _ends.set(moment)


def within(milliseconds: int) -> int:
    """So many, or what is left until the deadline: databases do not notice that nobody waits any more."""
    moment = _ends.get()
    if moment == NEVER:
        return milliseconds
    left = int((moment - asyncio.get_running_loop().time()) * 1000)
    return max(1, min(milliseconds, left))


def apart(work: Coroutine[Any, Any, T], *, name: str | None = None) -> "asyncio.Task[T]":
    """A task that goes on when what began it is ended, and has all the time it needs."""
    context = copy_context()
    context.run(_ends.set, NEVER)
    return asyncio.create_task(work, name=name, context=context)


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
        loop = asyncio.get_running_loop()
        task = asyncio.current_task(loop)
        assert task is not None
        cancelled_before = task.cancelling()
        moment = self._running[task] = loop.time() + self._seconds
        outside = _ends.set(moment)
        if self._timer is None:
            self._timer = loop.call_at(moment, self._look)
        try:
            return await work
        except asyncio.CancelledError:
            if task in self._late and task.uncancel() <= cancelled_before:
                raise TimeoutError from None
            raise
        finally:
            _ends.reset(outside)
            del self._running[task]
            self._late.discard(task)

    def _look(self) -> None:
        """Cancel those whose time is over, and come again when the next one's is."""
        loop = asyncio.get_running_loop()
        self._timer = None
        now = loop.time()
        for task, moment in self._running.items():
            if moment > now:
                self._timer = loop.call_at(moment, self._look)
                break
            if task not in self._late:
                self._late.add(task)
                task.cancel()
