"""Checks of the log's integrity, automatic ones and those that somebody asked for."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, TypedDict

from core.storage.mongo import Database
from core.storage.store import collection, index

CHECK_PREFIX = "integrity_check"
MOST_CHECKS = 100
"""Earlier checks that are read to see what was told of."""


class CheckReach(StrEnum):
    """Reach of a check of the log."""

    RANGE = "RANGE"
    """Entries of one chain, from one to another."""
    NEW = "NEW"
    """Entries that were sealed since the last such check."""
    WHOLE = "WHOLE"
    """The log from its beginning."""
    READ = "READ"
    """Entries that somebody was about to be shown."""


class IntegrityCheck(TypedDict):
    """Check of the log's integrity."""

    _id: str
    org_id: str
    reach: CheckReach
    performed_at: datetime
    performed_by: str | None
    """None for an automatic one."""
    start_entry_id: str | None
    end_entry_id: str | None
    log_size: int
    """Leaves of the log up to which an automatic check went."""
    total_checked: int
    integrity_valid: bool
    failed_entry_ids: list[str]
    hash_chain_broken: bool
    details: list[dict[str, Any]]
    """Each damage: `chainId`, `seq`, `problem`, and the entry's id where it is known."""


checks = collection(
    "audit_checks",
    IntegrityCheck,
    prefix=CHECK_PREFIX,
    indexes=[
        index("org_id", "-performed_at", "-_id"),
        index("org_id", "reach", "-performed_at"),
        index("org_id", "failed_entry_ids"),
    ],
    shard_key="org_id",
)


async def told_of(db: Database, org_id: str, entry_ids: Sequence[str]) -> set[str]:
    """Entries among these that a check has found damaged already."""
    query = {"org_id": org_id, "failed_entry_ids": {"$in": list(entry_ids)}}
    rows = await checks.find(db, query, fields=["failed_entry_ids"], limit=MOST_CHECKS)
    return {entry_id for row in rows for entry_id in row["failed_entry_ids"]}
