"""Leases: work that lies in documents, taken by one worker at a time until a moment it renews.

The router of a sharded cluster takes no atomic update without the shard key, so what is due is read first
and won by its key: of several workers who read the same, one wins each.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar, cast

from core.storage.mongo import Database
from core.storage.store import Collection

T = TypeVar("T", bound=Mapping[str, Any])

CANDIDATES = 8
"""Read at once, so that a worker who comes second to one of them tries the next."""


async def take(
    db: Database,
    store: Collection[T],
    where: Mapping[str, Any],
    due: str,
    *,
    now: datetime,
    until: datetime,
    order: Sequence[str] = (),
) -> tuple[T | None, list[T]]:
    """Lease: the most overdue document by its moment `due`, ours until then; None when nothing is due.

    Beside it some of those that are due behind it, with their keys and order alone. It is ordered by the
    fields `order` before the moment.
    """
    query = {**where, due: {"$lte": now}}
    sort = [(field, 1) for field in (*order, due)]
    fields = [*order, due, *filter(None, [store.shard_key])]
    while rows := await store.find(db, query, sort=sort, limit=CANDIDATES, fields=fields):
        for place, row in enumerate(rows, start=1):
            won = await take_one(db, store, where, due, row, now=now, until=until)
            if won is not None:
                return won, rows[place:]
    return None, []


async def take_one(
    db: Database,
    store: Collection[T],
    where: Mapping[str, Any],
    due: str,
    row: T,
    *,
    now: datetime,
    until: datetime,
) -> T | None:
    """Lease of the one document that was read; None when another has it."""
    answer = await db.write(
        {
            "findAndModify": store.name,
            "query": {**where, due: {"$lte": now}, **store.key_of(row)},
            "update": {"$set": {due: until}, "$inc": {"attempts": 1}},
            "new": True,
        }
    )
    return cast("T | None", answer["value"])
