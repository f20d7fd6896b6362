"""Ctrl-C while a command starts: it ends with a word, wherever the interpreter is.

An exception would be lost or printed where an import, a destructor or a callback runs just then.
"""

import asyncio
import os
import signal
from collections.abc import Coroutine
from types import FrameType
from typing import Any, TypeVar

T = TypeVar("T")

STOPPED = "Stopped.\n"
EXIT_CODE = 128 + signal.SIGINT


def at_once() -> None:
    """End on Ctrl-C without more ado: nothing was begun yet."""
    signal.signal(signal.SIGINT, _leave)


def orderly() -> None:
    """From here on there is something to take down: Ctrl-C raises KeyboardInterrupt."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def _leave(number: int, frame: FrameType | None) -> None:
    os.write(2, STOPPED.encode())
    os._exit(EXIT_CODE)


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run on uvloop; Ctrl-C cancels it and raises KeyboardInterrupt here, and nowhere in the middle."""
    import uvloop

    async def cancellable() -> T:
        task = asyncio.current_task()
        assert task is not None
        asyncio.get_running_loop().add_signal_handler(signal.SIGINT, task.cancel)
        return await work

    try:
        result: T = uvloop.run(cancellable())
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None
    return result


def stop_if_cancelled() -> None:
    """The Redis client turns a cancellation while it connects into an error of its own."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
