"""Ends operations that take too long, with one timer for all of them.

A timer of its own costs a small operation more than its own work: it must be set and taken back.
"""

import asyncio
from collections.abc import Coroutine
from contextvars import ContextVar, Token, copy_context
from typing import Any, NamedTuple, TypeVar

T = TypeVar("T")

NEVER = float("inf")

_ends: "ContextVar[tuple[float, Deadline | None]]" = ContextVar("ends", default=(NEVER, None))


def ends() -> float:
    """The moment, by the event loop's clock, at which whatever runs here will be ended."""
    return _ends.get()[0]


def end_at(moment: float) -> None:
    """Set that moment for the tasks made from here: work for several ends with the last of them."""
    _ends.set((moment, None))


def extend(seconds: float) -> None:
    """Let the task that runs here end so much later."""
    keeper = _ends.get()[1]
    if keeper is not None:
        keeper.extend(seconds)


def within(milliseconds: int) -> int:
    """So many, or what is left until the deadline: databases do not notice that nobody waits any more."""
    moment = ends()
    if moment == NEVER:
        return milliseconds
    left = int((moment - asyncio.get_running_loop().time()) * 1000)
    return max(1, min(milliseconds, left))


async def bounded(work: Coroutine[Any, Any, T], seconds: float) -> T:
    """Time limit for reads of the database: those of the work end after so many seconds with TimedOut."""
    context = copy_context()
    context.run(end_at, min(ends(), asyncio.get_running_loop().time() + seconds))
    return await asyncio.create_task(work, context=context)


def apart(work: Coroutine[Any, Any, T], *, name: str | None = None) -> "asyncio.Task[T]":
    """A task that goes on when what began it is ended, and has all the time it needs."""
    context = copy_context()
    context.run(end_at, NEVER)
    return asyncio.create_task(work, name=name, context=context)


class _Running(NamedTuple):
    until: float
    cancelled_before: int
    outside: "Token[tuple[float, Deadline | None]]"


class Deadline:
    """The same number of seconds for everything that runs in its block, which then ends with TimeoutError.

    A task keeps one deadline at a time.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._running: dict[asyncio.Task[object], _Running] = {}
        self._late: set[asyncio.Task[object]] = set()
        self._timer: asyncio.TimerHandle | None = None

    def __enter__(self) -> None:
        loop = asyncio.get_running_loop()
        task = asyncio.current_task(loop)
        assert task is not None
        moment = loop.time() + self._seconds
        self._running[task] = _Running(moment, task.cancelling(), _ends.set((moment, self)))
        if self._timer is None:
            self._timer = loop.call_at(moment, self._look)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: Any) -> None:
        task = asyncio.current_task()
        assert task is not None
        _, cancelled_before, outside = self._running.pop(task)
        _ends.reset(outside)
        if task not in self._late:
            return
        self._late.discard(task)
        if kind is asyncio.CancelledError and task.uncancel() <= cancelled_before:
            raise TimeoutError from None

    def extend(self, seconds: float) -> None:
        """Give the current task so much more, unless its time is over."""
        task = asyncio.current_task()
        if task is not None and task in self._running and task not in self._late:
            running = self._running[task]
            moment = running.until + seconds
            self._running[task] = running._replace(until=moment)
            _ends.set((moment, self))

    def _look(self) -> None:
        """Cancel those whose deadline has passed, and set the timer for the next one."""
        loop = asyncio.get_running_loop()
        self._timer = None
        now, following = loop.time(), NEVER
        for task, running in self._running.items():
            if running.until > now:
                following = min(following, running.until)
            elif task not in self._late:
                self._late.add(task)
                task.cancel()
        if following < NEVER:
            self._timer = loop.call_at(following, self._look)
