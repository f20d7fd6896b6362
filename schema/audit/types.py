"""Entries of the audit log, as clients see them."""

from datetime import datetime

from core.audit import AuditOutcome
from core.graphql import Edge, batched, called, derived, input_, key, node, type_
from core.graphql.common import JSON, Node, UserError
from core.ids import Id
from resolvers.audit import personal, places, reading
from stores.audit import (
    AuditActorKind,
    AuditEntryStatus,
    AuditEventKind,
    AuditIntegrity,
    AuditResourceKind,
    AuditTier,
)

PLACE = ("_id", "chain_id")
"""Keys of an entry by which its state and its place in the chain are found."""


@type_
class AuditLocation:
    """Rough location from which an act was done, as the caller's IP address tells it."""

    lat: float
    """Latitude in degrees, north positive."""
    lng: float
    """Longitude in degrees, east positive."""
    city: str | None
    """Name of the city in English; null when only the country is known."""
    country: str | None
    """Name of the country in English; null when it is not known."""


@called("audit entry", "audit entries")
@node("audit_entry")
class AuditEntry(Node):
    """Entry of the audit log: who did what, when and to what. It is never changed, and never deleted."""

    organization_id: str | None = derived(reading.organization, "org_id")
    """Organization in whose log the entry is; null for people who belong to none."""
    chain_id: str
    """Name of the hash chain that the entry belongs to: of its incident, or one of its organization."""
    created_at: datetime = key("timestamp")
    """Time at which the server recorded the entry, in milliseconds."""
    occurred_at: datetime | None
    """Time of the act by the clock of the device that told of it later; null for what was told at once."""
    clock_skewed: bool
    """True if the clock of the device was more than five minutes ahead."""
    event_kind: AuditEventKind = key("event_type")
    """Kind of the event that is on record."""
    action: str
    """Name of the act, such as `feed.post_deleted`: what it was done in, a dot, and what was done."""
    actor_id: Id | None
    """Id of the person who did the act; null when nobody was signed in."""
    actor_kind: AuditActorKind = key("actor_type")
    """Kind of who did the act: a person, or the service itself."""
    actor_role: str
    """Roles of the actor at that time, with a space between two of them."""
    actor_name: str | None = batched(personal.personal_value("actor_name"))
    """Name of the actor at that time; null for those who may not read personal values, and after erasure."""
    device_id: Id | None
    """Id of the device on which the act was done; null when there was none."""
    request_id: str | None
    """Id of the request that did the act; null for acts of jobs."""
    ip_masked: str
    """Network of the caller's IP address, with the last part as zeros; empty for acts of jobs."""
    user_agent: str | None = batched(personal.personal_value("user_agent"))
    """User agent of the caller; null for those who may not read personal values, and after erasure."""
    location: AuditLocation | None = batched(personal.personal_object("location"))
    """Rough location of the caller's IP address; null when it is not known, for those who may not read
    personal values, and after erasure."""
    incident_id: Id | None
    """Id of the incident that the act belongs to; null when there is none."""
    resource_kind: AuditResourceKind | None = key("resource_type")
    """Kind of what the act was done to; null when it was done to nothing in particular."""
    resource_id: Id | None
    """Id of what the act was done to; null when it was done to nothing in particular."""
    subject_id: Id | None
    """Id of the person whom the act is about; null when it is about nobody."""
    outcome: AuditOutcome
    """Outcome of the act: done, denied or failed."""
    access_reason: str | None
    """Reason for which health data, or evidence, were read; null for other acts."""
    details: JSON
    """Details of the act, which depend on its action; without personal values."""
    sensitive_details: JSON | None = batched(personal.personal_object("sensitive_details"))
    """Details of the act about people; null when there are none, when you may not read them, and after
    erasure."""
    metadata: JSON | None
    """Data about the entry itself, such as the system that told of the act; null when there are none."""
    hash_version: int
    """Version of the rule by which the entry is hashed."""
    seq: int | None = batched(places.of_link("seq"), reads=PLACE)
    """Number of the entry in its chain, without gaps from 0 on; null until the entry has its place."""
    previous_hash: str | None = batched(places.of_link("previous_hash"), reads=PLACE)
    """Hash of the entry before it in the chain, of the first one 64 zeros; null until the entry has its
    place."""
    current_hash: str | None = batched(places.of_link("current_hash"), reads=PLACE)
    """SHA-256 of `hashInput` in UTF-8, as lower-case hex; null until the entry has its place in the chain."""
    hash_input: str | None = batched(places.hash_inputs)
    """Canonical JSON (RFC 8785) of all stored fields, the encrypted ones as ciphertext: `currentHash` is its
    hash. Null until the entry has its place in the chain."""
    signature: str | None = batched(places.of_link("signature"), reads=PLACE)
    """Ed25519 signature of the text of `currentHash`, in base64, by a key of the log; null for entries that
    are signed with the checkpoint alone: all but decisions, evidence and access in emergencies."""
    signature_key_id: str | None = batched(places.of_link("signature_key_id"), reads=PLACE)
    """Id of the log's key that made the signature, in hex; null when there is no signature."""
    integrity: AuditIntegrity = batched(places.integrities)
    """Integrity of the entry: what the last check found, and what its hash says now."""
    status: AuditEntryStatus = batched(places.statuses, reads=PLACE)
    """Status of the entry on its way into a signed checkpoint."""
    tier: AuditTier = batched(places.tiers, reads=PLACE)
    """Tier of storage in which the entry lies."""


@input_
class AuditEntryRecordInput:
    """Entry that an app writes about an act of its user; the server adds who, where from and when."""

    id: Id | None
    """Id of the entry, minted by the app when the user acts: the same id again makes no second entry.
    REQUIRED when left out."""
    event_kind: AuditEventKind
    """Kind of the event: USER_ACTION, DECISION_MADE or COMMUNICATION_SENT."""
    action: str
    """Name of the act in lower-case words with dots, such as `note.pinned`, at most 100 characters."""
    resource_kind: AuditResourceKind | None
    """Kind of what the act was done to; OTHER when left out."""
    resource_id: Id | None
    """Id of what the act was done to, at most 128 characters."""
    incident_id: Id | None
    """Id of the incident that the act belongs to."""
    details: JSON | None
    """Details of the act without personal values, a JSON object; the whole entry has at most 64 KiB."""
    sensitive_details: JSON | None
    """Details about people, a JSON object that is encrypted; the whole entry has at most 64 KiB."""
    occurred_at: datetime | None
    """Time of the act by the clock of the device; what is over five minutes ahead is flagged."""


@type_
class AuditEntryResult:
    """Outcome of one entry of a batch."""

    item_id: Id
    """Id of the entry, as sent."""
    audit_entry: AuditEntry | None
    """Entry as it is on record; `id`, `chainId`, `seq` and `currentHash` are its receipt, the last two null
    until it has its place. Null when refused."""
    audit_entry_edge: Edge[AuditEntry] | None
    """The audit entry with its cursor in the list of all that you may read; null when refused."""
    replayed: bool
    """True if the entry was on record before, by an earlier batch."""
    errors: list[UserError]
    """Refusals of the entry, at most 1; fields are named within the entry."""
