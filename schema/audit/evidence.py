"""Evidence and its chain of custody, as clients see them."""

from datetime import datetime

from core import nodes
from core.audit import Audited
from core.graphql import (
    Edge,
    Page,
    batched,
    called,
    derived,
    key,
    mutation,
    node,
    query,
    told,
    type_,
    unsynced,
    visible,
)
from core.graphql.common import URL, Entity
from core.ids import Id
from resolvers.audit import collecting, custody, evidence_files, reading
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

    url: URL = batched(evidence_files.download_urls, reads=["key", "expires_at"])
    """Signed URL of the file, for whoever holds it."""
    expires_at: datetime
    """Time at which the URL ends, five minutes after it was requested."""


@type_
class EvidenceQueries:
    """Reading evidence."""

    evidence: Page[Evidence] = query(collecting.evidence)
    """Evidence of your organization if you handle it, else what you collected yourself, newest first. Each
    read is put on record."""
    evidence_item: Evidence | None = query(nodes.reader("evidence"))
    """Evidence by its id; null when there is none, or it is hidden from you. The read is put on record."""


@type_
class EvidenceMutations:
    """Collecting evidence, its custody, and its files."""

    collect_evidence = mutation(
        collecting.collect_evidence,
        refuses="INCIDENT_NOT_FOUND INVALID_FORMAT REQUIRED TOO_LONG UPLOAD_REJECTED",
        returns={
            "evidence": Evidence,
            "evidence_edge": (
                Edge[Evidence],
                "Edge of the evidence at the top of all that you may see; null when refused.",
            ),
        },
        audit=Audited("audit.evidence_collected", "EVIDENCE_COLLECTED", "EVIDENCE"),
        incident_id="Id of the incident that the evidence is about; none when left out.",
        kind="Kind of what the file is.",
        description="Description of the evidence, 1 to 1,000 characters.",
        upload_id="Id of your upload with the purpose EVIDENCE, finished or not.",
        sha256="SHA-256 of the file in hexadecimal, made where it was collected: evidence whose file has "
        "another one is rejected.",
    )
    """Collect a file as evidence, and begin its chain of custody with you as its custodian. The file may
    arrive later; what it turns out to be is the `status` of the evidence."""
    record_custody = mutation(
        custody.record_custody,
        refuses="ALREADY_ARCHIVED INVALID_ACTION LIMIT_REACHED NOT_CUSTODIAN REQUIRED TOO_LONG",
        returns={"evidence": Evidence},
        audit=Audited(
            "audit.custody_recorded",
            "EVIDENCE_COLLECTED",
            "EVIDENCE",
            resource="evidence_id",
            denials=("FORBIDDEN", "NOT_CUSTODIAN", "NOT_FOUND"),
        ),
        action="Action done with the evidence: TRANSFERRED or ANALYZED, and ARCHIVED as the last one.",
        received_by_id="Id of the person who has custody from now on, needed for TRANSFERRED: of your "
        "organization, with a role that handles evidence. The custodian stays when left out.",
        location="Place where the evidence is kept from now on, at most 200 characters.",
        notes="Notes about what was done, at most 2,000 characters.",
    )
    """Record what was done with evidence in your custody, and who has it from now on. It is put on record
    before you are answered, and cannot be undone."""
    verify_evidence = mutation(
        evidence_files.verify_evidence,
        refuses="WRONG_STATUS",
        returns={
            "evidence": Evidence,
            "valid": (
                bool,
                "True if the file is what was sealed; null when refused, and for a file above 64 MiB, which "
                "is verified within minutes: `lastVerifiedAt` tells.",
            ),
        },
        prepare=evidence_files.hashed,
        audit=Audited(
            "audit.evidence_verification_requested",
            "COMPLIANCE_CHECK",
            "EVIDENCE",
            resource="evidence_id",
            denials=("FORBIDDEN", "NOT_FOUND"),
        ),
    )
    """Verify that the file of sealed evidence still has its hash; evidence whose file has another one, or
    none, becomes COMPROMISED for good."""
    request_evidence_download = mutation(
        evidence_files.request_evidence_download,
        refuses="REQUIRED TOO_LONG WRONG_STATUS",
        returns={
            "evidence": Evidence,
            "download": (EvidenceDownload, "URL of the file, for five minutes; null when refused."),
        },
        audit=Audited(
            "audit.evidence_downloaded",
            "ACCESS_GRANTED",
            "EVIDENCE",
            resource="evidence_id",
            denials=("FORBIDDEN", "NOT_FOUND"),
        ),
        reason="Reason for which you need the file, 1 to 500 characters; it is put on record.",
    )
    """Request a URL of the file of evidence, unless it holds malware. The request and its reason are put on
    record before you are answered."""
