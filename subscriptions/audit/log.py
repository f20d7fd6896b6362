"""Subscription that reads a long query of the audit log in batches, resumed where it was cut off."""

from collections.abc import AsyncGenerator, Mapping
from typing import Any

from core import clock
from core.context import Context
from core.errors import BadUserInput, Forbidden
from core.ids import prefix_of
from core.paging import KeysetPage
from core.security.access import NOT_ALLOWED
from core.security.limits import Rate
from core.sync.log_offset import LogOffset
from resolvers.audit import showing, tiering
from resolvers.audit.access import Reach, reach_of
from resolvers.audit.filtering import AuditEntryFilter, bounded, conditions
from resolvers.audit.fitting import fitted
from resolvers.audit.reading import record_read
from stores import audit as store
from stores.audit import AuditEntry

Event = dict[str, Any]

STREAM_RATE = Rate("audit-streams", 60, 3600)
BATCH = 500
DONE = "end"
"""Id in the position of a stream that came to its end."""


async def audit_log_stream(
    ctx: Context, *, filter: AuditEntryFilter | None = None, after: str | None = None
) -> AsyncGenerator[Event, None]:
    """All entries that the viewer may read and the filter finds, newest first."""
    await ctx.limit_request(STREAM_RATE)
    where, position = conditions(filter or {}), _position(ctx, after)
    reach = await reach_of(ctx)
    ends = await _ends(ctx, reach, where)
    sent, more = position.revision if position else 0, bool(ends) and not _is_done(position)
    while more:
        found = await _batch(ctx, reach, where, position)
        entries, ends_early = await tiering.at_hand(ctx, fitted(found[:BATCH]), filter or {})
        if not entries:
            break
        more = ends_early or len(found) > BATCH
        await showing.check(ctx, entries)
        await record_read(ctx, "audit.log_streamed", len(entries), filter or {})
        last, sent = entries[-1], sent + len(entries)
        position = LogOffset(last["timestamp"], last["_id"], sent)
        yield {
            **_place(ctx, position),
            "_type": "AuditEntryBatchSent",
            "audit_entries": entries,
            "sent_count": sent,
            "progress_percent": _percent(ends[0], ends[-1], last) if more else 100,
        }
    end = LogOffset(clock.now(), DONE, sent)
    yield {**_place(ctx, end), "_type": "StreamComplete", "sent_count": sent}


def _position(ctx: Context, after: str | None) -> LogOffset | None:
    """Place of the last entry that a client has; BAD_USER_INPUT for an event of another stream."""
    if after is None:
        return None
    position = ctx.services.signer.position(after)
    if position.id != DONE and prefix_of(position.id) != store.PREFIX:
        raise BadUserInput("The event id is of another stream.")
    return position


def _is_done(position: LogOffset | None) -> bool:
    return position is not None and position.id == DONE


async def _batch(
    ctx: Context, reach: Reach, where: Mapping[str, Any], position: LogOffset | None
) -> list[AuditEntry]:
    """The next entries, one more than a batch; FORBIDDEN where the viewer may read less than at first."""
    ctx.refresh()
    if not reach.is_within(await reach_of(ctx)):
        raise Forbidden(NOT_ALLOWED)
    page = KeysetPage(BATCH, position=(position.at, position.id) if position else None)
    return await bounded(ctx, reach, where, lambda queries: store.newest(ctx.db, queries, page))


async def _ends(ctx: Context, reach: Reach, where: Mapping[str, Any]) -> list[AuditEntry]:
    """The newest and the oldest entry of all, by which progress is told; none where nothing is found."""

    async def read(queries: list[dict[str, Any]]) -> list[AuditEntry]:
        first = await store.newest(ctx.db, queries, KeysetPage(1))
        last = await store.newest(ctx.db, queries, KeysetPage(1, backward=True))
        return [*first[:1], *last[:1]]

    return await bounded(ctx, reach, where, read)


def _percent(newest: AuditEntry, oldest: AuditEntry, last: AuditEntry) -> int:
    """Percent of the time from the newest to the oldest entry that was passed, below 100."""
    whole = (newest["timestamp"] - oldest["timestamp"]).total_seconds()
    passed = (newest["timestamp"] - last["timestamp"]).total_seconds()
    return min(max(int(100 * passed / whole), 0), 99) if whole > 0 else 0


def _place(ctx: Context, position: LogOffset) -> Event:
    return {"event_id": ctx.services.signer.event_id(position), "at": clock.now()}
