"""Wake-up of the sequencer: one job for all that a process committed within a tenth of a second.

A job per append would be a write more in every transaction, and a document that those of one chain contend
for. What a process that dies did not tell of is found by the periodic run of the same task.
"""

import asyncio
from collections.abc import AsyncIterator

import structlog
from pymongo.errors import PyMongoError

from core import cancellation, jobs
from core.context import Context, Services
from core.errors import TimedOut
from core.services import service
from core.storage import transactions
from core.storage.unit import Unit

logger = structlog.get_logger(__name__)

TASK = "audit.sequence"
KEY = "appended"
GATHERED_SECONDS = 0.1


class Wakes:
    """Wake-ups of this process, gathered."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._appended = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._follow(), name="audit-wakes")

    async def stop(self) -> None:
        await cancellation.end([self._task])

    async def note(self) -> None:
        """Note that entries were committed."""
        self._appended.set()

    async def _follow(self) -> None:
        while True:
            await self._appended.wait()
            await asyncio.sleep(GATHERED_SECONDS)
            self._appended.clear()
            try:
                await transactions.run(self._services.db, _enqueue)
                self._services.wake()
            except (PyMongoError, TimedOut) as error:
                logger.warning("sequencer not woken", error=type(error).__name__)


@service
async def wakes(services: Services) -> AsyncIterator[Wakes]:
    made = Wakes(services)
    made.start()
    try:
        yield made
    finally:
        await made.stop()


def wake(ctx: Context) -> None:
    """Wake the sequencer once the unit of work has committed."""
    ctx.tx.after_commit(ctx.services.get(Wakes).note)


async def _enqueue(tx: Unit) -> None:
    await jobs.enqueue(tx, TASK, key=KEY)
