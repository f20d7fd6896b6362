"""Writing comments and reacting."""

import asyncio
from typing import Any

import pytest

from core import clock, ids, jobs
from core.context import Services
from tests.conftest import NewPhone
from tests.feed.steps import comment, insert_comments, insert_posts, publish, refusal, written
from tests.phone import Phone, key

COMMENT = """
  comment { id post { id } parent { id } author { id } text replyCount status version
    reactions { count viewerReaction } editedAt }
  post { id commentCount version }
"""
EDGE = "commentEdge { cursor node { id } }"
HIDDEN = refusal("NOT_FOUND", "The post is gone, or hidden from you.", ["postId"])
NO_THREAD = refusal("NOT_FOUND", "There is no such comment to reply to.", ["parentId"])


async def test_a_comment_is_answered_whole_with_the_post_s_new_count(new_phone: NewPhone) -> None:
    ada, grace, id = await new_phone("Ada"), await new_phone("Grace"), ids.new_id("comment")
    post = await publish(ada)
    made = await grace.do("createComment", COMMENT, id=id, postId=post, text=" Hear, hear ")
    assert made["errors"] == []
    assert made["comment"] == {
        "id": id,
        "post": {"id": post},
        "parent": None,
        "author": {"id": grace.user_id},
        "text": "Hear, hear",
        "replyCount": 0,
        "status": "PUBLISHED",
        "version": 1,
        "reactions": {"count": 0, "viewerReaction": None},
        "editedAt": None,
    }
    assert made["post"] == {"id": post, "commentCount": 1, "version": 1}


async def test_a_reply_to_a_reply_joins_the_thread(new_phone: NewPhone) -> None:
    ada = await new_phone("Ada")
    post = await publish(ada)
    top = await comment(ada, post)
    reply = await comment(ada, post, parentId=top)
    made = await ada.do("createComment", COMMENT, postId=post, text="Deeper", parentId=reply)
    assert made["comment"]["parent"] == {"id": top}
    assert made["post"]["commentCount"] == 3
    found = await ada.run("query($id: ID!) { node(id: $id) { ... on Comment { replyCount } } }", id=top)
    assert found == {"node": {"replyCount": 2}}


@pytest.mark.parametrize("reply", [False, True])
async def test_the_edge_is_where_the_thread_has_it(new_phone: NewPhone, reply: bool) -> None:
    ada = await new_phone("Ada")
    post = await publish(ada)
    parent = {"parentId": await comment(ada, post)} if reply else {}
    for _ in range(2):
        made = await ada.do("createComment", EDGE, postId=post, text="Here", **parent)
    query = """query($id: ID!) { post(id: $id) { comments(first: 1) {
      edges { cursor node { id replies(last: 1) { edges { cursor node { id } } } } } } } }"""
    [top] = (await ada.run(query, id=post))["post"]["comments"]["edges"]
    replies = top["node"].pop("replies")["edges"]
    assert (replies if reply else [top]) == [made["commentEdge"]]


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("  ", ("REQUIRED", "A comment needs text.", ["text"])),
        ("a" * 2_001, ("TOO_LONG", "At most 2,000 characters.", ["text"], 2_000)),
    ],
)
async def test_a_refused_comment_is_not_written(
    new_phone: NewPhone, services: Services, text: str, error: tuple[Any, ...]
) -> None:
    ada = await new_phone("Ada")
    post = await publish(ada)
    refused = await ada.do("createComment", f"{COMMENT} {EDGE}", postId=post, text=text)
    assert refused["errors"] == [refusal(*error)]
    assert refused["comment"] is refused["commentEdge"] is refused["post"] is None
    [kept] = await services.db.find("posts", {"_id": post})
    assert kept["comment_count"] == 0
    assert await written(services, "comments", {"post_id": post}) == 0


async def test_a_post_that_is_being_processed_takes_no_comments(
    new_phone: NewPhone, services: Services
) -> None:
    ada = await new_phone("Ada")
    [post] = await insert_posts(services, ada.user_id, [None], state="PROCESSING")
    refused = await ada.do("createComment", COMMENT, postId=post, text="Soon")
    closed = refusal("UPLOAD_NOT_READY", "The post's files are still on their way.", ["postId"])
    assert (refused["errors"], refused["comment"]) == ([closed], None)


async def test_a_removed_post_takes_no_comments(new_phone: NewPhone, services: Services) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    [post] = await insert_posts(services, ada.user_id, [None], state="REMOVED")
    assert (await grace.do("createComment", COMMENT, postId=post, text="But"))["errors"] == [HIDDEN]
    refused = await ada.do("createComment", COMMENT, postId=post, text="But")
    closed = refusal("COMMENTS_CLOSED", "This post does not take comments any more.", ["postId"])
    assert refused["errors"] == [closed]
    assert await written(services, "comments", {"post_id": post}) == 0


async def test_hidden_and_missing_posts_take_no_comments(new_phone: NewPhone, services: Services) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    hidden = await publish(ada, visibility="PRIVATE")
    for post in (hidden, ids.new_id("post")):
        refused = await grace.do("createComment", COMMENT, postId=post, text="Well")
        assert (refused["errors"], refused["comment"]) == ([HIDDEN], None)
    assert await written(services, "comments", {"post_id": hidden}) == 0


async def test_a_reply_needs_its_thread(new_phone: NewPhone) -> None:
    ada = await new_phone("Ada")
    post = await publish(ada)
    elsewhere = await comment(ada, await publish(ada))
    for parent in (ids.new_id("comment"), elsewhere):
        refused = await ada.do("createComment", COMMENT, postId=post, text="Well", parentId=parent)
        assert (refused["errors"], refused["comment"]) == ([NO_THREAD], None)


async def test_a_blocked_person_s_comment_is_hidden_even_from_its_replies(new_phone: NewPhone) -> None:
    ada, grace, alan = await new_phone("Ada"), await new_phone("Grace"), await new_phone("Alan")
    post = await publish(ada)
    top = await comment(grace, post)
    reply = await comment(ada, post, parentId=top)
    await alan.do("blockUser", "removedUserId", userId=grace.user_id)
    query = "query($id: ID!) { node(id: $id) { ... on Comment { id parent { id author { name } } } } }"
    assert await alan.run(query, id=reply) == {"node": {"id": reply, "parent": None}}
    assert await ada.run(query, id=reply) == {
        "node": {"id": reply, "parent": {"id": top, "author": {"name": "Grace"}}}
    }
    refused = await alan.do("createComment", COMMENT, postId=post, text="Well", parentId=top)
    assert (refused["errors"], refused["comment"]) == ([NO_THREAD], None)


async def test_an_edit_and_a_conflict(new_phone: NewPhone, services: Services) -> None:
    ada = await new_phone("Ada")
    id = await comment(ada, await publish(ada), "Frist")
    selection = "comment { text version }"
    done = await ada.do("updateComment", selection, commentId=id, text="First", expectedVersion=1)
    assert (done["errors"], done["comment"]) == ([], {"text": "First", "version": 2})
    refused = await ada.do("updateComment", selection, commentId=id, text="Worst", expectedVersion=1)
    assert refused["errors"] == [refusal("CONFLICT", "It was changed on another device.")]
    assert refused["comment"] == {"text": "First", "version": 2}
    empty = await ada.do("updateComment", selection, commentId=id, text="")
    assert empty["errors"] == [refusal("REQUIRED", "A comment needs text.", ["text"])]
    [kept] = await services.db.find("comments", {"_id": id})
    assert (kept["text"], kept["version"]) == ("First", 2)


async def test_only_its_author_edits_a_comment(new_phone: NewPhone) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    id = await comment(grace, await publish(ada))
    for target in (id, ids.new_id("comment")):
        refused = await ada.do("updateComment", "comment { id }", commentId=target, text="Other words")
        assert refused["errors"] == [refusal("NOT_FOUND", "You have no such comment.", ["commentId"])]


STUB = "comment { id text status author { id } replyCount }"


@pytest.mark.parametrize("by", ["its author", "the post's author"])
async def test_a_deleted_comment_leaves_a_stub_for_its_replies(
    new_phone: NewPhone, services: Services, by: str
) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    post = await publish(ada)
    top = await comment(grace, post)
    reply = await comment(ada, post, parentId=top)
    other = await comment(ada, post)
    for subject in (top, reply, other):
        await ada.do("setReaction", "subject { __typename }", subjectId=subject, kind="LOVE")
    phone = grace if by == "its author" else ada
    done = await phone.do(
        "deleteComment", f"deletedCommentId {STUB} post {{ id commentCount }}", commentId=top
    )
    assert (done["errors"], done["deletedCommentId"]) == ([], None)
    stub = {"id": top, "text": None, "status": "REMOVED", "author": None, "replyCount": 1}
    assert done["comment"] == stub
    assert done["post"] == {"id": post, "commentCount": 2}
    await jobs.run_due(services)
    reacted = await services.db.find("reactions", {"subject_id": {"$in": [top, reply, other]}})
    assert sorted(each["subject_id"] for each in reacted) == sorted([reply, other])
    refused = await ada.do("createComment", "comment { id }", postId=post, parentId=top, text="To whom?")
    assert [error["code"] for error in refused["errors"]] == ["NOT_FOUND"]
    deeper = await ada.do("createComment", "comment { parent { id } }", postId=post, parentId=reply, text="a")
    assert deeper["comment"]["parent"]["id"] == top
    again = await phone.do("deleteComment", "deletedCommentId", commentId=top)
    assert [error["code"] for error in again["errors"]] == ["NOT_FOUND"]


async def test_a_stub_goes_with_the_last_of_its_replies(new_phone: NewPhone, services: Services) -> None:
    ada = await new_phone("Ada")
    post = await publish(ada)
    top = await comment(ada, post)
    replies = [await comment(ada, post, parentId=top) for _ in range(3)]
    await ada.do("deleteComment", "deletedCommentId", commentId=top)
    for left, reply in zip((2, 1, 0), replies, strict=True):
        done = await ada.do("deleteComment", f"{STUB} post {{ commentCount }}", commentId=reply)
        assert (done["errors"], done["comment"], done["post"]["commentCount"]) == ([], None, left)
    nodes = await ada.run("query($ids: [ID!]!) { nodes(ids: $ids) { id } }", ids=[top, *replies])
    assert nodes == {"nodes": [None] * 4}
    assert await _comments(ada, post) == []
    rows = await services.db.find("comments", {"post_id": post})
    assert {(row["text"], row["author_id"]) for row in rows} == {("", None)}


async def _comments(phone: Phone, post: str, arguments: str = "first: 50") -> list[dict[str, Any]]:
    selection = f"comments({arguments}) {{ edges {{ node {{ id text status }} }} }}"
    found = await phone.run(f"query($id: ID!) {{ post(id: $id) {{ {selection} }} }}", id=post)
    return [edge["node"] for edge in found["post"]["comments"]["edges"]]


async def test_a_thousand_replies_do_not_hold_up_a_deletion(new_phone: NewPhone, services: Services) -> None:
    ada = await new_phone("Ada")
    post = await publish(ada)
    top = await comment(ada, post)
    await insert_comments(services, post, [ada.user_id], [clock.now()] * 1_500, parent_id=top)
    update = {"q": {"_id": top}, "u": {"$set": {"reply_count": 1_500}}}
    await services.db.write({"update": "comments", "updates": [update]})
    done = await ada.do("deleteComment", STUB, commentId=top)
    assert (done["errors"], done["comment"]["replyCount"]) == ([], 1_500)


async def test_since_tells_what_was_edited_and_deleted(new_phone: NewPhone) -> None:
    ada = await new_phone("Ada")
    post = await publish(ada)
    kept, edited, deleted = [await comment(ada, post, f"{n}") for n in range(3)]
    await asyncio.sleep(0.01)
    since = clock.now().isoformat()
    await ada.do("updateComment", "comment { id }", commentId=edited, text="Edited")
    await ada.do("deleteComment", "deletedCommentId", commentId=deleted)
    new = await comment(ada, post, "New")
    found = await _comments(ada, post, f'filter: {{updatedFrom: "{since}"}}')
    assert [(each["id"], each["status"]) for each in found] == [
        (edited, "PUBLISHED"),
        (deleted, "REMOVED"),
        (new, "PUBLISHED"),
    ]
    assert kept in [each["id"] for each in await _comments(ada, post)]
    assert deleted not in [each["id"] for each in await _comments(ada, post)]


async def test_the_top_comments_come_first(new_phone: NewPhone) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    post = await publish(ada)
    quiet, liked, discussed = [await comment(ada, post, f"{n}") for n in range(3)]
    for phone in (ada, grace):
        await comment(phone, post, "Really?", parentId=discussed)
    await grace.do("setReaction", "subject { __typename }", subjectId=liked, kind="LOVE")
    await grace.do("setReaction", "subject { __typename }", subjectId=liked, kind="WOW")
    assert [each["id"] for each in await _comments(ada, post, "sort: TOP")] == [discussed, liked, quiet]


async def test_a_comment_on_a_deleted_post_is_not_found(new_phone: NewPhone) -> None:
    """Row: Comment on deleted post."""
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    post = await publish(ada)
    await ada.do("deletePost", "deletedPostId", postId=post)
    refused = await grace.do("createComment", "comment { id }", postId=post, text="Too late")
    assert [error["code"] for error in refused["errors"]] == ["NOT_FOUND"]
    assert refused["errors"][0]["retryable"] is False


async def test_a_reaction_changed_twice_offline_counts_once(new_phone: NewPhone) -> None:
    """Row: Reaction changed twice offline; a replay shows the counts as they are now."""
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    post = await publish(ada)
    summary = "subject { ... on Post { reactionSummary { count like love sad viewerReaction } } }"
    keys = [key() for _ in range(2)]
    for _ in range(2):
        for once, kind in zip(keys, ("LIKE", "LOVE"), strict=True):
            done = await grace.do("setReaction", summary, subjectId=post, kind=kind, idempotencyKey=once)
    now = {"count": 1, "like": 0, "love": 1, "sad": 0, "viewerReaction": "LOVE"}
    assert (done["replayed"], done["subject"]["reactionSummary"]) == (True, now)
    await ada.do("setReaction", summary, subjectId=post, kind="SAD")
    late = await grace.do("setReaction", summary, subjectId=post, kind="LOVE", idempotencyKey=keys[1])
    assert late["subject"]["reactionSummary"] == {**now, "count": 2, "sad": 1}


async def test_a_deleted_reply_leaves_its_thread_with_one_less(new_phone: NewPhone) -> None:
    ada = await new_phone("Ada")
    post = await publish(ada)
    top = await comment(ada, post)
    replies = [await comment(ada, post, parentId=top) for _ in range(2)]
    done = await ada.do("deleteComment", "post { commentCount }", commentId=replies[0])
    assert done["post"] == {"commentCount": 2}
    found = await ada.run("query($id: ID!) { node(id: $id) { ... on Comment { replyCount } } }", id=top)
    assert found == {"node": {"replyCount": 1}}


async def test_nobody_else_deletes_a_comment(new_phone: NewPhone, services: Services) -> None:
    ada, grace, alan = await new_phone("Ada"), await new_phone("Grace"), await new_phone("Alan")
    id = await comment(grace, await publish(ada))
    refused = await alan.do("deleteComment", "deletedCommentId", commentId=id)
    error = refusal("NOT_FOUND", "You cannot delete such a comment.", ["commentId"])
    assert (refused["errors"], refused["deletedCommentId"]) == ([error], None)
    assert await written(services, "comments", {"_id": id}) == 1


COUNTS = "count like love wow sad angry viewerReaction"
SUMMARY = f"""subject {{ __typename
  ... on Post {{ summary: reactionSummary {{ {COUNTS} }} }}
  ... on Comment {{ summary: reactions {{ {COUNTS} }} }} }}"""
NONE: dict[str, Any] = {
    "count": 0,
    "like": 0,
    "love": 0,
    "wow": 0,
    "sad": 0,
    "angry": 0,
    "viewerReaction": None,
}


@pytest.mark.parametrize("subject", ["Post", "Comment"])
async def test_a_reaction_is_set_changed_and_taken_back(new_phone: NewPhone, subject: str) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    post = await publish(ada)
    id = post if subject == "Post" else await comment(ada, post)
    await ada.do("setReaction", SUMMARY, subjectId=id, kind="LOVE")
    steps = [
        ("LIKE", {"count": 2, "love": 1, "like": 1}),
        ("LIKE", {"count": 2, "love": 1, "like": 1}),
        ("SAD", {"count": 2, "love": 1, "sad": 1}),
        (None, {"count": 1, "love": 1}),
        (None, {"count": 1, "love": 1}),
    ]
    for kind, expected in steps:
        done = await grace.do("setReaction", SUMMARY, subjectId=id, kind=kind)
        assert done["errors"] == []
        summary = {**NONE, **expected, "viewerReaction": kind}
        assert done["subject"] == {"__typename": subject, "summary": summary}


async def test_a_replayed_reaction_counts_once(new_phone: NewPhone, services: Services) -> None:
    ada, once = await new_phone("Ada"), key()
    post = await publish(ada)
    for replayed in (False, True):
        done = await ada.do("setReaction", SUMMARY, subjectId=post, kind="WOW", idempotencyKey=once)
        assert (done["replayed"], done["subject"]["summary"]["count"]) == (replayed, 1)
    assert await written(services, "reactions", {"subject_id": post}) == 1


async def test_hidden_and_missing_things_take_no_reaction(new_phone: NewPhone, services: Services) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    post = await publish(ada, visibility="PRIVATE")
    hidden = await comment(ada, post)
    for subject in (post, hidden, ids.new_id("post"), ids.new_id("comment")):
        refused = await grace.do("setReaction", SUMMARY, subjectId=subject, kind="LIKE")
        assert refused["errors"] == [refusal("NOT_FOUND", "It is gone, or hidden from you.")]
        assert refused["subject"] is None
    assert await written(services, "reactions", {"user_id": grace.user_id}) == 0
