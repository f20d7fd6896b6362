"""A phone empties its queue: fifty mutations in one document, or twenty in an array."""

from typing import Any

import pytest

from core import ids, nodes
from core.context import Services
from core.storage.unit import Unit
from tests.conftest import NewPhone
from tests.engine import flushes
from tests.engine.flushes import Act, payloads
from tests.phone import Phone, key

COMMENT = """{alias}: createComment(input: ${alias}) {{
  idempotencyKey replayed errors {{ code }} comment {{ id text }} }}"""
ONE_COMMENT = """mutation($input: CreateCommentInput!) { createComment(input: $input) {
  idempotencyKey replayed errors { code } comment { id text } } }"""

QUEUE = 50
REUSED = 30
EMPTY = {7, 15, 41}


@pytest.fixture
async def post_id(new_phone: NewPhone) -> str:
    author = await new_phone("Author")
    payload = await author.do("createPost", "post { id }", text="Come in", visibility="PUBLIC")
    return str(payload["post"]["id"])


def queue_of(post_id: str, *, size: int = QUEUE, reused: str | None = None) -> list[dict[str, Any]]:
    """Comments in the order they were written; some empty, one with a key that was used before."""
    return [
        {
            "idempotencyKey": reused if reused and number == REUSED else key(),
            "id": ids.new_id("comment"),
            "postId": post_id,
            "text": " " if number in EMPTY else f"Number {number}",
        }
        for number in range(size)
    ]


async def flush(phone: Phone, queue: list[dict[str, Any]]) -> Any:
    aliases = [f"m{number}" for number in range(len(queue))]
    declared = ", ".join(f"${alias}: CreateCommentInput!" for alias in aliases)
    fields = "\n".join(COMMENT.format(alias=alias) for alias in aliases)
    return await phone.ask(f"mutation({declared}) {{ {fields} }}", **dict(zip(aliases, queue, strict=True)))


async def comments_of(services: Services, phone: Phone) -> list[dict[str, Any]]:
    return await services.db.find("comments", {"author_id": phone.user_id}, sort=[("_id", 1)])


async def test_fifty_mutations_in_one_document(new_phone: NewPhone, services: Services, post_id: str) -> None:
    ada, used = await new_phone("Ada"), key()
    await ada.do("createPost", "post { id }", idempotencyKey=used, text="Earlier")
    queue = queue_of(post_id, reused=used)
    answer = await flush(ada, queue)

    assert answer.status == 200
    assert [(error["path"], error["extensions"]["code"]) for error in answer.errors] == [
        ([f"m{REUSED}"], "IDEMPOTENCY_KEY_REUSED")
    ]
    first = answer.body["data"]
    assert list(first) == [f"m{number}" for number in range(QUEUE)]
    for number, action in enumerate(queue):
        payload = first[f"m{number}"]
        if number == REUSED:
            assert payload is None
            continue
        refused = number in EMPTY
        assert payload == {
            "idempotencyKey": action["idempotencyKey"],
            "replayed": False,
            "errors": [{"code": "REQUIRED"}] if refused else [],
            "comment": None if refused else {"id": action["id"], "text": action["text"]},
        }
    written = await comments_of(services, ada)
    wanted = [action for number, action in enumerate(queue) if number not in {REUSED, *EMPTY}]
    assert [comment["_id"] for comment in written] == [action["id"] for action in wanted]
    # In order: each was written after the one before it.
    times = [comment["created_at"] for comment in written]
    assert times == sorted(times)

    again = await flush(ada, queue)
    assert [(error["path"], error["extensions"]["code"]) for error in again.errors] == [
        ([f"m{REUSED}"], "IDEMPOTENCY_KEY_REUSED")
    ]
    assert again.body["data"] == {
        name: payload and {**payload, "replayed": True} for name, payload in first.items()
    }
    assert await comments_of(services, ada) == written
    [post] = await services.db.find("posts", {"_id": post_id})
    assert post["comment_count"] == len(wanted)


async def test_later_mutations_build_on_earlier_ones(new_phone: NewPhone) -> None:
    ada, post_id = await new_phone("Ada"), ids.new_id("post")
    comment_id = ids.new_id("comment")
    document = """mutation($post: CreatePostInput!, $comment: CreateCommentInput!, $like: SetReactionInput!,
      $gone: DeletePostInput!, $late: SetReactionInput!) {
      a: createPost(input: $post) { errors { code } post { id } }
      b: createComment(input: $comment) { errors { code } post { commentCount } }
      c: setReaction(input: $like) { errors { code } subject { ...Likes } }
      d: deletePost(input: $gone) { errors { code } deletedPostId }
      e: setReaction(input: $late) { errors { code } subject { ...Likes } } }
      fragment Likes on Post { reactionSummary { like } }"""
    variables = {
        "post": {"idempotencyKey": key(), "id": post_id, "text": "Offline"},
        "comment": {"idempotencyKey": key(), "id": comment_id, "postId": post_id, "text": "Too"},
        "like": {"idempotencyKey": key(), "subjectId": post_id, "kind": "LIKE"},
        "gone": {"idempotencyKey": key(), "postId": post_id},
        "late": {"idempotencyKey": key(), "subjectId": post_id, "kind": "LOVE"},
    }
    assert await ada.run(document, **variables) == {
        "a": {"errors": [], "post": {"id": post_id}},
        "b": {"errors": [], "post": {"commentCount": 1}},
        "c": {"errors": [], "subject": {"reactionSummary": {"like": 1}}},
        "d": {"errors": [], "deletedPostId": post_id},
        "e": {"errors": [{"code": "NOT_FOUND"}], "subject": None},
    }


async def test_an_array_of_operations(new_phone: NewPhone, services: Services, post_id: str) -> None:
    ada = await new_phone("Ada")
    queue = queue_of(post_id, size=20)
    batch = [{"query": ONE_COMMENT, "variables": {"input": action}} for action in queue]
    first = await ada.post(batch)
    assert first.status == 200
    payloads = [each["data"]["createComment"] for each in first.body]
    assert [payload["idempotencyKey"] for payload in payloads] == [
        action["idempotencyKey"] for action in queue
    ]
    assert [bool(payload["errors"]) for payload in payloads] == [n in EMPTY for n in range(20)]
    written = await comments_of(services, ada)
    assert len(written) == 18
    again = await ada.post(batch)
    assert [each["data"]["createComment"] for each in again.body] == [
        {**payload, "replayed": True} for payload in payloads
    ]
    assert await comments_of(services, ada) == written


async def test_more_than_twenty_operations_are_refused(
    new_phone: NewPhone, services: Services, post_id: str
) -> None:
    ada = await new_phone("Ada")
    queue = queue_of(post_id, size=21)
    answer = await ada.post([{"query": ONE_COMMENT, "variables": {"input": each}} for each in queue])
    assert (answer.status, answer.code) == (400, "QUERY_TOO_COMPLEX")
    assert await comments_of(services, ada) == []


async def test_a_mutation_is_atomic(
    new_phone: NewPhone, services: Services, post_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The comment is written, then the post's counter fails: neither is there afterwards."""
    ada, update = await new_phone("Ada"), Unit.update

    async def fails_on_posts(self: Unit, store: Any, *given: Any, **how: Any) -> Any:
        if store.name == "posts":
            raise RuntimeError("no counter")
        return await update(self, store, *given, **how)

    [action] = queue_of(post_id, size=1)
    with monkeypatch.context() as patched:
        patched.setattr(Unit, "update", fails_on_posts)
        answer = await flush(ada, [action])
    assert (answer.code, answer.body["data"]) == ("INTERNAL", {"m0": None})
    assert await comments_of(services, ada) == []
    assert await services.db.find("changes", {"node": action["id"]}) == []
    assert (await flush(ada, [action])).data["m0"]["replayed"] is False
    assert len(await comments_of(services, ada)) == 1


async def test_a_receipt_that_cannot_be_shown_is_no_other_act_s_fault(
    new_phone: NewPhone, post_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Entities of a flush's receipts are read at once: a guard that failed made its first act INTERNAL."""
    ada = await new_phone("Ada")
    acts = [
        Act("createPost", {"text": "One"}, "post { text }"),
        Act("createComment", {"postId": post_id, "text": "Two"}, "comment { text }"),
        Act("createPost", {"text": "Three"}, "post { text }"),
    ]
    assert [each["errors"] for each in payloads(await flushes.flush(ada, acts))] == [[], [], []]

    async def broken(ctx: Any, wanted: Any) -> Any:
        raise RuntimeError("A bug in one guard.")

    with monkeypatch.context() as patched:
        patched.setitem(nodes.GUARDS, "comment", broken)
        answer = await flushes.flush(ada, acts)
    assert [(error["path"], error["extensions"]["code"]) for error in answer.errors] == [(["m1"], "INTERNAL")]
    first, second, third = payloads(answer)
    assert (first["replayed"], first["post"], second) == (True, {"text": "One"}, None)
    assert (third["replayed"], third["post"]) == (True, {"text": "Three"})


@pytest.mark.parametrize("code", ["RETIRED_LONG_AGO", "RATE_LIMITED"])
async def test_a_stored_refusal_whose_code_is_no_more_stays_final(
    new_phone: NewPhone, services: Services, code: str
) -> None:
    """Of another version: this one does not know the code, or takes it for one that passes."""
    ada = await new_phone("Ada")
    acts = [Act("createPost", {"text": " "}), Act("createPost", {"text": "Next"}, "post { text }")]
    assert flushes.codes(await flushes.flush(ada, acts[:1])) == ["REQUIRED"]
    stored = {"q": {"_id": f"{ada.user_id}:{acts[0].key}"}, "u": {"$set": {"payload.errors.0.code": code}}}
    await services.db.write({"update": "receipts", "updates": [stored]})
    for replayed in (False, True):
        refused, done = payloads(await flushes.flush(ada, acts))
        assert (refused["replayed"], refused["errors"]) == (
            True,
            [{"code": "FORBIDDEN", "kind": "FORBIDDEN", "retryable": False, "retryAfterSeconds": None}],
        )
        assert (done["replayed"], done["errors"], done["post"]) == (replayed, [], {"text": "Next"})
