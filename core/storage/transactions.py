"""Transactions: a unit of work run until it commits, in turn with others that want the same documents."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from pymongo.errors import PyMongoError

from core.errors import TimedOut
from core.storage import mongo
from core.storage.contention import Contention, Held
from core.storage.mongo import Database
from core.storage.unit import Unit

R = TypeVar("R")

LONGEST = 5.0
"""Seconds a transaction may take, retries included."""
LONGEST_WAIT = 10.0
"""Seconds one that conflicted may wait for its turn, behind others of this process."""


async def run(
    db: Database, work: Callable[[Unit], Awaitable[R]], contention: Contention | None = None
) -> tuple[R, Unit]:
    """Run `work` in a transaction until it commits, at most five seconds; the unit comes with the result.

    One that conflicted is run again when those of this process that want the same documents have had their
    turn: of each process one at most contends for a document.
    """
    contention = contention or Contention()
    held = Held(contention)
    loop = asyncio.get_running_loop()
    deadline = loop.time() + LONGEST
    attempt = 0
    try:
        while True:
            handle = Attempt(contention, held)
            try:
                return await handle.run(db, work, deadline)
            except PyMongoError as error:
                if not mongo.transient(error):
                    raise
            except TimeoutError:
                raise TimedOut from None
            if loop.time() > deadline:
                raise TimedOut
            deadline += await handle.wait_for_turn()
            await asyncio.sleep(mongo.backoff(attempt))
            attempt += 1
    finally:
        held.release()


class Attempt:
    """One run of a unit's work, and what was in its way."""

    def __init__(self, contention: Contention, queued: Held) -> None:
        self._contention = contention
        self._queued = queued
        self._handle: Database | None = None
        self._unit: Unit | None = None

    async def run(
        self, db: Database, work: Callable[[Unit], Awaitable[R]], deadline: float
    ) -> tuple[R, Unit]:
        counting = Held(self._contention)
        try:
            async with mongo.transaction(db) as handle:
                # The commit is outside: cut off in the middle of it, its outcome would be unknown.
                async with asyncio.timeout_at(deadline):
                    self._handle = handle
                    unit = self._unit = Unit(handle, self._contention, counting, self._queued)
                    result = await work(unit)
                    await unit.flush()
            return result, unit
        finally:
            counting.release()

    async def wait_for_turn(self) -> float:
        """Queue for what the command that failed wanted to write; how many seconds that took."""
        if self._handle is None or self._unit is None:
            return 0.0
        counts = self._unit.counts
        wanted = [*self._handle.last_written, *self._unit.contended]
        self._contention.heat(counts)
        started = asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout(LONGEST_WAIT):
                await self._queued.widen(key for key in wanted if key not in counts)
        except TimeoutError:
            raise TimedOut from None
        return asyncio.get_running_loop().time() - started
