"""Job queue: background work enqueued in the transaction that wants it, so that none is lost.

    @task("pin.remind", lane=Lane.TIMED, retries=[timedelta(minutes=1), timedelta(hours=1)])
    async def remind(services: Services, *, pin_id: str) -> None: ...

    await jobs.enqueue(ctx.tx, "pin.remind", due_at=pin["due_at"], key=pin["_id"], pin_id=pin["_id"])
    await jobs.cancel(ctx.tx, "pin.remind", key=pin["_id"])

A worker claims what is due with one atomic update; a wake-up over the bus only makes that sooner. Jobs run
at least once, so every task is idempotent. One that keeps failing goes to the dead-letter queue, and its
task's `given_up` tells who waits for it. Business
timers are keyed jobs with a due time, moved and cancelled in the transaction that moves what they are about.
"""

from core.jobs.administration import dead_letters as dead_letters
from core.jobs.administration import forget as forget
from core.jobs.administration import retry as retry
from core.jobs.administration import sizes as sizes
from core.jobs.enqueueing import Job as Job
from core.jobs.enqueueing import cancel as cancel
from core.jobs.enqueueing import enqueue as enqueue
from core.jobs.enqueueing import enqueue_claimed as enqueue_claimed
from core.jobs.enqueueing import enqueue_now as enqueue_now
from core.jobs.enqueueing import queue as queue
from core.jobs.lanes import Lane as Lane
from core.jobs.periodic import enqueue_periodic as enqueue_periodic
from core.jobs.running import Found as Found
from core.jobs.running import claim as claim
from core.jobs.running import end as end
from core.jobs.running import perform as perform
from core.jobs.running import run_due as run_due
from core.jobs.tasks import RETRIES as RETRIES
from core.jobs.tasks import TASKS as TASKS
from core.jobs.tasks import Daily as Daily
from core.jobs.tasks import Every as Every
from core.jobs.tasks import Periodic as Periodic
from core.jobs.tasks import task as task
