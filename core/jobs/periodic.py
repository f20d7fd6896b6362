"""Periodic tasks: a turn that has come enqueues a job, once over all workers."""

from datetime import datetime
from typing import TypedDict

from core import clock
from core.jobs import tasks
from core.jobs.enqueueing import enqueue, keyed_id, queue
from core.jobs.tasks import Periodic
from core.storage import transactions
from core.storage.mongo import Database
from core.storage.store import collection
from core.storage.unit import Unit

KEY = "periodic"


class Turn(TypedDict):
    """When a periodic task is next due, over all workers."""

    _id: str
    next_at: datetime


turns = collection("schedules", Turn)


async def enqueue_periodic(db: Database) -> int:
    """Enqueue the periodic tasks that are due; how many there were."""
    names = [each.task for each in tasks.PERIODIC]
    next_at = {turn["_id"]: turn["next_at"] for turn in await turns.by_ids(db, names)}
    now = clock.now()
    due = [each for each in tasks.PERIODIC if each.task not in next_at or next_at[each.task] <= now]
    return sum([await _take_turn(db, each) for each in due])


async def _take_turn(db: Database, periodic: Periodic) -> bool:
    """Take the turn with its job in one transaction; of two workers at once, the later finds it taken."""

    async def take(tx: Unit) -> bool:
        turn = await turns.by_id(tx.db, periodic.task)
        due_at = periodic.schedule.first(tx.now) if turn is None else turn["next_at"]
        is_due = due_at <= tx.now
        next_at = periodic.schedule.following(tx.now) if is_due else due_at
        await turns.update_one(tx.db, {"_id": periodic.task}, {"$set": {"next_at": next_at}}, upsert=True)
        if is_due and not await _pending(tx.db, periodic.task):
            await enqueue(tx, periodic.task, key=KEY)
        return is_due

    taken, _ = await transactions.run(db, take)
    return taken


async def _pending(db: Database, task: str) -> bool:
    """True while the job of the turn before goes on, or is tried again: this turn passes."""
    job = await queue.by_id(db, keyed_id(task, KEY))
    return job is not None and job["state"] == "WAITING"
