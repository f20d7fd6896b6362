"""Runs errands and periodic tasks: inside `landfall dev`, or as many `landfall worker`s as needed.

The queue (taskiq over Redis Streams) only wakes workers; what is to be done is in MongoDB and is claimed
there, so a lost queue loses no errand.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
from pymongo.errors import PyMongoError
from redis.exceptions import RedisError
from taskiq.api import run_receiver_task
from taskiq_redis import RedisStreamBroker

from core import jobs
from core.context import Services

logger = structlog.get_logger(__name__)

SWEEP_SECONDS = 1.0
RUN_ERRANDS = "errands.run"


def make_broker(services: Services) -> RedisStreamBroker:
    """The queue, with the one task that looks for errands."""
    broker = RedisStreamBroker(services.settings.redis_url, queue_name="landfall:jobs", maxlen=10_000)

    @broker.task(task_name=RUN_ERRANDS)
    async def run_errands() -> None:
        await jobs.run_due(services)

    return broker


@asynccontextmanager
async def waking(services: Services) -> AsyncIterator[RedisStreamBroker]:
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
            asyncio.create_task(_receive(broker), name="errand-receiver"),
        ]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


async def _receive(broker: RedisStreamBroker) -> None:
    while True:
        try:
            await run_receiver_task(broker, run_startup=False)
        except (RedisError, OSError) as error:
            logger.warning("queue lost", error=type(error).__name__)
        await asyncio.sleep(SWEEP_SECONDS)


async def _sweeps(services: Services) -> None:
    while True:
        try:
            await jobs.run_periodic(services)
            await jobs.run_due(services)
        except PyMongoError as error:
            logger.warning("errands not swept", error=type(error).__name__)
        await asyncio.sleep(SWEEP_SECONDS)
