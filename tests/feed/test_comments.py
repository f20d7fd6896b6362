"""Writing comments and reacting."""

from typing import Any

import pytest

from core import ids, jobs
from core.context import Services
from tests.conftest import NewPhone
from tests.feed.steps import comment, insert_posts, publish, refusal, written
from tests.phone import key

COMMENT = """
  comment { id post { id } parent { id } author { id } text replyCount state version
    reactions { total viewerReaction } editedAt }
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
        "state": "PUBLISHED",
        "version": 1,
        "reactions": {"total": 0, "viewerReaction": None},
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
        ("  ", ("EMPTY_COMMENT", "A comment needs text.", ["text"])),
        ("a" * 2_001, ("TEXT_TOO_LONG", "At most 2,000 characters.", ["text"])),
    ],
)
async def test_a_refused_comment_is_not_written(
    new_phone: NewPhone, services: Services, text: str, error: tuple[str, str, list[str]]
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
    closed = refusal("COMMENTS_CLOSED", "This post does not take comments yet.", ["postId"])
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
    await alan.do("blockUser", "blockedUserId", userId=grace.user_id)
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
    done = await ada.do("updateComment", selection, id=id, text="First", expectedVersion=1)
    assert (done["errors"], done["comment"]) == ([], {"text": "First", "version": 2})
    refused = await ada.do("updateComment", selection, id=id, text="Worst", expectedVersion=1)
    assert refused["errors"] == [refusal("CONFLICT", "The comment was changed on another device.")]
    assert refused["comment"] == {"text": "First", "version": 2}
    empty = await ada.do("updateComment", selection, id=id, text="")
    assert empty["errors"] == [refusal("EMPTY_COMMENT", "A comment needs text.", ["text"])]
    [kept] = await services.db.find("comments", {"_id": id})
    assert (kept["text"], kept["version"]) == ("First", 2)


async def test_only_its_author_edits_a_comment(new_phone: NewPhone) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    id = await comment(grace, await publish(ada))
    for target in (id, ids.new_id("comment")):
        refused = await ada.do("updateComment", "comment { id }", id=target, text="Other words")
        assert refused["errors"] == [refusal("NOT_FOUND", "You have no such comment.", ["id"])]


@pytest.mark.parametrize("by", ["its author", "the post's author"])
async def test_a_comment_goes_with_its_replies_and_reactions(
    new_phone: NewPhone, services: Services, by: str
) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    post = await publish(ada)
    top = await comment(grace, post)
    reply = await comment(ada, post, parentId=top)
    other = await comment(ada, post)
    for subject in (top, reply, other):
        await ada.do("setReaction", "reactionSummary { total }", subjectId=subject, kind="LOVE")
    phone = grace if by == "its author" else ada
    selection = "deletedCommentId post { id commentCount }"
    done = await phone.do("deleteComment", selection, id=top)
    assert (done["errors"], done["deletedCommentId"]) == ([], top)
    assert done["post"] == {"id": post, "commentCount": 1}
    left = await services.db.find("comments", {"post_id": post})
    assert [each["_id"] for each in left] == [other]
    await jobs.run_due(services)
    reacted = await services.db.find("reactions", {"subject_id": {"$in": [top, reply, other]}})
    assert [each["subject_id"] for each in reacted] == [other]


async def test_a_deleted_reply_leaves_its_thread_with_one_less(new_phone: NewPhone) -> None:
    ada = await new_phone("Ada")
    post = await publish(ada)
    top = await comment(ada, post)
    replies = [await comment(ada, post, parentId=top) for _ in range(2)]
    done = await ada.do("deleteComment", "post { commentCount }", id=replies[0])
    assert done["post"] == {"commentCount": 2}
    found = await ada.run("query($id: ID!) { node(id: $id) { ... on Comment { replyCount } } }", id=top)
    assert found == {"node": {"replyCount": 1}}


async def test_nobody_else_deletes_a_comment(new_phone: NewPhone, services: Services) -> None:
    ada, grace, alan = await new_phone("Ada"), await new_phone("Grace"), await new_phone("Alan")
    id = await comment(grace, await publish(ada))
    refused = await alan.do("deleteComment", "deletedCommentId", id=id)
    error = refusal("NOT_FOUND", "You cannot delete such a comment.", ["id"])
    assert (refused["errors"], refused["deletedCommentId"]) == ([error], None)
    assert await written(services, "comments", {"_id": id}) == 1


SUMMARY = "reactionSummary { total like love wow sad angry viewerReaction } subject { __typename }"
NONE: dict[str, Any] = {
    "total": 0,
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
        ("LIKE", {"total": 2, "love": 1, "like": 1}),
        ("LIKE", {"total": 2, "love": 1, "like": 1}),
        ("SAD", {"total": 2, "love": 1, "sad": 1}),
        (None, {"total": 1, "love": 1}),
        (None, {"total": 1, "love": 1}),
    ]
    for kind, expected in steps:
        done = await grace.do("setReaction", SUMMARY, subjectId=id, kind=kind)
        assert done["errors"] == []
        assert done["subject"] == {"__typename": subject}
        assert done["reactionSummary"] == {**NONE, **expected, "viewerReaction": kind}


async def test_a_replayed_reaction_counts_once(new_phone: NewPhone, services: Services) -> None:
    ada, once = await new_phone("Ada"), key()
    post = await publish(ada)
    for replayed in (False, True):
        done = await ada.do("setReaction", SUMMARY, subjectId=post, kind="WOW", clientMutationId=once)
        assert (done["replayed"], done["reactionSummary"]["total"]) == (replayed, 1)
    assert await written(services, "reactions", {"subject_id": post}) == 1


async def test_hidden_and_missing_things_take_no_reaction(new_phone: NewPhone, services: Services) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    post = await publish(ada, visibility="PRIVATE")
    hidden = await comment(ada, post)
    for subject in (post, hidden, ids.new_id("post"), ids.new_id("comment")):
        refused = await grace.do("setReaction", SUMMARY, subjectId=subject, kind="LIKE")
        assert refused["errors"] == [refusal("NOT_FOUND", "It is gone, or hidden from you.")]
        assert refused["subject"] is refused["reactionSummary"] is None
    assert await written(services, "reactions", {"user_id": grace.user_id}) == 0
