"""Deferral in a flush: nothing overtakes a transient error, nothing that depends on it fails for good."""

import asyncio
from collections import deque
from datetime import timedelta
from typing import Any

import pytest

from core import clock, ids
from core.context import Services
from core.errors import ERROR_CODES, ErrorKind
from core.mutations import idempotency
from core.security.limits import Rate
from core.storage import mongo
from resolvers.feed import posts
from resolvers.media import uploading
from tests.chat.steps import open_chat
from tests.conftest import NewPhone
from tests.engine.flushes import Act, Queue, codes, document, flush, payloads
from tests.engine.steps import Hold
from tests.engine.test_idempotency import before_commit, receipt
from tests.phone import Phone, key, sign_in_directly
from tests.server.test_named_documents import persisted

MOST = 50
PAUSE = 15
"""Seconds that the phone waits beyond `retryAfterSeconds`."""
DEFERRED = {"code": "DEFERRED", "kind": "TRANSIENT", "retryable": True}


def pair(number: int) -> list[Act]:
    """A post, and a comment that is written on it before the server knows it."""
    post_id = ids.new_id("post")
    return [
        Act("createPost", {"id": post_id, "text": f"Post {number}"}, "post { id }"),
        Act("createComment", {"postId": post_id, "text": f"Comment {number}"}, "comment { id }"),
    ]


async def drained(services: Services, phone: Phone, acts: list[Act]) -> tuple[list[Any], int]:
    """The final payloads of a queue that is flushed in order until it is empty; and the flushes it took."""
    queue = Queue(deque(acts))
    for count in range(1, 60):
        batch = queue.head(MOST)
        wait = queue.settle(batch, (await flush(phone, batch)).body)
        if not queue.waiting:
            landed = {act.key: payload for act, payload in queue.done}
            return [landed[act.key] for act in acts], count
        clock.shift(timedelta(seconds=wait + PAUSE))
        # The access token may have grown too old.
        await sign_in_directly(services, phone, phone.user_id)
    raise AssertionError(f"{len(queue.waiting)} acts are still queued: {queue.told}")


async def texts(services: Services, phone: Phone, collection: str, by: str = "author_id") -> list[str]:
    """In the order in which they were written."""
    rows = await services.db.find(collection, {by: phone.user_id}, sort=[("created_at", 1), ("_id", 1)])
    return [row["text"] for row in rows]


async def test_forty_pairs_of_a_post_and_its_comment_all_land_in_order(
    new_phone: NewPhone, services: Services
) -> None:
    """At the default rates: thirty posts at once, then one more every two minutes."""
    ada = await new_phone("Ada")
    acts = [act for number in range(40) for act in pair(number)]
    landed, count = await drained(services, ada, acts)
    assert [payload["errors"] for payload in landed] == [[]] * 80
    assert await texts(services, ada, "posts") == [f"Post {number}" for number in range(40)]
    assert await texts(services, ada, "comments") == [f"Comment {number}" for number in range(40)]
    # The rates were met: it did not pass in the two flushes that eighty acts need.
    assert count > 2


async def test_the_first_wait_stops_what_follows(
    new_phone: NewPhone, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(posts, "POST_RATE", Rate("posts-seldom", 1, 30))
    ada = await new_phone("Ada")
    [first, early], [second, late] = pair(1), pair(2)
    alone = Act("followUser", {"userId": (await new_phone("Grace")).user_id})
    acts = [first, early, second, late, alone]
    answer = await flush(ada, acts)
    assert (answer.status, answer.errors) == (200, [])
    assert codes(answer) == [None, None, "RATE_LIMITED", "DEFERRED", "DEFERRED"]
    wait = payloads(answer)[2]["errors"][0]["retryAfterSeconds"]
    assert 0 < wait <= 30
    assert payloads(answer)[3] == {
        "replayed": False,
        "comment": None,
        "errors": [{**DEFERRED, "retryAfterSeconds": wait}],
    }
    assert [await receipt(services, ada, act.key) for act in (second, late, alone)] == [None] * 3
    clock.shift(timedelta(seconds=wait))
    again = payloads(await flush(ada, acts))
    assert [payload["errors"] for payload in again] == [[]] * 5
    assert [payload["replayed"] for payload in again] == [True, True, False, False, False]


async def test_messages_arrive_in_the_order_of_the_queue(new_phone: NewPhone, services: Services) -> None:
    """130 messages in flushes of fifty, sixty allowed a minute: the allowance refills between aliases."""
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    chat_id = await open_chat(ada, grace)
    said = [f"Message {number}" for number in range(1, 131)]
    acts = [Act("sendMessage", {"chatId": chat_id, "text": text}, "message { sequence }") for text in said]
    landed, _ = await drained(services, ada, acts)
    assert [payload["message"]["sequence"] for payload in landed] == list(range(1, 131))
    query = """query($id: ID!, $before: String) { chat(id: $id) {
      messages(last: 100, before: $before) { edges { node { text } } pageInfo { startCursor } } } }"""
    grace = await sign_in_directly(services, grace, grace.user_id)
    newest = (await grace.run(query, id=chat_id))["chat"]["messages"]
    before = newest["pageInfo"]["startCursor"]
    oldest = (await grace.run(query, id=chat_id, before=before))["chat"]["messages"]
    assert [edge["node"]["text"] for page in (oldest, newest) for edge in page["edges"]] == said


async def test_what_follows_a_first_try_that_still_runs_waits_for_it(
    new_phone: NewPhone, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after a crash: the transaction of the lost process stays open for a while."""
    monkeypatch.setattr(idempotency, "PATIENCE", 0.1)
    ada, release = await new_phone("Ada"), Hold()
    acts = [*pair(1), *pair(2)]
    with before_commit(monkeypatch, release.wait):
        lost = asyncio.create_task(flush(ada, acts[:1]))
        await release.reached.wait()
        answer = await flush(ada, acts)
        release.set()
        await lost
    assert [(error["path"], error["extensions"]["code"]) for error in answer.errors] == [
        (["m0"], "IDEMPOTENCY_IN_PROGRESS")
    ]
    first, *rest = payloads(answer)
    assert first is None
    assert [payload["errors"] for payload in rest] == [[{**DEFERRED, "retryAfterSeconds": 1}]] * 3
    again = payloads(await flush(ada, acts))
    assert [(payload["errors"], payload["replayed"]) for payload in again] == [
        ([], True),
        *[([], False)] * 3,
    ]
    assert await texts(services, ada, "comments") == ["Comment 1", "Comment 2"]


async def test_a_database_that_is_away_stops_what_follows(
    new_phone: NewPhone, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, acts = await new_phone("Ada"), [*pair(1), *pair(2)]
    commit, calls = mongo._commit, []

    async def lost(session: Any) -> None:
        calls.append(session)
        if len(calls) == 3:
            raise mongo.errors.AutoReconnect("gone")
        await commit(session)

    with monkeypatch.context() as patched:
        patched.setattr(mongo, "_commit", lost)
        answer = await flush(ada, acts)
    assert [(error["path"], error["extensions"]["code"]) for error in answer.errors] == [
        (["m2"], "UNAVAILABLE")
    ]
    assert [payload and payload["errors"] for payload in payloads(answer)] == [
        [],
        [],
        None,
        [{**DEFERRED, "retryAfterSeconds": None}],
    ]
    assert [payload["errors"] for payload in payloads(await flush(ada, acts))] == [[]] * 4
    assert await texts(services, ada, "comments") == ["Comment 1", "Comment 2"]


async def test_final_refusals_stop_nothing(new_phone: NewPhone, services: Services) -> None:
    ada, used = await new_phone("Ada"), key()
    await ada.do("createPost", "post { id }", idempotencyKey=used, text="Earlier")
    [post, comment] = pair(1)
    empty = Act("createPost", {"id": ids.new_id("post"), "text": " "})
    on_empty = Act("createComment", {"postId": empty.input["id"], "text": "On nothing"}, "comment { id }")
    reused = Act("createPost", {"text": "Another"}, key=used)
    acts = [empty, on_empty, reused, post, comment]
    answer = await flush(ada, acts)
    assert [(error["path"], error["extensions"]["code"]) for error in answer.errors] == [
        (["m2"], "IDEMPOTENCY_KEY_REUSED")
    ]
    told = [payload and [error["code"] for error in payload["errors"]] for payload in payloads(answer)]
    assert told == [["REQUIRED"], ["NOT_FOUND"], None, [], []]
    again = [payload and payload["replayed"] for payload in payloads(await flush(ada, acts))]
    assert again == [True, True, None, True, True]


async def test_repeatable_refusals_stop_only_what_names_their_ids(
    new_phone: NewPhone, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A picture beyond the day's quota: the post that shows it waits, and its comment; others do not."""
    monkeypatch.setattr(uploading, "MOST_BYTES_A_DAY", 10)
    ada, upload_id, post_id = await new_phone("Ada"), ids.new_id("upload"), ids.new_id("post")
    file = {"purpose": "POST_MEDIA", "fileName": "a.jpg", "mimeType": "image/jpeg", "sizeBytes": 11}
    upload = Act("createUpload", {"id": upload_id, **file}, "upload { id }")
    post = Act("createPost", {"id": post_id, "text": "Look", "uploadIds": [upload_id]}, "post { id }")
    comment = Act("createComment", {"postId": post_id, "text": "Nice"}, "comment { id }")
    acts = [upload, post, *pair(1), comment]
    answer = await flush(ada, acts)
    assert codes(answer) == ["QUOTA_EXCEEDED", "DEFERRED", None, None, "DEFERRED"]
    refused = payloads(answer)[0]["errors"][0]
    assert (refused["kind"], refused["retryable"]) == ("LIMIT", True)
    for held in (payloads(answer)[1], payloads(answer)[4]):
        assert held["errors"] == [{**DEFERRED, "retryAfterSeconds": refused["retryAfterSeconds"]}]
    monkeypatch.undo()
    again = payloads(await flush(ada, acts))
    assert [[error["code"] for error in payload["errors"]] for payload in again] == [
        [],
        [],
        [],
        [],
        # Its picture is still to be sent, which is told as something to come again too.
        ["UPLOAD_NOT_READY"],
    ]
    assert [payload["replayed"] for payload in again] == [False, False, True, True, False]


async def test_what_names_an_id_whose_making_met_a_bug_is_not_refused_for_good(
    new_phone: NewPhone, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, acts = await new_phone("Ada"), [*pair(1), *pair(2)]
    checked = posts.checked_text

    def broken(text: str | None, longest: int) -> str | None:
        if text == "Post 1":
            raise RuntimeError("a bug")
        return checked(text, longest)

    with monkeypatch.context() as patched:
        patched.setattr(posts, "checked_text", broken)
        answer = await flush(ada, acts)
    assert [(error["path"], error["extensions"]["code"]) for error in answer.errors] == [(["m0"], "INTERNAL")]
    assert [payload and [error["code"] for error in payload["errors"]] for payload in payloads(answer)] == [
        None,
        ["DEFERRED"],
        [],
        [],
    ]
    assert [payload["errors"] for payload in payloads(await flush(ada, acts))] == [[]] * 4


async def test_an_array_of_operations_is_one_flush(
    new_phone: NewPhone, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(posts, "POST_RATE", Rate("posts-seldom", 2, 30))
    ada = await new_phone("Ada")
    acts = [act for number in range(3) for act in pair(number)]
    batch = [dict(zip(("query", "variables"), document([act]), strict=True)) for act in acts]
    batch.append({"query": "{ viewer { user { name } } }"})
    answer = await ada.post(batch)
    *sent, read = [each["data"] for each in answer.body]
    told = [[error["code"] for error in each["m0"]["errors"]] for each in sent]
    assert told == [[], [], [], [], ["RATE_LIMITED"], ["DEFERRED"]]
    # What is only read waits for nothing.
    assert read == {"viewer": {"user": {"name": "Ada"}}}
    assert await texts(services, ada, "posts") == ["Post 0", "Post 1"]


async def test_what_follows_a_document_that_must_be_sent_again_waits_for_it(
    new_phone: NewPhone, services: Services
) -> None:
    """Automatic persisted queries: a server that has forgotten one of an array asks for its text."""
    ada = await new_phone("Ada")
    acts = pair(0)
    whole = []
    for act in acts:
        query, variables = document([act])
        unique = f"{query} # {key()}"
        whole.append({"query": unique, "variables": variables, "extensions": persisted(unique)})
    by_hash = {name: value for name, value in whole[0].items() if name != "query"}
    [unknown, refused] = (await ada.post([by_hash, whole[1]])).body
    assert unknown["errors"][0]["extensions"]["code"] == "PERSISTED_QUERY_NOT_FOUND"
    [error] = refused["data"]["m0"]["errors"]
    assert {name: error[name] for name in DEFERRED} == DEFERRED
    assert await receipt(services, ada, acts[1].key) is None
    landed = [each["data"]["m0"] for each in (await ada.post(whole)).body]
    assert [(each["errors"], each["replayed"]) for each in landed] == [([], False)] * 2
    assert await texts(services, ada, "comments") == ["Comment 0"]


async def test_requests_of_one_phone_do_not_stop_each_other(
    new_phone: NewPhone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(posts, "POST_RATE", Rate("posts-seldom", 1, 30))
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    acts = [act for number in range(2) for act in pair(number)]
    stopped, other = await asyncio.gather(
        flush(ada, acts), flush(ada, [Act("followUser", {"userId": grace.user_id})])
    )
    assert codes(stopped) == [None, None, "RATE_LIMITED", "DEFERRED"]
    assert codes(other) == [None]


async def test_operations_of_one_socket_do_not_stop_each_other(
    new_phone: NewPhone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(posts, "POST_RATE", Rate("posts-seldom", 1, 30))
    ada = await new_phone("Ada")
    async with ada.socket() as socket:
        for number, told in ((0, [[], []]), (1, [["RATE_LIMITED"], ["DEFERRED"]]), (2, [[]])):
            acts = pair(number) if number < 2 else [Act("updateProfile", {"bio": "Hello"})]
            query, variables = document(acts)
            message = {"id": str(number), "type": "subscribe"}
            await socket.send({**message, "payload": {"query": query, "variables": variables}})
            data = (await socket.receive())["payload"]["data"]
            assert [[error["code"] for error in payload["errors"]] for payload in data.values()] == told
            assert (await socket.receive())["type"] == "complete"


def test_every_code_that_is_not_final_is_meant_so() -> None:
    """A new code that leaves no receipt changes what queues do: it is written down here too."""
    transient = {code for code, each in ERROR_CODES.items() if each.kind is ErrorKind.TRANSIENT}
    assert transient == {
        *("RATE_LIMITED", "UNAVAILABLE", "DEFERRED", "DELIVERY_UNAVAILABLE", "PAYMENT_IN_PROGRESS")
    }
    assert {code for code, each in ERROR_CODES.items() if each.retryable} - transient == {
        "ACCOUNT_LOCKED",
        "CAPTCHA_REQUIRED",
        "CASE_CLAIMED",
        "CHECKOUT_IN_PROGRESS",
        "INCIDENT_NOT_FOUND",
        "LEGAL_HOLD",
        "PAYMENT_ACTION_REQUIRED",
        "QUOTA_EXCEEDED",
        "STEP_UP_REQUIRED",
        "SUBMISSION_LIMIT",
        "UPLOAD_INCOMPLETE",
        "UPLOAD_NOT_READY",
    }
