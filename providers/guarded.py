"""Senders behind a circuit breaker and a token bucket, whichever port they implement."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, ParamSpec

from core import clock
from core.circuit_breaker import CircuitBreaker
from core.ports import RateReached, Sent
from core.security.limits import Limits, Rate

P = ParamSpec("P")

LONGEST_WAIT = 3.0
"""Seconds that a message waits for its turn before its sender is told to come again."""


class Guarded(Generic[P]):
    """A sender that asks its provider no faster than agreed, and not while most calls fail."""

    def __init__(
        self,
        provider: object,
        send: Callable[P, Awaitable[Sent]],
        limits: Limits,
        rate: Rate | None,
        breaker: CircuitBreaker | None,
    ) -> None:
        self.provider = provider
        self._send, self._limits, self._rate, self._breaker = send, limits, rate, breaker

    async def send(self, *args: P.args, **kwargs: P.kwargs) -> Sent:
        await self._turn()
        if self._breaker is None:
            return await self._send(*args, **kwargs)
        async with self._breaker.call():
            return await self._send(*args, **kwargs)

    async def _turn(self) -> None:
        if self._rate is None:
            return
        until = clock.timestamp() + LONGEST_WAIT
        while not (verdict := await self._limits.take(self._rate, "all")).allowed:
            if clock.timestamp() + verdict.retry_after > until:
                raise RateReached(f"{self._rate.name} takes no more messages for the moment.")
            await asyncio.sleep(verdict.retry_after)


def rates(written: str) -> dict[str, Rate]:
    """Messages a second by provider, `twilio=100,fcm=2000`; ValueError."""
    found = {}
    for part in filter(None, written.split(",")):
        name, _, count = part.strip().partition("=")
        if not count.isdigit() or int(count) == 0:
            raise ValueError("Write it as twilio=100,fcm=2000: messages a second.")
        found[name] = Rate(f"provider:{name}", int(count), 1)
    return found
