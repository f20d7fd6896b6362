"""Execution of jobs: claimed by a lease, retried by the task's plan, given up as dead letters."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Coroutine, Sequence
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import structlog
from pymongo.errors import PyMongoError

from core import clock, leases, outages
from core.context import Services
from core.jobs.enqueueing import LEASE, Job, queue
from core.jobs.lanes import EVERY, Lane
from core.jobs.tasks import TASKS, Task, plan_of
from core.storage.mongo import Database
from core.storage.unit import Unit

logger = structlog.get_logger(__name__)

END_SECONDS = 0.8
"""Time to release a job in, when its worker is stopped."""
FOUND_SECONDS = 0.05
"""Time for which jobs that were found due are tried before the queue is looked at again."""
KEPT = timedelta(days=30)
"""Dead letters are kept this long."""

MoreDue = Callable[[Collection[Lane]], None]
"""Told of the lanes in which other jobs are due beside the one that was claimed."""


@dataclass(slots=True)
class Run:
    """A job that is being performed."""

    job: Job
    ended: bool = False
    """True once a transaction has ended it."""


RUN: ContextVar[Run | None] = ContextVar("run", default=None)


class WorkerDied(RuntimeError):
    """A worker took a job, and its lease ran out."""


class Found:
    """Jobs that one look found due behind the one it claimed: other places of a worker need not look as well.

    They are good for a moment, since what comes meanwhile may be more urgent.
    """

    def __init__(self) -> None:
        self.jobs: list[Job] = []
        self._until = 0.0

    def note(self, jobs: list[Job]) -> None:
        self.jobs, self._until = jobs, asyncio.get_running_loop().time() + FOUND_SECONDS

    def next(self, lanes: Sequence[Lane]) -> Job | None:
        """The first of these lanes, which nobody gets again."""
        if asyncio.get_running_loop().time() > self._until:
            return None
        job = next((each for each in self.jobs if each["lane"] in lanes), None)
        if job is not None:
            self.jobs.remove(job)
        return job


async def claim(
    db: Database, lanes: Sequence[Lane] = EVERY, found: Found | None = None
) -> tuple[Job | None, list[Job]]:
    """Claim the most overdue job of the highest lane, ours until its lease ends, and nobody else's.

    Beside it some of those that are due behind it.
    """
    now, found = clock.now(), found or Found()
    where = {"state": "WAITING", "lane": {"$in": lanes}}
    lease: dict[str, Any] = {"now": now, "until": now + LEASE}
    while (row := found.next(lanes)) is not None:
        if (job := await leases.take_one(db, queue, where, "due_at", row, **lease)) is not None:
            return job, found.jobs
    job, behind = await leases.take(db, queue, where, "due_at", order=("lane",), **lease)
    found.note(behind)
    return job, behind


async def run_due(
    services: Services,
    lanes: Sequence[Lane] = EVERY,
    *,
    limit: int = 1_000,
    more_due: MoreDue | None = None,
    found: Found | None = None,
) -> int:
    """Run the jobs of these lanes that are due; return the number that were claimed."""
    for done in range(limit):
        try:
            job, behind = await claim(services.db, lanes, found)
        except PyMongoError as error:
            logger.warning("jobs not claimed", error=type(error).__name__)
            return done
        if job is None:
            return done
        if behind and more_due is not None:
            more_due({each["lane"] for each in behind})
        await perform(services, job)
    return limit


async def perform(services: Services, job: Job, work: Callable[[], Awaitable[object]] | None = None) -> None:
    """Run a claimed job; retry a failure by the task's plan, then move it to the dead-letter queue.

    `work` is done in place of the task, by who has at hand what that would read.
    """
    if job["attempts"] > plan_of(job["task"]).attempts:
        # Every worker that took it died of it: the next one shall not.
        await _failed(services, job, WorkerDied())
        return
    run = Run(job)
    outside = RUN.set(run)
    try:
        async with _held(services.db, job):
            await (work() if work is not None else TASKS[job["task"]](services, **job["arguments"]))
    except asyncio.CancelledError:
        # The worker is told to stop: another takes it at once, and the attempt does not count.
        await _to_the_end(_given_back(services.db, job))
        raise
    except Exception as error:
        outages.log(logger, "job failed", error, task=job["task"], job=job["_id"], attempt=job["attempts"])
        await _failed(services, job, error)
    else:
        if not run.ended:
            await queue.delete_one(services.db, _named(job))
    finally:
        RUN.reset(outside)


def end(tx: Unit) -> None:
    """End the job that is running with the transaction that does its last work; without one, nothing.

    Otherwise it ends after its task, by a command of its own.
    """
    run = RUN.get()
    if run is None:
        return

    async def ended() -> None:
        run.ended = True

    tx.late.delete(queue, _named(run.job))
    tx.after_commit(ended)


@asynccontextmanager
async def _held(db: Database, job: Job) -> AsyncIterator[None]:
    """Renew the lease for as long as the work goes on: a film takes many minutes, and most jobs none."""
    seconds = LEASE.total_seconds() / 3
    renewing: list[asyncio.Task[None]] = []

    async def renew() -> None:
        while True:
            change = {"$set": {"due_at": clock.now() + LEASE}}
            with contextlib.suppress(PyMongoError):
                await queue.update_one(db, _still_ours(job), change)
            await asyncio.sleep(seconds)

    def begin() -> None:
        renewing.append(asyncio.create_task(renew(), name="job-lease"))

    beginning = asyncio.get_running_loop().call_later(seconds, begin)
    try:
        yield
    finally:
        beginning.cancel()
        for each in renewing:
            each.cancel()
            await asyncio.wait([each])


async def _failed(services: Services, job: Job, error: Exception) -> None:
    now, plan = clock.now(), plan_of(job["task"])
    retries = plan.retries
    change: dict[str, Any] = {"error": type(error).__name__}
    if job["attempts"] > len(retries):
        if plan.given_up is not None and not await _told(services, job, plan.given_up):
            return
        change |= {"state": "DEAD", "expires_at": now + KEPT}
        logger.error("job given up", task=job["task"], job=job["_id"], error=type(error).__name__)
    else:
        change["due_at"] = now + retries[job["attempts"] - 1]
    await queue.update_one(services.db, _still_ours(job), {"$set": change})


async def _told(services: Services, job: Job, given_up: Task) -> bool:
    """Tell who waits for a job that it is given up; False if that failed: a later claim tries it again."""
    try:
        await given_up(services, **job["arguments"])
    except Exception as error:
        outages.log(logger, "job not given up", error, task=job["task"], job=job["_id"])
        return False
    return True


async def _given_back(db: Database, job: Job) -> None:
    change = {"$set": {"due_at": clock.now()}, "$inc": {"attempts": -1}}
    await queue.update_one(db, _still_ours(job), change)


def _still_ours(job: Job) -> dict[str, Any]:
    """Filter of a claimed job, unless its lease ran out and another has it, or its key was taken."""
    return {**_named(job), "state": "WAITING", "attempts": job["attempts"]}


def _named(job: Job) -> dict[str, str]:
    """Filter of a job, and of none that took its key meanwhile."""
    return {"_id": job["_id"], "token": job["token"]}


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
