"""Exports of the audit log: a file for its requester, which is good for a day."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from core.storage.mongo import Database
from core.storage.moves import Moves
from core.storage.store import Row, entity, index

MOST_EXPORTED = 1_000_000
"""Entries in a file."""


class AuditExportFormat(StrEnum):
    """Format of a file with entries of the audit log."""

    PDF = "PDF"
    """Text on pages, to read and to print."""
    JSON = "JSON"
    """One JSON document, with what one needs to verify the entries."""
    CSV = "CSV"
    """Table (RFC 4180) with a row for each entry; no cell begins as a formula does."""
    FHIR = "FHIR"
    """AuditEvent resources of FHIR R4, one to a line (NDJSON), as bulk data are."""


class AuditExportStatus(StrEnum):
    """Status of an export of the audit log."""

    QUEUED = "QUEUED"
    """The file waits to be written."""
    RUNNING = "RUNNING"
    """The file is being written."""
    READY = "READY"
    """The file can be fetched for 24 hours. Final."""
    FAILED = "FAILED"
    """The file could not be written: see `exportFailure`, and request another export. Final."""


class AuditExportFailure(StrEnum):
    """Reason for which an export of the audit log failed."""

    TOO_LARGE = "TOO_LARGE"
    """There were more entries than a file may have: narrow the filter."""
    FORBIDDEN = "FORBIDDEN"
    """Whoever requested it has no account any more that may read the log."""
    ERROR = "ERROR"
    """The service failed three times to write the file."""


class AuditExport(Row):
    """Export of the audit log; its file lies under `file_key` until `expires_at`."""

    org_id: str
    requested_by: str
    status: AuditExportStatus
    failure: AuditExportFailure | None
    format: AuditExportFormat
    filter: dict[str, Any]
    entry_count: int | None
    size_bytes: int | None
    file_key: str | None
    manifest: str | None
    manifest_hash: str | None
    reach: dict[str, Any] | None
    """Part of the log that its requester could read when the file was written; None until then."""
    expires_at: datetime | None


MOST_REUSED = 20
"""Latest exports of a person among which one is looked for that has what is wanted."""

# Told to the devices of its requester alone, so that these learn when the file is ready.
audit_exports = entity(
    "audit_exports",
    AuditExport,
    prefix="audit_export",
    owner="requested_by",
    indexes=[index("requested_by", "-created_at", "-_id"), index("expires_at", "_id")],
    moves=Moves(
        {
            AuditExportStatus.QUEUED: {AuditExportStatus.RUNNING, AuditExportStatus.FAILED},
            AuditExportStatus.RUNNING: {AuditExportStatus.READY, AuditExportStatus.FAILED},
            AuditExportStatus.READY: (),
            AuditExportStatus.FAILED: (),
        }
    ),
)


async def latest_exports(db: Database, user_id: str) -> list[AuditExport]:
    """The latest exports that a person requested, newest first."""
    newest = [("created_at", -1), ("_id", -1)]
    return await audit_exports.find(db, {"requested_by": user_id}, sort=newest, limit=MOST_REUSED)
