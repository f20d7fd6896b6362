"""GCRA rate limiter: a burst after a pause, then the steady rate."""

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import timedelta
from types import SimpleNamespace

import pytest
from redis.asyncio import Redis

from core import clock
from core.context import Services
from core.security.limits import Limits, Rate
from devstack.servers import EmbeddedRedis
from resolvers.feed import posts
from server.lifespan import redis_client
from tests.conftest import NewPhone
from tests.phone import key


@pytest.fixture
async def own_redis(redis_server: EmbeddedRedis, services: Services) -> AsyncIterator[Redis]:
    client = redis_client(services.settings.model_copy(update={"redis_url": redis_server.url}))
    yield client
    await client.aclose()


async def test_a_burst_then_the_steady_rate(services: Services) -> None:
    limits, rate, subject = services.limits, Rate("test", 5, 10), key()
    verdicts = [await limits.take(rate, subject) for _ in range(6)]
    assert [verdict.allowed for verdict in verdicts] == [True] * 5 + [False]
    assert [verdict.remaining for verdict in verdicts[:5]] == [4, 3, 2, 1, 0]
    assert (verdicts[5].retry_after, verdicts[5].remaining) == (2, 0)
    # One more every two seconds, and no more than that.
    for _ in range(3):
        clock.shift(timedelta(seconds=2))
        assert (await limits.take(rate, subject)).allowed
        assert not (await limits.take(rate, subject)).allowed
    clock.shift(timedelta(seconds=10))
    assert [(await limits.take(rate, subject)).allowed for _ in range(6)] == [True] * 5 + [False]


async def test_a_refused_request_costs_nothing(services: Services) -> None:
    limits, rate, subject = services.limits, Rate("test", 1, 2), key()
    assert (await limits.take(rate, subject)).allowed
    for _ in range(20):
        assert not (await limits.take(rate, subject)).allowed
    clock.shift(timedelta(seconds=2))
    assert (await limits.take(rate, subject)).allowed


async def test_several_at_once_count_as_several(services: Services) -> None:
    limits, rate, subject = services.limits, Rate("test", 5, 60), key()
    assert (await limits.take(rate, subject, count=4)).remaining == 1
    assert not (await limits.take(rate, subject, count=2)).allowed
    assert [(await limits.take(rate, subject)).allowed for _ in range(2)] == [True, False]


async def test_what_is_used_up_is_remembered_until_it_is_whole_again(services: Services) -> None:
    """Redis forgets by its own clock, which tests do not move."""
    rate, subject = Rate("test", 2, 60), key()
    for _ in range(2):
        await services.limits.take(rate, subject)
    assert await services.redis.pttl(f"rate:test:{subject}") > 30_000


async def test_subjects_and_rates_do_not_mix(services: Services) -> None:
    one, other = key(), key()
    assert (await services.limits.take(Rate("test-a", 1, 60), one)).allowed
    assert (await services.limits.take(Rate("test-a", 1, 60), other)).allowed
    assert (await services.limits.take(Rate("test-b", 1, 60), one)).allowed
    assert not (await services.limits.take(Rate("test-a", 1, 60), one)).allowed


async def test_headers_and_refusal(new_phone: NewPhone, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(posts, "POST_RATE", Rate("posts-few", 2, 60))
    ada = await new_phone("Ada")
    document = """mutation($input: CreatePostInput!) { createPost(input: $input) {
      errors { code retryable retryAfterSeconds } post { id } } }"""
    answers = [await ada.ask(document, input={"idempotencyKey": key(), "text": "Hello"}) for _ in range(3)]
    assert [answer.status for answer in answers] == [200, 200, 200]
    assert [answer.headers["RateLimit"] for answer in answers] == [
        '"posts-few";r=1;t=30',
        '"posts-few";r=0;t=60',
        '"posts-few";r=0;t=60',
    ]
    assert {answer.headers["RateLimit-Policy"] for answer in answers} == {'"posts-few";q=2;w=60'}
    assert [answer.headers.get("Retry-After") for answer in answers] == [None, None, "30"]
    assert answers[2].data["createPost"] == {
        "errors": [{"code": "RATE_LIMITED", "retryable": True, "retryAfterSeconds": 30}],
        "post": None,
    }


async def test_what_is_not_limited_has_no_headers(new_phone: NewPhone) -> None:
    ada = await new_phone("Ada")
    answer = await ada.ask("{ viewer { user { id } } }")
    assert answer.data == {"viewer": {"user": {"id": ada.user_id}}}
    assert "RateLimit" not in answer.headers


async def test_without_redis_each_process_limits_for_itself(
    own_redis: Redis, redis_server: EmbeddedRedis
) -> None:
    limits, rate, subject = Limits(own_redis), Rate("test", 3, 60), key()
    assert (await limits.take(rate, subject)).remaining == 2
    redis_server.kill()
    verdicts = [await limits.take(rate, subject) for _ in range(4)]
    assert [verdict.allowed for verdict in verdicts] == [True, True, True, False]
    assert verdicts[3].retry_after == 20
    redis_server.start()
    assert (await limits.take(rate, subject)).remaining == 2


async def test_one_script_serves_many_at_once(services: Services) -> None:
    rate, subject = Rate("test", 10, 60), key()
    verdicts = await asyncio.gather(*(services.limits.take(rate, subject) for _ in range(40)))
    assert sum(verdict.allowed for verdict in verdicts) == 10


async def test_servers_whose_clocks_are_apart_agree(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One a day ahead must neither let everybody in again nor shut the others' people out."""
    rate, subject = Rate("test", 3, 60), key()
    true = time.time
    verdicts = []
    for ahead in (0, 86_400, -86_400, 0):
        apart = SimpleNamespace(time=lambda ahead=ahead: true() + ahead)
        monkeypatch.setattr(clock, "time", apart)
        verdicts.append(await services.limits.take(rate, subject))
    assert [verdict.allowed for verdict in verdicts] == [True, True, True, False]
    assert verdicts[3].retry_after <= 20


async def test_a_clock_that_goes_back_locks_nobody_out(own_redis: Redis, redis_server: EmbeddedRedis) -> None:
    """As when a replica takes over whose clock is behind: what was used up is forgotten, not kept longer."""
    limits, rate = Limits(own_redis), Rate("test", 2, 60)
    for subject in (key(), key()):
        clock.shift(timedelta(hours=1))
        assert [(await limits.take(rate, subject)).allowed for _ in range(3)] == [True, True, False]
        clock.shift(timedelta(hours=-1))
        assert [(await limits.take(rate, subject)).allowed for _ in range(3)] == [True, True, False]
        redis_server.kill()
