"""Live streams over the change log: one reader per process, shared by all subscribers, woken by hints.

A hint says that entries of a scope changed; the entries themselves are read from the log, once for all
subscribers of this process. Every five seconds the log is read again with the overlap, so that a lost hint
delays and never loses.
"""

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Collection, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar

import structlog
from pymongo.errors import PyMongoError
from redis.asyncio import Redis

from core import cancellation, deadline
from core.redis_batches import RedisBatches
from core.storage.mongo import Database
from core.storage.unit import Unit
from core.sync import changes
from core.sync.bus import Bus
from core.sync.changes import Entry
from core.sync.listeners import Listener, Signal, Subscriber, WakeGroup
from core.sync.log_offset import LogOffset
from core.sync.single_flight import SingleFlight

L = TypeVar("L", bound=Listener)

logger = structlog.get_logger(__name__)

REPLAY = 1_000
"""Most entries replayed on resumption; beyond, the client must synchronise instead."""

GATHER_SECONDS = 0.002
"""Hints of one burst are read together."""

CROWD = 16
"""Of more than these, one is woken first: what they all need is there when the others come for it."""
CROWD_SECONDS = 0.01
"""So long at most the others are not woken."""

SWEEP_SECONDS = 5.0
SWEEP_SECONDS_ALONE = 0.8
"""Without hints: a session that ended is still refused within a second."""
SCOPES_PER_READ = 5_000
"""Scopes whose entries are merged; a process may listen to many more."""


class PositionTooOld(Exception):
    """The log cannot be replayed from the client's position."""


class Live:
    """The process's reader of the log."""

    def __init__(self, db: Database, redis: "Redis", batches: RedisBatches, *, overlap: timedelta) -> None:
        self._db = db
        self._bus = Bus(redis, batches, self._receive)
        self._subscribers: dict[str, set[Listener]] = defaultdict(set)
        self._hinted: set[str] = set()
        self._seen: dict[str, LogOffset] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._flush: asyncio.Task[None] | None = None
        self._publishing: set[asyncio.Task[None]] = set()
        self._opening: dict[str, asyncio.Task[None]] = {}
        self._swept: datetime | None = None
        self._once = SingleFlight()
        self._crowds: dict[LogOffset, WakeGroup] = {}
        self.overlap = overlap
        self.reads = 0

    async def start(self) -> None:
        await self._bus.start()
        self._tasks = [asyncio.create_task(self._sweeps(), name="live-sweeps")]

    async def stop(self) -> None:
        await cancellation.end([*self._tasks, *self._publishing, self._flush])
        await self._bus.stop()

    # What writers do.

    def hint(self, unit: Unit) -> None:
        """Wake the readers of what a committed unit changed; never waited for."""
        if unit.changed_ids:
            self._in_background(self._publish(unit))

    def signal(self, scope: str, signal: dict[str, Any]) -> None:
        self._in_background(self._bus.publish({scope: {"signal": signal}}))

    def _in_background(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._publishing.add(task)
        task.add_done_callback(self._publishing.discard)

    async def _publish(self, unit: Unit) -> None:
        scopes: dict[str, list[str]] = defaultdict(list)
        unknown = []
        for change in unit.written_changes:
            if (change.created or change.audience_never_shrinks) and change.scopes is not None:
                for scope in change.scopes:
                    scopes[scope].append(change.id)
            else:
                unknown.append(change.id)
        with contextlib.suppress(PyMongoError):
            for entry in await changes.named(self._db, unknown) if unknown else ():
                for scope in {*entry["scopes"], *entry["former_scopes"]}:
                    scopes[scope].append(entry["_id"])
        await self._bus.publish({scope: {"ids": ids} for scope, ids in scopes.items()})

    # What subscribers do.

    async def follow(
        self,
        scopes: Sequence[str],
        *,
        after: LogOffset | None = None,
        authorize: Callable[[], Awaitable[Any]] | None = None,
        idle_timeout: Callable[[], float | None] = lambda: None,
        further: Callable[[], Collection[str]] | None = None,
    ) -> AsyncGenerator[Entry | Signal | None, None]:
        """Entries of the scopes from `after` (now, when None) on; PositionTooOld if that is gone.

        `authorize` refuses who may not see them, when nothing can change unheard any more. None comes when
        nothing did for as many seconds as `idle_timeout` says, asked before each wait. So is `further`, for
        scopes that are followed as well from then on, in place of those it named before.
        """
        async with self.listening(Subscriber(), scopes) as follower:
            if authorize is not None:
                await authorize()
            replayed: dict[str, LogOffset] = {}
            if after is not None:
                for entry in await self._replay(scopes, after):
                    replayed[entry["_id"]] = changes.place(entry)
                    yield entry
            while True:
                if further is not None:
                    await self._move(follower, {*scopes, *further()})
                item = await follower.get(idle_timeout())
                logged = None if isinstance(item, Signal) else item
                if logged is None or not replayed or replayed.get(logged["_id"]) != changes.place(logged):
                    yield item

    async def _move(self, follower: Subscriber, wanted: set[str]) -> None:
        """Let a subscriber listen to these scopes alone."""
        if follower.scopes != wanted:
            await self.unsubscribe(follower, [scope for scope in follower.scopes if scope not in wanted])
            await self.subscribe(follower, [scope for scope in wanted if scope not in follower.scopes])

    @contextlib.asynccontextmanager
    async def listening(self, listener: L, scopes: Sequence[str]) -> AsyncIterator[L]:
        """Tell a listener what is logged for the scopes."""
        try:
            await self.subscribe(listener, scopes)
            yield listener
        finally:
            await self.unsubscribe(listener, list(listener.scopes))

    async def subscribe(self, listener: Listener, scopes: Sequence[str]) -> None:
        """Listen to more scopes; what they hold already is not sent."""
        fresh = [scope for scope in scopes if scope not in self._subscribers]
        for scope in scopes:
            listener.scopes.add(scope)
            self._subscribers[scope].add(listener)
        if fresh:
            opening = deadline.apart(self._open(fresh), name="live-open")
            self._opening |= dict.fromkeys(fresh, opening)
        for opening in {self._opening[scope] for scope in scopes if scope in self._opening}:
            # Others wait for it too.
            await asyncio.shield(opening)
        listener.ready = True

    async def unsubscribe(self, listener: Listener, scopes: Sequence[str]) -> None:
        left = []
        for scope in scopes:
            listener.scopes.discard(scope)
            listeners = self._subscribers.get(scope)
            if listeners is None:
                continue
            listeners.discard(listener)
            if not listeners:
                del self._subscribers[scope]
                left.append(scope)
        await self._bus.ignore(left)

    async def _open(self, scopes: Sequence[str]) -> None:
        try:
            await self._bus.listen(scopes)
            await self._prime(scopes)
        finally:
            for scope in scopes:
                if self._opening.get(scope) is asyncio.current_task():
                    del self._opening[scope]
            await self._bus.ignore([scope for scope in scopes if scope not in self._subscribers])

    async def _prime(self, scopes: Sequence[str]) -> None:
        """Take the entries of the overlap as sent, so that the next sweep does not send them as news.

        It is no news to those who came for it just now; others may wait for the hint of an entry that is read
        here first.
        """
        now = await changes.database_time(self._db)
        for entry in await self._read(scopes, now - self.overlap):
            self._fan_out(entry)

    async def _replay(self, scopes: Sequence[str], after: LogOffset) -> list[Entry]:
        oldest = await changes.database_time(self._db) - changes.KEPT
        if after.at < oldest:
            raise PositionTooOld
        floor = after.at - self.overlap
        entries = await changes.since(self._db, scopes, floor=floor, limit=REPLAY + 1)
        if len(entries) > REPLAY:
            raise PositionTooOld
        return [entry for entry in entries if changes.place(entry) != after]

    async def shared(self, entry: Entry, what: str, load: Callable[[], Awaitable[Any]]) -> Any:
        """Return a value that all subscribers of an entry need, loaded once; each checks access itself."""
        place = changes.place(entry)
        try:
            return await self._once.get((what, place), load)
        finally:
            if self._crowds:
                self._wake_crowd(place)

    # How the reader reads.

    async def _receive(self, scope: str, message: dict[str, Any]) -> None:
        if "signal" in message:
            for listener in self._subscribers.get(scope, ()):
                listener.put(Signal(message["signal"]))
                listener.wake()
            return
        self._hinted.update(message["ids"])
        if self._flush is None or self._flush.done():
            self._flush = asyncio.create_task(self._read_hinted(), name="live-read")

    async def _read_hinted(self) -> None:
        while self._hinted:
            await asyncio.sleep(GATHER_SECONDS)
            ids, self._hinted = list(self._hinted), set()
            try:
                self.reads += 1
                entries = await changes.named(self._db, ids)
                # In log order: what hides a thing comes before what happens to it afterwards.
                for entry in sorted(entries, key=changes.place):
                    self._fan_out(entry)
            except PyMongoError as error:
                # The next sweep reads them.
                logger.warning("log not read", error=type(error).__name__)

    async def _sweeps(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_SECONDS if self._bus.connected else SWEEP_SECONDS_ALONE)
            try:
                await self.sweep()
            except PyMongoError as error:
                logger.warning("log not swept", error=type(error).__name__)

    async def sweep(self) -> None:
        """Read the overlap again for every scope that has a listener."""
        if not self._subscribers:
            self._swept = None
            return
        now = await changes.database_time(self._db)
        floor = (self._swept or now) - self.overlap
        scopes = list(self._subscribers)
        for start in range(0, len(scopes), SCOPES_PER_READ):
            for entry in await self._read(scopes[start : start + SCOPES_PER_READ], floor):
                self._fan_out(entry)
        self._swept = now
        self._seen = {id: place for id, place in self._seen.items() if place.at > now - 3 * self.overlap}

    async def _read(self, scopes: Sequence[str], floor: datetime) -> list[Entry]:
        entries: list[Entry] = []
        after = None
        while True:
            self.reads += 1
            page = await changes.since(self._db, scopes, floor=floor, after=after, limit=REPLAY)
            entries += page
            if len(page) < REPLAY:
                return entries
            after = changes.place(page[-1])

    def _fan_out(self, entry: Entry) -> None:
        place = changes.place(entry)
        if self._seen.get(entry["_id"]) == place:
            return
        self._seen[entry["_id"]] = place
        listeners: set[Listener] = set()
        for scope in (*entry["scopes"], *entry["former_scopes"]):
            listeners |= self._subscribers.get(scope, set())
        # What is logged before one listens to all its scopes is no news, or is read by it afterwards.
        told = [listener for listener in listeners if listener.ready]
        for listener in told:
            listener.put(entry)
        waiting = [listener for listener in told if listener.waits]
        if len(waiting) > CROWD:
            timer = asyncio.get_running_loop().call_later(CROWD_SECONDS, self._wake_crowd, place)
            self._crowds[place] = WakeGroup(waiting[1:], timer)
            waiting = waiting[:1]
        for listener in waiting:
            listener.wake()

    def _wake_crowd(self, place: LogOffset) -> None:
        crowd = self._crowds.pop(place, None)
        if crowd is not None:
            crowd.timer.cancel()
            for listener in crowd.listeners:
                listener.wake()
