"""Checks of the log's integrity, automatic ones and those that somebody asked for."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, TypedDict

from core.paging import Sort
from core.storage.mongo import Database
from core.storage.store import collection, index

CHECK_PREFIX = "integrity_check"
MOST_CHECKS = 100
"""Earlier checks that are read to see what was told of."""
LATEST: Sort = (("performed_at", -1), ("_id", -1))


class IntegrityCheckKind(StrEnum):
    """Kind of a check of the audit log: what of the log was checked, and why."""

    RANGE = "RANGE"
    """Entries of one chain were checked, from one to another, because somebody asked."""
    NEW = "NEW"
    """Entries that were sealed since the last such check were checked, as is done every hour."""
    WHOLE = "WHOLE"
    """The log was checked from its beginning, as is done every week."""
    READ = "READ"
    """Entries were found damaged when somebody was about to be shown them, or when they got no place in their
    chain for it."""


class IntegrityCheckStatus(StrEnum):
    """Status of a check of the audit log."""

    RUNNING = "RUNNING"
    """The check goes on: read it again."""
    FINISHED = "FINISHED"
    """The check is over, and says what it found. Final."""
    FAILED = "FAILED"
    """The check could not be made, and says nothing of the log: ask for it again."""


class IntegrityProblem(StrEnum):
    """Problem that a check of the audit log found."""

    MISSING = "MISSING"
    """The entry that belongs at this place of the chain is not there."""
    FOREIGN = "FOREIGN"
    """The entry is of another chain, of another place in this one, or beyond its end."""
    CHANGED = "CHANGED"
    """The entry, or the head of the chain, does not have its hash."""
    UNLINKED = "UNLINKED"
    """The entry does not name the hash of the one before it."""
    UNRECORDED = "UNRECORDED"
    """The entry was put into the database past the service, or has lost its place in the chain."""
    UNSIGNED = "UNSIGNED"
    """The entry has no signature of its own by a key of the log, as decisions and evidence have."""
    LEAF_MISSING = "LEAF_MISSING"
    """Leaves of the log's Merkle tree are missing."""
    TILE_CHANGED = "TILE_CHANGED"
    """Inner nodes of the log's Merkle tree are not those of its leaves."""
    ROOT_DIFFERS = "ROOT_DIFFERS"
    """The root of the Merkle tree is not the one that was signed: the log was rewritten."""
    CHECKPOINT_UNSIGNED = "CHECKPOINT_UNSIGNED"
    """The latest checkpoint is not signed by a key of the log."""
    CHECKPOINT_CHANGED = "CHECKPOINT_CHANGED"
    """The latest checkpoint says something else than its signed note."""
    COPY_DIFFERS = "COPY_DIFFERS"
    """The log does not continue the checkpoint that was locked away: it was forked or shortened."""


class IntegrityCheck(TypedDict):
    """Check of the log's integrity."""

    _id: str
    org_id: str
    kind: IntegrityCheckKind
    status: IntegrityCheckStatus
    performed_at: datetime
    finished_at: datetime | None
    performed_by_id: str | None
    """None for an automatic one."""
    start_entry_id: str | None
    end_entry_id: str | None
    log_size: int
    """Leaves of the log up to which an automatic check went."""
    checked_entry_count: int
    integrity_valid: bool | None
    """None while it runs, and when it failed."""
    failed_entry_ids: list[str]
    hash_chain_broken: bool
    damages: list[dict[str, Any]]
    """Each damage: `chain_id`, `seq`, `problem` and `entry_id`, where they are known."""


checks = collection(
    "audit_checks",
    IntegrityCheck,
    prefix=CHECK_PREFIX,
    indexes=[
        index("org_id", "-performed_at", "-_id"),
        index("org_id", "kind", "-performed_at"),
        index("org_id", "failed_entry_ids"),
    ],
    shard_key="org_id",
)


async def told_of(db: Database, org_id: str, entry_ids: Sequence[str]) -> set[str]:
    """Entries among these that a check has found damaged already."""
    query = {"org_id": org_id, "failed_entry_ids": {"$in": list(entry_ids)}}
    rows = await checks.find(db, query, fields=["failed_entry_ids"], limit=MOST_CHECKS)
    return {entry_id for row in rows for entry_id in row["failed_entry_ids"]}


async def latest_check(db: Database, org_id: str, kind: IntegrityCheckKind) -> IntegrityCheck | None:
    return await checks.first(db, {"org_id": org_id, "kind": kind}, sort=[("performed_at", -1)])
