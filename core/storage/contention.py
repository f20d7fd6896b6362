"""Keyed locks of one process: who is at a document that many want, and who is next."""

import asyncio
from collections import deque
from collections.abc import Iterable

HOT_SECONDS = 2.0
"""So long after a conflict with another process a counter is taken to be wanted by many."""


class Contention:
    """First come, first served, for each key. It saves work; what is right is kept by MongoDB's conflicts."""

    def __init__(self) -> None:
        self._queues: dict[str, deque[asyncio.Future[None]]] = {}
        """By key that is held, those who wait for it."""
        self._hot: dict[str, float] = {}

    def try_acquire(self, key: str) -> bool:
        if key in self._queues:
            return False
        self._queues[key] = deque()
        return True

    async def acquire(self, key: str) -> None:
        if self.try_acquire(key):
            return
        queue = self._queues[key]
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        queue.append(turn)
        try:
            await turn
        except BaseException:
            if turn.done() and not turn.cancelled():
                # It was handed to us while we were given up.
                self.release(key)
            raise

    def release(self, key: str) -> None:
        queue = self._queues[key]
        while queue:
            turn = queue.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        del self._queues[key]

    def heat(self, keys: Iterable[str]) -> None:
        """Record that others want these too."""
        until = asyncio.get_running_loop().time() + HOT_SECONDS
        self._hot = {key: end for key, end in self._hot.items() if end > until - HOT_SECONDS}
        self._hot |= dict.fromkeys(keys, until)

    def hot(self, key: str) -> bool:
        return self._hot.get(key, 0.0) > asyncio.get_running_loop().time() if self._hot else False


class Held:
    """The keys one holds, taken in one order by all, so that no two wait for each other."""

    def __init__(self, contention: Contention) -> None:
        self._contention = contention
        self._keys: list[str] = []

    def __contains__(self, key: str) -> bool:
        return key in self._keys

    async def widen(self, keys: Iterable[str]) -> None:
        """Hold these as well, when those who came before have done with them."""
        wanted = sorted({*self._keys, *keys})
        if wanted == self._keys:
            return
        self.release()
        for key in wanted:
            await self._contention.acquire(key)
            self._keys.append(key)

    def try_one(self, key: str) -> bool:
        """Hold one more if it is free; nobody waits."""
        if key in self._keys:
            return True
        if not self._contention.try_acquire(key):
            return False
        self._keys.append(key)
        return True

    def release(self) -> None:
        while self._keys:
            self._contention.release(self._keys.pop())
