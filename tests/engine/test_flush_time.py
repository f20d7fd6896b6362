"""Deadline of a flush: it keeps the answers it has, and replaying it costs little."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import aiohttp
import pytest

from core import ids
from core.context import Context, Services, Viewer
from core.mutations import flush as flushes
from core.settings import Settings
from core.storage.unit import Unit
from server import lifespan, process
from tests.conftest import Commands, NewPhone
from tests.engine.flushes import Act, document, flush, payloads
from tests.phone import Phone, make_user, sign_in_directly

SECONDS = 1.0
"""For an operation, of the Landfall of these tests."""
DEFERRED = {"code": "DEFERRED", "kind": "TRANSIENT", "retryable": True, "retryAfterSeconds": 1}

Slow = Callable[[Unit], Awaitable[None]]


@pytest.fixture(params=["compiled", "reference"])
async def hurried(
    request: pytest.FixtureRequest, settings: Settings, http: aiohttp.ClientSession
) -> AsyncIterator[Phone]:
    """A phone of a Landfall whose operations have a second."""
    own = settings.model_copy(update={"request_timeout": SECONDS, "executor": request.param})
    async with lifespan.services(own) as services, process.listening(services) as port:
        phone = Phone(http, f"http://127.0.0.1:{port}/graphql")
        await sign_in_directly(services, phone, await make_user(services, "Ada"))
        yield phone


def comments(post_id: str, count: int) -> list[Act]:
    return [
        Act(
            "createComment",
            {"postId": post_id, "text": f"Comment {number}"},
            "comment { text author { name } }",
        )
        for number in range(count)
    ]


async def a_post(phone: Phone) -> str:
    act = Act("createPost", {"text": "Come in"}, "post { id }")
    # On a busy machine even this may take more than the time that a test gives.
    while (answer := await flush(phone, [act])).errors:
        continue
    return str(payloads(answer)[0]["post"]["id"])


def slow_commits(monkeypatch: pytest.MonkeyPatch, seconds: dict[str, float]) -> None:
    """Transactions that write a comment with one of these texts take so long before they commit."""
    insert = Unit.insert

    async def inserted(self: Unit, store: Any, row: Any) -> Any:
        found = await insert(self, store, row)
        await asyncio.sleep(seconds.get(row.get("text"), 0) if store.name == "comments" else 0)
        return found

    monkeypatch.setattr(Unit, "insert", inserted)


def held_commits(monkeypatch: pytest.MonkeyPatch, text: str) -> asyncio.Event:
    """Transactions that write a comment with this text wait for the event before they commit."""
    insert, release = Unit.insert, asyncio.Event()

    async def inserted(self: Unit, store: Any, row: Any) -> Any:
        found = await insert(self, store, row)
        if store.name == "comments" and row.get("text") == text:
            await release.wait()
        return found

    monkeypatch.setattr(Unit, "insert", inserted)
    return release


async def texts(services: Services, phone: Phone) -> list[str]:
    rows = await services.db.find(
        "comments", {"author_id": phone.user_id}, sort=[("created_at", 1), ("_id", 1)]
    )
    return [row["text"] for row in rows]


async def test_what_is_done_at_the_deadline_is_answered(
    hurried: Phone, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The mutation under way ends and has its answer; the rest is not begun."""
    acts = comments(await a_post(hurried), 5)
    with monkeypatch.context() as patched:
        slow_commits(patched, {"Comment 2": SECONDS})
        answer = await flush(hurried, acts)
    assert (answer.status, answer.errors) == (200, [])
    told = payloads(answer)
    assert [each["comment"] for each in told] == [
        *({"text": f"Comment {number}", "author": {"name": "Ada"}} for number in range(3)),
        None,
        None,
    ]
    assert [each["errors"] for each in told] == [[], [], [], [DEFERRED], [DEFERRED]]
    assert await texts(services, hurried) == ["Comment 0", "Comment 1", "Comment 2"]
    again = payloads(await flush(hurried, acts))
    assert [(each["errors"], each["replayed"]) for each in again] == [([], number < 3) for number in range(5)]
    assert await texts(services, hurried) == [f"Comment {number}" for number in range(5)]


async def test_one_that_takes_longer_is_cut_off_and_goes_on(
    hurried: Phone, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its field is null with TIMEOUT, since its outcome is unknown yet; its commit is not lost."""
    monkeypatch.setattr(flushes, "FINISH", 0.1)
    acts = comments(await a_post(hurried), 4)
    with monkeypatch.context() as patched:
        slow_commits(patched, {"Comment 1": SECONDS + 0.5})
        answer = await flush(hurried, acts)
        first, cut, *rest = payloads(answer)
        assert answer.status == 200
        assert [(error["path"], error["extensions"]["code"]) for error in answer.errors] == [
            (["m1"], "TIMEOUT")
        ]
        assert (first["comment"]["text"], first["errors"], cut) == ("Comment 0", [], None)
        assert [each["errors"] for each in rest] == [[{**DEFERRED, "retryAfterSeconds": None}]] * 2
        await asyncio.sleep(0.6)
    assert await texts(services, hurried) == ["Comment 0", "Comment 1"]
    again = payloads(await flush(hurried, acts))
    assert [each["replayed"] for each in again] == [True, True, False, False]
    assert await texts(services, hurried) == [f"Comment {number}" for number in range(4)]


async def test_where_nothing_can_be_told_it_is_a_timeout(
    hurried: Phone, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    acts = comments(await a_post(hurried), 3)
    with monkeypatch.context() as patched:
        slow_commits(patched, {"Comment 0": SECONDS + 0.3})
        answer = await flush(hurried, acts)
        assert (answer.status, answer.code, answer.body["data"]) == (504, "TIMEOUT", None)
        await asyncio.sleep(0.4)
    assert [each["replayed"] for each in payloads(await flush(hurried, acts))] == [True, False, False]
    assert await texts(services, hurried) == [f"Comment {number}" for number in range(3)]


async def test_each_operation_of_an_array_has_its_own_time(
    hurried: Phone, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    acts = comments(await a_post(hurried), 4)
    batch = [dict(zip(("query", "variables"), document([act]), strict=True)) for act in acts]
    with monkeypatch.context() as patched:
        slow_commits(patched, {"Comment 0": 0.6, "Comment 1": 0.6, "Comment 2": SECONDS + 0.3})
        answer = await hurried.post(batch)
        await asyncio.sleep(0.4)
    first, second, third, last = answer.body
    assert [each["data"]["m0"]["errors"] for each in (first, second)] == [[], []]
    assert (third["data"], third["errors"][0]["extensions"]["code"]) == (None, "TIMEOUT")
    assert last["data"]["m0"]["errors"] == [{**DEFERRED, "retryAfterSeconds": None}]
    again = await hurried.post(batch)
    assert [each["data"]["m0"]["replayed"] for each in again.body] == [True, True, True, False]
    assert await texts(services, hurried) == [f"Comment {number}" for number in range(4)]


@pytest.mark.parametrize("path", ["compiled", "reference"])
async def test_a_replayed_flush_of_fifty_costs_ten_commands(
    path: str, new_phone: NewPhone, services: Services, commands: Commands, settings: Settings
) -> None:
    """The receipts are read in one command, and what they refer to with it."""
    ada = await new_phone("Ada")
    acts = comments(await a_post(ada), 50)
    first = payloads(await flush(ada, acts))
    ask = _asking(path, services, settings, ada)
    query, variables = document(acts)
    commands.reset()
    again = await ask(query, variables)
    assert list(again.values()) == [{**payload, "replayed": True} for payload in first]
    assert commands.sent <= 10, commands.counts
    assert set(commands.counts) <= {"find", "aggregate"}
    assert len(await texts(services, ada)) == 50


def _asking(path: str, services: Services, settings: Settings, phone: Phone) -> Any:
    schema = lifespan.make_schema(settings)

    async def over_http(query: str, variables: dict[str, Any]) -> Any:
        return await phone.run(query, **variables)

    async def on_reference(query: str, variables: dict[str, Any]) -> Any:
        ctx = Context(services, viewer=Viewer(phone.user_id, phone.session_id, phone.device_id))
        answer = await schema.execute(query, variable_values=variables, context_value=ctx)
        assert answer.errors is None
        return answer.data

    return over_http if path == "compiled" else on_reference


async def test_a_receipt_that_appears_after_they_were_read_is_found(
    new_phone: NewPhone, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three tries of one flush side by side, and one key twice in a document: each act lands once.

    One person has two turns at once: the third try is sent away before anything of it is begun.
    """
    ada = await new_phone("Ada")
    acts = comments(await a_post(ada), 10)
    acts.append(acts[3])
    with monkeypatch.context() as patched:
        release = held_commits(patched, "Comment 0")
        tries = {asyncio.create_task(flush(ada, acts)) for _ in range(3)}
        [away], rest = await asyncio.wait(tries, return_when=asyncio.FIRST_COMPLETED)
        release.set()
        answers = [payloads(each) for each in await asyncio.gather(*rest)]
    refused = await away
    assert (refused.status, refused.code, "data" in refused.body) == (503, "UNAVAILABLE", False)
    landed = [[each for each in told if each is not None and not each["errors"]] for told in answers]
    assert any(landed)
    again = payloads(await flush(ada, acts))
    assert [each["comment"]["text"] for each in again] == [f"Comment {n}" for n in [*range(10), 3]]
    assert await texts(services, ada) == [f"Comment {number}" for number in range(10)]


async def test_a_replay_shows_what_an_earlier_mutation_of_its_flush_changed(new_phone: NewPhone) -> None:
    ada = await new_phone("Ada")
    post_id = ids.new_id("post")
    made = Act("createPost", {"id": post_id, "text": "First"}, "post { text }")
    other = Act("createPost", {"text": "Other"}, "post { text }")
    assert [each["errors"] for each in payloads(await flush(ada, [made, other]))] == [[], []]
    edited = Act("updatePost", {"postId": post_id, "text": "Second"}, "post { text }")
    told = payloads(await flush(ada, [other, edited, made]))
    assert [(each["replayed"], each["post"]["text"]) for each in told] == [
        (True, "Other"),
        (False, "Second"),
        (True, "Second"),
    ]
