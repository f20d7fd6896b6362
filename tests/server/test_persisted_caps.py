"""Persisted documents are no free store: only sound ones are kept, so much of them, and it is paid for."""

from typing import Any

import pytest

from core import clock
from core.context import Services
from core.settings import Settings
from server import documents
from server.documents import KEPT_SECONDS, KEY, LAST_USES, LOOK_UP, PERSISTED, SIZES, Documents, digest
from tests.phone import Phone, key, make_user, sign_in_directly
from tests.server.conftest import Configured, free


def extensions(query: str) -> dict[str, Any]:
    return {"persistedQuery": {"version": 1, "sha256Hash": digest(query)}}


def sound(length: int = 0) -> str:
    return f"query Q{key()} {{ __typename }} #{'x' * length}"


@pytest.fixture
async def store(frail: Services) -> Documents:
    """With a Redis of its own, whose store is empty."""
    return Documents(frail.db, frail.redis, Settings())


async def kept(services: Services) -> tuple[list[str], int]:
    """The ids that are kept, oldest first, and their bytes by the count that is kept of them."""
    found = [str(each, "utf-8") for each in await services.redis.zrange(LAST_USES, 0, -1)]
    return found, int(await services.redis.hget(SIZES, "total") or 0)


@pytest.mark.parametrize(
    "query",
    [
        "query Q { nobodysField #%s }",
        "query Q { viewer { user #%s",
        "{ a: __typename b: viewer #%s }",
        "query Q($n: Nobody) { __typename } #%s",
        "not a document #%s",
    ],
)
async def test_an_unsound_document_is_not_kept(anonymous: Phone, services: Services, query: str) -> None:
    """300 of them, 98 KB each, were kept for 30 days."""
    query = query % key()
    answer = await anonymous.post({"query": query, "extensions": extensions(query)})
    assert answer.code in ("BAD_USER_INPUT", "UNAUTHENTICATED")
    assert await services.redis.exists(KEY + digest(query)) == 0
    again = await anonymous.post({"extensions": extensions(query)})
    assert again.code == "PERSISTED_QUERY_NOT_FOUND"


async def test_a_sound_one_is_kept_for_thirty_days(anonymous: Phone, services: Services) -> None:
    query = sound()
    await anonymous.post({"query": query, "extensions": extensions(query)})
    left = await services.redis.ttl(KEY + digest(query))
    assert KEPT_SECONDS - 10 <= left <= KEPT_SECONDS
    assert (await anonymous.post({"extensions": extensions(query)})).data == {"__typename": "Query"}


async def test_reading_a_new_document_is_paid_by_its_length(anonymous: Phone, services: Services) -> None:
    remaining = []
    for length in (0, 200_000, 0):
        query = sound(length)
        body = {"query": query, "extensions": {**extensions(query), "cost": True}}
        cost = (await anonymous.post(body)).body["extensions"]["cost"]
        assert cost["requested"] == 0
        remaining.append(cost["remaining"])
    # A tenth of its letters, less what comes back in the meantime.
    assert remaining[0] - remaining[1] > 10_000


async def test_one_address_has_so_much_kept_and_no_more(store: Documents, frail: Services) -> None:
    large = [sound(99_000) for _ in range(12)]
    for query in large:
        await store.persist(query, extensions(query), "192.0.2.7")
    found, total = await kept(frail)
    assert len(found) == PERSISTED.count // 99_040 == 10
    assert total == sum(len(query) for query in large[:10])
    other = sound(99_000)
    await store.persist(other, extensions(other), "192.0.2.8")
    assert digest(other) in (await kept(frail))[0]


async def test_the_whole_has_a_cap_and_what_was_unused_for_longest_goes(
    store: Documents, frail: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(documents, "MOST_BYTES", 2_000)
    queries = [sound(400) for _ in range(4)]
    for at, query in enumerate(queries):
        await store.persist(query, extensions(query), "192.0.2.7")
        await frail.redis.zadd(LAST_USES, {digest(query): clock.timestamp() - 1_000 + at})
    # The first is used again, by another process.
    other = Documents(frail.db, frail.redis, Settings())
    assert await other.text(None, extensions(queries[0]), free) == queries[0]
    last = sound(400)
    await store.persist(last, extensions(last), "192.0.2.7")
    found, total = await kept(frail)
    assert set(found) == {digest(query) for query in (queries[0], queries[2], queries[3], last)}
    assert total == sum(len(query) for query in (queries[0], queries[2], queries[3], last)) <= 2_000
    assert await frail.redis.exists(KEY + digest(queries[1])) == 0


async def test_so_many_documents_are_kept_and_no_more(
    store: Documents, frail: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(documents, "MOST_DOCUMENTS", 3)
    queries = [sound() for _ in range(5)]
    for at, query in enumerate(queries):
        await store.persist(query, extensions(query), "192.0.2.7")
        await frail.redis.zadd(LAST_USES, {digest(query): clock.timestamp() - 1_000 + at})
    found, total = await kept(frail)
    assert found == [digest(query) for query in queries[2:]]
    assert total == sum(map(len, queries[2:]))
    # Kept again it counts once.
    again = Documents(frail.db, frail.redis, Settings())
    await again.persist(queries[4], extensions(queries[4]), "192.0.2.7")
    assert await kept(frail) == (found, total)


async def test_looking_for_documents_is_paid_and_ends_with_the_budget(
    configured: Configured, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Hashes of nothing had us read Redis for nothing, as often as one liked."""
    looked = []
    from_redis = Documents._from_redis

    async def noted(self: Documents, id: str) -> str | None:
        looked.append(id)
        return await from_redis(self, id)

    monkeypatch.setattr(Documents, "_from_redis", noted)
    budget = 300
    async with configured(cost_per_minute=budget) as phone:
        await sign_in_directly(services, phone, await make_user(services, "Ada"))
        # What this process remembers is not looked for.
        query = sound()
        await phone.post({"query": query, "extensions": extensions(query)})
        assert (await phone.post({"extensions": extensions(query)})).data == {"__typename": "Query"}
        assert looked == []
        codes = []
        while codes[-1:] != ["RATE_LIMITED"]:
            codes.append((await phone.post({"extensions": extensions(key())})).code)
            assert len(codes) < 300
        assert set(codes[:-1]) == {"PERSISTED_QUERY_NOT_FOUND"}
        # What was taken in advance and is not enough for one is lost.
        assert len(looked) == len(codes) - 1 >= budget // (2 * LOOK_UP)
