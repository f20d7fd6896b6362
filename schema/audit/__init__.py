"""Audit log, as clients see it: its entries, and what apps add to them."""

from core.audit import Audited
from core.graphql import Page, connection, mutation, query
from resolvers.audit import client_entries, proving, reading
from resolvers.audit.roles import READERS
from schema.audit.access import AccessMutations, AccessOfViewer, AccessQueries, AuditAccessGrant
from schema.audit.checks import CheckMutations, CheckQueries, IntegrityCheck
from schema.audit.events import AlertSubscriptions
from schema.audit.evidence import Evidence, EvidenceMutations, EvidenceQueries
from schema.audit.exports import AuditExport, ExportMutations, ExportQueries
from schema.audit.holds import HoldMutations, HoldQueries, LegalHold
from schema.audit.proofs import AuditCheckpoint, AuditConsistencyProof, AuditProof
from schema.audit.saved_queries import (
    SavedAuditQuery,
    SavedQueriesOfViewer,
    SavedQueryMutations,
)
from schema.audit.search import SearchQueries
from schema.audit.streams import StreamSubscriptions
from schema.audit.types import AuditEntry, AuditEntryRecordInput, AuditEntryResult

__all__ = [
    "AuditAccessGrant",
    "AuditEntry",
    "AuditExport",
    "Evidence",
    "IntegrityCheck",
    "LegalHold",
    "Mutation",
    "Query",
    "SavedAuditQuery",
    "Subscription",
    "Viewer",
]


class Query(AccessQueries, CheckQueries, EvidenceQueries, ExportQueries, HoldQueries, SearchQueries):
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
        audit=Audited("audit.consistency_read", resource_type="AUDIT_LOG"),
        from_entry_count="Number of entries of the older checkpoint, 0 or more.",
        to_entry_count="Number of entries of the newer checkpoint: at least that of the older one.",
    )
    """Proof that the log of your organization only grew between two checkpoints; null when the log is damaged
    so that there is none."""
    audit_checkpoints: Page[AuditCheckpoint] = query(
        proving.audit_checkpoints,
        roles=READERS,
        audit=Audited("audit.checkpoints_read", resource_type="AUDIT_LOG"),
    )
    """Signed checkpoints of the log of your organization, the latest first."""


class Viewer(AccessOfViewer, SavedQueriesOfViewer):
    recent_audit_entries: Page[AuditEntry] = connection(reading.recent_audit_entries)
    """Latest entries of the audit log that you may read, newest first, to fetch ahead. Each read is put on
    record."""


class Mutation(
    AccessMutations, CheckMutations, EvidenceMutations, ExportMutations, HoldMutations, SavedQueryMutations
):
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


class Subscription(AlertSubscriptions, StreamSubscriptions):
    pass
