"""Account deletions, and the systems that have yet to confirm that they erased their part."""

from datetime import datetime, timedelta
from typing import Literal, NotRequired, TypedDict

from core import leases
from core.storage.mongo import Database
from core.storage.store import Sealed, collection, index


class Deletion(TypedDict):
    """Deletion of an account, `_id` is the user's; keeps the keys to their data until all is erased."""

    _id: str
    email: NotRequired[str]
    """Sealed."""
    device_ids: NotRequired[list[str]]
    state: Literal["ERASING", "DONE"]
    pending: list[str]
    attempts: int
    next_at: datetime
    created_at: datetime
    done_at: datetime | None


KEPT = timedelta(days=400)

deletions = collection(
    "deletions",
    Deletion,
    indexes=[
        index("state", "next_at"),
        index("created_at", expireAfterSeconds=int(KEPT.total_seconds())),
    ],
    sealed=[Sealed("email", "deletions/{_id}")],
)


async def claim_deletion(db: Database, now: datetime, until: datetime) -> Deletion | None:
    """Claim the most overdue deletion for this worker; two workers never both win one."""
    taken, _ = await leases.take(db, deletions, {"state": "ERASING"}, "next_at", now=now, until=until)
    return taken


async def confirm_deletion(db: Database, user_id: str, system: str) -> None:
    await deletions.update_one(db, {"_id": user_id}, {"$pull": {"pending": system}})


async def finish_deletion(db: Database, user_id: str, now: datetime) -> None:
    """Complete the deletion, if every system has confirmed."""
    query = {"_id": user_id, "pending": {"$size": 0}}
    change = {"$set": {"state": "DONE", "done_at": now}, "$unset": {"email": "", "device_ids": ""}}
    await deletions.update_one(db, query, change)


async def retry_deletion(db: Database, user_id: str, at: datetime) -> None:
    await deletions.update_one(db, {"_id": user_id}, {"$set": {"next_at": at}})
