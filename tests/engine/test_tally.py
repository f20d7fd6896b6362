"""Sliding-window counter, with Redis and without."""

from datetime import timedelta

import pytest
from redis.exceptions import ConnectionError

from core import clock
from core.context import Services
from core.security.sliding_window import SlidingWindowCounter
from tests.phone import key

WINDOW = timedelta(minutes=15)


@pytest.fixture(params=["redis", "no redis"])
def window_counter(
    request: pytest.FixtureRequest, services: Services, monkeypatch: pytest.MonkeyPatch
) -> SlidingWindowCounter:
    made = SlidingWindowCounter(services.redis)
    if request.param == "no redis":

        async def down(**_: object) -> None:
            raise ConnectionError

        monkeypatch.setattr(made, "_script", down)
    return made


async def test_what_is_too_old_no_longer_counts(window_counter: SlidingWindowCounter) -> None:
    name = key()
    started = clock.timestamp()
    assert (await window_counter.lately(name, within=WINDOW)).number == 0
    assert (await window_counter.add(name, "a", within=WINDOW)).number == 1
    clock.shift(timedelta(minutes=10))
    second = await window_counter.add(name, "b", within=WINDOW)
    assert second.number == 2
    assert (round(second.first - started), round(second.last - started)) == (0, 600)
    clock.shift(timedelta(minutes=6))
    left = await window_counter.lately(name, within=WINDOW)
    assert left.number == 1
    assert left.first == left.last == second.last


async def test_the_same_member_counts_once(window_counter: SlidingWindowCounter) -> None:
    name = key()
    for _ in range(3):
        assert (await window_counter.add(name, "a", within=WINDOW)).number == 1


async def test_one_is_taken_back_or_all(window_counter: SlidingWindowCounter) -> None:
    name = key()
    for member in "abc":
        await window_counter.add(name, member, within=WINDOW)
    await window_counter.remove(name, "b")
    assert (await window_counter.lately(name, within=WINDOW)).number == 2
    await window_counter.clear(name)
    assert (await window_counter.lately(name, within=WINDOW)).number == 0


async def test_memory_is_bounded_without_redis(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    window_counter = SlidingWindowCounter(services.redis)
    monkeypatch.setattr("core.security.sliding_window.FORGET_AFTER", 5)
    for number in range(20):
        window_counter._in_process(f"k{number}", "m", 1_000.0, 60)
    assert list(window_counter._here) == [f"k{number}" for number in range(15, 20)]
