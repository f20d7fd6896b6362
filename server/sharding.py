"""Sharding: tells the router of a sharded cluster by which key each collection is spread over the shards."""

from pymongo.errors import OperationFailure

from core.storage.mongo import Database
from core.storage.store import COLLECTIONS

UNAUTHORIZED, ALREADY_INITIALIZED = 13, 23


class NotSharded(RuntimeError):
    """The collections cannot be declared; the message says why."""


async def declare(db: Database) -> dict[str, str]:
    """Shard every collection that has a key by the hash of it; again is harmless. The keys by collection."""
    if (await db.command({"hello": 1})).get("msg") != "isdbgrid":
        raise NotSharded(
            "LANDFALL_MONGO_URL leads to a replica set, which needs no shard keys. "
            "To shard, let it lead to the routers (mongos) of a sharded cluster."
        )
    try:
        await db.client["admin"].command({"enableSharding": db.name})
        sharded = {}
        for kept in COLLECTIONS.values():
            if kept.shard_key is not None:
                await _shard(db, kept.name, kept.shard_key)
                sharded[kept.name] = kept.shard_key
    except OperationFailure as error:
        if error.code != UNAUTHORIZED:
            raise
        raise NotSharded("This needs a user with the role clusterManager.") from None
    return sharded


async def _shard(db: Database, collection: str, key: str) -> None:
    hashed = {key: "hashed"}
    # A collection that holds something already is sharded by an index that is there.
    index = {"key": hashed, "name": f"{key}_hashed"}
    await db.command({"createIndexes": collection, "indexes": [index]})
    try:
        await db.client["admin"].command({"shardCollection": f"{db.name}.{collection}", "key": hashed})
    except OperationFailure as error:
        if error.code != ALREADY_INITIALIZED:
            raise
        raise NotSharded(
            f"{collection!r} is sharded by another key than the hash of {key!r}. Change that first: "
            f"sh.reshardCollection('{db.name}.{collection}', {{'{key}': 'hashed'}})"
        ) from None
