"""Proofs: that an entry is in the log, and that one checkpoint continues another; anybody can check them."""

from typing import NamedTuple

from core.ledger import tiles
from core.ledger.tiles import Span
from core.storage.mongo import Database
from stores import audit as store
from stores.audit import AuditCheckpoint, AuditLink


class Inclusion(NamedTuple):
    """Inclusion proof of an entry in the latest checkpoint; hashes in hex."""

    leaf_index: int
    leaf: str
    path: list[str]
    checkpoint: AuditCheckpoint


async def inclusion(db: Database, link: AuditLink) -> Inclusion | None:
    """Proof that the entry of a link is in its organization's latest checkpoint.

    None until it is sealed, and where the log is damaged so that no proof can be made. Three reads: the leaf,
    the checkpoint, and at most two tiles for each 65,536 times more entries.
    """
    row = await store.leaf_at(db, link["org_id"], link["chain_id"], link["seq"])
    sealed = row and await store.latest_checkpoint(db, link["org_id"])
    if row is None or sealed is None:
        return None
    if row["index"] >= sealed["size"]:
        return None
    path = await _hashes(db, link["org_id"], tiles.inclusion(row["index"], sealed["size"]))
    return None if path is None else Inclusion(row["index"], store.leaf_of(row).hash.hex(), path, sealed)


async def consistency(db: Database, org_id: str, from_size: int, to_size: int) -> list[str] | None:
    """Consistency proof (RFC 6962, 2.1.2) between two sizes of a log, in hex; ValueError beyond its size.

    None where the log is damaged so that no proof can be made.
    """
    latest = await store.latest_checkpoint(db, org_id)
    if to_size > (latest["size"] if latest else 0):
        raise ValueError("The log has no such size yet.")
    return await _hashes(db, org_id, tiles.consistency(from_size, to_size))


async def _hashes(db: Database, org_id: str, spans: list[Span]) -> list[str] | None:
    """Hashes of spans in hex; None where tiles of them are missing, or too short."""
    stored = await store.tiles_of(db, org_id, tiles.needed(spans))
    try:
        return [each.hex() for each in tiles.hashes(spans, stored)]
    except (KeyError, ValueError):
        return None
