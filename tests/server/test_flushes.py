"""Admission control: a process runs a bounded number of flushes; others are shed before any work."""

import asyncio
import gc
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import aiohttp
import pytest

from core.context import Context, Services, Viewer
from core.errors import Busy
from core.settings import Settings
from core.storage.unit import Unit
from server import flushes, lifespan, process
from server.flushes import Flushes
from server.graphql import GraphQLView
from tests.engine.flushes import Act, codes, document, flush
from tests.engine.steps import Hold
from tests.engine.test_idempotency import receipt
from tests.phone import Phone, key, make_user, sign_in_directly

COST = 50_000


@pytest.fixture
async def small(settings: Settings, http: aiohttp.ClientSession) -> AsyncIterator[tuple[Services, str]]:
    """A Landfall that runs one flush, and lets one wait."""
    own = settings.model_copy(
        update={
            "max_flushes": 1,
            "max_waiting_flushes": 1,
            "cost_per_minute": COST,
            "redis_url": settings.redis_url,
        }
    )
    async with lifespan.services(own) as services, process.listening(services) as port:
        yield services, f"http://127.0.0.1:{port}/graphql"


async def phone_of(small: tuple[Services, str], http: aiohttp.ClientSession) -> Phone:
    services, url = small
    return await sign_in_directly(services, Phone(http, url), await make_user(services, "Ada"))


def posts(count: int = 2) -> list[Act]:
    return [Act("createPost", {"text": key()}, "post { id }") for _ in range(count)]


@contextmanager
def held(monkeypatch: pytest.MonkeyPatch, phone: Phone) -> Iterator[Hold]:
    """Transactions of this phone's posts wait for the event before they commit."""
    insert, release = Unit.insert, Hold()

    async def inserted(self: Unit, store: Any, row: Any) -> Any:
        found = await insert(self, store, row)
        if store.name == "posts" and row["author_id"] == phone.user_id:
            await release.wait()
        return found

    with monkeypatch.context() as patched:
        patched.setattr(Unit, "insert", inserted)
        yield release
        release.set()


async def until(condition: Any) -> None:
    for _ in range(200):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("It did not come to that.")


async def test_more_flushes_than_a_process_runs_are_sent_away_and_come_back(
    small: tuple[Services, str], http: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    services, _ = small
    ada, ben, cleo = [await phone_of(small, http) for _ in range(3)]
    acts = {phone.user_id: posts() for phone in (ada, ben, cleo)}
    with held(monkeypatch, ada) as release:
        running = asyncio.create_task(flush(ada, acts[ada.user_id]))
        await release.reached.wait()
        waiting = asyncio.create_task(flush(ben, acts[ben.user_id]))
        await asyncio.sleep(0.2)
        refused = await flush(cleo, acts[cleo.user_id])
        assert refused.status == 503
        [error] = refused.errors
        wait = error["extensions"]["retryAfterSeconds"]
        assert (error["extensions"]["code"], refused.headers["Retry-After"]) == ("UNAVAILABLE", str(wait))
        assert 1 <= wait <= 10
        assert "data" not in refused.body
        # Neither receipts nor budget: nothing of it was taken.
        assert [await receipt(services, cleo, act.key) for act in acts[cleo.user_id]] == [None, None]
        assert "RateLimit" not in refused.headers
        # What is light goes through beside them.
        assert (await cleo.run("{ viewer { user { name } } }"))["viewer"]["user"]["name"] == "Ada"
        assert codes(await flush(cleo, posts(1))) == [None]
        release.set()
        assert [codes(await each) for each in (running, waiting)] == [[None, None], [None, None]]
    assert codes(await flush(cleo, acts[cleo.user_id])) == [None, None]


@pytest.mark.parametrize("accept", ["application/json", "application/graphql-response+json"])
async def test_it_is_a_503_in_both_media_types(
    small: tuple[Services, str], http: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch, accept: str
) -> None:
    monkeypatch.setattr(flushes, "PATIENCE", 0.1)
    ada, ben = [await phone_of(small, http) for _ in range(2)]
    query, variables = document(posts())
    with held(monkeypatch, ada) as release:
        running = asyncio.create_task(flush(ada, posts()))
        await release.reached.wait()
        # It waits for its turn, in vain.
        answer = await ben.post({"query": query, "variables": variables}, Accept=accept)
        release.set()
        await running
    assert (answer.status, answer.code, int(answer.headers["Retry-After"]) >= 1) == (503, "UNAVAILABLE", True)
    assert answer.headers["Content-Type"].startswith(accept)


async def test_an_array_of_mutations_is_one_flush(
    small: tuple[Services, str], http: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flushes, "PATIENCE", 0.1)
    ada, ben = [await phone_of(small, http) for _ in range(2)]
    single = [dict(zip(("query", "variables"), document([act]), strict=True)) for act in posts()]
    read = {"query": "{ viewer { user { name } } }"}
    with held(monkeypatch, ada) as release:
        running = asyncio.create_task(ada.post(single))
        await release.reached.wait()
        refused = await ben.post([read, *single])
        only_reads = await ben.post([read, read])
        release.set()
        landed = await running
    assert (refused.status, refused.code) == (503, "UNAVAILABLE")
    assert [each["data"]["viewer"]["user"]["name"] for each in only_reads.body] == ["Ada", "Ada"]
    assert [each["data"]["m0"]["errors"] for each in landed.body] == [[], []]
    again = await ben.post([read, *single])
    assert [each["data"]["m0"]["errors"] for each in again.body[1:]] == [[], []]


async def test_a_flush_over_a_socket_is_told_so(
    small: tuple[Services, str], http: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flushes, "PATIENCE", 0.1)
    ada, ben = [await phone_of(small, http) for _ in range(2)]
    query, variables = document(posts())
    message = {"type": "subscribe", "payload": {"query": query, "variables": variables}}
    async with ben.socket() as socket:
        with held(monkeypatch, ada) as release:
            running = asyncio.create_task(flush(ada, posts()))
            await release.reached.wait()
            await socket.send({"id": "1", **message})
            told = await socket.receive()
            release.set()
            await running
        assert told["type"] == "error"
        assert told["payload"][0]["extensions"]["code"] == "UNAVAILABLE"
        assert told["payload"][0]["extensions"]["retryAfterSeconds"] >= 1
        await socket.send({"id": "2", **message})
        data = (await socket.receive())["payload"]["data"]
        assert [payload["errors"] for payload in data.values()] == [[], []]
    # The slot of a socket's flush is free again.
    assert codes(await flush(ada, posts())) == [None, None]


async def test_slots_are_given_back_whatever_becomes_of_a_flush(
    small: tuple[Services, str], http: aiohttp.ClientSession
) -> None:
    ada = await phone_of(small, http)
    query, variables = document(posts())
    bad = [
        {"query": query, "variables": {}},
        {"query": query.replace("createPost", "createNothing"), "variables": variables},
        {"query": query, "variables": {**variables, "m1": None}},
    ]
    for body in bad * 2:
        assert (await ada.post(body)).errors
    anonymous = Phone(http, ada.url)
    assert (await flush(anonymous, posts())).code == "UNAUTHENTICATED"
    assert codes(await flush(ada, posts())) == [None, None]


def somebody(services: Services) -> Context:
    """Caller with an identity of its own."""
    return Context(services, address=key())


async def test_one_person_does_not_take_all_turns(services: Services) -> None:
    """Eight parallel loops of one phone sent every flush of the others away."""
    admits = Flushes(3, 3)
    viewer = Viewer("user_greedy", "session", "device")
    greedy = [Context(services, viewer=viewer) for _ in range(3)]
    for ctx in greedy[:2]:
        await admits.admit(ctx, 2)
    with pytest.raises(Busy):
        await admits.admit(greedy[2], 2)
    other = somebody(services)
    await asyncio.wait_for(admits.admit(other, 2), 1)
    greedy[0].end_flush()
    await asyncio.wait_for(admits.admit(greedy[2], 2), 1)
    for ctx in (*greedy, other):
        ctx.end_flush()
    assert (admits._free, dict(admits._by_caller)) == (3, {})


async def test_turns_come_in_order_and_are_never_lost(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flushes, "PATIENCE", 0.2)
    admits = Flushes(1, 3)

    async def admitted() -> Context:
        ctx = somebody(services)
        await admits.admit(ctx, 2)
        return ctx

    first = await admitted()
    second, third, fourth = [asyncio.create_task(admitted()) for _ in range(3)]
    await asyncio.sleep(0)
    with pytest.raises(Busy):
        await admitted()
    # One that gives up leaves its place.
    third.cancel()
    await asyncio.sleep(0)
    first.end_flush()
    first.end_flush()
    ctx = await second
    assert not fourth.done()
    # Whoever is cancelled in the moment of its turn hands it on.
    ctx.end_flush()
    fourth.cancel()
    await asyncio.gather(fourth, return_exceptions=True)
    last = await admitted()
    with pytest.raises(Busy):
        await admitted()
    # Nobody ended it, but nobody has it any more either.
    del last
    gc.collect()
    assert await admitted()


async def test_those_sent_away_are_told_different_moments(services: Services) -> None:
    admits = Flushes(2, 0)
    held_slots = [somebody(services) for _ in range(2)]
    for ctx in held_slots:
        await admits.admit(ctx, 50)
    waits = []
    for _ in range(10):
        with pytest.raises(Busy) as raised:
            await admits.admit(somebody(services), 50)
        waits.append(raised.value.retry_after_seconds)
    # Two at once, two seconds each until more is known.
    assert waits == list(range(1, 11))
    assert all(ctx.flush.slot for ctx in held_slots)


async def test_those_who_come_again_and_again_keep_nobody_away_for_long(services: Services) -> None:
    """Each refusal moved the next one on: after an hour's worth of them a phone was to wait for an hour."""
    admits, held_slots = Flushes(2, 0), [somebody(services) for _ in range(2)]
    for ctx in held_slots:
        await admits.admit(ctx, 50)
    waits = []
    for _ in range(3_600):
        with pytest.raises(Busy) as raised:
            await admits.admit(somebody(services), 50)
        waits.append(raised.value.retry_after_seconds)
    assert max(waits) <= flushes.LONGEST_AWAY
    # Every second of that minute was told to as many.
    told = Counter(waits).values()
    assert (len(told), min(told) >= 50) == (60, True), told
    assert all(ctx.flush.slot for ctx in held_slots)


@pytest.mark.parametrize("executor", ["compiled", "reference"])
async def test_a_phone_that_does_not_read_its_answer_keeps_no_slot(
    services: Services, anonymous: Phone, executor: str
) -> None:
    """A socket takes the answer when the phone reads: until then nobody else's flush could begin."""
    settings = services.settings.model_copy(update={"executor": executor, "max_flushes": 1})
    view = GraphQLView(replace(services, settings=settings), lifespan.make_schema(settings))
    phone = await sign_in_directly(services, anonymous, await make_user(services, "Ada"))
    viewer = Viewer(phone.user_id, phone.session_id, phone.device_id)
    query, variables = document(posts())
    answers = await view.operations.stream(query, variables, Context(services, viewer=viewer))
    first = await anext(answers)
    assert [payload["errors"] for payload in first.data.values()] == [[], []]
    # It is not asked for more yet.
    other = Context(services)
    await asyncio.wait_for(view.admission._flushes.admit(other, 2), 1)
    await answers.aclose()
