"""Data migrations: what was stored in an older form is brought up to date, once per database.

Each runs when a process starts and the database has yet to see it. Several processes may do so concurrently,
and a process may end in the middle: a migration changes what it finds in its older form, in transactions, and
leaves the rest alone. It is written down as done when it came to its end.
"""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any, TypedDict

import structlog

from core import clock
from core.storage.mongo import Database
from core.storage.store import Collection, collection

logger = structlog.get_logger(__name__)

Migration = Callable[[Database], Awaitable[int]]
"""Brings a database up to date; how many documents it changed."""

BATCH = 1_000

MIGRATIONS: dict[str, Migration] = {}


class Applied(TypedDict):
    """By the migration's name."""

    _id: str
    at: datetime


applied = collection("migrations", Applied, shard_key=None)


def migration(name: str) -> Callable[[Migration], Migration]:
    """Declare one, in the order they are to run; its name is taken once and for all."""

    def declare(function: Migration) -> Migration:
        if name in MIGRATIONS:
            raise ValueError(f"The migration {name!r} is declared twice.")
        MIGRATIONS[name] = function
        return function

    return declare


async def migrate(db: Database) -> None:
    """Run those this database has yet to see."""
    done = {row["_id"] for row in await applied.find(db, {})}
    for name, run in MIGRATIONS.items():
        if name in done:
            continue
        changed = await run(db)
        await applied.update_one(db, {"_id": name}, {"$set": {"at": clock.now()}}, upsert=True)
        (logger.info if changed else logger.debug)("migrated", migration=name, changed=changed)


async def exists(db: Database, name: str) -> bool:
    """True if there is a collection of this name, which may be one of an earlier version."""
    found = await db.command({"listCollections": 1, "filter": {"name": name}, "nameOnly": True})
    return bool(found["cursor"]["firstBatch"])


async def move_collection(db: Database, old: str, store: Collection[Any]) -> int:
    """Bring the documents of a collection that had another name; how many there were."""
    if not await exists(db, old):
        return 0
    moved = int((await db.command({"count": old}))["n"])
    merge = {"$merge": {"into": store.name, "whenMatched": "keepExisting"}}
    await db.command({"aggregate": old, "pipeline": [merge], "cursor": {}})
    await db.command({"drop": old})
    return moved


async def rename_fields(db: Database, store: Collection[Any], names: Mapping[str, str]) -> int:
    """Give fields of stored documents their new names, in batches; how many documents had an old one."""
    older: dict[str, Any] = {"$or": [{name: {"$exists": True}} for name in names]}
    return await update_each(db, store, older, {"$rename": dict(names)})


async def update_each(db: Database, store: Collection[Any], older: Mapping[str, Any], update: Any) -> int:
    """Update the stored documents of an older form, in batches; how many there were."""
    changed = 0
    async for rows in store.batches(db, older, size=BATCH, fields=("_id",), scan=True):
        query = {**older, "_id": {"$in": [row["_id"] for row in rows]}}
        answer = await db.write({"update": store.name, "updates": [{"q": query, "u": update, "multi": True}]})
        changed += int(answer["nModified"])
    return changed
