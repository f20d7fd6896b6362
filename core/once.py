"""What all subscribers of a log entry need, made once for all of them."""

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from typing import Any

MOST = 1_000
"""Things kept for the subscribers of recent entries."""


class ForAll(dict[str, Any]):
    """An event's document that is the same for all who are told; what is answered of it is kept with it."""

    __slots__ = ("answers",)

    def __init__(self, *given: Any, **fields: Any) -> None:
        super().__init__(*given, **fields)
        self.answers: dict[Any, Any] = {}


class Once:
    """Things by key, made by the first who asks for them; access is each one's own affair."""

    def __init__(self) -> None:
        self._made: dict[Hashable, asyncio.Task[Any]] = {}

    async def __call__(self, key: Hashable, make: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
        task = self._made.get(key)
        if task is None:
            while len(self._made) >= MOST:
                del self._made[next(iter(self._made))]
            task = self._made[key] = asyncio.create_task(make())
            task.add_done_callback(lambda done: self._forget_failed(key, done))
        # The first to ask may hang up; the others still want it.
        return task.result() if task.done() else await asyncio.shield(task)

    def _forget_failed(self, key: Hashable, task: asyncio.Task[Any]) -> None:
        """Who resumes at the same entry tries again."""
        if (task.cancelled() or task.exception()) and self._made.get(key) is task:
            del self._made[key]
