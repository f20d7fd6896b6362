"""States of entries, which themselves never change: on the way to a checkpoint, tier, what checks found."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from core.storage.mongo import Database
from stores.audit.entries import (
    AuditEntryState,
    AuditEntryStatus,
    AuditIntegrity,
    AuditTier,
    entry_states,
)

Place = tuple[str, str]
"""Chain and id of an entry: its state lies on the shard of its chain."""
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


async def states_of_entries(db: Database, places: Iterable[Place]) -> dict[Place, AuditEntryState]:
    """States of the entries that have one, by chain and entry."""
    named = [{"chain_id": chain, "_id": {"$in": ids}} for chain, ids in _by_chain(places).items()]
    rows = await entry_states.find(db, {"$or": named}) if named else []
    return {(row["chain_id"], row["_id"]): row for row in rows}


async def chains_in(db: Database, status: AuditEntryStatus) -> list[str]:
    """Chains that have entries in this status."""
    groups: list[dict[str, Any]] = [
        {"$match": {"status": status}},
        {"$sort": {"chain_id": 1}},
        {"$group": {"_id": "$chain_id"}},
    ]
    return [row["_id"] for row in await db.aggregate(entry_states.name, groups)]


async def mark(
    db: Database, rows: Iterable[Mapping[str, Any]], before: AuditEntryStatus, after: AuditEntryStatus
) -> int:
    """Move the states of entries, or of links, from one status to the next; how many were in that one."""
    places = [(row["chain_id"], row.get("entry_id") or row["_id"]) for row in rows]
    return await _set(db, places, {"status": before}, {"status": after})


async def mark_integrity(
    db: Database, rows: Iterable[tuple[str | None, str | None]], integrity: AuditIntegrity
) -> None:
    """Say of entries, by chain and id, what a check found; those that say so already stay."""
    places = [
        (chain_id, entry_id) for chain_id, entry_id in rows if chain_id is not None and entry_id is not None
    ]
    await _set(db, places, {"integrity": {"$ne": integrity}}, {"integrity": integrity})


async def move(db: Database, states: Iterable[AuditEntryState], was: AuditTier, to: AuditTier) -> None:
    """Move entries from one tier to another, those that are in it still."""
    places = [(state["chain_id"], state["_id"]) for state in states]
    await _set(db, places, {"tier": was}, {"tier": to})


async def _set(
    db: Database, places: Iterable[Place], where: Mapping[str, Any], fields: Mapping[str, Any]
) -> int:
    """Set fields of the states that match, an update for each chain; how many matched."""
    updates = [
        {"q": {"_id": {"$in": ids}, "chain_id": chain_id, **where}, "u": {"$set": fields}, "multi": True}
        for chain_id, ids in _by_chain(places).items()
    ]
    return int((await db.write({"update": entry_states.name, "updates": updates}))["n"]) if updates else 0


def _by_chain(places: Iterable[Place]) -> dict[str, list[str]]:
    by_chain: dict[str, list[str]] = {}
    for chain_id, entry_id in places:
        by_chain.setdefault(chain_id, []).append(entry_id)
    return by_chain
