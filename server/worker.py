"""Worker: runs jobs and periodic tasks, inside `landfall dev` or as many `landfall worker`s as needed.

What is to be done is in MongoDB and is claimed there. The bus only wakes workers: a signal that is lost
delays a job until the next sweep and loses none.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
from pymongo.errors import PyMongoError

from core import cancellation, jobs
from core.context import Services
from core.sync.changes import Entry
from core.sync.listeners import Listener, Signal

logger = structlog.get_logger(__name__)

END_SECONDS = 2.0
"""Seconds to wait for tasks that were cancelled; they give back what they had begun."""
SWEEP_SECONDS = 1.0
MOST_SWEEPS = 8
SCOPE = "jobs"
"""Bus scope that announces new jobs."""


class WakeUps(Listener):
    """Coalesced wake-ups: however many jobs were announced, one look finds them all."""

    __slots__ = ("_announced",)

    def __init__(self) -> None:
        super().__init__()
        self._announced = False

    def put(self, item: Entry | Signal) -> None:
        self._announced = True

    async def wait(self, seconds: float) -> bool:
        """Wait up to so many seconds; True if jobs were announced since the last call."""
        if not self._announced:
            await self._woken(seconds)
        announced, self._announced = self._announced, False
        return announced


@asynccontextmanager
async def waking(services: Services) -> AsyncIterator[None]:
    """Lets committed units of work wake a worker."""
    before = services.wake
    services.wake = lambda: services.live.signal(SCOPE, {"jobs": True})
    try:
        yield
    finally:
        services.wake = before


@asynccontextmanager
async def working(services: Services) -> AsyncIterator[None]:
    """A worker in this process."""
    async with waking(services), services.live.listening(WakeUps(), [SCOPE]) as wake_ups:
        sweeping = asyncio.create_task(_sweeps(services, wake_ups), name="job-sweeps")
        try:
            yield
        finally:
            await cancellation.end([sweeping], seconds=END_SECONDS)


async def _sweeps(services: Services, wake_ups: WakeUps) -> None:
    """A film takes minutes: until it is done, others go on with what is due."""
    running: set[asyncio.Task[int]] = set()
    announced = False
    try:
        while True:
            if not announced:
                await _run_periodic(services)
            if len(running) < MOST_SWEEPS:
                sweep = asyncio.create_task(jobs.run_due(services), name="job-sweep")
                running.add(sweep)
                sweep.add_done_callback(running.discard)
            announced = await wake_ups.wait(SWEEP_SECONDS)
    finally:
        for sweep in running:
            sweep.cancel()
        await asyncio.gather(*running, return_exceptions=True)


async def _run_periodic(services: Services) -> None:
    try:
        await jobs.run_periodic(services)
    except PyMongoError as error:
        logger.warning("jobs not swept", error=type(error).__name__)
