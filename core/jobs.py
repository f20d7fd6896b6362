"""Job queue: background work enqueued in the transaction that wants it, so that none is lost.

A worker claims what is due with one atomic update; a wake-up over the bus only makes that sooner. Jobs run
at least once, so every task is idempotent. One that keeps failing goes to the dead-letter queue.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, TypedDict

import orjson
import structlog
from pymongo.errors import DuplicateKeyError, PyMongoError

from core import clock, ids, leases, outages
from core.context import Services
from core.storage.migrations import migration, move_collection
from core.storage.mongo import Database
from core.storage.store import collection, index
from core.storage.unit import Unit

logger = structlog.get_logger(__name__)

LEASE = timedelta(seconds=60)
"""A worker that has not renewed it for so long is taken to have died."""
ATTEMPTS = 5
FIRST_RETRY_SECONDS = 2.0
MOST_COUNTED = 10_000
END_SECONDS = 0.8
"""Time to release a job in, when its worker is stopped."""
BATCH = 500
KEPT = timedelta(days=30)
"""Dead letters are kept this long."""

Task = Callable[..., Awaitable[object]]


class WorkerDied(RuntimeError):
    """A worker took a job, and its lease ran out."""


class Job(TypedDict):
    _id: str
    task: str
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
        index("state", "due_at"),
        index("expires_at", expireAfterSeconds=0, partialFilterExpression={"expires_at": {"$type": "date"}}),
    ],
)


@migration("core.jobs")
async def _from_former_name(db: Database) -> int:
    """Bring the jobs that wait in the collection's former name."""
    return await move_collection(db, "errands", queue)


@dataclass(frozen=True, slots=True)
class Periodic:
    task: str
    every: timedelta


TASKS: dict[str, Task] = {}
PERIODIC: list[Periodic] = []


def task(name: str, *, every: timedelta | None = None) -> Callable[[Task], Task]:
    """Register a task, `system.verb`; with `every`, also run it so often, once over all workers."""

    def register(function: Task) -> Task:
        if name in TASKS:
            raise ValueError(f"Two tasks are named {name!r}.")
        TASKS[name] = function
        if every is not None:
            PERIODIC.append(Periodic(name, every))
        return function

    return register


async def enqueue(tx: Unit, name: str, *, due_at: datetime | None = None, **arguments: Any) -> None:
    """Enqueue a job with the transaction: it runs after the commit, or at `due_at`."""
    job = _written(name, due_at, arguments)
    tx.insert_last(queue, job)
    # One for later is found by a worker's sweep when its time has come.
    if job["due_at"] <= job["created_at"]:
        tx.jobs += 1


async def enqueue_now(db: Database, name: str, **arguments: Any) -> None:
    """Enqueue a job outside any transaction: periodic tasks share out their work so."""
    await db.write({"insert": queue.name, "documents": [_written(name, None, arguments)]})


def _written(name: str, due_at: datetime | None, arguments: dict[str, Any]) -> Job:
    now = clock.now()
    return {
        "_id": ids.new_id("job"),
        "task": name,
        "arguments": arguments,
        "state": "WAITING",
        "due_at": due_at or now,
        "attempts": 0,
        "error": None,
        "created_at": now,
        "expires_at": None,
    }


async def claim(db: Database) -> Job | None:
    """Claim the most overdue job, ours until its lease ends; two workers never both win one."""
    now = clock.now()
    return await leases.take(db, queue, {"state": "WAITING"}, "due_at", now=now, until=now + LEASE)


async def run_due(services: Services, *, limit: int = 1_000) -> int:
    """Run the jobs that are due; return the number that were claimed."""
    for done in range(limit):
        try:
            job = await claim(services.db)
        except PyMongoError as error:
            logger.warning("jobs not claimed", error=type(error).__name__)
            return done
        if job is None:
            return done
        await perform(services, job)
    return limit


async def perform(services: Services, job: Job) -> None:
    """Run a claimed job; retry a failure with exponential backoff, then move it to the dead-letter queue."""
    if job["attempts"] > ATTEMPTS:
        # Every worker that took it died of it: the next one shall not.
        await _failed(services.db, job, WorkerDied())
        return
    try:
        async with _held(services.db, job):
            await TASKS[job["task"]](services, **job["arguments"])
    except asyncio.CancelledError:
        # The worker is told to stop: another takes it at once, and the attempt does not count.
        await _to_the_end(_given_back(services.db, job))
        raise
    except Exception as error:
        outages.log(logger, "job failed", error, task=job["task"], job=job["_id"], attempt=job["attempts"])
        await _failed(services.db, job, error)
    else:
        await queue.delete_one(services.db, {"_id": job["_id"]})


@asynccontextmanager
async def _held(db: Database, job: Job) -> AsyncIterator[None]:
    """Renew the lease for as long as the work goes on: a film takes many minutes."""

    async def renew() -> None:
        while True:
            await asyncio.sleep(LEASE.total_seconds() / 3)
            change = {"$set": {"due_at": clock.now() + LEASE}}
            query = {"_id": job["_id"], "state": "WAITING", "attempts": job["attempts"]}
            with contextlib.suppress(PyMongoError):
                await queue.update_one(db, query, change)

    renewing = asyncio.create_task(renew(), name="job-lease")
    try:
        yield
    finally:
        renewing.cancel()
        await asyncio.wait([renewing])


async def _failed(db: Database, job: Job, error: Exception) -> None:
    now = clock.now()
    wait = timedelta(seconds=FIRST_RETRY_SECONDS * 3 ** (job["attempts"] - 1))
    change: dict[str, Any] = {"due_at": now + wait, "error": type(error).__name__}
    if job["attempts"] >= ATTEMPTS:
        change |= {"state": "DEAD", "expires_at": now + KEPT}
        logger.error("job given up", task=job["task"], job=job["_id"], error=type(error).__name__)
    await queue.update_one(db, {"_id": job["_id"]}, {"$set": change})


async def _given_back(db: Database, job: Job) -> None:
    query = {"_id": job["_id"], "state": "WAITING", "attempts": job["attempts"]}
    change = {"$set": {"due_at": clock.now()}, "$inc": {"attempts": -1}}
    await queue.update_one(db, query, change)


async def _to_the_end(work: Coroutine[Any, Any, None]) -> None:
    """Do it although this task is cancelled, perhaps again meanwhile; for so long and no longer."""
    ending = asyncio.create_task(work, name="job-end")
    loop = asyncio.get_running_loop()
    until = loop.time() + END_SECONDS
    while not ending.done() and loop.time() < until:
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.wait([ending], timeout=until - loop.time())
    if not ending.done():
        ending.cancel()
    elif not ending.cancelled() and (error := ending.exception()) is not None:
        # Its lease expires.
        logger.warning("job not given back", error=type(error).__name__)


async def sizes(db: Database) -> tuple[int, int]:
    """Number of jobs that are due, and number of dead letters; up to 10,000 of each."""
    queries: Sequence[dict[str, Any]] = (
        {"state": "WAITING", "due_at": {"$lte": clock.now()}},
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
    told = orjson.dumps(job["arguments"], default=str).decode()
    to_them = bool(address) and orjson.dumps(address).decode() in told
    return to_them or (job["state"] == "DEAD" and person in told)


class Schedule(TypedDict):
    """When a periodic task is next due, over all workers."""

    _id: str
    next_at: datetime


schedules = collection("schedules", Schedule)


async def run_periodic(services: Services) -> None:
    """Run the periodic tasks that are due and that no other worker took."""
    for periodic in PERIODIC:
        if await _take_turn(services.db, periodic):
            try:
                await TASKS[periodic.task](services)
            except asyncio.CancelledError:
                await _to_the_end(_turn_given_back(services.db, periodic))
                raise
            except Exception as error:
                # The others have their turn all the same; this one has its next.
                outages.log(logger, "periodic task failed", error, task=periodic.task)


async def _turn_given_back(db: Database, periodic: Periodic) -> None:
    await schedules.update_one(db, {"_id": periodic.task}, {"$set": {"next_at": clock.now()}})


async def _take_turn(db: Database, periodic: Periodic) -> bool:
    now = clock.now()
    due = {"_id": periodic.task, "next_at": {"$lte": now}}
    try:
        await schedules.update_one(db, due, {"$set": {"next_at": now + periodic.every}}, upsert=True)
    except DuplicateKeyError:
        # It exists and is not due: another worker has this turn.
        return False
    return True
