"""Exports by a job: what their requester may read by now, tried three times, and deleted after a day."""

import hashlib
import tempfile
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from core import clock, jobs
from core.audit import Act, AuditOutcome, record
from core.context import Context, Services, Viewer
from ports.audit import AuditSettings
from resolvers.audit import export_file, files
from resolvers.audit.access import reach_of
from resolvers.audit.export_file import File, TooMany
from resolvers.audit.exported import Csv, Format, Json, manifest
from resolvers.audit.exported_fhir import Fhir
from resolvers.audit.exported_pdf import Pdf
from resolvers.audit.exporting import shown_filter
from resolvers.audit.filtering import conditions
from resolvers.audit.recording import META
from stores import audit as store
from stores import auth as accounts
from stores.audit import AuditExport, AuditExportFailure, AuditExportFormat, AuditExportStatus
from stores.auth import AccountStatus

LIFE = timedelta(hours=24)
EXPIRE = "audit.expire_export"

FORMATS: Mapping[AuditExportFormat, Callable[[str], Format]] = {
    AuditExportFormat.JSON: lambda origin: Json(),
    AuditExportFormat.CSV: lambda origin: Csv(),
    AuditExportFormat.PDF: lambda origin: Pdf(),
    AuditExportFormat.FHIR: Fhir,
}


class Failed(Exception):
    """The export cannot be written, however often it is tried."""

    def __init__(self, failure: AuditExportFailure) -> None:
        super().__init__(failure)
        self.failure = failure


async def run_export(services: Services, export_id: str) -> None:
    """Write an export's file."""
    export = await _begin(Context(services), export_id)
    if export is None:
        return
    try:
        with tempfile.TemporaryDirectory(prefix="landfall-audit-") as folder:
            await _write(services, export, Path(folder) / "file")
    except Failed as failed:
        await _fail(Context(services), export, failed.failure)


async def give_up(services: Services, export_id: str) -> None:
    """Say of an export that it failed: its job was tried three times, or its workers died of it."""
    export = await store.audit_exports.by_id(services.db, export_id)
    if export is not None:
        await _fail(Context(services), export, AuditExportFailure.ERROR)


async def _begin(ctx: Context, export_id: str) -> AuditExport | None:
    """The export as RUNNING; None once it has ended."""

    async def begin() -> AuditExport | None:
        running = {"status": AuditExportStatus.RUNNING}
        return await ctx.tx.update(store.audit_exports, export_id, set=running)

    return await ctx.unit(begin)


async def _write(services: Services, export: AuditExport, path: Path) -> None:
    format = FORMATS[export["format"]](services.get(AuditSettings).audit_origin)
    viewer = await _requester(services, export)
    reach = await reach_of(Context(services, viewer=viewer))

    async def queries(ctx: Context) -> list[dict[str, Any]]:
        # Less than at first is an end; more is not taken up.
        if not (await reach_of(ctx)).covers(reach.stored()):
            raise Failed(AuditExportFailure.FORBIDDEN)
        return reach.queries(conditions(export["filter"]))

    try:
        file = await export_file.write(services, path, format, queries, viewer=viewer)
    except TooMany:
        raise Failed(AuditExportFailure.TOO_LARGE) from None
    key = files.export_key(export["_id"], format.extension)
    await services.objects.put(key, path, mime=format.mime, disposition="attachment")
    await _finish(Context(services), export, file, key, reach.stored())


async def _requester(services: Services, export: AuditExport) -> Viewer:
    """Whoever requested the export, with the roles that they have now."""
    user = await accounts.users.by_id(services.db, export["requested_by"])
    if user is None or user["status"] != AccountStatus.ACTIVE or accounts.org_of(user) != export["org_id"]:
        raise Failed(AuditExportFailure.FORBIDDEN)
    return Viewer(user["_id"], "", "", roles=frozenset(user["roles"]), org=export["org_id"])


async def _finish(ctx: Context, export: AuditExport, file: File, key: str, reach: Mapping[str, Any]) -> None:
    """Say what the file is, on record with its manifest's hash, and give it to its requester for a day."""
    told = manifest(
        {
            "exportId": export["_id"],
            "format": export["format"],
            "filter": shown_filter(export),
            "requestedBy": export["requested_by"],
            "orgId": export["org_id"],
            "writtenAt": clock.now(),
            **file.described(),
        }
    )
    manifest_hash = hashlib.sha256(told.encode()).hexdigest()

    async def drop_orphan() -> None:
        # Its requester was erased meanwhile; what another run of the job wrote stays.
        if await store.audit_exports.by_id(ctx.services.db, export["_id"]) is None:
            await ctx.services.objects.delete([key])

    async def ready() -> None:
        change = {
            "status": AuditExportStatus.READY,
            "entry_count": file.count,
            "size_bytes": file.size,
            "file_key": key,
            "manifest": told,
            "manifest_hash": manifest_hash,
            "reach": reach,
            "expires_at": ctx.tx.now + LIFE,
        }
        where = {"status": AuditExportStatus.RUNNING}
        if await ctx.tx.update(store.audit_exports, export, set=change, where=where) is None:
            ctx.tx.after_commit(drop_orphan)
            return
        details = {"manifest_hash": manifest_hash, "entry_count": file.count}
        await record(ctx, _act(export, details, AuditOutcome.OK))
        await jobs.enqueue(
            ctx.tx, EXPIRE, due_at=ctx.tx.now + LIFE, key=export["_id"], export_id=export["_id"]
        )

    await ctx.unit(ready)


async def _fail(ctx: Context, export: AuditExport, failure: AuditExportFailure) -> None:
    async def failed() -> None:
        change = {"status": AuditExportStatus.FAILED, "failure": failure}
        where = {"status": {"$in": [AuditExportStatus.QUEUED, AuditExportStatus.RUNNING]}}
        if await ctx.tx.update(store.audit_exports, export, set=change, where=where) is not None:
            await record(ctx, _act(export, {"failure": failure}, AuditOutcome.FAILED))

    await ctx.unit(failed)
    current = await store.audit_exports.by_id(ctx.services.db, export["_id"])
    if current is None or current["status"] == AuditExportStatus.FAILED:
        # A try that wrote it, and could not say so, left it to nobody.
        extension = FORMATS[export["format"]]("").extension
        await ctx.services.objects.delete([files.export_key(export["_id"], extension)])


def _act(export: AuditExport, details: dict[str, Any], outcome: AuditOutcome) -> Act:
    return Act(
        "audit.exported",
        "ACCESS_GRANTED",
        "AUDIT_LOG",
        resource_id=export["_id"],
        outcome=outcome,
        details=details,
        source=META,
        actor_id=export["requested_by"],
        org_id=export["org_id"],
    )


async def expire_export(services: Services, export_id: str) -> None:
    """Delete the file of an export; what is known of it stays."""
    export = await store.audit_exports.by_id(services.db, export_id)
    if export is None or export["file_key"] is None:
        return
    await services.objects.delete([export["file_key"]])
    ctx = Context(services)
    await ctx.unit(lambda: ctx.tx.update(store.audit_exports, export_id, set={"file_key": None}))
