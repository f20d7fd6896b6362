"""Exports of the audit log: requested, seen by their requester alone, and deleted after a day."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, TypedDict

from core import clock, ids, jobs
from core.audit import Act, Mode, record
from core.context import Context
from core.errors import ErrorKind, UserError, error_codes
from core.hooks import on
from core.ids import Id
from core.nodes import guard
from core.security.limits import Rate
from loaders.audit import AuditExportById
from resolvers.audit import files
from resolvers.audit.access import reach_of
from resolvers.audit.filtering import AuditEntryFilter, as_written, conditions
from resolvers.audit.recording import META
from resolvers.audit.tiering import cold_reached
from stores import audit as store
from stores.audit import AuditExport, AuditExportFormat, AuditExportStatus

error_codes(
    ErrorKind.LIMIT,
    EXPORT_TOO_LARGE="More entries than a file may have, which is `limit`: narrow the filter.",
)

EXPORT_RATE = Rate("audit-exports", 20, 86_400)
RUN = "audit.run_export"
COUNTING_SECONDS = 3.0
"""Longest wait for a count; where it takes longer, the job that writes the file finds out."""


class Requested(TypedDict):
    audit_export: AuditExport


@guard("audit_export", sync="AUDIT_EXPORT", collection="audit_exports")
async def own_exports(ctx: Context, wanted: Sequence[str]) -> list[AuditExport | None]:
    """Access guard of exports: their requester's alone, for as long as they may read what is in the file."""
    found = await ctx.load_many(AuditExportById, wanted)
    own = [each if each and each["requested_by"] == ctx.viewer_id_or_none else None for each in found]
    if not any(own):
        return own
    reach = await reach_of(ctx)
    return [each if each and (each["reach"] is None or reach.covers(each["reach"])) else None for each in own]


async def counted(ctx: Context, *, filter: AuditEntryFilter | None = None, **_: Any) -> int:
    """Number of entries that a filter finds, counted before the transaction; 0 if that takes too long."""
    await ctx.limit(EXPORT_RATE)
    queries = (await reach_of(ctx)).queries(conditions(filter or {}))
    with suppress(TimeoutError):
        async with asyncio.timeout(COUNTING_SECONDS):
            # An entry that several queries find is counted by each: the largest count is what is certain.
            return max([await store.count_entries(ctx.db, query) for query in queries], default=0)
    return 0


async def request_audit_export(
    ctx: Context, *, filter: AuditEntryFilter | None = None, format: AuditExportFormat, prepared: int
) -> Requested:
    """Request a file with what the viewer may read of the log; it is written by a job."""
    if prepared > store.MOST_EXPORTED:
        raise UserError(
            "EXPORT_TOO_LARGE", "At most {limit} entries.", field=["filter"], limit=store.MOST_EXPORTED
        )
    return {"audit_export": await begin(ctx, filter or {}, format)}


async def begin(ctx: Context, filter: Mapping[str, Any], format: AuditExportFormat) -> AuditExport:
    """Begin an export with the unit of work, on record before anybody is answered."""
    export = await ctx.tx.insert(
        store.audit_exports,
        {
            "_id": ids.new_id("audit_export"),
            "org_id": ctx.org,
            "requested_by": ctx.viewer_id,
            "status": AuditExportStatus.QUEUED,
            "failure": None,
            "format": format,
            "filter": _given(filter),
            "entry_count": None,
            "size_bytes": None,
            "file_key": None,
            "manifest": None,
            "manifest_hash": None,
            "reach": None,
            "expires_at": None,
        },
    )
    shown = shown_filter(export)
    # What somebody typed to search for may be a name.
    typed = {"searchText": text} if (text := shown.pop("searchText", None)) else {}
    act = Act(
        "audit.export_requested",
        "ACCESS_GRANTED",
        "AUDIT_LOG",
        resource_id=export["_id"],
        details={"format": format, "filter": shown},
        sensitive=typed,
        source=META,
    )
    await record(ctx, act, Mode.SYNC)
    await jobs.enqueue(ctx.tx, RUN, key=export["_id"], export_id=export["_id"])
    return export


@on(cold_reached)
async def fetch_cold(ctx: Context, filter: Mapping[str, Any]) -> str:
    """Id of an export with what a filter finds: one of the viewer's that is good still, or a new one."""
    given = _given(filter)
    apart = ctx.fork()
    reach = (await reach_of(ctx)).stored()

    async def fetch() -> AuditExport:
        latest = await store.latest_exports(apart.db, apart.viewer_id)
        for each in latest:
            same = each["filter"] == given and each["org_id"] == apart.org
            if same and each["reach"] in (None, reach) and _is_good(each):
                return each
        await apart.limit_request(EXPORT_RATE)
        return await begin(apart, given, AuditExportFormat.JSON)

    return (await apart.unit(fetch))["_id"]


def _is_good(export: AuditExport) -> bool:
    expires_at = export["expires_at"]
    return export["status"] != AuditExportStatus.FAILED and (expires_at is None or expires_at > clock.now())


def _given(filter: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in filter.items() if value is not None}


def shown_filter(export: Mapping[str, Any]) -> dict[str, Any]:
    """Filter of an export as its requester wrote it."""
    return as_written(export["filter"])


def file_url(ctx: Context, export: Mapping[str, Any]) -> str | None:
    """URL of the file while there is one, for its requester: nobody else is shown the export."""
    expires_at = export["expires_at"]
    if export["file_key"] is None or expires_at is None or expires_at <= clock.now():
        return None
    return files.url(ctx, export["file_key"], expires_at)


async def audit_export(ctx: Context, *, id: Id) -> AuditExport | None:
    [found] = await own_exports(ctx, [ids.checked(id, "audit_export")])
    return found
