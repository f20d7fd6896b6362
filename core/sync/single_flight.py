"""Single-flight cache: all that the subscribers of a log entry need, loaded once for all of them."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Any

from core import deadline

MOST_KEPT = 1_000
"""Values kept for the subscribers of recent entries; the oldest is evicted first."""


class SingleFlight:
    """Single-flight cache: values by key, loaded by the first caller; each caller checks access itself."""

    __slots__ = ("_made", "_making")

    def __init__(self) -> None:
        self._made: dict[Hashable, Any] = {}
        self._making: dict[Hashable, _Making] = {}

    async def get(self, key: Hashable, make: Callable[[], Awaitable[Any]]) -> Any:
        if key in self._made:
            return self._made[key]
        making = self._making.get(key)
        if making is None:
            # A task of its own: the first to ask may hang up, and the others still want it.
            making = self._making[key] = _Making()
            making.task = deadline.apart(self._make(key, make, making))
        return await making.wait()

    def known(self, key: Hashable) -> Any:
        return self._made.get(key)

    def keep(self, key: Hashable, value: Any) -> None:
        while len(self._made) >= MOST_KEPT:
            del self._made[next(iter(self._made))]
        self._made[key] = value

    async def _make(self, key: Hashable, make: Callable[[], Awaitable[Any]], making: "_Making") -> None:
        try:
            value = await make()
        except Exception as error:
            # Not cached: whoever resumes at the same entry retries.
            making.fail(error)
        else:
            self.keep(key, value)
            making.done(value)
        finally:
            del self._making[key]


class _Making:
    """Waiters of one load: a future each, which costs less than shielding one for all of them."""

    __slots__ = ("_waiters", "task")

    def __init__(self) -> None:
        self._waiters: list[asyncio.Future[Any]] = []
        self.task: asyncio.Task[None] | None = None

    def wait(self) -> "asyncio.Future[Any]":
        waiter = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        return waiter

    def done(self, value: Any) -> None:
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(value)

    def fail(self, error: Exception) -> None:
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_exception(error)


class SharedEvent(dict[str, Any]):
    """Shared event: one document for all subscribers, with the answers rendered from it."""

    __slots__ = ("answers",)

    def __init__(self, *given: Any, **fields: Any) -> None:
        super().__init__(*given, **fields)
        self.answers = SingleFlight()
