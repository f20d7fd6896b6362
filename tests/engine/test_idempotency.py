"""Idempotency: a mutation with one key lands once, whatever is retried, duplicated, cut off or lost."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import orjson
import pytest

from core import clock, ids
from core.context import Services
from core.mutations import idempotency
from core.security.limits import Rate
from core.storage import mongo, transactions
from core.storage.unit import Unit
from resolvers.auth import passwords
from resolvers.feed import posts
from tests.conftest import NewPhone
from tests.engine.steps import Hold
from tests.phone import PASSWORD, Answer, Phone, key, make_user

CREATE = """mutation($input: CreatePostInput!) { createPost(input: $input) {
  idempotencyKey replayed errors { kind code message field limit retryable retryAfterSeconds }
  post { id text version } postEdge { cursor } } }"""
DELETE = """mutation($input: DeletePostInput!) { deletePost(input: $input) {
  replayed errors { code } deletedPostId } }"""


async def create(phone: Phone, mutation_key: str, **input: Any) -> Answer:
    return await phone.ask(CREATE, input={"idempotencyKey": mutation_key, "text": "Hello", **input})


async def posts_of(services: Services, phone: Phone) -> list[dict[str, Any]]:
    return await services.db.find("posts", {"author_id": phone.user_id})


async def receipt(services: Services, phone: Phone, mutation_key: str) -> dict[str, Any] | None:
    rows = await services.db.find("receipts", {"_id": f"{phone.user_id}:{mutation_key}"})
    return rows[0] if rows else None


async def log_of(services: Services, phone: Phone, type: str) -> list[dict[str, Any]]:
    return await services.db.find("changes", {"scopes": f"user:{phone.user_id}", "type": type})


@contextmanager
def before_commit(monkeypatch: pytest.MonkeyPatch, action: Callable[[], Any]) -> Iterator[None]:
    """Does something when a unit of work has written everything and has not committed."""
    flush = Unit.flush

    async def flushed(self: Unit) -> None:
        await flush(self)
        await action()

    with monkeypatch.context() as patched:
        patched.setattr(Unit, "flush", flushed)
        yield


# The nine awkward cases.


async def test_same_key_concurrently(new_phone: NewPhone, services: Services) -> None:
    ada, one = await new_phone("Ada"), key()
    answers = await asyncio.gather(*(create(ada, one) for _ in range(10)))
    payloads = [answer.data["createPost"] for answer in answers]
    [post] = await posts_of(services, ada)
    assert {payload["post"]["id"] for payload in payloads} == {post["_id"]}
    assert sorted(payload["replayed"] for payload in payloads) == [False, *[True] * 9]
    assert [payload["errors"] for payload in payloads] == [[]] * 10
    assert {payload["idempotencyKey"] for payload in payloads} == {one}


async def test_crash_before_commit(
    new_phone: NewPhone, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, one = await new_phone("Ada"), key()

    async def crash() -> None:
        raise RuntimeError("The power went.")

    with before_commit(monkeypatch, crash):
        answer = await create(ada, one)
    assert (answer.code, answer.errors[0]["path"], answer.body["data"]) == (
        "INTERNAL",
        ["createPost"],
        {"createPost": None},
    )
    assert "power" not in str(answer.body)
    assert await posts_of(services, ada) == []
    assert await log_of(services, ada, "POST") == []
    assert await receipt(services, ada, one) is None
    assert (await create(ada, one)).data["createPost"]["replayed"] is False
    assert len(await posts_of(services, ada)) == 1


async def test_crash_after_commit_before_the_answer(
    new_phone: NewPhone, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, one = await new_phone("Ada"), key()
    commit, committed = mongo._commit, asyncio.Event()

    async def slow_answer(session: Any) -> None:
        await commit(session)
        committed.set()
        await asyncio.sleep(0.2)

    query = "subscription { changeEvents(types: [POST]) { __typename ... on NodeChanged { node { id } } } }"
    async with ada.watch(query) as stream:
        with monkeypatch.context() as patched:
            patched.setattr(mongo, "_commit", slow_answer)
            request = asyncio.create_task(create(ada, one))
            await committed.wait()
            request.cancel()
            await asyncio.gather(request, return_exceptions=True)
            # The phone is gone; what follows from the commit is done all the same.
            event = await stream.next(timeout=1.5)
    [post] = await posts_of(services, ada)
    assert event["changeEvents"]["node"]["id"] == post["_id"]
    payload = (await create(ada, one)).data["createPost"]
    assert (payload["post"]["id"], payload["replayed"], payload["errors"]) == (post["_id"], True, [])
    assert len(await posts_of(services, ada)) == 1


async def test_replay_after_the_entity_was_deleted(new_phone: NewPhone) -> None:
    ada, one = await new_phone("Ada"), key()
    first = (await create(ada, one)).data["createPost"]
    await ada.do("deletePost", "deletedPostId", postId=first["post"]["id"])
    assert (await create(ada, one)).data["createPost"] == {
        "idempotencyKey": one,
        "replayed": True,
        "errors": [],
        "post": None,
        "postEdge": None,
    }


async def test_replay_by_another_session_of_the_same_user(new_phone: NewPhone, services: Services) -> None:
    ada, one = await new_phone("Ada"), key()
    tablet = await new_phone(user_id=ada.user_id)
    first = (await create(ada, one)).data["createPost"]
    again = (await create(tablet, one)).data["createPost"]
    assert again == {**first, "replayed": True}
    assert len(await posts_of(services, ada)) == 1


async def test_replay_by_another_user(new_phone: NewPhone, services: Services) -> None:
    ada, grace, one = await new_phone("Ada"), await new_phone("Grace"), key()
    first = (await create(ada, one)).data["createPost"]
    other = (await create(grace, one)).data["createPost"]
    assert (other["replayed"], other["errors"]) == (False, [])
    assert other["post"]["id"] != first["post"]["id"]
    assert len(await posts_of(services, grace)) == 1


async def test_replay_after_sign_out_and_new_sign_in(new_phone: NewPhone, services: Services) -> None:
    ada, one = await new_phone("Ada"), key()
    first = (await create(ada, one)).data["createPost"]
    await ada.do("signOut", "removedSessionId")
    refused = await create(ada, one)
    assert (refused.code, refused.errors[0]["extensions"]["reason"]) == ("UNAUTHENTICATED", "SESSION_REVOKED")
    back = await new_phone(user_id=ada.user_id)
    assert (await create(back, one)).data["createPost"] == {**first, "replayed": True}
    assert len(await posts_of(services, ada)) == 1


async def test_replay_with_an_expired_receipt(new_phone: NewPhone, services: Services) -> None:
    ada, one, id = await new_phone("Ada"), key(), ids.new_id("post")
    await create(ada, one, id=id)
    clock.shift(timedelta(days=31))
    ada = await new_phone(user_id=ada.user_id)
    payload = (await create(ada, one, id=id)).data["createPost"]
    assert (payload["replayed"], payload["post"]["id"]) == (False, id)
    assert [(error["code"], error["field"]) for error in payload["errors"]] == [("ID_TAKEN", ["id"])]
    assert len(await posts_of(services, ada)) == 1


async def test_replay_whose_first_result_was_a_refusal(new_phone: NewPhone, services: Services) -> None:
    ada, one, post_id = await new_phone("Ada"), key(), ids.new_id("post")
    comment = {"idempotencyKey": one, "postId": post_id, "text": "Too early"}
    first = await ada.do("createComment", "comment { id }", **comment)
    assert [(error["code"], error["field"]) for error in first["errors"]] == [("NOT_FOUND", ["postId"])]
    await ada.do("createPost", "post { id }", id=post_id, text="Here it is")
    again = await ada.do("createComment", "comment { id }", **comment)
    assert again == {**first, "replayed": True}
    assert await services.db.find("comments", {"post_id": post_id}) == []


# What else a key may meet.


async def test_a_retryable_refusal_leaves_no_receipt(
    new_phone: NewPhone, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(posts, "POST_RATE", Rate("posts-seldom", 1, 2))
    ada, one = await new_phone("Ada"), key()
    await create(ada, key())
    refused = (await create(ada, one)).data["createPost"]
    assert [(e["code"], e["retryable"], e["retryAfterSeconds"]) for e in refused["errors"]] == [
        ("RATE_LIMITED", True, 2)
    ]
    assert await receipt(services, ada, one) is None
    clock.shift(timedelta(seconds=2))
    landed = (await create(ada, one)).data["createPost"]
    assert (landed["replayed"], landed["errors"]) == (False, [])
    assert len(await posts_of(services, ada)) == 2


async def test_another_input_or_mutation_is_refused(new_phone: NewPhone, services: Services) -> None:
    ada, one = await new_phone("Ada"), key()
    first = (await create(ada, one)).data["createPost"]
    other_input = await create(ada, one, text="Something else")
    same_id = {"idempotencyKey": one, "postId": first["post"]["id"]}
    other_mutation = await ada.ask(DELETE, input=same_id)
    for answer, name in ((other_input, "createPost"), (other_mutation, "deletePost")):
        assert (answer.code, answer.errors[0]["path"]) == ("IDEMPOTENCY_KEY_REUSED", [name])
        assert answer.body["data"] == {name: None}
    assert [post["text"] for post in await posts_of(services, ada)] == ["Hello"]


@pytest.mark.parametrize("bad", ["", "k" * 129], ids=["empty", "too long"])
async def test_a_bad_key_is_refused(new_phone: NewPhone, services: Services, bad: str) -> None:
    ada = await new_phone("Ada")
    answer = await create(ada, bad)
    assert (answer.code, answer.body["data"]) == ("BAD_USER_INPUT", {"createPost": None})
    assert await posts_of(services, ada) == []
    assert (await create(ada, "k" * 128)).data["createPost"]["errors"] == []


async def test_a_first_run_that_takes_long(
    new_phone: NewPhone, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(idempotency, "PATIENCE", 0.2)
    ada, one, release = await new_phone("Ada"), key(), Hold()
    with before_commit(monkeypatch, release.wait):
        first = asyncio.create_task(create(ada, one))
        await release.reached.wait()
        second = await create(ada, one)
        release.set()
        landed = (await first).data["createPost"]
    assert second.code == "IDEMPOTENCY_IN_PROGRESS"
    assert second.errors[0]["extensions"]["retryAfterSeconds"] == 1
    assert landed["replayed"] is False
    assert (await create(ada, one)).data["createPost"] == {**landed, "replayed": True}
    assert len(await posts_of(services, ada)) == 1


async def test_a_second_request_waits_for_the_first(
    new_phone: NewPhone, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, one = await new_phone("Ada"), key()

    async def slowly() -> None:
        await asyncio.sleep(0.3)

    with before_commit(monkeypatch, slowly):
        first = asyncio.create_task(create(ada, one))
        await asyncio.sleep(0.1)
        second = (await create(ada, one)).data["createPost"]
    assert second == {**(await first).data["createPost"], "replayed": True}


async def test_a_transaction_that_takes_too_long(
    new_phone: NewPhone, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, one = await new_phone("Ada"), key()

    async def too_slowly() -> None:
        await asyncio.sleep(0.6)

    with before_commit(monkeypatch, too_slowly):
        monkeypatch.setattr(transactions, "LONGEST", 0.2)
        answer = await create(ada, one)
    assert (answer.code, answer.body["data"]) == ("TIMEOUT", {"createPost": None})
    await asyncio.sleep(0.6)
    assert await posts_of(services, ada) == []
    assert await log_of(services, ada, "POST") == []
    assert await receipt(services, ada, one) is None
    monkeypatch.setattr(transactions, "LONGEST", 5.0)
    assert (await create(ada, one)).data["createPost"]["replayed"] is False


async def test_receipts_hold_references_and_no_texts(new_phone: NewPhone, services: Services) -> None:
    ada, one, two = await new_phone("Ada Private"), key(), key()
    secret = "Nobody but my friends may read this"
    post_id = (await create(ada, one, text=secret)).data["createPost"]["post"]["id"]
    await ada.do("createComment", "comment { id }", idempotencyKey=two, postId=post_id, text=secret)
    await ada.do("updatePost", "post { id }", postId=post_id, text=secret + "!")
    rows = await services.db.find("receipts", {"_id": {"$regex": f"^{ada.user_id}:"}})
    assert len(rows) == 3
    scanned = orjson.dumps(rows, default=str).decode()
    assert secret not in scanned
    assert "Ada Private" not in scanned
    stored = await receipt(services, ada, one)
    assert stored is not None
    assert stored["payload"]["post"] == {"$ref": post_id}
    assert stored["state"] == "DONE"


async def test_anonymous_mutations_are_keyed_by_device(anonymous: Phone, services: Services) -> None:
    email = f"{key()}@example.com"
    await _account(services, email)
    one = key()

    async def sign_in(device_id: str) -> Any:
        device = {"deviceId": device_id, "name": "Phone", "platform": "IOS"}
        selection = "session { id } account { email } tokens { refreshToken }"
        given = {"idempotencyKey": one, "email": email, "password": PASSWORD, "device": device}
        return await anonymous.do("signIn", selection, **given)

    first = await sign_in(anonymous.device_id)
    again = await sign_in(anonymous.device_id)
    other = await sign_in(ids.new_id("device"))
    assert (first["replayed"], again["replayed"], other["replayed"]) == (False, True, False)
    assert first["session"]["id"] == again["session"]["id"] != other["session"]["id"]
    assert first["account"] == again["account"] == {"email": email}
    rows = await services.db.find("receipts", {"_id": f"{anonymous.device_id}:{one}"})
    scanned = orjson.dumps(rows, default=str).decode()
    assert len(rows) == 1
    assert first["tokens"]["refreshToken"] not in scanned
    assert PASSWORD not in scanned


async def _account(services: Services, email: str) -> None:
    hashed = await passwords.hash_password(PASSWORD)
    user_id = await make_user(services, "Ada", email=email, password_hash=hashed)
    await services.db.write(
        {"insert": "user_keys", "documents": [{"_id": f"email:{email}", "user_id": user_id}]}
    )


async def test_a_receipt_of_an_older_version_that_names_the_resolver_still_replays(
    services: Services, new_phone: NewPhone
) -> None:
    """Phones queue for weeks: what they sent before an update is repeated after it."""
    phone = await new_phone("Ada")
    mutation_key = key()
    first = (await create(phone, mutation_key)).data["createPost"]
    kept = await receipt(services, phone, mutation_key)
    assert kept is not None
    assert kept["mutation"] == "createPost"
    old = {"q": {"_id": kept["_id"]}, "u": {"$set": {"mutation": "resolvers.feed.posts.create_post"}}}
    await services.db.write({"update": "receipts", "updates": [old]})
    again = (await create(phone, mutation_key)).data["createPost"]
    assert (again["replayed"], again["post"]["id"]) == (True, first["post"]["id"])
    assert (await create(phone, mutation_key, text="Else")).code == "IDEMPOTENCY_KEY_REUSED"
    assert len(await posts_of(services, phone)) == 1
