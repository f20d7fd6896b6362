"""Links: the place of each entry in its hash chain, insert only, and the head of each chain."""

from collections.abc import Iterable
from typing import Any, TypedDict

from core.storage.mongo import Database
from core.storage.store import collection, index
from stores.audit.entries import AuditEntry, entries


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


async def organizations(db: Database) -> list[str]:
    """Organizations that have a log."""
    groups: list[dict[str, Any]] = [{"$sort": {"org_id": 1}}, {"$group": {"_id": "$org_id"}}]
    return [row["_id"] for row in await db.aggregate(chains.name, groups)]
