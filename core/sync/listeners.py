"""Log subscribers: streams, and listeners that are only woken to read the log for themselves."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, NamedTuple

from core.errors import RequestError
from core.sync.changes import Entry

QUEUE = 256
"""Entries a subscriber may be behind before it is cut off."""


class SlowConsumer(RequestError):
    """The client reads slower than events come: it is cut off and resumes from its position."""

    code = "SLOW_CONSUMER"

    def __init__(self) -> None:
        super().__init__("Too far behind: subscribe again with `after`.")


class Listener(ABC):
    """Log subscriber: it gets the entries of some scopes."""

    __slots__ = ("_waiter", "ready", "scopes")

    def __init__(self) -> None:
        self.scopes: set[str] = set()
        self.ready = False
        """True once its scopes are subscribed: entries logged before are no news to it."""
        self._waiter: asyncio.Future[None] | None = None

    @abstractmethod
    def put(self, item: "Entry | Signal") -> None:
        """Take an item without waiting: all listeners get it in one go, and are woken then."""

    @property
    def waits(self) -> bool:
        return self._waiter is not None and not self._waiter.done()

    def wake(self) -> None:
        if self._waiter is not None and self.waits:
            self._waiter.set_result(None)

    async def _woken(self, seconds: float | None = None) -> None:
        """Wait for an item, or so many seconds at most."""
        loop = asyncio.get_running_loop()
        self._waiter = loop.create_future()
        # A timer instead of a task: thousands of streams wait at the same time.
        timer = loop.call_later(seconds, self.wake) if seconds is not None else None
        try:
            await self._waiter
        finally:
            if timer is not None:
                timer.cancel()


class Subscriber(Listener):
    """Stream subscriber: gets every entry in order, and is cut off when it is too far behind."""

    __slots__ = ("_items", "overflowed")

    def __init__(self) -> None:
        super().__init__()
        self.overflowed = False
        # A list, because thousands of idle streams wait and hardly one has two entries to take.
        self._items: list[Entry | Signal] = []

    def put(self, item: "Entry | Signal") -> None:
        if len(self._items) < QUEUE:
            self._items.append(item)
        else:
            # Caps memory: it resumes from its position and loses nothing.
            self.overflowed = True

    async def get(self, seconds: float | None = None) -> "Entry | Signal | None":
        """The next item; None when none came for so long."""
        if not self._items and not self.overflowed:
            await self._woken(seconds)
        if self.overflowed:
            raise SlowConsumer
        return self._items.pop(0) if self._items else None


class Notifier(Listener):
    """Notifier: only says that there is news, for a reader of the log, which never falls behind so."""

    __slots__ = ("_news",)

    def __init__(self) -> None:
        super().__init__()
        self._news = False

    def put(self, item: "Entry | Signal") -> None:
        if not isinstance(item, Signal):
            self._news = True

    async def news(self) -> None:
        """Return when something was logged since the last time."""
        while not self._news:
            await self._woken()
        self._news = False


class Signal(dict[str, Any]):
    """Ephemeral signal (typing): never logged, never replayed."""


class WakeGroup(NamedTuple):
    """Wake group: listeners that have new items and are not woken yet."""

    listeners: Sequence[Listener]
    timer: asyncio.TimerHandle
