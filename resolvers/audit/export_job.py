"""Writing of exports: entries are read a batch at a time, as their requester may read them now."""

import asyncio
import hashlib
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, BinaryIO

import structlog

from core import clock, jobs, outages
from core.audit import Act, AuditOutcome, record
from core.context import Context, Services, Viewer
from core.paging import KeysetPage
from ports.audit import AuditSettings
from resolvers.audit import files, places
from resolvers.audit.access import reach_of
from resolvers.audit.exported import Csv, Format, Json, Row, manifest
from resolvers.audit.exported_fhir import Fhir
from resolvers.audit.exported_pdf import Pdf
from resolvers.audit.exporting import shown_filter
from resolvers.audit.reading import conditions
from resolvers.audit.recording import META
from stores import audit as store
from stores import auth as accounts
from stores.audit import AuditEntry, AuditExport, AuditExportFailure, AuditExportFormat, AuditExportStatus
from stores.auth import AccountStatus

logger = structlog.get_logger(__name__)

TRIES = 3
LIFE = timedelta(hours=24)
BATCH = 500
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


@dataclass
class File:
    """File on the local disk that is being written, with what its manifest tells of it."""

    stream: BinaryIO
    size: int = 0
    count: int = 0
    first: str | None = None
    last: str | None = None
    digest: Any = field(default_factory=hashlib.sha256)

    def write(self, piece: bytes, rows: Sequence[Row] = ()) -> None:
        self.stream.write(piece)
        self.digest.update(piece)
        self.size += len(piece)
        self.count += len(rows)
        if rows:
            self.first = self.first or rows[0].entry["_id"]
            self.last = rows[-1].entry["_id"]


async def run_export(services: Services, export_id: str) -> None:
    """Write an export's file; what fails three times has failed."""
    export = await _begin(Context(services), export_id)
    if export is None:
        return
    try:
        with tempfile.TemporaryDirectory(prefix="landfall-audit-") as folder:
            await _write(services, export, Path(folder) / "file")
    except Failed as failed:
        await _fail(Context(services), export, failed.failure)
    except Exception as error:
        if export["tries"] < TRIES:
            raise
        outages.log(logger, "audit log not exported", error, export=export_id)
        await _fail(Context(services), export, AuditExportFailure.ERROR)


async def _begin(ctx: Context, export_id: str) -> AuditExport | None:
    """The export as RUNNING; None once it has ended."""

    async def begin() -> AuditExport | None:
        running = {"status": AuditExportStatus.RUNNING}
        return await ctx.tx.update(store.audit_exports, export_id, set=running, inc={"tries": 1})

    return await ctx.unit(begin)


async def _write(services: Services, export: AuditExport, path: Path) -> None:
    format = FORMATS[export["format"]](services.get(AuditSettings).audit_origin)
    with path.open("wb") as stream:
        file = File(stream)
        file.write(format.begin())
        async for rows in _batches(services, export):
            await asyncio.to_thread(_write_batch, file, format, rows)
            if file.count > store.MOST_EXPORTED:
                raise Failed(AuditExportFailure.TOO_LARGE)
        file.write(format.end())
    key = files.export_key(export["_id"], format.extension)
    await services.objects.put(key, path, mime=format.mime, disposition="attachment")
    await _finish(Context(services), export, file, key)


def _write_batch(file: File, format: Format, rows: Sequence[Row]) -> None:
    file.write(format.batch(rows), rows)


async def _batches(services: Services, export: AuditExport) -> AsyncIterator[list[Row]]:
    """Entries of an export, oldest first, each with its place."""
    viewer = await _requester(services, export)
    position: tuple[Any, ...] | None = None
    while True:
        # Anew for each batch: what loaders remember of entries would grow with the file.
        ctx = Context(services, viewer=viewer)
        queries = (await reach_of(ctx)).queries(conditions(export["filter"]))
        page = KeysetPage(BATCH, backward=True, position=position)
        entries = await store.newest(ctx.db, queries, page)
        if not entries:
            return
        batch = entries[:BATCH]
        yield await _rows(ctx, batch)
        if len(entries) <= BATCH:
            return
        position = (batch[-1]["timestamp"], batch[-1]["_id"])


async def _rows(ctx: Context, entries: Sequence[AuditEntry]) -> list[Row]:
    found = await places.integrities(ctx, entries)
    links = await places.links_of(ctx, entries)
    return [Row(*each) for each in zip(entries, links, found, strict=True)]


async def _requester(services: Services, export: AuditExport) -> Viewer:
    """Whoever requested the export, with the roles that they have now."""
    user = await accounts.users.by_id(services.db, export["requested_by"])
    if user is None or user["status"] != AccountStatus.ACTIVE or accounts.org_of(user) != export["org_id"]:
        raise Failed(AuditExportFailure.FORBIDDEN)
    return Viewer(user["_id"], "", "", roles=frozenset(user["roles"]), org=export["org_id"])


async def _finish(ctx: Context, export: AuditExport, file: File, key: str) -> None:
    """Say what the file is, on record with its manifest's hash, and give it to its requester for a day."""
    told = manifest(
        {
            "exportId": export["_id"],
            "format": export["format"],
            "filter": shown_filter(export),
            "requestedBy": export["requested_by"],
            "orgId": export["org_id"],
            "writtenAt": clock.now(),
            "entryCount": file.count,
            "firstEntryId": file.first,
            "lastEntryId": file.last,
            "sizeBytes": file.size,
            "sha256": file.digest.hexdigest(),
        }
    )
    manifest_hash = hashlib.sha256(told.encode()).hexdigest()

    async def ready() -> None:
        change = {
            "status": AuditExportStatus.READY,
            "entry_count": file.count,
            "size_bytes": file.size,
            "file_key": key,
            "manifest": told,
            "manifest_hash": manifest_hash,
            "expires_at": ctx.tx.now + LIFE,
        }
        where = {"status": AuditExportStatus.RUNNING}
        if await ctx.tx.update(store.audit_exports, export, set=change, where=where) is None:
            return
        details = {"manifestHash": manifest_hash, "entryCount": file.count}
        await record(ctx, _act(export, details, AuditOutcome.OK))
        await jobs.enqueue(
            ctx.tx, EXPIRE, due_at=ctx.tx.now + LIFE, key=export["_id"], export_id=export["_id"]
        )

    await ctx.unit(ready)


async def _fail(ctx: Context, export: AuditExport, failure: AuditExportFailure) -> None:
    async def failed() -> None:
        change = {"status": AuditExportStatus.FAILED, "failure": failure}
        where = {"status": AuditExportStatus.RUNNING}
        if await ctx.tx.update(store.audit_exports, export, set=change, where=where) is not None:
            await record(ctx, _act(export, {"failure": failure}, AuditOutcome.FAILED))

    await ctx.unit(failed)


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
    if export is not None and export["file_key"] is not None:
        await services.objects.delete([export["file_key"]])
