"""Data migrations: what was stored in an older form is brought up to date, once per database.

Each runs when a process starts and the database has yet to see it. Several processes may do so concurrently,
and a process may end in the middle: a migration changes what it finds in its older form, in transactions, and
leaves the rest alone. It is written down as done when it came to its end.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import TypedDict

import structlog

from core import clock
from core.mongo import Database
from core.store import collection

logger = structlog.get_logger(__name__)

Migration = Callable[[Database], Awaitable[int]]
"""Brings a database up to date; how many documents it changed."""

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
        update = {"q": {"_id": name}, "u": {"$set": {"at": clock.now()}}, "upsert": True}
        await db.write({"update": applied.name, "updates": [update]})
        (logger.info if changed else logger.debug)("migrated", migration=name, changed=changed)
