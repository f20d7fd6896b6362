"""Checks of the log's integrity, automatic ones and those that somebody asked for."""

from datetime import datetime
from enum import StrEnum
from typing import Any, TypedDict

from core.storage.store import collection, index

CHECK_PREFIX = "integrity_check"


class CheckReach(StrEnum):
    """Reach of a check of the log."""

    RANGE = "RANGE"
    """Entries of one chain, from one to another."""
    NEW = "NEW"
    """Entries that were sealed since the last such check."""
    WHOLE = "WHOLE"
    """The log from its beginning."""


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
    indexes=[index("org_id", "-performed_at", "-_id"), index("org_id", "reach", "-performed_at")],
    shard_key="org_id",
)
