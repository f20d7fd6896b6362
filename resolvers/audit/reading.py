"""Reads of the audit log: lists and single entries. Each read is put on record, as is one that was denied."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypedDict

from core import paging
from core.audit import Act, AuditOutcome, record_apart
from core.context import PERSONAL, Context
from core.ids import Id, checked
from core.nodes import GUARDS
from core.paging import PageArgs
from core.security.limits import Rate
from resolvers.audit import showing, tiering
from resolvers.audit.access import reach_of
from resolvers.audit.recording import META
from stores import audit as store
from stores.audit import (
    NEWEST,
    AuditEntry,
    AuditEventKind,
    AuditResourceKind,
)

READ_RATE = Rate("audit-reads", 300, 60)
LONGEST_TEXT = 200


class AuditEntryFilter(TypedDict, total=False):
    """Filter of the audit log."""

    incident_ids: list[Id] | None
    """Ids of incidents that the entries belong to one of, at most 100."""
    actor_ids: list[Id] | None
    """Ids of people who did one of the acts, at most 100."""
    event_kinds: list[AuditEventKind] | None
    """Kinds of events that the entries are of one of."""
    resource_kinds: list[AuditResourceKind] | None
    """Kinds of what the acts were done to."""
    resource_ids: list[Id] | None
    """Ids of what the acts were done to, at most 100."""
    actions: list[str] | None
    """Actions of which the entries have one, such as `feed.post_deleted`, at most 100."""
    from_: datetime | None
    """Moment from which on the entries were recorded, by the clock of the server."""
    to: datetime | None
    """Moment before which the entries were recorded."""


FIELDS = {
    "incident_ids": "incident_id",
    "actor_ids": "actor_id",
    "event_kinds": "event_type",
    "resource_kinds": "resource_type",
    "resource_ids": "resource_id",
    "actions": "action",
}
"""By key of a filter, the field that has one of its values."""


async def audit_entries(
    ctx: Context, *, filter: AuditEntryFilter | None = None, args: PageArgs
) -> dict[str, Any]:
    """Connection of what the viewer may read of the log, newest first."""
    await ctx.limit_request(READ_RATE)
    reach = await reach_of(ctx)
    where = conditions(filter or {})
    listing = entries_listing(reach.viewer_id, where)
    page = paging.parse_page(listing, NEWEST, args)
    rows = await store.newest(ctx.db, reach.queries(where), page)
    rows, ends_early = await tiering.at_hand(ctx, rows, filter or {})
    found = paging.connection(listing, NEWEST, page, rows)
    if ends_early:
        found["page_info"]["has_previous_page" if page.backward else "has_next_page"] = True
    await showing.check(ctx, [edge["node"] for edge in found["edges"]])
    await record_read(ctx, "audit.entries_read", len(found["edges"]), filter or {})
    return found


def organization(entry: Mapping[str, Any]) -> str | None:
    """Organization of an entry; None for people who belong to none."""
    return None if entry["org_id"] == PERSONAL else str(entry["org_id"])


async def recent_audit_entries(ctx: Context, viewer: Mapping[str, Any], *, args: PageArgs) -> dict[str, Any]:
    return await audit_entries(ctx, args=args)


async def audit_entry(ctx: Context, *, id: Id) -> AuditEntry | None:
    """One entry; whoever may not read it is told what those are told who ask for none."""
    return await read_one(ctx, id, "audit.entry_read")


async def read_one(ctx: Context, id: Id, action: str) -> AuditEntry | None:
    """An entry to show, or to show something of; the read is on record under this action, as is a denial."""
    await ctx.limit_request(READ_RATE)
    [found] = await GUARDS["audit_entry"](ctx, [checked(id, "audit_entry")])
    if found is not None:
        await record_read(ctx, action, 1, resource_id=id)
        return found  # type: ignore[return-value]
    denied = Act(
        action, "ACCESS_DENIED", "AUDIT_LOG", resource_id=id, outcome=AuditOutcome.DENIED, source=META
    )
    await record_apart(ctx, denied)
    return None


def entries_listing(viewer_id: str, where: Mapping[str, Any]) -> paging.Listing:
    """List of what a person may read of the log, under some conditions."""
    return paging.Listing("audit_entries", reader=viewer_id, where=where)


def conditions(filter: Mapping[str, Any]) -> dict[str, Any]:
    """Query of a filter, whose parts are joined by AND."""
    found = {
        FIELDS[name]: paging.any_of(values) for name, values in filter.items() if name in FIELDS and values
    }
    bounds = {"$gte": filter.get("from_"), "$lt": filter.get("to")}
    if given := {operator: moment for operator, moment in bounds.items() if moment is not None}:
        found["timestamp"] = given
    return found


async def record_read(
    ctx: Context,
    action: str,
    count: int,
    filter: Mapping[str, Any] | None = None,
    *,
    resource_id: str | None = None,
) -> None:
    """Put a read of the log on record: what was asked for, and how many entries were shown."""
    given = {name.rstrip("_"): value for name, value in (filter or {}).items() if value is not None}
    details = {"count": count, **({"filter": given} if given else {})}
    await record_apart(
        ctx, Act(action, "ACCESS_GRANTED", "AUDIT_LOG", resource_id=resource_id, details=details, source=META)
    )
