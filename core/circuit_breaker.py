"""Circuit breaker: a provider most of whose calls fail is left alone for a while, then tried with one call.

Each process has its own: it sees its own calls, needs nobody to learn from, and works while Redis is down.
Libraries that are kept count failures in a row; of those, a provider that fails every other time has none.
"""

from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from prometheus_client import Counter, Gauge

from core import clock
from core.ports import CircuitOpen, Permanent

CALLS, SECONDS, SHARE = 20, 60.0, 0.5
"""It opens when so many calls were made in the last seconds, and this share of them failed."""
RETRY_SECONDS = 30.0

RESULTS = Counter("landfall_provider_calls_total", "Calls of providers by result.", ["provider", "result"])
OPEN = Gauge("landfall_provider_circuit_open", "1 while a provider is left alone.", ["provider"])


class CircuitBreaker:
    """Circuit breaker of one provider; `async with breaker.call():` around each call."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._calls: deque[tuple[float, bool]] = deque()
        self._opened_at: float | None = None
        self._tried_at: float | None = None
        OPEN.labels(name).set(0)

    @asynccontextmanager
    async def call(self) -> AsyncIterator[None]:
        """Let a call through, or raise `CircuitOpen`; a permanent failure is an answer like any other."""
        trial = self._begun()
        try:
            yield
        except Permanent:
            self._ended("refused", trial)
            raise
        except Exception:
            self._ended("failed", trial)
            raise
        except BaseException:
            # Given up by the caller: it tells nothing of the provider, which the next call may try.
            self._tried_at = None if trial else self._tried_at
            raise
        else:
            self._ended("taken", trial)

    def _begun(self) -> bool:
        """True if the call is the one that tries whether the provider is back."""
        if self._opened_at is None:
            return False
        now = clock.timestamp()
        if now < max(self._opened_at, self._tried_at or 0.0) + RETRY_SECONDS:
            RESULTS.labels(self.name, "open").inc()
            raise CircuitOpen(f"{self.name} is left alone: too many calls have failed.")
        self._tried_at = now
        return True

    def _ended(self, result: str, trial: bool) -> None:
        RESULTS.labels(self.name, result).inc()
        now, failed = clock.timestamp(), result == "failed"
        if trial:
            self._opened_at, self._tried_at = now if failed else None, None
            self._calls.clear()
        elif self._opened_at is None:
            self._calls.append((now, failed))
            while self._calls[0][0] <= now - SECONDS:
                self._calls.popleft()
            failures = sum(failed for _, failed in self._calls)
            if len(self._calls) >= CALLS and failures >= SHARE * len(self._calls):
                self._opened_at = now
        OPEN.labels(self.name).set(self._opened_at is not None)
