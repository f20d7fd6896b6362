"""Checkpoints: the signed tree heads of each organization's log, and the keys that sign them."""

from collections.abc import Iterable
from datetime import datetime
from typing import NotRequired, TypedDict

from pymongo.errors import DuplicateKeyError

from core.storage.indexes import A_TEXT
from core.storage.mongo import Database
from core.storage.store import Sealed, collection, index

PLACE = "audit_log_keys"


class AuditCheckpoint(TypedDict):
    """Signed tree head; `_id` is made of organization and size."""

    _id: str
    org_id: str
    size: int
    root_hash: str
    note: str
    """Signed note (C2SP checkpoint)."""
    created_at: datetime
    timestamp_token: bytes | None
    """RFC 3161 response about the note, in DER."""
    stamped_at: datetime | None
    ledger_reference: str | None
    copied_at: datetime | None
    """When a copy was locked away."""
    introduces: NotRequired[str]
    """Id of the key that signs from this checkpoint on, in place of another."""


class LogKey(TypedDict):
    """Key that signs checkpoints. Both halves are encrypted: a public key that we did not make is none."""

    _id: str
    generation: int
    public: str
    private: str
    created_at: datetime
    distrusted_at: NotRequired[datetime]
    """When an operator said that it was stolen."""


INTRODUCING = {"introduces": A_TEXT}
"""Condition of checkpoints from which on another key signs."""
MOST_LOG_KEYS = 100

checkpoints = collection(
    "audit_checkpoints",
    AuditCheckpoint,
    indexes=[
        index("org_id", "-size", unique=True),
        index(
            "org_id",
            "-size",
            "introduces",
            partialFilterExpression=INTRODUCING,
            serves={"org_id": "x", **INTRODUCING},
        ),
    ],
    shard_key="org_id",
)
log_keys = collection(
    PLACE,
    LogKey,
    indexes=[index("generation", unique=True)],
    shard_key=None,
    sealed=[Sealed("public", PLACE + "/{_id}/public"), Sealed("private", PLACE + "/{_id}/private")],
)


async def latest_checkpoint(db: Database, org_id: str) -> AuditCheckpoint | None:
    return await checkpoints.first(db, {"org_id": org_id}, sort=[("size", -1)])


async def latest_checkpoints(db: Database, org_ids: Iterable[str]) -> dict[str, AuditCheckpoint]:
    """The latest checkpoint of each organization that has any."""
    found = await checkpoints.per_parent(db, "org_id", list(org_ids), sort=[("size", -1)], limit=1)
    return {org_id: rows[0] for org_id, rows in found.items() if rows}


async def all_log_keys(db: Database) -> list[LogKey]:
    """Oldest first."""
    return await log_keys.find(db, {}, sort=[("generation", 1)], limit=MOST_LOG_KEYS)


async def last_introducing(db: Database, org_id: str, size: int) -> AuditCheckpoint | None:
    """The last checkpoint up to a size of the log from which on another key signs."""
    query = {"org_id": org_id, "size": {"$lte": size}, **INTRODUCING}
    return await checkpoints.first(db, query, sort=[("size", -1)])


async def introducing(db: Database, org_id: str) -> list[AuditCheckpoint]:
    """The first checkpoint of a log, and those from which on another key signs, the smallest first."""
    first = await checkpoints.find(db, {"org_id": org_id}, sort=[("size", 1)], limit=1)
    query = {"org_id": org_id, **INTRODUCING}
    return first + await checkpoints.find(db, query, sort=[("size", 1)], limit=MOST_LOG_KEYS)


async def add_log_key(db: Database, key: LogKey) -> bool:
    """False if another process was first to add this generation."""
    try:
        await db.write({"insert": log_keys.name, "documents": [key]})
    except DuplicateKeyError:
        return False
    return True
