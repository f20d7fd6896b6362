"""Administration of the queue, for operators, and its part in the deletion of a person's data."""

from collections.abc import Sequence
from typing import Any

import orjson

from core import clock
from core.jobs.enqueueing import Job, queue
from core.jobs.lanes import EVERY
from core.storage.mongo import Database

MOST_COUNTED = 10_000
BATCH = 500


async def sizes(db: Database) -> tuple[int, int]:
    """Number of jobs that are due, and number of dead letters; up to 10,000 of each."""
    queries: Sequence[dict[str, Any]] = (
        {"state": "WAITING", "lane": {"$in": EVERY}, "due_at": {"$lte": clock.now()}},
        {"state": "DEAD"},
    )
    limits = {"limit": MOST_COUNTED, "maxTimeMS": 1_000}
    due, given_up = [await db.command({"count": queue.name, "query": each, **limits}) for each in queries]
    return int(due["n"]), int(given_up["n"])


async def dead_letters(db: Database, *, limit: int = 100) -> list[Job]:
    return await queue.find(db, {"state": "DEAD"}, sort=[("created_at", -1)], limit=limit)


async def retry(db: Database, id: str) -> bool:
    """Retry a dead letter."""
    change = {"state": "WAITING", "due_at": clock.now(), "attempts": 0, "expires_at": None}
    answer = await queue.update_one(db, {"_id": id, "state": "DEAD"}, {"$set": change})
    return bool(answer["n"])


async def forget(db: Database, *, person: str, address: str) -> None:
    """Delete the jobs that name a deleted person: dead letters, and all that would write to their address."""
    async for rows in queue.batches(db, {}, size=BATCH, scan=True):
        theirs = [row["_id"] for row in rows if _names(row, person, address)]
        if theirs:
            await queue.delete_all(db, {"_id": {"$in": theirs}})


def _names(job: Job, person: str, address: str) -> bool:
    told = orjson.dumps([job["arguments"], job["key"]], default=str).decode()
    to_them = bool(address) and orjson.dumps(address).decode() in told
    return to_them or (job["state"] == "DEAD" and person in told)
