"""Subscription acknowledgement: the protocols have none, so this process's servers signal it here."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import aclosing
from contextvars import ContextVar
from typing import Any

import pytest

from core.logs import REQUEST_ID
from core.sync.listeners import Listener
from server.sockets import SocketHandler
from server.streams import Answers, Streams

ELSEWHERE_SECONDS = 0.15
"""Time for a server in another process to read what it was sent."""
REFUSED_SECONDS = 1.0
"""Longest wait for a listener: a request that is refused before it is an operation never has one."""

OPERATION: ContextVar["Operation | None"] = ContextVar("operation", default=None)


class Operation:
    """One operation of a request; `begin` counts it once."""

    def __init__(self, request_id: str) -> None:
        self.request_id = request_id
        self.begun = False

    def begin(self) -> None:
        if not self.begun:
            self.begun = True
            BEGUN[self.request_id] += 1
            if (told := _TOLD.get(self.request_id)) is not None:
                told.set()


BEGUN: Counter[str] = Counter()
"""Operations that wait for their first event, or have answered, by the request that brought them."""
_TOLD: dict[str, asyncio.Event] = {}


async def begun(request_id: str, count: int = 1) -> None:
    """Until so many operations of a request listen or have answered."""
    if request_id not in BEGUN:
        await asyncio.sleep(ELSEWHERE_SECONDS)
        return
    try:
        async with asyncio.timeout(REFUSED_SECONDS):
            while BEGUN[request_id] < count:
                told = _TOLD[request_id] = asyncio.Event()
                await told.wait()
    except TimeoutError:
        pass
    finally:
        _TOLD.pop(request_id, None)


def watch(patch: pytest.MonkeyPatch) -> None:
    """Let the servers of this process tell."""
    handle, stream, woken = SocketHandler.handle, Streams.stream, Listener._woken

    async def handling(self: SocketHandler) -> None:
        BEGUN[REQUEST_ID.get()] = 0
        await handle(self)

    async def streaming(self: Streams, *arguments: Any, **named: Any) -> Answers:
        OPERATION.set(operation := Operation(REQUEST_ID.get()))
        BEGUN[operation.request_id] += 0
        return _noted(await stream(self, *arguments, **named), operation)

    async def waiting(self: Listener, seconds: float | None = None) -> None:
        if (operation := OPERATION.get()) is not None:
            operation.begin()
        await woken(self, seconds)

    patch.setattr(SocketHandler, "handle", handling)
    patch.setattr(Streams, "stream", streaming)
    patch.setattr(Listener, "_woken", waiting)


async def _noted(answers: Answers, operation: Operation) -> AsyncIterator[Any]:
    async with aclosing(answers):
        try:
            async for answer in answers:
                operation.begin()
                yield answer
        finally:
            operation.begin()
