"""Tiles of each organization's Merkle tree: 256 hashes to a document."""

from collections.abc import Collection, Mapping
from typing import TypedDict

from core.ledger.tiles import TileId
from core.storage.mongo import Database
from core.storage.store import collection


class AuditTile(TypedDict):
    """Tile; `_id` is made of organization, level and position."""

    _id: str
    hashes: bytes


tiles = collection("audit_tiles", AuditTile)


def tile_key(org_id: str, tile: TileId) -> str:
    return f"{org_id}:{tile.level}:{tile.position}"


async def tiles_of(db: Database, org_id: str, wanted: Collection[TileId]) -> dict[TileId, bytes]:
    """The tiles at these places that there are, in one read."""
    keys = {tile_key(org_id, tile): tile for tile in wanted}
    return {keys[row["_id"]]: row["hashes"] for row in await tiles.by_ids(db, keys)}


def tile_documents(org_id: str, changed: Mapping[TileId, bytes]) -> list[AuditTile]:
    return [{"_id": tile_key(org_id, tile), "hashes": hashes} for tile, hashes in changed.items()]
