"""Runs errands and periodic tasks: inside `landfall dev`, or as many `landfall worker`s as needed.

The queue (taskiq over Redis pub/sub) only wakes workers; what is to be done is in MongoDB and is claimed
there, so a lost message loses no errand. It keeps nothing, and so has nothing to lock, acknowledge or trim.
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from contextlib import asynccontextmanager

import structlog
from pymongo.errors import PyMongoError
from redis.exceptions import RedisError
from taskiq.api import run_receiver_task
from taskiq_redis import PubSubBroker

from core import jobs
from core.context import Services
from server.interrupts import stop_if_cancelled

logger = structlog.get_logger(__name__)

END_SECONDS = 1.0
"""Seconds to wait for tasks that were cancelled."""
SWEEP_SECONDS = 1.0
MOST_SWEEPS = 4
RUN_ERRANDS = "errands.run"


class Wakes(PubSubBroker):
    """Tells every worker; one that cannot listen for the moment has its sweeps."""

    async def listen(self) -> AsyncGenerator[bytes, None]:
        while True:
            try:
                async with contextlib.aclosing(super().listen()) as messages:
                    async for message in messages:
                        yield message
            except (RedisError, OSError) as error:
                logger.warning("queue lost", error=type(error).__name__)
            stop_if_cancelled()
            await asyncio.sleep(SWEEP_SECONDS)


def make_broker(services: Services) -> Wakes:
    """The queue, with the one task that looks for errands."""
    broker = Wakes(services.settings.redis_url, queue_name="landfall:jobs")

    @broker.task(task_name=RUN_ERRANDS)
    async def run_errands() -> None:
        await jobs.run_due(services)

    return broker


@asynccontextmanager
async def waking(services: Services) -> AsyncIterator[Wakes]:
    """Lets committed units of work wake a worker."""
    broker = make_broker(services)
    with contextlib.suppress(RedisError, OSError):
        await broker.startup()
    kicks: set[asyncio.Task[None]] = set()

    async def kick() -> None:
        # Without the queue the next sweep finds the errand.
        with contextlib.suppress(RedisError, OSError):
            await broker.find_task(RUN_ERRANDS).kiq()  # type: ignore[union-attr]

    def wake() -> None:
        task = asyncio.create_task(kick())
        kicks.add(task)
        task.add_done_callback(kicks.discard)

    before, services.wake = services.wake, wake
    try:
        yield broker
    finally:
        services.wake = before
        for task in kicks:
            task.cancel()
        await asyncio.gather(*kicks, return_exceptions=True)
        with contextlib.suppress(RedisError, OSError):
            await broker.shutdown()


@asynccontextmanager
async def working(services: Services) -> AsyncIterator[None]:
    """A worker in this process."""
    async with waking(services) as broker:
        tasks = [
            asyncio.create_task(_sweeps(services), name="errand-sweeps"),
            asyncio.create_task(run_receiver_task(broker), name="errand-receiver"),
        ]
        try:
            yield
        finally:
            await _end(tasks)


async def _end(tasks: Iterable[asyncio.Task[None]]) -> None:
    """Cancel until they end; one whose cancellation was swallowed ends when its connection is closed."""
    pending = set(tasks)
    deadline = asyncio.get_running_loop().time() + END_SECONDS
    while pending and asyncio.get_running_loop().time() < deadline:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=0.1)


async def _sweeps(services: Services) -> None:
    """A film takes minutes: until it is done, others go on with what is due."""
    running: set[asyncio.Task[int]] = set()
    try:
        while True:
            try:
                await jobs.run_periodic(services)
            except PyMongoError as error:
                logger.warning("errands not swept", error=type(error).__name__)
            if len(running) < MOST_SWEEPS:
                sweep = asyncio.create_task(jobs.run_due(services), name="errand-sweep")
                running.add(sweep)
                sweep.add_done_callback(running.discard)
            await asyncio.sleep(SWEEP_SECONDS)
    finally:
        for sweep in running:
            sweep.cancel()
        await asyncio.gather(*running, return_exceptions=True)
