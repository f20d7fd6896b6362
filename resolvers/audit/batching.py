"""Entries that may come late: written in batches, spooled while the database is away."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Any, cast

import structlog

from core import cancellation, outages
from core.context import Context, Services
from core.services import service
from resolvers.audit.spooling import FOLDER, Spool
from resolvers.audit.waking import wake
from stores import audit as store
from stores.audit import AuditEntry

logger = structlog.get_logger(__name__)

SOON = 0.2
"""Seconds after which a batch is written, full or not."""
MOST = 500
"""Entries of a batch."""
RETRY = 2.0
"""Seconds between two looks into the spool."""
END_SECONDS = 2.0

Keyed = tuple[str, AuditEntry]
"""An entry with its source and key."""


class EntryBatches:
    """Write-behind batches of entries of one process; the first that comes begins one."""

    def __init__(self, services: Services, spool: Spool) -> None:
        self._services, self._spool = services, spool
        self._waiting: list[Keyed] = []
        self._full = asyncio.Event()
        self._some = asyncio.Event()

    def put(self, key: str, entry: AuditEntry) -> None:
        self._waiting.append((key, entry))
        self._some.set()
        if len(self._waiting) >= MOST:
            self._full.set()

    async def write(self) -> None:
        """Write what waits; where the database is away, to the spool."""
        waiting, self._waiting = self._waiting, []
        self._full.clear()
        self._some.clear()
        for first in range(0, len(waiting), MOST):
            batch = waiting[first : first + MOST]
            try:
                await append_all(self._services, batch)
            except Exception as error:
                outages.log(logger, "entries spooled", error, entries=len(batch))
                await self._spool.append([{"key": key, "entry": entry} for key, entry in batch])
            except asyncio.CancelledError:
                # The process ends, and writes them then: those there by now are known by their keys.
                self._waiting = [*waiting[first:], *self._waiting]
                raise

    async def drain(self) -> int:
        """Bring what was spooled into the log; how many entries there were."""
        drained = 0
        async for records in self._spool.batches():
            await append_all(self._services, [(each["key"], _stored(each["entry"])) for each in records])
            drained += len(records)
        return drained

    async def keep_writing(self) -> None:
        while True:
            await self._some.wait()
            try:
                async with asyncio.timeout(SOON):
                    await self._full.wait()
            except TimeoutError:
                pass
            await self.write()

    async def keep_draining(self) -> None:
        while True:
            try:
                if drained := await self.drain():
                    logger.info("spooled entries drained", entries=drained)
            except Exception as error:
                outages.log(logger, "spool not drained", error)
            await asyncio.sleep(RETRY)


@service
async def batches(services: Services) -> AsyncIterator[EntryBatches]:
    made = EntryBatches(services, Spool(services.settings.data_dir / FOLDER, services.signer))
    running = [
        asyncio.create_task(made.keep_writing(), name="audit-batches"),
        asyncio.create_task(made.keep_draining(), name="audit-spool"),
    ]
    try:
        yield made
    finally:
        await cancellation.end(running, seconds=END_SECONDS)
        await made.write()


async def append_all(services: Services, batch: Sequence[Keyed]) -> None:
    """Append entries in a unit of work, without those whose keys are known."""
    ctx = Context(services)

    async def work() -> None:
        keys = [key for key, _ in batch]
        known = {row["_id"] for row in await store.entry_keys.by_ids(ctx.db, keys)}
        for key, entry in batch:
            if key not in known:
                known.add(key)
                insert(ctx, key, entry)

    await ctx.unit(work)


def insert(ctx: Context, key: str, entry: AuditEntry) -> None:
    """Insert an entry with the unit's late writes, its key and state beside it."""
    late = ctx.tx.late
    late.insert(store.entries, entry)
    late.insert(store.entry_keys, store.EntryKey(_id=key, entry_id=entry["_id"]))
    late.insert(store.entry_states, store.accepted(entry))
    if entry["incident_id"] is not None:
        # For who watches the incident; nobody keeps it in sync.
        scopes = [store.incident_scope(entry["org_id"], entry["incident_id"])]
        ctx.tx.changed(entry, scopes=scopes, created=True, audience_never_shrinks=True, brief=True)
    wake(ctx)


def _stored(spooled: dict[str, Any]) -> AuditEntry:
    """Entry of its JSON in the spool."""
    moments = {
        field: datetime.fromisoformat(spooled[field])
        for field in ("timestamp", "occurred_at")
        if spooled[field]
    }
    return cast("AuditEntry", {**spooled, **moments})
