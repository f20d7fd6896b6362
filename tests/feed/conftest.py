"""Fixtures of the feed's tests: another ranking model, a Redis that is away, a count of round trips."""

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
from redis.asyncio import Redis
from redis.asyncio.connection import AbstractConnection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from core.context import Services
from core.redis_batches import RedisBatches
from ports.feed import Ranker
from resolvers.feed.background import KeyedTasks
from resolvers.feed.ranking import Ranking
from resolvers.feed.snapshots import Snapshots
from tests.conftest import BACKGROUND


@pytest.fixture(autouse=True)
async def _nothing_behind(services: Services) -> AsyncIterator[None]:
    """Finish a test's background tasks before the next begins."""
    yield
    await services.get(KeyedTasks).done()


@pytest.fixture
async def no_posts(services: Services) -> None:
    """Posts of other tests are out of the way: they would be suggested."""
    for name in ("posts", "sponsorships"):
        await services.db.write({"delete": name, "deletes": [{"q": {}, "limit": 0}]})


@pytest.fixture
def ranked_by(services: Services) -> Iterator[Callable[[Ranker], None]]:
    """Puts another model in place."""
    before = services.extra[Ranking]

    def put(ranker: Ranker) -> None:
        services.extra[Ranking] = Ranking(ranker)

    yield put
    services.extra[Ranking] = before


@pytest.fixture
async def without_redis(services: Services) -> AsyncIterator[None]:
    """Snapshots go to a Redis that is away."""
    before = services.extra[Snapshots]
    nowhere = Redis(host="127.0.0.1", port=1, retry=Retry(NoBackoff(), 0))
    services.extra[Snapshots] = Snapshots(nowhere, RedisBatches(nowhere))
    yield
    services.extra[Snapshots] = before
    await nowhere.aclose()


@pytest.fixture
def trips(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every round trip to Redis that a caller waits for: a pipeline is one."""
    sent: list[str] = []
    real = AbstractConnection.send_packed_command

    async def counted(self: Any, command: Any, check_health: bool = True) -> None:
        if not BACKGROUND.get():
            sent.append(repr(command)[:80])
        await real(self, command, check_health)

    monkeypatch.setattr(AbstractConnection, "send_packed_command", counted)
    return sent
