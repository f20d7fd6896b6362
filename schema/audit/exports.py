"""Exports of the audit log, as clients see them."""

from datetime import datetime

from core.graphql import called, derived, key, local, mutation, node, query, type_
from core.graphql.common import JSON, URL, Entity
from resolvers.audit import exporting
from stores.audit import AuditExportFailure, AuditExportFormat, AuditExportStatus


@called("audit export", "audit exports")
@node("audit_export")
class AuditExport(Entity):
    """Export of the audit log: a file with entries, for whoever requested it, who may read them."""

    status: AuditExportStatus
    """Status of the export, which is never left once it is final: another file is another export."""
    export_failure: AuditExportFailure | None = key("failure")
    """Reason for which the file could not be written; null unless the export has failed."""
    format: AuditExportFormat
    """Format of the file."""
    filter: JSON = derived(exporting.shown_filter, "filter")
    """Filter of the entries in the file, as it was requested."""
    entry_count: int | None
    """Number of entries in the file; null until it is ready."""
    file_size_bytes: int | None = key("size_bytes")
    """Size of the file in bytes; null until it is ready."""
    file_url: URL | None = local(exporting.file_url, "file_key", "expires_at")
    """Signed URL of the file, for whoever holds it; null until it is ready, and after `fileExpiresAt`."""
    manifest: str | None
    """Manifest of the file: canonical JSON (RFC 8785) with its SHA-256, size, filter, number of entries, and
    the first and last of them; null until it is ready."""
    manifest_hash: str | None
    """SHA-256 of `manifest` in UTF-8, in hexadecimal, which the log has too; null until it is ready."""
    file_expires_at: datetime | None = key("expires_at")
    """Time at which the URL ends and the file is deleted, a day after it was ready; null until then."""


@type_
class ExportQueries:
    """Reading exports."""

    audit_export: AuditExport | None = query(exporting.audit_export)
    """Export of the audit log by its id; null when there is none, when somebody else requested it, and when
    you may not read any more what is in its file."""


@type_
class ExportMutations:
    """Requesting exports."""

    request_audit_export = mutation(
        exporting.request_audit_export,
        refuses="EXPORT_TOO_LARGE",
        returns={"audit_export": AuditExport},
        prepare=exporting.counted,
        filter="Filter of the entries; all that you may read when left out.",
        format="Format of the file.",
    )
    """Request a file with entries of the audit log that you may read, oldest first, at most 1,000,000 and
    without personal values. `changeEvents` tells when it is READY. The request is on record before you are
    answered."""
