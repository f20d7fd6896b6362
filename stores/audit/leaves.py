"""Leaves of each organization's log: the links of all its chains, in the order they were sealed."""

from collections.abc import Iterable, Sequence
from typing import TypedDict

from core.ledger.log import Leaf
from core.storage.mongo import Database
from core.storage.store import collection, index


class AuditLeaf(TypedDict):
    """Leaf of a log; `_id` is made of organization and index."""

    _id: str
    org_id: str
    index: int
    chain_id: str
    seq: int
    current_hash: str


leaves = collection(
    "audit_leaves",
    AuditLeaf,
    indexes=[index("org_id", "index", unique=True), index("chain_id", "-seq")],
    shard_key="org_id",
    insert_only=True,
)


def leaf_documents(org_id: str, first: int, given: Sequence[Leaf]) -> list[AuditLeaf]:
    return [
        {"_id": f"{org_id}:{place}", "org_id": org_id, "index": place, **leaf._asdict()}  # type: ignore[typeddict-item]
        for place, leaf in enumerate(given, first)
    ]


def leaf_of(row: AuditLeaf) -> Leaf:
    return Leaf(row["chain_id"], row["seq"], row["current_hash"])


async def leaves_between(db: Database, org_id: str, start: int, end: int) -> list[AuditLeaf]:
    """Leaves of a log from start to end, the end excluded."""
    query = {"org_id": org_id, "index": {"$gte": start, "$lt": end}}
    return await leaves.find(db, query, sort=[("index", 1)])


async def last_leaves(db: Database, chain_ids: Iterable[str]) -> dict[str, AuditLeaf]:
    """The last leaf of each chain that has any."""
    found = await leaves.per_parent(db, "chain_id", list(chain_ids), sort=[("seq", -1)], limit=1)
    return {chain_id: rows[0] for chain_id, rows in found.items() if rows}


async def leaf_at(db: Database, org_id: str, chain_id: str, seq: int) -> AuditLeaf | None:
    """Leaf of a link, once it is sealed."""
    return await leaves.first(db, {"org_id": org_id, "chain_id": chain_id, "seq": seq})
