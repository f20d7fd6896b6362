"""Links: the place of each entry in its hash chain, insert only, and the head of each chain."""

from collections.abc import Iterable, Mapping
from typing import Any, TypedDict

from core.storage.mongo import Database
from core.storage.store import collection, index
from stores.audit.entries import (
    AuditEntry,
    AuditEntryState,
    AuditEntryStatus,
    AuditIntegrity,
    entries,
    entry_states,
)


class AuditLink(TypedDict):
    """Place of an entry in its chain."""

    _id: str
    """Made of chain and seq: of two that would take one place, one is refused."""
    entry_id: str
    org_id: str
    chain_id: str
    seq: int
    previous_hash: str
    current_hash: str
    signature: str | None
    """Ed25519 signature of the hash, in base64; None for entries that are sealed with the log alone."""
    signature_key_id: str | None


class AuditChain(TypedDict):
    """Head of a chain; `_id` is the chain's."""

    _id: str
    org_id: str
    seq: int
    current_hash: str


BY_ENTRY = index("entry_id")
links = collection(
    "audit_links",
    AuditLink,
    indexes=[index("chain_id", "seq", unique=True), BY_ENTRY],
    shard_key="chain_id",
    insert_only=True,
)
chains = collection("audit_chains", AuditChain, indexes=[index("org_id")])


def link_id(chain_id: str, seq: int) -> str:
    return f"{chain_id}:{seq}"


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
    by_chain: dict[str, list[str]] = {}
    for row in rows:
        by_chain.setdefault(row["chain_id"], []).append(row.get("entry_id") or row["_id"])
    updates = [
        {
            "q": {"_id": {"$in": ids}, "chain_id": chain_id, "status": before},
            "u": {"$set": {"status": after}},
            "multi": True,
        }
        for chain_id, ids in by_chain.items()
    ]
    return int((await db.write({"update": entry_states.name, "updates": updates}))["n"]) if updates else 0


async def entries_of(db: Database, rows: Iterable[AuditLink]) -> dict[str, AuditEntry]:
    """Entries of links, by their ids."""
    found = await entries.by_ids(db, [row["entry_id"] for row in rows])
    return {entry["_id"]: entry for entry in found}


async def links_of_entries(
    db: Database, places: Iterable[tuple[str, str]]
) -> dict[tuple[str, str], AuditLink]:
    """Links of the entries that have one, by chain and entry; the first where somebody forged more."""
    wanted = list(places)
    query = {
        "chain_id": {"$in": list({chain_id for chain_id, _ in wanted})},
        "entry_id": {"$in": [entry_id for _, entry_id in wanted]},
    }
    rows = await links.find(db, query, hint=BY_ENTRY.name) if wanted else []
    rows.sort(key=lambda row: row["seq"], reverse=True)
    return {(row["chain_id"], row["entry_id"]): row for row in rows}


async def states_of_entries(
    db: Database, places: Iterable[tuple[str, str]]
) -> dict[tuple[str, str], AuditEntryState]:
    """States of the entries that have one, by chain and entry."""
    by_chain: dict[str, list[str]] = {}
    for chain_id, entry_id in places:
        by_chain.setdefault(chain_id, []).append(entry_id)
    named = [{"chain_id": chain, "_id": {"$in": ids}} for chain, ids in by_chain.items()]
    rows = await entry_states.find(db, {"$or": named}) if named else []
    return {(row["chain_id"], row["_id"]): row for row in rows}


async def mark_integrity(
    db: Database, rows: Iterable[tuple[str | None, str | None]], integrity: AuditIntegrity
) -> None:
    """Say of entries, by chain and id, what a check found; those that say so already stay."""
    by_chain: dict[str, list[str]] = {}
    for chain_id, entry_id in rows:
        if chain_id is not None and entry_id is not None:
            by_chain.setdefault(chain_id, []).append(entry_id)
    updates = [
        {
            "q": {"_id": {"$in": ids}, "chain_id": chain_id, "integrity": {"$ne": integrity}},
            "u": {"$set": {"integrity": integrity}},
            "multi": True,
        }
        for chain_id, ids in by_chain.items()
    ]
    if updates:
        await db.write({"update": entry_states.name, "updates": updates})


async def organizations(db: Database) -> list[str]:
    """Organizations that have a log."""
    groups: list[dict[str, Any]] = [{"$sort": {"org_id": 1}}, {"$group": {"_id": "$org_id"}}]
    return [row["_id"] for row in await db.aggregate(chains.name, groups)]
