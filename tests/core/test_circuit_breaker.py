"""The circuit breaker: it opens, tries again with one call, and closes."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from core import clock
from core.circuit_breaker import CircuitBreaker
from core.ports import CircuitOpen, FailureCode, Permanent, Retryable


@pytest.fixture(autouse=True)
def _still() -> Iterator[None]:
    clock.stop()
    yield
    clock.reset()


async def call(breaker: CircuitBreaker, problem: Exception | None = None) -> None:
    async with breaker.call():
        if problem is not None:
            raise problem


async def fail(breaker: CircuitBreaker, times: int = 1) -> None:
    for _ in range(times):
        with pytest.raises(Retryable, match="down"):
            await call(breaker, Retryable("down"))


async def opened() -> CircuitBreaker:
    breaker = CircuitBreaker("test")
    for _ in range(10):
        await call(breaker)
    await fail(breaker, 10)
    return breaker


async def test_it_opens_when_half_of_twenty_calls_failed_within_a_minute() -> None:
    breaker = await opened()
    with pytest.raises(CircuitOpen):
        await call(breaker)


async def test_fewer_calls_or_failures_leave_it_closed() -> None:
    few, seldom = CircuitBreaker("few"), CircuitBreaker("seldom")
    await fail(few, 19)
    await call(CircuitBreaker("other"))
    for _ in range(11):
        await call(seldom)
    await fail(seldom, 9)
    await call(seldom)


async def test_calls_of_more_than_a_minute_ago_do_not_count() -> None:
    breaker = CircuitBreaker("slow")
    await fail(breaker, 19)
    clock.shift(timedelta(seconds=60))
    await fail(breaker, 19)
    await call(breaker)


async def test_after_thirty_seconds_one_call_tries_and_closes_it() -> None:
    breaker = await opened()
    clock.shift(timedelta(seconds=29))
    with pytest.raises(CircuitOpen):
        await call(breaker)
    clock.shift(timedelta(seconds=1))
    async with breaker.call():
        with pytest.raises(CircuitOpen):
            await call(breaker)
    await fail(breaker)
    await call(breaker)


async def test_a_try_that_fails_opens_it_for_another_thirty_seconds() -> None:
    breaker = await opened()
    clock.shift(timedelta(seconds=30))
    await fail(breaker)
    clock.shift(timedelta(seconds=29))
    with pytest.raises(CircuitOpen):
        await call(breaker)
    clock.shift(timedelta(seconds=1))
    await call(breaker)


async def test_a_message_refused_for_good_is_no_trouble_of_the_provider() -> None:
    breaker = CircuitBreaker("strict")
    for _ in range(30):
        with pytest.raises(Permanent):
            await call(breaker, Permanent(FailureCode.LANDLINE, "a landline"))
    await call(breaker)
