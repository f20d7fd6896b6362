"""Checkpoints: the signed tree heads of each organization's log, and the keys that sign them."""

from collections.abc import Iterable
from datetime import datetime
from typing import TypedDict

from pymongo.errors import DuplicateKeyError

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


class LogKey(TypedDict):
    """Key that signs checkpoints. Both halves are encrypted: a public key that we did not make is none."""

    _id: str
    generation: int
    public: str
    private: str
    created_at: datetime


checkpoints = collection(
    "audit_checkpoints",
    AuditCheckpoint,
    indexes=[index("org_id", "-size", unique=True)],
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
    return await log_keys.find(db, {}, sort=[("generation", 1)], limit=100)


async def add_log_key(db: Database, key: LogKey) -> bool:
    """False if another process was first to add this generation."""
    try:
        await db.write({"insert": log_keys.name, "documents": [key]})
    except DuplicateKeyError:
        return False
    return True
