"""Commands of one turn share a round trip to Redis; a caller that fails or gives up takes nothing along."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from redis.asyncio import Redis
from redis.asyncio.client import Pipeline
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from core.redis_batches import RedisBatches
from core.settings import Settings


@pytest.fixture
def trips(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Number of commands of each pipeline."""
    sizes: list[int] = []
    execute = Pipeline.execute

    async def counted(self: Any, *given: Any) -> Any:
        sizes.append(len(self.command_stack))
        return await execute(self, *given)

    monkeypatch.setattr(Pipeline, "execute", counted)
    return sizes


@pytest.fixture
async def redis(settings: Settings) -> AsyncIterator[Redis]:
    client = Redis.from_url(settings.redis_url)
    yield client
    await client.aclose()


async def test_commands_of_one_turn_share_a_round_trip(redis: Redis, trips: list[int]) -> None:
    batches = RedisBatches(redis)
    await asyncio.gather(*(batches.send(("SET", f"batch:{each}", each)) for each in range(20)))
    assert trips == [20]
    assert await redis.mget([f"batch:{each}" for each in range(20)]) == [b"%d" % each for each in range(20)]


async def test_what_comes_while_a_batch_is_away_goes_with_the_next(redis: Redis, trips: list[int]) -> None:
    batches = RedisBatches(redis)
    first = asyncio.create_task(batches.send(("INCR", "batch:turns")))
    await asyncio.wait([first], timeout=0)
    await asyncio.sleep(0)
    assert (trips, first.done()) == ([1], False)
    await asyncio.gather(first, *(batches.send(("INCR", "batch:turns")) for _ in range(5)))
    assert trips == [1, 5]
    assert await redis.getdel("batch:turns") == b"6"


async def test_who_gives_up_waiting_takes_nothing_from_the_others(redis: Redis) -> None:
    batches = RedisBatches(redis)
    hasty, patient = (asyncio.create_task(batches.send(("INCR", "batch:patience"))) for _ in range(2))
    await asyncio.sleep(0)
    hasty.cancel()
    await patient
    assert hasty.cancelled()
    assert await redis.getdel("batch:patience") == b"2"


async def test_without_redis_every_sender_hears_of_it_and_the_next_batch_is_tried() -> None:
    nowhere = Redis(host="127.0.0.1", port=1, retry=Retry(NoBackoff(), 0))
    batches = RedisBatches(nowhere)
    for _ in range(2):
        lost = await asyncio.gather(
            *(batches.send(("INCR", "batch:lost")) for _ in range(3)), return_exceptions=True
        )
        assert [isinstance(each, (RedisError, OSError)) for each in lost] == [True] * 3
    await batches.stop()
    await nowhere.aclose()
