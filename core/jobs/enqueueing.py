"""The queue of jobs: their documents, written by the transaction that wants them."""

from datetime import datetime, timedelta
from typing import Any, Literal, TypedDict

from core import clock, ids
from core.jobs.lanes import Lane
from core.jobs.tasks import plan_of
from core.storage.indexes import retire
from core.storage.migrations import migration, move_collection, update_each
from core.storage.mongo import Database
from core.storage.store import collection, index
from core.storage.unit import Unit

LEASE = timedelta(seconds=60)
"""A worker that has not renewed it for so long is taken to have died."""


class Job(TypedDict):
    _id: str
    """Random, or made of task and key: two transactions that write a key conflict, on any shard."""
    task: str
    lane: Lane
    key: str | None
    token: str
    """Fencing token: a worker ends the job that it claimed, and none that took its key meanwhile."""
    arguments: dict[str, Any]
    state: Literal["WAITING", "DEAD"]
    due_at: datetime
    attempts: int
    error: str | None
    created_at: datetime
    expires_at: datetime | None


queue = collection(
    "jobs",
    Job,
    indexes=[
        index("state", "lane", "due_at"),
        index("expires_at", expireAfterSeconds=0, partialFilterExpression={"expires_at": {"$type": "date"}}),
    ],
)


@migration("core.jobs")
async def _from_former_name(db: Database) -> int:
    """Bring the jobs that wait in the collection's former name."""
    return await move_collection(db, "errands", queue)


@migration("core.job-lanes")
async def _lanes(db: Database) -> int:
    """Put the jobs of the version before lanes into the default one."""
    lacking = [{"$set": {"lane": Lane.DEFAULT, "key": None, "token": "$_id"}}]
    changed = await update_each(db, queue, {"lane": {"$exists": False}}, lacking)
    await retire(db, queue.name, "state", "due_at")
    return changed


async def enqueue(
    tx: Unit,
    name: str,
    *,
    due_at: datetime | None = None,
    key: str | None = None,
    lane: Lane | None = None,
    **arguments: Any,
) -> None:
    """Enqueue a job with the transaction: it runs after the commit, or at `due_at`.

    Of a task there is one pending job for a `key`: this one takes its place. One that a worker has begun
    goes on beside it. `lane` is the task's own unless this job is more urgent, or less.
    """
    job = _written(name, due_at, key, lane, arguments)
    _write(tx, job)
    # One for later is found by a worker's sweep when its time has come.
    if job["due_at"] <= job["created_at"]:
        tx.jobs += 1


async def enqueue_claimed(
    tx: Unit, name: str, *, key: str | None = None, lane: Lane | None = None, **arguments: Any
) -> Job:
    """Enqueue a job that is ours from the beginning: who calls `perform` with it once it is committed.

    It need not be looked for, and what it needs may be at hand. If we die first, another worker claims it
    when its lease has ended.
    """
    job = _written(name, clock.now() + LEASE, key, lane, arguments)
    job["attempts"] = 1
    _write(tx, job)
    return job


def _write(tx: Unit, job: Job) -> None:
    if job["key"] is None:
        tx.late.insert(queue, job)
    else:
        tx.late.replace(queue, job["_id"], job)


async def cancel(tx: Unit, name: str, *, key: str) -> None:
    """Cancel the pending job of a key with the transaction, if there is one."""
    tx.late.replace(queue, keyed_id(name, key), None)


async def enqueue_now(db: Database, name: str, **arguments: Any) -> None:
    """Enqueue a job outside any transaction: periodic tasks share out their work so."""
    job = _written(name, None, None, None, arguments)
    await db.write({"insert": queue.name, "documents": [job]})


def keyed_id(name: str, key: str) -> str:
    return f"{name}:{key}"


def _written(
    name: str, due_at: datetime | None, key: str | None, lane: Lane | None, arguments: dict[str, Any]
) -> Job:
    now, token = clock.now(), ids.new_id("job")
    return {
        "_id": token if key is None else keyed_id(name, key),
        "task": name,
        "lane": plan_of(name).lane if lane is None else lane,
        "key": key,
        "token": token,
        "arguments": arguments,
        "state": "WAITING",
        "due_at": due_at or now,
        "attempts": 0,
        "error": None,
        "created_at": now,
        "expires_at": None,
    }
