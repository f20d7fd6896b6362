"""Cancellation that is insisted on: a task is cancelled until it has ended.

redis-py waits with `asyncio.wait_for`, which before Python 3.12 swallows a cancellation that comes as it
ends: cancelled once, a task may go on for ever, and whoever awaits it with it.
"""

import asyncio
from collections.abc import Iterable
from typing import Any

AGAIN_SECONDS = 0.1
LONGEST_SECONDS = 5.0
"""Longest wait; what has not ended by then ends when its connection is closed."""


async def end(tasks: Iterable["asyncio.Task[Any] | None"], *, seconds: float = LONGEST_SECONDS) -> None:
    """Cancel tasks until they have ended, whatever they end with."""
    loop = asyncio.get_running_loop()
    pending = {task for task in tasks if task is not None and not task.done()}
    deadline = loop.time() + seconds
    while pending and loop.time() < deadline:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=AGAIN_SECONDS)
