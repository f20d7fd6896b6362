"""Worker: runs jobs and enqueues periodic tasks, in `landfall dev` or as many `landfall worker`s as needed.

What is to be done is in MongoDB and is claimed there. The bus only wakes workers: a signal that is lost
delays a job until the next sweep and loses none.
"""

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from functools import partial

import structlog
from pymongo.errors import PyMongoError

from core import cancellation, jobs
from core.context import Services
from core.errors import TimedOut
from core.jobs import Lane, lanes
from core.sync.changes import Entry
from core.sync.listeners import Listener, Signal

logger = structlog.get_logger(__name__)

END_SECONDS = 2.0
"""Seconds to wait for tasks that were cancelled; they give back what they had begun."""
SWEEP_SECONDS = 1.0
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
        pool = Pool(services)
        loops = [
            asyncio.create_task(pool.sweep(wake_ups), name="job-sweeps"),
            asyncio.create_task(pool.sweep_periodic(), name="job-periodic"),
        ]
        try:
            yield
        finally:
            await cancellation.end(loops, seconds=END_SECONDS)


class Pool:
    """The places of this worker, each of which runs one job at a time of its lanes."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._running: dict[int, asyncio.Task[int]] = {}
        self._found = jobs.Found()

    def start(self, wanted: Collection[Lane] = lanes.EVERY) -> None:
        """Let idle places look for work in these lanes: a film takes minutes, others go on with the rest."""
        for place in lanes.places_for(wanted, self._running):
            look = jobs.run_due(self._services, lanes.PLACES[place], more_due=self.start, found=self._found)
            running = self._running[place] = asyncio.create_task(look, name="job-place")
            running.add_done_callback(partial(self._ended, place))

    def _ended(self, place: int, _: asyncio.Task[int]) -> None:
        del self._running[place]

    async def sweep(self, wake_ups: WakeUps) -> None:
        try:
            while True:
                self.start()
                await wake_ups.wait(SWEEP_SECONDS)
        finally:
            running = list(self._running.values())
            for each in running:
                each.cancel()
            await asyncio.gather(*running, return_exceptions=True)

    async def sweep_periodic(self) -> None:
        while True:
            try:
                if await jobs.enqueue_periodic(self._services.db):
                    self.start()
            except (PyMongoError, TimedOut) as error:
                logger.warning("jobs not swept", error=type(error).__name__)
            await asyncio.sleep(SWEEP_SECONDS)
