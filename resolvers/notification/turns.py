"""Turns of deliveries whose providers know no key: between the call and the record of it is one at a time.

A worker that is killed in between leaves nobody who knows whether the message went out, so it is sent again.
With one at a time it is one message that may come twice.
"""

import asyncio
import heapq
import itertools
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext

from core.context import Services
from core.services import service
from resolvers.notification.channels import LANES
from stores.notification import NotificationChannel, PriorityLevel

KEYED = frozenset({NotificationChannel.EMAIL, NotificationChannel.PUSH})
"""Channels on which a message that was sent twice is seen once, by its Message-ID or the device's tag."""


class Turns:
    """One at a time in this process, the most urgent first."""

    def __init__(self) -> None:
        self._taken = False
        self._waiting: list[tuple[int, int, asyncio.Future[None]]] = []
        self._numbers = itertools.count()

    @asynccontextmanager
    async def turn(self, priority: PriorityLevel) -> AsyncIterator[None]:
        if self._taken:
            await self._come(priority)
        self._taken = True
        try:
            yield
        finally:
            self._pass_on()

    async def _come(self, priority: PriorityLevel) -> None:
        """Wait until the turn is passed on to us."""
        come = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (LANES[priority], next(self._numbers), come))
        try:
            await come
        except asyncio.CancelledError:
            if come.done() and not come.cancelled():
                self._pass_on()
            raise

    def _pass_on(self) -> None:
        while self._waiting:
            *_, come = heapq.heappop(self._waiting)
            if not come.done():
                come.set_result(None)
                return
        self._taken = False


@service
async def turns() -> AsyncIterator[Turns]:
    yield Turns()


def turn(
    services: Services, channel: NotificationChannel, priority: PriorityLevel
) -> AbstractAsyncContextManager[None]:
    """The turn of a delivery, where it needs one. A CRITICAL one needs none: late is worse than twice."""
    if channel in KEYED or priority == PriorityLevel.CRITICAL:
        return nullcontext()
    return services.get(Turns).turn(priority)
