"""The fold: adds the deltas of counters (`core/storage/counters.py`) up into the documents they count for.

One transaction takes all deltas of a document there are, moves its counters, logs them once for its readers
and deletes the deltas. Of each process at most one fold of a document is under way: those who need the next
one wait for it together.
"""

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

import structlog

from core import cancellation, clock, deadline
from core.storage.contention import Contention, Held
from core.storage.counters import COUNTERS, Counters, Delta, deltas
from core.storage.mongo import Database
from core.storage.transactions import run as run_unit
from core.storage.unit import Unit
from core.sync.live import Live

logger = structlog.get_logger(__name__)

BATCH = 1_000
PATIENCE = 1.0
"""Seconds an answer waits for its fold at most; the fold goes on."""
LEFT_AFTER = timedelta(seconds=2)
"""Deltas that are older were left by a process that died, or by a fold that failed."""
LEFT_BATCH = 500

Document = Mapping[str, Any]
Round = asyncio.Future[Document | None]


class Folder:
    """The process's folds."""

    def __init__(self, db: Database, live: Live) -> None:
        self._db = db
        self._live = live
        self.contention = Contention()
        self._next: dict[tuple[str, str], Round] = {}
        """By counter and document: who is served by the fold that begins next."""
        self._running: dict[tuple[str, str], asyncio.Task[None]] = {}

    async def fold(self, wanted: Mapping[tuple[str, str], Iterable[dict[str, Any]]]) -> None:
        """Add up what is committed; the copies that are about to be shown become what the documents are."""
        rounds = {each: self._begin(*each) for each in wanted}
        await asyncio.wait(rounds.values(), timeout=PATIENCE)
        for each, copies in wanted.items():
            document = rounds[each].result() if rounds[each].done() else None
            for copy in copies:
                copy.update(document or {})

    def _begin(self, name: str, id: str) -> Round:
        key = (name, id)
        found = self._next.get(key)
        if found is None:
            found = self._next[key] = asyncio.get_running_loop().create_future()
            if key not in self._running:
                self._running[key] = deadline.apart(self._rounds(key), name="fold")
        return found

    async def _rounds(self, key: tuple[str, str]) -> None:
        name, id = key
        counters = COUNTERS[name]
        held = Held(self.contention)
        try:
            await held.widen([counters.key(id)])
            while (current := self._next.pop(key, None)) is not None:
                try:
                    current.set_result(await self._fold(counters, id))
                except Exception as error:
                    # The next fold of the document, or the worker's, takes them.
                    logger.warning("counters not folded", subject=id, error=type(error).__name__)
                    current.set_result(None)
        finally:
            held.release()
            del self._running[key]

    async def _fold(self, counters: Counters, id: str) -> Document | None:
        async def work(tx: Unit) -> tuple[Document | None, int]:
            rows = await deltas.find(tx.db, {"subject_id": id, "counter": counters.store.name}, limit=BATCH)
            return (await _add(tx, counters, id, rows) if rows else None), len(rows)

        while True:
            (document, taken), unit = await run_unit(self._db, work)
            self._live.hint(unit)
            if taken < BATCH:
                return document

    async def fold_left(self) -> int:
        """Fold what dead processes left; how many documents had some."""
        # Those of counters that only a newer version knows would stand before all others for ever.
        query = {"counter": {"$in": list(COUNTERS)}, "created_at": {"$lte": clock.now() - LEFT_AFTER}}
        rows = await deltas.find(self._db, query, sort=[("created_at", 1)], limit=LEFT_BATCH)
        left = {(row["counter"], row["subject_id"]) for row in rows}
        if left:
            await asyncio.wait([self._begin(*each) for each in left])
        return len(left)

    async def stop(self) -> None:
        await cancellation.end(self._running.values())


async def _add(tx: Unit, counters: Counters, id: str, rows: list[Delta]) -> Document | None:
    total: Counter[str] = Counter()
    for row in rows:
        for field, by in row["moved"]:
            total[field] += by
    await deltas.delete_all(tx.db, {"subject_id": id, "_id": {"$in": [row["_id"] for row in rows]}})
    moved = {field: by for field, by in total.items() if by}
    initial = rows[0]["initial"]
    document = await tx.move_counters(counters, id, moved, initial)
    if document is not None:
        for aspect in {row["aspect"] for row in rows}:
            tx.counted(counters, document, aspect)
    if counters.settle is not None:
        await counters.settle(tx, id, document)
    return document
