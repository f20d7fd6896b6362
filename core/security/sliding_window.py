"""Sliding-window counter: exact, in Redis; in this process while Redis is down."""

import time
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import timedelta
from typing import NamedTuple

from redis.asyncio import Redis
from redis.exceptions import RedisError

from core import clock

# Forgets what is too old, adds the member unless it is empty; answers how many, and when last and first.
SCRIPT = """
local now, window, most = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - window)
if ARGV[4] ~= '' then
  redis.call('ZADD', KEYS[1], ARGV[1], ARGV[4])
  redis.call('ZREMRANGEBYRANK', KEYS[1], 0, -most - 1)
  redis.call('PEXPIRE', KEYS[1], math.ceil(window))
end
local latest = redis.call('ZRANGE', KEYS[1], -1, -1, 'WITHSCORES')
local oldest = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
return {redis.call('ZCARD', KEYS[1]), latest[2] or '0', oldest[2] or '0'}
"""

MOST_COUNTED = 1_000
"""Members counted per key; no limit is higher."""
RETRY_SECONDS = 1.0
FORGET_AFTER = 10_000
"""Keys kept in this process while Redis is down; the oldest is evicted first."""


class WindowCount(NamedTuple):
    """Count within the window, and its last and first moment in seconds since the epoch."""

    number: int
    last: float
    first: float


@dataclass
class SlidingWindowCounter:
    """Sliding-window counter: members by key, each counted once, at its last moment."""

    redis: "Redis"
    _here: OrderedDict[str, dict[str, float]] = field(default_factory=OrderedDict)
    _down_until: float = 0.0

    def __post_init__(self) -> None:
        self._script = self.redis.register_script(SCRIPT)

    async def add(self, key: str, member: str, *, within: timedelta) -> WindowCount:
        """Count one more; the same member again moves it to now and counts once."""
        return await self._run(key, member, within)

    async def lately(self, key: str, *, within: timedelta) -> WindowCount:
        return await self._run(key, "", within)

    async def remove(self, key: str, member: str) -> None:
        self._here.get(key, {}).pop(member, None)
        try:
            await self.redis.zrem(_name(key), member)
        except (RedisError, OSError):
            return

    async def clear(self, key: str) -> None:
        self._here.pop(key, None)
        try:
            await self.redis.delete(_name(key))
        except (RedisError, OSError):
            return

    async def _run(self, key: str, member: str, within: timedelta) -> WindowCount:
        now, window = clock.timestamp() * 1000, within.total_seconds() * 1000
        if time.monotonic() < self._down_until:
            return self._in_process(key, member, now / 1000, within.total_seconds())
        try:
            found = await self._script(
                keys=[_name(key)], args=[f"{now:.3f}", f"{window:.0f}", MOST_COUNTED, member]
            )
            return WindowCount(int(found[0]), float(found[1]) / 1000, float(found[2]) / 1000)
        except (RedisError, OSError):
            # Waiting for it on every count would make each request as slow as several time limits.
            self._down_until = time.monotonic() + RETRY_SECONDS
            return self._in_process(key, member, now / 1000, within.total_seconds())

    def _in_process(self, key: str, member: str, now: float, window: float) -> WindowCount:
        times = {each: at for each, at in self._here.get(key, {}).items() if at > now - window}
        if member:
            times[member] = now
            self._here[key] = times
            self._here.move_to_end(key)
            if len(self._here) > FORGET_AFTER:
                self._here.popitem(last=False)
        moments = times.values()
        return WindowCount(len(times), max(moments, default=0.0), min(moments, default=0.0))


def _name(key: str) -> str:
    return f"tally:{key}"
