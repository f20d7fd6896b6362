"""Evidence: what was collected about an incident, and its chain of custody, which is insert only."""

from datetime import datetime
from enum import StrEnum
from typing import Any, TypedDict

from core.context import PERSONAL
from core.storage.moves import Moves
from core.storage.store import Row, collection, entity, index
from core.sync.changes import user_scope
from stores.audit.roles import evidence_scope

MOST_CUSTODY = 100
"""Records of a chain of custody; the last place is kept for the record that ends it."""


class EvidenceKind(StrEnum):
    """Kind of evidence."""

    SCREENSHOT = "SCREENSHOT"
    """Picture of a screen."""
    LOG_FILE = "LOG_FILE"
    """Log that a machine or program wrote."""
    DOCUMENT = "DOCUMENT"
    """Document of any other sort."""
    RECORDING = "RECORDING"
    """Recording of sound or film."""
    CHAT_TRANSCRIPT = "CHAT_TRANSCRIPT"
    """Transcript of a conversation in writing."""


class EvidenceStatus(StrEnum):
    """Status of a piece of evidence."""

    UPLOADING = "UPLOADING"
    """The file has not arrived whole yet."""
    VERIFYING = "VERIFYING"
    """The file is compared with its declared hash, and locked away."""
    SEALED = "SEALED"
    """The file has the declared hash and lies in locked storage. Verified again every month."""
    REJECTED = "REJECTED"
    """The file is not what was declared, or holds malware: see `rejection`. It is kept for inquiry. Final."""
    EXPIRED = "EXPIRED"
    """The file never arrived: the upload failed, was given up, or was not completed in 24 hours. Final."""
    COMPROMISED = "COMPROMISED"
    """A later check found another file than was sealed, or none, or a chain of custody that is not the log's:
    never to be used in a report. Final."""


class EvidenceRejection(StrEnum):
    """Reason for which a piece of evidence was not sealed."""

    HASH_MISMATCH = "HASH_MISMATCH"
    """The SHA-256 of the file is not the declared one."""
    MALWARE = "MALWARE"
    """The scanner found malware in the file."""
    EXPIRED = "EXPIRED"
    """The file never arrived."""


class CustodyAction(StrEnum):
    """Act in a chain of custody."""

    COLLECTED = "COLLECTED"
    """The evidence was collected: the first record of each chain, made with the evidence."""
    TRANSFERRED = "TRANSFERRED"
    """The evidence was handed to another custodian."""
    ANALYZED = "ANALYZED"
    """The evidence was examined."""
    ARCHIVED = "ARCHIVED"
    """The evidence was put away: the last record of a chain."""


class Evidence(Row):
    """Evidence; the file lies in locked storage under `file_key` once it was verified."""

    org_id: str
    collector_id: str
    custodian_id: str
    incident_id: str | None
    kind: EvidenceKind
    description: str
    upload_id: str
    file_name: str
    size_bytes: int
    cryptographic_hash: str
    """SHA-256 as its collector declared it."""
    status: EvidenceStatus
    rejection: EvidenceRejection | None
    file_key: str | None
    last_verified_at: datetime | None
    archived_at: datetime | None
    custody_count: int


class CustodyRecord(TypedDict):
    """Record of a chain of custody; `_id` is made of evidence and place: of two at once one is refused."""

    _id: str
    evidence_id: str
    recorded_at: datetime
    handed_off_by_id: str
    received_by_id: str
    action: CustodyAction
    location: str | None
    notes: str | None
    entry_id: str


def evidence_scopes(evidence: Evidence) -> list[str]:
    """Scope of evidence: an organization's handlers of it, else its collector alone."""
    org_id = evidence["org_id"]
    return [user_scope(evidence["collector_id"]) if org_id == PERSONAL else evidence_scope(org_id)]


evidence = entity(
    "audit_evidence",
    Evidence,
    prefix="evidence",
    scopes=evidence_scopes,
    audience_never_shrinks=True,
    # Each ends in the order of every page, so that no read sorts, whatever narrows it.
    indexes=[
        index("org_id", "-created_at", "-_id"),
        index("org_id", "incident_id", "-created_at", "-_id"),
        index("org_id", "kind", "-created_at", "-_id"),
        index("org_id", "collector_id", "-created_at", "-_id"),
        index("status", "_id"),
        index("upload_id"),
    ],
    moves=Moves(
        {
            EvidenceStatus.UPLOADING: {EvidenceStatus.VERIFYING, EvidenceStatus.EXPIRED},
            EvidenceStatus.VERIFYING: {EvidenceStatus.SEALED, EvidenceStatus.REJECTED},
            EvidenceStatus.SEALED: {EvidenceStatus.COMPROMISED},
            EvidenceStatus.REJECTED: (),
            EvidenceStatus.EXPIRED: (),
            EvidenceStatus.COMPROMISED: (),
        }
    ),
)
custody = collection(
    "audit_custody", CustodyRecord, indexes=[index("evidence_id", "_id")], shard_key="evidence_id"
)


def custody_id(evidence_id: str, number: int) -> str:
    """Id of a record by its place in the chain, from 0; ids sort as places do."""
    return f"{evidence_id}:{number:03}"


def evidence_query(org_id: str, viewer_id: str) -> dict[str, Any]:
    """Query of all evidence that a handler, or somebody who belongs to no organization, may see."""
    return {"org_id": org_id, **({"collector_id": viewer_id} if org_id == PERSONAL else {})}
