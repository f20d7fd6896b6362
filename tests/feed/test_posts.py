"""Writing posts."""

from typing import Any

import pytest

from core import ids, jobs
from core.context import Services
from jobs import feed as feed_jobs
from resolvers.feed.posts import POST_RATE
from tests.conftest import NewPhone
from tests.feed.steps import comment, counts, feed_of, follow, insert_posts, publish, refusal, written
from tests.phone import key

POST = """
  post { id author { id } text textPreview truncated visibility status pinned commentCount shareCount
    reactionSummary { count like viewerReaction } viewerCan { edit delete comment share pin }
    editedAt version createdAt updatedAt }
"""
GONE = refusal("NOT_FOUND", "You have no such post.", ["postId"])


async def test_a_post_is_answered_whole(new_phone: NewPhone) -> None:
    ada, id = await new_phone("Ada"), ids.new_id("post")
    made = await ada.do("createPost", POST, id=id, text="  Hello  ", visibility="PUBLIC")
    assert (made["errors"], made["replayed"]) == ([], False)
    at = made["post"]["createdAt"]
    assert made["post"] == {
        "id": id,
        "author": {"id": ada.user_id},
        "text": "Hello",
        "textPreview": "Hello",
        "truncated": False,
        "visibility": "PUBLIC",
        "status": "PUBLISHED",
        "pinned": False,
        "commentCount": 0,
        "shareCount": 0,
        "reactionSummary": {"count": 0, "like": 0, "viewerReaction": None},
        "viewerCan": {"edit": True, "delete": True, "comment": True, "share": True, "pin": True},
        "editedAt": None,
        "version": 1,
        "createdAt": at,
        "updatedAt": at,
    }
    assert await counts(ada) == (0, 0, 1)


async def test_a_post_is_for_friends_unless_said_otherwise(new_phone: NewPhone) -> None:
    made = await (await new_phone()).do("createPost", "post { visibility viewerCan { share } }", text="Hi")
    assert made["post"] == {"visibility": "FRIENDS", "viewerCan": {"share": True}}


async def test_the_edges_are_where_the_lists_have_them(new_phone: NewPhone) -> None:
    ada = await new_phone("Ada")
    await follow(ada, await new_phone("Grace"))
    for text in ("First", "Second"):
        made = await ada.do(
            "createPost", "postEdge { cursor node { id } } feedEdge { cursor reason node { id } }", text=text
        )
    query = """query($mine: String) { viewer { feed(first: 1) { edges { reason node { id } } }
      older: feed(after: $mine) { edges { node { id text } } }
      user { posts(first: 1) { edges { cursor node { id } } } } } }"""
    cursor = made["feedEdge"].pop("cursor")
    found = (await ada.run(query, mine=cursor))["viewer"]
    assert found["feed"]["edges"] == [made["feedEdge"]]
    assert [edge["node"]["text"] for edge in found["older"]["edges"]] == ["First"]
    assert found["user"]["posts"]["edges"] == [made["postEdge"]]
    older = "query($after: String) { viewer { feed(after: $after) { edges { node { text } } } } }"
    rest = await ada.run(older, after=cursor)
    assert rest["viewer"]["feed"]["edges"] == [{"node": {"text": "First"}}]


async def test_a_replay_posts_once(new_phone: NewPhone, services: Services) -> None:
    ada, once = await new_phone("Ada"), key()
    first = await ada.do("createPost", POST, text="Once", idempotencyKey=once)
    again = await ada.do("createPost", POST, text="Once", idempotencyKey=once)
    assert again == {**first, "replayed": True}
    assert await counts(ada) == (0, 0, 1)
    assert await written(services, "posts", {"author_id": ada.user_id}) == 1


@pytest.mark.parametrize(
    ("input", "error"),
    [
        ({}, ("REQUIRED", "A post needs text, media or a link.", ["text"])),
        ({"text": " \n\t "}, ("REQUIRED", "A post needs text, media or a link.", ["text"])),
        ({"text": "a" * 5_001}, ("TOO_LONG", "At most 5,000 characters.", ["text"], 5_000)),
        (
            {"text": "a", "uploadIds": [ids.new_id("upload") for _ in range(11)]},
            ("TOO_MANY", "At most 10 media.", ["uploadIds"], 10),
        ),
        (
            {"uploadIds": [ids.new_id("upload")]},
            ("NOT_FOUND", "You have no such upload for this.", ["uploadIds"]),
        ),
    ],
)
async def test_a_refused_post_is_not_written(
    new_phone: NewPhone, services: Services, input: dict[str, Any], error: tuple[Any, ...]
) -> None:
    ada = await new_phone("Ada")
    refused = await ada.do("createPost", "post { id } postEdge { cursor } feedEdge { cursor }", **input)
    assert refused["errors"] == [refusal(*error)]
    assert refused["post"] is refused["postEdge"] is refused["feedEdge"] is None
    assert await written(services, "posts", {"author_id": ada.user_id}) == 0
    assert await counts(ada) == (0, 0, 0)


async def test_the_longest_text_is_whole_and_its_preview_cut_at_a_word(new_phone: NewPhone) -> None:
    text = ("words " * 833).strip()
    made = await (await new_phone()).do("createPost", "post { text textPreview truncated }", text=text)
    assert made["post"]["text"] == text
    assert made["post"]["truncated"] is True
    assert made["post"]["textPreview"] == ("words " * 46).strip() + "…"


async def test_an_id_in_use_is_refused(new_phone: NewPhone, services: Services) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    id = await publish(grace, "Mine")
    refused = await ada.do("createPost", "post { id }", id=id, text="No, mine")
    assert refused["errors"] == [refusal("ID_TAKEN", "This id is in use.", ["id"])]
    [kept] = await services.db.find("posts", {"_id": id})
    assert (kept["author_id"], kept["text"]) == (grace.user_id, "Mine")
    assert await counts(ada) == (0, 0, 0)


async def test_the_thirty_first_post_in_an_hour_waits(new_phone: NewPhone, services: Services) -> None:
    ada = await new_phone("Ada")
    for _ in range(POST_RATE.count):
        await services.limits.take(POST_RATE, ada.user_id)
    refused = await ada.do("createPost", "post { id }", text="Once more")
    [error] = refused["errors"]
    assert (error["code"], error["retryable"]) == ("RATE_LIMITED", True)
    assert 0 < error["retryAfterSeconds"] <= 120
    assert await counts(ada) == (0, 0, 0)


async def test_an_edit_raises_the_version(new_phone: NewPhone) -> None:
    ada = await new_phone("Ada")
    id = await publish(ada, "Frist")
    done = await ada.do("updatePost", POST, postId=id, text="First", expectedVersion=1)
    assert done["errors"] == []
    assert (done["post"]["text"], done["post"]["version"]) == ("First", 2)
    assert done["post"]["editedAt"] == done["post"]["updatedAt"]
    changed = await ada.do("updatePost", "post { text visibility version }", postId=id, visibility="PRIVATE")
    assert changed["post"] == {"text": "First", "visibility": "PRIVATE", "version": 3}


async def test_a_conflict_shows_the_current_post_and_writes_nothing(
    new_phone: NewPhone, services: Services
) -> None:
    ada = await new_phone("Ada")
    id = await publish(ada, "One")
    await ada.do("updatePost", "post { id }", postId=id, text="Two")
    refused = await ada.do(
        "updatePost", "post { text visibility version }", postId=id, visibility="PRIVATE", expectedVersion=1
    )
    assert refused["errors"] == [refusal("CONFLICT", "It was changed on another device.")]
    assert refused["post"] == {"text": "Two", "visibility": "PUBLIC", "version": 2}
    [kept] = await services.db.find("posts", {"_id": id})
    assert (kept["visibility"], kept["version"]) == ("PUBLIC", 2)


async def test_counters_move_without_a_conflict(new_phone: NewPhone) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    id = await publish(ada)
    await comment(grace, id)
    await grace.do("setReaction", "subject { __typename }", subjectId=id, kind="LIKE")
    done = await ada.do(
        "updatePost", "post { version commentCount }", postId=id, text="Edited", expectedVersion=1
    )
    assert (done["errors"], done["post"]) == ([], {"version": 2, "commentCount": 1})


@pytest.mark.parametrize(
    ("input", "error"),
    [
        ({"text": " "}, ("REQUIRED", "A post needs text, media or a link.", ["text"])),
        ({"text": "a" * 5_001}, ("TOO_LONG", "At most 5,000 characters.", ["text"], 5_000)),
    ],
)
async def test_a_refused_edit_is_not_written(
    new_phone: NewPhone, services: Services, input: dict[str, str], error: tuple[Any, ...]
) -> None:
    ada = await new_phone("Ada")
    id = await publish(ada, "As it was")
    refused = await ada.do("updatePost", "post { id }", postId=id, visibility="PRIVATE", **input)
    assert (refused["errors"], refused["post"]) == ([refusal(*error)], None)
    [kept] = await services.db.find("posts", {"_id": id})
    assert (kept["text"], kept["visibility"], kept["version"]) == ("As it was", "PUBLIC", 1)


async def test_only_its_author_changes_or_deletes_a_post(new_phone: NewPhone, services: Services) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    id = await publish(ada, "Mine")
    for target in (id, ids.new_id("post")):
        changed = await grace.do("updatePost", "post { id }", postId=target, text="Yours")
        deleted = await grace.do("deletePost", "deletedPostId", postId=target)
        assert (changed["errors"], changed["post"]) == ([GONE], None)
        assert (deleted["errors"], deleted["deletedPostId"]) == ([GONE], None)
    [kept] = await services.db.find("posts", {"_id": id})
    assert kept["text"] == "Mine"


async def test_a_deleted_post_is_gone_with_all_that_hung_on_it(
    new_phone: NewPhone, services: Services
) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    id = await publish(ada)
    top = await comment(grace, id)
    await comment(ada, id, parentId=top)
    for subject in (id, top):
        await grace.do("setReaction", "subject { __typename }", subjectId=subject, kind="LIKE")
    once = key()
    deleted = await ada.do("deletePost", "deletedPostId", postId=id, idempotencyKey=once)
    assert (deleted["errors"], deleted["deletedPostId"]) == ([], id)
    assert await counts(ada) == (0, 0, 0)
    assert id not in await feed_of(ada)
    nodes = await grace.run("query($ids: [ID!]!) { nodes(ids: $ids) { id } }", ids=[id, top])
    assert nodes == {"nodes": [None, None]}
    await jobs.run_due(services)
    assert await written(services, "comments", {"post_id": id}) == 0
    assert await written(services, "reactions", {"subject_id": {"$in": [id, top]}}) == 0
    again = await ada.do("deletePost", "deletedPostId", postId=id, idempotencyKey=once)
    assert again == {**deleted, "replayed": True}
    other_key = await ada.do("deletePost", "deletedPostId", postId=id)
    assert other_key["errors"] == [GONE]
    # A job may run twice.
    await feed_jobs.erase_comments(services, post_id=id)


async def test_a_pinned_post_stays_on_top_of_its_author_s_posts(
    new_phone: NewPhone, services: Services
) -> None:
    ada = await new_phone("Ada")
    [pinned] = await insert_posts(services, ada.user_id, [None], pinned=True)
    newer = await publish(ada)
    query = "query($id: ID!) { user(id: $id) { posts { edges { node { id } } } } }"
    found = await ada.run(query, id=ada.user_id)
    assert [edge["node"]["id"] for edge in found["user"]["posts"]["edges"]] == [pinned, newer]
