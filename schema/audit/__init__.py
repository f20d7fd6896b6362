"""Audit log, as clients see it: its entries, and what apps add to them."""

from core import nodes
from core.audit import Audited
from core.graphql import Edge, Page, connection, mutation, query
from resolvers.audit import client_entries, collecting, custody, evidence_files, proving, reading
from resolvers.audit.roles import READERS
from schema.audit.access import AccessMutations, AccessOfViewer, AccessQueries, AuditAccessGrant
from schema.audit.evidence import Evidence, EvidenceDownload
from schema.audit.holds import HoldMutations, HoldQueries, LegalHold
from schema.audit.proofs import AuditCheckpoint, AuditConsistencyProof, AuditProof
from schema.audit.types import AuditEntry, AuditEntryRecordInput, AuditEntryResult

__all__ = ["AuditAccessGrant", "AuditEntry", "Evidence", "LegalHold", "Mutation", "Query", "Viewer"]


class Query(AccessQueries, HoldQueries):
    audit_entries: Page[AuditEntry] = query(reading.audit_entries)
    """Entries of the audit log that you may read, newest first: of your organization if you audit it, of
    incidents you were given access to, about you, and of what you did. Each read is put on record."""
    audit_entry: AuditEntry | None = query(reading.audit_entry)
    """Entry of the audit log by its id; null when there is none, or you may not read it, which is put on
    record too."""
    audit_proof: AuditProof | None = query(
        proving.audit_proof, entry_id="Id of the audit entry that the proof is about."
    )
    """Proof that an audit entry that you may read is in the latest signed checkpoint of its log. Null when
    there is no such entry, when it waits for a checkpoint, a minute at most, and when the log is damaged."""
    audit_consistency: AuditConsistencyProof | None = query(
        proving.audit_consistency,
        roles=READERS,
        from_entry_count="Number of entries of the older checkpoint, 0 or more.",
        to_entry_count="Number of entries of the newer checkpoint: at least that of the older one.",
    )
    """Proof that the log of your organization only grew between two checkpoints; null when the log is damaged
    so that there is none."""
    audit_checkpoints: Page[AuditCheckpoint] = query(proving.audit_checkpoints, roles=READERS)
    """Signed checkpoints of the log of your organization, the latest first."""

    evidence: Page[Evidence] = query(collecting.evidence)
    """Evidence of your organization if you handle it, else what you collected yourself, newest first. Each
    read is put on record."""
    evidence_item: Evidence | None = query(nodes.reader("evidence"))
    """Evidence by its id; null when there is none, or it is hidden from you."""


class Viewer(AccessOfViewer):
    recent_audit_entries: Page[AuditEntry] = connection(reading.recent_audit_entries)
    """Latest entries of the audit log that you may read, newest first, to fetch ahead. Each read is put on
    record."""


class Mutation(AccessMutations, HoldMutations):
    record_audit_entries = mutation(
        client_entries.record_audit_entries,
        refuses="ID_TAKEN INCIDENT_NOT_FOUND INVALID_FORMAT REQUIRED TOO_LARGE TOO_LONG TOO_MANY",
        returns={
            "results": (
                list[AuditEntryResult],
                "Outcome of each entry, in the order of the input; null when the batch is refused.",
            )
        },
        takes={"entries": list[AuditEntryRecordInput]},
        transaction=False,
        receipt=False,
        entries="Entries to record, 1 to 100 and at most 1,000,000 bytes, in their order: each by itself, so "
        "that one that is refused stops no other.",
    )
    """Record what you did, for the audit log: each entry once, however often it is sent. Actor, address and
    time are the server's. After the first entry that has to come again all others are DEFERRED."""

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
            denials=("FORBIDDEN", "NOT_CUSTODIAN"),
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
        reason="Reason for which you need the file, 1 to 500 characters; it is put on record.",
    )
    """Request a URL of the file of evidence, unless it holds malware. The request and its reason are put on
    record before you are answered."""
