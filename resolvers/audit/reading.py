"""Reads of the audit log: lists and single entries. Each read is put on record, as is one that was denied."""

from collections.abc import Mapping, Sequence
from typing import Any

from core import paging
from core.audit import Act, AuditOutcome, record_apart
from core.context import PERSONAL, Context
from core.ids import Id, checked
from core.nodes import GUARDS, READ
from core.paging import PageArgs
from core.security.limits import Rate
from resolvers.audit import showing, tiering
from resolvers.audit.access import reach_of
from resolvers.audit.filtering import AuditEntryFilter, as_written, bounded, conditions
from resolvers.audit.fitting import fitted
from resolvers.audit.recording import META
from stores import audit as store
from stores.audit import NEWEST, AuditEntry

READ_RATE = Rate("audit-reads", 300, 60)


async def audit_entries(
    ctx: Context, *, filter: AuditEntryFilter | None = None, args: PageArgs
) -> dict[str, Any]:
    """Connection of what the viewer may read of the log, newest first."""
    await ctx.limit_request(READ_RATE)
    reach = await reach_of(ctx)
    where = conditions(filter or {})
    listing = entries_listing(reach.viewer_id, where)
    page = paging.parse_page(listing, NEWEST, args)
    rows = await bounded(ctx, reach, where, lambda queries: store.newest(ctx.db, queries, page))
    rows, ends_early = await tiering.at_hand(ctx, fitted(rows), filter or {})
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


def on_record(prefix: str, action: str, resource_type: str) -> None:
    """Put reads of things by their ids on record too, as those of `node` and `nodes` are."""

    async def read(ctx: Context, shown: Sequence[str], hidden: Sequence[str]) -> None:
        if ctx.viewer is None:
            return
        await ctx.limit_request(READ_RATE)
        acts = []
        for ids, event, outcome in (
            (shown, "ACCESS_GRANTED", AuditOutcome.OK),
            (hidden, "ACCESS_DENIED", AuditOutcome.DENIED),
        ):
            if ids:
                one = len(ids) == 1
                details = {"count": len(ids), **({} if one else {"ids": ids})}
                resource_id = ids[0] if one else None
                acts.append(
                    Act(
                        action,
                        event,
                        resource_type,
                        resource_id,
                        outcome=outcome,
                        details=details,
                        source=META,
                    )
                )
        await record_apart(ctx, *acts)

    READ[prefix] = read


on_record("audit_entry", "audit.entry_read", "AUDIT_LOG")
on_record(store.CHECK_PREFIX, "audit.check_read", "AUDIT_LOG")
on_record("evidence", "audit.evidence_read", "EVIDENCE")


def entries_listing(viewer_id: str, where: Mapping[str, Any]) -> paging.Listing:
    """List of what a person may read of the log, under some conditions."""
    return paging.Listing("audit_entries", reader=viewer_id, where=where)


async def record_read(
    ctx: Context,
    action: str,
    count: int,
    filter: Mapping[str, Any] | None = None,
    *,
    resource_id: str | None = None,
    text: str | None = None,
) -> None:
    """Put a read of the log on record: what was asked for, and how many entries were shown.

    What somebody typed to search for may be a name: it is encrypted.
    """
    given = as_written(filter or {})
    typed = {"query": text, "searchText": given.pop("searchText", None)}
    act = Act(
        action,
        "ACCESS_GRANTED",
        "AUDIT_LOG",
        resource_id=resource_id,
        details={"count": count, **({"filter": given} if given else {})},
        sensitive={name: value for name, value in typed.items() if value is not None},
        source=META,
    )
    await record_apart(ctx, act)
