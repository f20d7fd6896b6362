"""Rate limits by GCRA: one Redis script; in this process alone while Redis is down."""

import math
from dataclasses import dataclass, field

from redis.asyncio import Redis
from redis.exceptions import RedisError

from core import clock

# Keeps the theoretical arrival time of the next request; answers whether this one (or `count` at once)
# conforms, how long to wait if not, how many more would pass, and how long until the limit is whole again.
# Milliseconds throughout, by Redis's clock: servers whose own are apart must not disagree. Tests move it.
# No arrival is further ahead than the whole limit, so one that is was written before the clock went back (a
# replica took over whose clock is behind): the caller begins anew, and is not locked out until then.
SCRIPT = """
local time, moved = redis.call('TIME'), tonumber(ARGV[1])
local now = tonumber(time[1]) * 1000 + tonumber(time[2]) / 1000 + moved
local interval, burst, count = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local arrival = math.max(tonumber(redis.call('GET', KEYS[1]) or 0), now)
if arrival > now + interval * burst + 1000 then arrival = now end
local allowed_at = arrival + interval * count - interval * burst
if allowed_at > now then
  return {0, allowed_at - now, 0, arrival - now}
end
arrival = arrival + interval * count
redis.call('SET', KEYS[1], string.format('%.3f', arrival), 'PX', math.ceil(arrival - now) + 1000)
return {1, 0, math.floor((now + interval * burst - arrival) / interval), math.ceil(arrival - now)}
"""

FORGET_AFTER = 10_000
"""Keys kept in this process while Redis is down; the oldest is evicted first."""


@dataclass(frozen=True, slots=True)
class Rate:
    """`count` requests per `seconds`, all of them at once if the caller was quiet before."""

    name: str
    count: int
    seconds: float

    @property
    def policy(self) -> str:
        return f'"{self.name}";q={self.count};w={math.ceil(self.seconds)}'


@dataclass(frozen=True, slots=True)
class Verdict:
    rate: Rate
    allowed: bool
    retry_after: int
    remaining: int
    reset_after: int

    @property
    def header(self) -> str:
        return f'"{self.rate.name}";r={self.remaining};t={self.reset_after}'


@dataclass
class Limits:
    redis: "Redis"
    scale: float = 1.0
    """Multiplies every rate: load tests act for many people at once."""
    _arrivals: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._script = self.redis.register_script(SCRIPT)

    async def take(self, rate: Rate, subject: str, *, count: int = 1) -> Verdict:
        """Count one request of `subject` (a user, device or address) against `rate`, or `count` at once."""
        burst = max(1, round(rate.count * self.scale))
        interval = rate.seconds * 1000 / burst
        key = f"rate:{rate.name}:{subject}"
        try:
            moved = f"{clock.moved() * 1000:.3f}"
            answer = await self._script(keys=[key], args=[moved, f"{interval:.6f}", burst, count])
        except (RedisError, OSError):
            answer = self._here(key, clock.timestamp() * 1000, interval, burst, count)
        allowed, wait, remaining, reset = (float(value) for value in answer)
        return Verdict(
            rate, bool(allowed), max(1, math.ceil(wait / 1000)), int(remaining), math.ceil(reset / 1000)
        )

    def _here(self, key: str, now: float, interval: float, burst: int, count: int) -> tuple[float, ...]:
        if len(self._arrivals) > FORGET_AFTER:
            self._arrivals = {key: arrival for key, arrival in self._arrivals.items() if arrival > now}
        arrival = max(self._arrivals.get(key, 0.0), now)
        if arrival > now + interval * burst + 1000:
            arrival = now
        allowed_at = arrival + interval * count - interval * burst
        if allowed_at > now:
            return 0, allowed_at - now, 0, arrival - now
        arrival = self._arrivals[key] = arrival + interval * count
        return 1, 0, (now + interval * burst - arrival) // interval, arrival - now
