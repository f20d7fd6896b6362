"""Audit entries: insert only, each with its key (entries come once) and its state beside it.

What is hashed is said here and nowhere else: `hashed_content` is what `core.ledger.chain.append` takes, and
`hash_input` the text that was hashed, of an entry and its link.
"""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from enum import Enum, StrEnum
from hashlib import sha256
from typing import Any, TypedDict

from core import ids
from core.context import PERSONAL
from core.ledger import canonical
from core.security.crypto import Cipher
from core.security.subject_keys import SubjectKeys
from core.storage.indexes import A_TEXT
from core.storage.moves import Moves
from core.storage.store import collection, index
from stores.audit.kinds import AuditActorKind, AuditEventKind, AuditResourceKind

PREFIX = "audit_entry"
SNAKE_CASE = re.compile("_?[a-z][a-z0-9]*(?:_[a-z][a-z0-9]*)*")
"""Name of a field; the part of an id after its prefix begins with a digit."""
HASH_VERSION = 1
CHAINS = 16
"""Chains of an organization: appends to different ones are not in each other's way."""
PERSONAL_CHAINS = 256
"""Chains of all people who belong to no organization."""


class AuditEntry(TypedDict):
    """Entry of the audit log: never changed, never deleted."""

    _id: str
    org_id: str
    chain_id: str
    timestamp: datetime
    occurred_at: datetime | None
    clock_skewed: bool
    event_type: AuditEventKind
    action: str
    actor_id: str | None
    actor_type: AuditActorKind
    actor_role: str
    device_id: str | None
    request_id: str | None
    actor_name: str | None
    """Encrypted with the actor's key, as are user agent and location."""
    ip_masked: str
    user_agent: str | None
    location: str | None
    incident_id: str | None
    resource_type: AuditResourceKind | None
    resource_id: str | None
    subject_id: str | None
    outcome: str
    access_reason: str | None
    details: dict[str, Any]
    sensitive_details: str | None
    """Encrypted with the subject's key; the actor's where there is no subject."""
    metadata: dict[str, Any] | None
    hash_version: int


class EntryKey(TypedDict):
    """`_id` is an entry's source and key: one that comes again is known by it, on any shard."""

    _id: str
    entry_id: str


class AuditEntryStatus(StrEnum):
    """Status of an audit entry, on its way to where a change of it is noticed."""

    ACCEPTED = "ACCEPTED"
    """The entry is stored, and has no place in its chain yet."""
    CHAINED = "CHAINED"
    """The entry has its place in its chain, with the hash of the one before it."""
    SEALED = "SEALED"
    """The entry is in a signed checkpoint of the log. Final."""


class AuditTier(StrEnum):
    """Tier of storage in which an audit entry lies."""

    HOT = "HOT"
    """The entry is at most 90 days old, and read at once."""
    WARM = "WARM"
    """The entry is at most two years old, or under a legal hold, and read at once."""
    COLD = "COLD"
    """The entry is in the archive: lists end before it, and an export fetches it."""


class AuditIntegrity(StrEnum):
    """Integrity of an audit entry: whether it is what was recorded."""

    VERIFIED = "VERIFIED"
    """The entry is as it was when it was chained."""
    PENDING = "PENDING"
    """The entry waits for its place in its chain, without which it has no hash to compare with."""
    BROKEN = "BROKEN"
    """The entry is not what was recorded: somebody changed it, or put it there, past the service."""


class AuditEntryState(TypedDict):
    """State of an entry, which itself never changes; `_id` is the entry's."""

    _id: str
    chain_id: str
    status: AuditEntryStatus
    tier: AuditTier
    integrity: AuditIntegrity
    recorded_at: datetime


OF_INCIDENTS = {"incident_id": A_TEXT}
"""Condition of entries that belong to an incident."""

entries = collection(
    "audit_entries",
    AuditEntry,
    prefix=PREFIX,
    # Each ends in the order of every page, so that no read sorts, whatever narrows it.
    indexes=[
        index("org_id", "-timestamp", "-_id"),
        index("org_id", "event_type", "-timestamp", "-_id"),
        index("org_id", "action", "-timestamp", "-_id"),
        index("org_id", "resource_type", "-timestamp", "-_id"),
        index("actor_id", "-timestamp", "-_id"),
        index("incident_id", "-timestamp", "-_id"),
        index("resource_id", "-timestamp", "-_id"),
        index("subject_id", "-timestamp", "-_id"),
        # Of which incidents there is something about a person, whose erasure asks for legal holds on them.
        *(
            index(
                person,
                "incident_id",
                "org_id",
                partialFilterExpression=OF_INCIDENTS,
                serves={person: "x", **OF_INCIDENTS},
            )
            for person in ("actor_id", "subject_id")
        ),
    ],
    insert_only=True,
)
entry_keys = collection("audit_keys", EntryKey, insert_only=True)
entry_states = collection(
    "audit_entry_state",
    AuditEntryState,
    indexes=[index("status", "chain_id", "_id"), index("tier", "recorded_at", "_id")],
    shard_key="chain_id",
    moves=Moves(
        {
            AuditEntryStatus.ACCEPTED: {AuditEntryStatus.CHAINED},
            AuditEntryStatus.CHAINED: {AuditEntryStatus.SEALED},
            AuditEntryStatus.SEALED: (),
        }
    ),
)
subject_keys = SubjectKeys("audit_subject_keys")


def chain_of(org_id: str, actor_id: str | None, incident_id: str | None) -> str:
    """Chain of an entry: its incident's, else one of its organization's by who acted."""
    if incident_id is not None:
        return f"incident:{incident_id}"
    number = int.from_bytes(sha256(actor_id.encode()).digest()[:8]) if actor_id is not None else 0
    return f"org:{org_id}:{number % (PERSONAL_CHAINS if org_id == PERSONAL else CHAINS)}"


def incident_scope(org_id: str, incident_id: str) -> str:
    """Scope of the change log in which the entries of an incident are, for 90 days."""
    return f"audit_incident:{org_id}:{incident_id}"


def entry_document(
    *, timestamp: datetime, occurred_at: datetime | None = None, details: Mapping[str, Any], **fields: Any
) -> AuditEntry:
    """Entry as it is stored: moments in milliseconds, details as the JSON that is hashed.

    BadUserInput for details that are no JSON which every reader sees alike.
    """
    whole = {
        "_id": ids.new_id(PREFIX),
        "timestamp": _in_milliseconds(timestamp),
        "occurred_at": occurred_at and _in_milliseconds(occurred_at),
        "details": plain_json(details),
        "hash_version": HASH_VERSION,
        **fields,
    }
    if "chain_id" not in whole:
        whole["chain_id"] = chain_of(whole["org_id"], whole["actor_id"], whole["incident_id"])
    return {name: whole.get(name) for name in AuditEntry.__annotations__}  # type: ignore[return-value]


def accepted(entry: AuditEntry) -> AuditEntryState:
    """State of a new entry."""
    return {
        "_id": entry["_id"],
        "chain_id": entry["chain_id"],
        "status": AuditEntryStatus.ACCEPTED,
        "tier": AuditTier.HOT,
        "integrity": AuditIntegrity.PENDING,
        "recorded_at": entry["timestamp"],
    }


SEALED = ("actor_name", "user_agent", "location", "sensitive_details")
"""Fields that are encrypted: the last with the subject's key, the others with the actor's."""


def opened(entry: AuditEntry, field: str, cipher: Cipher | None) -> str | None:
    """Text of an encrypted field; None where there is none, or no key that opens it."""
    sealed: str | None = entry[field]  # type: ignore[literal-required]
    if sealed is None or cipher is None:
        return None
    return cipher.open(sealed, place=place_of(entry, field))


def place_of(entry: AuditEntry, field: str) -> str:
    """Place that an encrypted field is bound to: copied into another entry it does not decrypt."""
    return f"audit_entries/{entry['_id']}/{field}"


def plain_json(value: Any) -> Any:
    """Value as JSON, with moments as texts and numbers that readers may round as strings."""
    return canonical.normalize(_plain(value))


def hashed_content(entry: AuditEntry) -> dict[str, object]:
    """Every stored field of an entry by its name in the API: what a link adds `seq` and `previousHash` to."""
    return {name: _hashed(entry.get(field)) for field, name in _NAMES.items()}


def hash_input(entry: AuditEntry, link: Mapping[str, Any]) -> str:
    """Text whose SHA-256 is the hash of an entry, in the place that its link gives it."""
    place = {"seq": link["seq"], "previousHash": link["previous_hash"]}
    return canonical.hash_input({**hashed_content(entry), **place}, HASHED).decode()


def in_camel_case(field: str) -> str:
    first, *others = field.strip("_").split("_")
    return first + "".join(each.capitalize() for each in others)


def named_as_in_api(value: Any) -> Any:
    """Value with the names of fields within as the API has them, which is how clients read them.

    Ids, words of enums and whatever else is no name in snake_case stay as they are.
    """
    if isinstance(value, Mapping):
        return {_named(str(key)): named_as_in_api(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [named_as_in_api(each) for each in value]
    return value


def _named(key: str) -> str:
    return in_camel_case(key) if SNAKE_CASE.fullmatch(key) else key


_NAMES = {field: in_camel_case(field) for field in AuditEntry.__annotations__}
HASHED = (*_NAMES.values(), "seq", "previousHash")
"""Fields that are hashed, by their names in the API."""


def _hashed(value: Any) -> Any:
    if isinstance(value, datetime):
        return _iso(value)
    return value.value if isinstance(value, Enum) else value


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(each) for each in (sorted(value) if isinstance(value, set | frozenset) else value)]
    if isinstance(value, datetime):
        return _iso(value)
    if isinstance(value, date):
        return value.isoformat()
    return value.value if isinstance(value, Enum) else value


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _in_milliseconds(moment: datetime) -> datetime:
    """As MongoDB keeps it: what is hashed is what is read again."""
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)
