"""Feed snapshots: ranked feeds kept in Redis for five minutes, so that paging is stable.

Everything here may vanish at any time: then a feed is ranked anew, and paging goes on with older posts.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, cast

import orjson
from redis.asyncio import Redis
from redis.exceptions import RedisError

from core import clock
from core.context import Context
from core.ids import new_id
from core.redis_batches import RedisBatches
from stores.feed import FeedReason

LOST = (RedisError, OSError)
"""Errors by which Redis counts as unavailable."""

PATIENCE = 2.0
"""Timeout of Redis in seconds: a feed without it is better than none."""
KEPT = timedelta(minutes=5)
STALE_SECONDS = 600
CHOSEN_KEPT = timedelta(minutes=20)
SIZE = 500
ACTIVE = "feed:active"
"""Sorted set of people by the second at which they last looked at their feed."""

# The newest snapshot of a person and what made older ones stale, in one round trip.
CURRENT = """
local id = redis.call('GET', KEYS[1])
return {id and redis.call('GET', KEYS[3] .. id), redis.call('GET', KEYS[2])}
"""


class Item(NamedTuple):
    """One item of a ranked feed."""

    post_id: str
    author_id: str
    reason: str
    score: float
    created: int
    """Creation time of the post, in milliseconds."""

    @property
    def why(self) -> FeedReason:
        return FeedReason(self.reason)

    @property
    def created_at(self) -> datetime:
        return datetime.fromtimestamp(self.created / 1000, UTC)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Ranked feed of a person at one moment."""

    id: str
    generated_at: datetime
    items: Sequence[Item]
    variant: str | None = None
    degraded: bool = False
    whole: bool = False
    """True if the snapshot holds everything: nothing older follows."""
    mark: str | None = None
    """Latest invalidation mark known when it was built."""

    @property
    def age(self) -> timedelta:
        return clock.now() - self.generated_at

    def lowest(self, position: int) -> datetime | None:
        """Creation time of the oldest post down to this item."""
        return min((item.created_at for item in self.items[: position + 1]), default=None)


class Snapshots:
    """Snapshots in Redis, by person and id."""

    def __init__(self, redis: "Redis", batches: RedisBatches) -> None:
        self._redis = redis
        self._batches = batches
        self._current = redis.register_script(CURRENT)

    async def current(self, user_id: str) -> tuple[Snapshot | None, str | None]:
        """Newest snapshot, and the latest invalidation mark."""
        keys = [_newest(user_id), _stale(user_id), _named(user_id, "")]
        run = cast("Callable[..., Awaitable[list[bytes | None]]]", self._current)
        async with asyncio.timeout(PATIENCE):
            body, mark = await run(keys=keys)
        return _opened(body), mark.decode() if mark else None

    async def named(self, user_id: str, id: str) -> Snapshot | None:
        async with asyncio.timeout(PATIENCE):
            return _opened(await self._redis.get(_named(user_id, id)))

    async def keep(self, user_id: str, snapshot: Snapshot) -> None:
        pipeline = self._redis.pipeline(transaction=False)
        pipeline.set(_named(user_id, snapshot.id), _closed(snapshot), ex=KEPT)
        pipeline.set(_newest(user_id), snapshot.id, ex=KEPT)
        pipeline.zadd(ACTIVE, {user_id: clock.timestamp()})
        async with asyncio.timeout(PATIENCE):
            await pipeline.execute()

    async def choose(self, user_id: str, posts: Sequence[str], paid: Sequence[str]) -> None:
        """Store the posts of strangers and the sponsored ones chosen for this person."""
        await self._redis.set(_chosen(user_id), orjson.dumps([list(posts), list(paid)]), ex=CHOSEN_KEPT)

    async def chosen(self, user_id: str) -> tuple[Sequence[str], Sequence[str]] | None:
        async with asyncio.timeout(PATIENCE):
            body = await self._redis.get(_chosen(user_id))
        return tuple(orjson.loads(body)) if body is not None else None

    async def active(self, since: datetime) -> list[str]:
        """Ids of people who looked at their feed since then; older entries are evicted."""
        pipeline = self._redis.pipeline(transaction=False)
        pipeline.zremrangebyscore(ACTIVE, 0, since.timestamp())
        pipeline.zrange(ACTIVE, 0, -1)
        _, found = await pipeline.execute()
        return [user_id.decode() for user_id in found]

    async def spoil(self, user_ids: Sequence[str]) -> None:
        """Invalidate all snapshots of these people: their graph or posts changed."""
        # A new mark, not a flag: a feed that is being put together now has missed this change.
        marks = [("SET", _stale(each), new_id("mark"), "EX", STALE_SECONDS) for each in user_ids]
        try:
            async with asyncio.timeout(PATIENCE):
                await self._batches.send(*marks)
        except LOST:
            # With Redis gone nothing is cached.
            return


def _named(user_id: str, id: str) -> str:
    # The braces keep a person's keys together in a cluster.
    return f"feed:snap:{{{user_id}}}:{id}"


def _newest(user_id: str) -> str:
    return f"feed:newest:{{{user_id}}}"


def _stale(user_id: str) -> str:
    return f"feed:stale:{{{user_id}}}"


def _chosen(user_id: str) -> str:
    return f"feed:cand:{{{user_id}}}"


def _closed(snapshot: Snapshot) -> bytes:
    return orjson.dumps(
        [
            snapshot.id,
            round(snapshot.generated_at.timestamp() * 1000),
            snapshot.variant,
            snapshot.degraded,
            snapshot.whole,
            snapshot.mark,
            [tuple(item) for item in snapshot.items],
        ]
    )


def _opened(body: Any) -> Snapshot | None:
    if body is None:
        return None
    id, generated, variant, degraded, whole, mark, items = orjson.loads(body)
    generated_at = datetime.fromtimestamp(generated / 1000, UTC)
    if clock.now() - generated_at > KEPT:
        return None
    return Snapshot(id, generated_at, [Item(*item) for item in items], variant, degraded, whole, mark)


def stale(ctx: Context, *user_ids: str) -> None:
    """Invalidate these people's snapshots after this mutation."""

    async def spoil() -> None:
        await ctx.services.get(Snapshots).spoil(user_ids)

    ctx.tx.after_commit(spoil)
