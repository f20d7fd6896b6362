"""Usage of the log itself: who read how much of it lately, was denied how often, and exported when."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from core.storage.mongo import Database
from stores.audit.entries import AuditEntry, entries
from stores.audit.kinds import AuditEventKind, AuditResourceKind

Counts = dict[str, int]
"""By the id of the person."""


async def read_counts(
    db: Database, org_id: str, actions: Sequence[str], since: datetime, least: int
) -> Counts:
    """Entries that people were shown by reads of these names, of those who were shown so many at least."""
    read = {**_granted(org_id, since), "action": {"$in": list(actions)}}
    return await _counts(db, read, {"$sum": "$details.count"}, least)


async def denial_counts(db: Database, org_id: str, since: datetime, least: int) -> Counts:
    """Denied attempts at the log and its evidence, of those who were denied so many at least."""
    denied = {
        "org_id": org_id,
        "event_type": AuditEventKind.ACCESS_DENIED,
        "timestamp": {"$gte": since},
        "resource_type": {"$in": [AuditResourceKind.AUDIT_LOG, AuditResourceKind.EVIDENCE]},
    }
    return await _counts(db, denied, {"$sum": 1}, least)


async def recent_acts(
    db: Database, org_id: str, action: str, since: datetime, limit: int
) -> list[AuditEntry]:
    """The latest entries of an act."""
    query = {**_granted(org_id, since), "action": action}
    return await entries.find(db, query, sort=[("timestamp", -1), ("_id", -1)], limit=limit)


def _granted(org_id: str, since: datetime) -> dict[str, Any]:
    """Query of access that the service granted: apps tell of acts by any name, and of none of this kind."""
    return {"org_id": org_id, "event_type": AuditEventKind.ACCESS_GRANTED, "timestamp": {"$gte": since}}


async def _counts(db: Database, where: dict[str, Any], counted: dict[str, Any], least: int) -> Counts:
    stages: list[dict[str, Any]] = [
        {"$match": {**where, "actor_id": {"$ne": None}}},
        {"$group": {"_id": "$actor_id", "count": counted}},
        {"$match": {"count": {"$gte": least}}},
        {"$limit": 1_000},
    ]
    return {row["_id"]: row["count"] for row in await db.aggregate(entries.name, stages)}
