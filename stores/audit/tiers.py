"""Tiers of entries: moved in the state beside an entry, which itself stays as it is."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from core.storage.mongo import Database
from stores.audit.entries import AuditEntryState, AuditTier, entry_states

Position = tuple[datetime, str]


async def in_tier(
    db: Database, tier: AuditTier, *, before: datetime, after: Position | None, limit: int
) -> list[AuditEntryState]:
    """States of entries in a tier that were recorded before a moment, oldest first, past a position."""
    query: dict[str, Any] = {"tier": tier, "recorded_at": {"$lt": before}}
    if after is not None:
        moment, id = after
        beyond = [{"recorded_at": {"$gt": moment}}, {"recorded_at": moment, "_id": {"$gt": id}}]
        query = {"$and": [query, {"$or": beyond}]}
    order = [("recorded_at", 1), ("_id", 1)]
    return await entry_states.find(db, query, sort=order, limit=limit)


async def move(db: Database, states: Iterable[Mapping[str, Any]], was: AuditTier, to: AuditTier) -> None:
    """Move entries from one tier to another, those that are in it still."""
    by_chain: dict[str, list[str]] = {}
    for each in states:
        by_chain.setdefault(each["chain_id"], []).append(each["_id"])
    updates = [
        {
            "q": {"_id": {"$in": ids}, "chain_id": chain_id, "tier": was},
            "u": {"$set": {"tier": to}},
            "multi": True,
        }
        for chain_id, ids in by_chain.items()
    ]
    if updates:
        await db.write({"update": entry_states.name, "updates": updates})
