"""Evidence and its chain of custody, as clients see them."""

from datetime import datetime

from core.graphql import batched, called, derived, key, local, node, told, type_, unsynced, visible
from core.graphql.common import URL, Entity
from core.ids import Id
from resolvers.audit import custody, evidence_files, reading
from schema.audit.types import AuditEntry
from stores.audit import CustodyAction, EvidenceKind, EvidenceRejection, EvidenceStatus


@type_
class CustodyRecord:
    """Record in the chain of custody of a piece of evidence; it is never changed."""

    recorded_at: datetime
    """Time at which the server recorded it."""
    handed_off_by_id: Id
    """Id of the person who had custody before."""
    received_by_id: Id
    """Id of the person who has custody from then on; the same one where it did not change hands."""
    action: CustodyAction
    """Action that is on record: what was done with the evidence."""
    location: str | None
    """Place where the evidence is kept from then on; null when nothing was said of it."""
    notes: str | None
    """Notes of who recorded it; null when there are none."""
    audit_entry_id: Id = key("entry_id")
    """Id of the entry of the audit log about it."""
    audit_entry: AuditEntry | None = unsynced(
        visible("entry_id"), "read it with the page that shows the chain of custody."
    )
    """Entry of the audit log about it; null when you may not read that."""


@called("evidence", "evidence")
@node("evidence")
class Evidence(Entity):
    """Evidence: a file with its hash and its chain of custody, for those who handle the organization's
    evidence; of people who belong to no organization for its collector alone."""

    organization_id: str | None = derived(reading.organization, "org_id")
    """Organization that the evidence belongs to; null for people who belong to none."""
    incident_id: Id | None
    """Id of the incident that the evidence is about; null when it is about none."""
    kind: EvidenceKind
    """Kind of what the file is."""
    description: str
    """Description of the evidence by its collector, 1 to 1,000 characters."""
    collector_id: Id
    """Id of the person who collected the evidence, at `createdAt`."""
    custodian_id: Id
    """Id of the person who has custody of the evidence now."""
    upload_id: Id
    """Id of the upload that brings the file; gone once the file was sealed."""
    evidence_file_name: str = key("file_name")
    """Name of the file, as the device of its collector told it."""
    size_bytes: int
    """Size of the file in bytes, as it was declared."""
    cryptographic_hash: str
    """SHA-256 of the file in hexadecimal, as its collector declared it."""
    status: EvidenceStatus
    """Status of the evidence in its life."""
    rejection: EvidenceRejection | None
    """Reason for which the evidence was not sealed; null unless it was rejected or has expired."""
    last_verified_at: datetime | None
    """Time at which the file was last compared with the hash; null until it has arrived."""
    archived_at: datetime | None
    """Time at which the evidence was archived, which ends its chain of custody; null until then."""
    chain_of_custody: list[CustodyRecord] = told(
        batched(custody.chains_of_custody, reads=["_id"]), "audit_custody"
    )
    """Chain of custody, oldest first: at most 100 records."""


@type_
class EvidenceDownload:
    """Download of a file that is evidence."""

    url: URL = local(evidence_files.download_url, "key", "expires_at")
    """Signed URL of the file, for whoever holds it."""
    expires_at: datetime
    """Time at which the URL ends, five minutes after it was requested."""
