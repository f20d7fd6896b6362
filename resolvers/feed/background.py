"""Deduplicated background tasks: one at a time per key, cancelled with the process."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import structlog

from core import cancellation, deadline

logger = structlog.get_logger(__name__)

MOST_TASKS = 1_000
"""Limit of concurrent tasks; more are dropped, because a later request will ask again."""


class KeyedTasks:
    def __init__(self) -> None:
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def start(self, key: str, work: Coroutine[Any, Any, Any]) -> None:
        """Start a task unless one of this key is running."""
        if key in self._tasks or len(self._tasks) >= MOST_TASKS:
            work.close()
            return
        self._tasks[key] = deadline.apart(self._run(key, work), name=f"behind-{key}")

    async def _run(self, key: str, work: Coroutine[Any, Any, Any]) -> None:
        try:
            await work
        except Exception as error:
            logger.warning(
                "not done behind an answer", work=key.partition(":")[0], error=type(error).__name__
            )
        finally:
            del self._tasks[key]

    async def done(self) -> None:
        """Wait until no task is running."""
        while self._tasks:
            await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    async def stop(self) -> None:
        await cancellation.end(self._tasks.values())
