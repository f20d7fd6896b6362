"""An open post's stream."""

from typing import Any

import pytest

from core import ids
from tests.conftest import NewPhone
from tests.feed.steps import befriend, comment, publish
from tests.phone import Failed, Phone, Stream

WATCH = """subscription($id: ID!, $after: String) { postEvents(postId: $id, after: $after) {
  __typename
  ... on Event { eventId occurredAt }
  ... on CommentCreated { commentEdge { node { id text author { name } } } }
  ... on CommentUpdated { comment { id text version } }
  ... on CommentDeleted { deletedCommentId }
  ... on ReactionsUpdated { subject { __typename
    ... on Post { id reactionSummary { count like viewerReaction } }
    ... on Comment { id reactions { count like viewerReaction } } } }
  ... on PostUpdated { post { id text version visibility } }
  ... on PostDeleted { deletedPostId }
} }"""


async def event(stream: Stream) -> dict[str, Any]:
    """The next event without its place and time."""
    found: dict[str, Any] = (await stream.next())["postEvents"]
    assert found.pop("eventId")
    assert found.pop("occurredAt").endswith("Z")
    return found


async def until(stream: Stream, kind: str) -> dict[str, Any]:
    """The next event of the kind: a comment, say, brings a new count of the post first."""
    while (found := await event(stream))["__typename"] != kind:
        continue
    return found


async def assert_over(stream: Stream) -> None:
    with pytest.raises(StopAsyncIteration, match="complete"):
        await stream.next()


async def test_every_kind_of_event(new_phone: NewPhone) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    post = await publish(ada, "One")
    async with grace.watch(WATCH, id=post) as stream:
        said = await comment(ada, post, "First")
        assert await until(stream, "CommentCreated") == {
            "__typename": "CommentCreated",
            "commentEdge": {"node": {"id": said, "text": "First", "author": {"name": "Ada"}}},
        }
        await ada.do("updateComment", "comment { id }", commentId=said, text="Second")
        assert await until(stream, "CommentUpdated") == {
            "__typename": "CommentUpdated",
            "comment": {"id": said, "text": "Second", "version": 2},
        }
        for subject in (post, said):
            await grace.do("setReaction", "subject { __typename }", subjectId=subject, kind="LIKE")
            found = await until(stream, "ReactionsUpdated")
            assert found["subject"]["id"] == subject
            summary = found["subject"].get("reactionSummary") or found["subject"]["reactions"]
            assert summary == {"count": 1, "like": 1, "viewerReaction": "LIKE"}
        await ada.do("updatePost", "post { id }", postId=post, text="Two")
        assert await until(stream, "PostUpdated") == {
            "__typename": "PostUpdated",
            "post": {"id": post, "text": "Two", "version": 2, "visibility": "PUBLIC"},
        }
        await ada.do("deleteComment", "deletedCommentId", commentId=said)
        assert await until(stream, "CommentDeleted") == {
            "__typename": "CommentDeleted",
            "deletedCommentId": said,
        }
        await ada.do("deletePost", "deletedPostId", postId=post)
        assert await until(stream, "PostDeleted") == {"__typename": "PostDeleted", "deletedPostId": post}
        await assert_over(stream)


async def test_a_new_comment_has_its_place_in_the_list(new_phone: NewPhone) -> None:
    """The edge's cursor is good for the list of comments: what was written before is the page after it."""
    ada = await new_phone("Ada")
    post = await publish(ada)
    first = await comment(ada, post, "First")
    watch = """subscription($id: ID!) { postEvents(postId: $id) { __typename
      ... on CommentCreated { eventId occurredAt commentEdge { cursor } }
      ... on Event { eventId occurredAt } } }"""
    async with ada.watch(watch, id=post) as stream:
        await comment(ada, post, "Second")
        cursor = (await until(stream, "CommentCreated"))["commentEdge"]["cursor"]
    page = """query($id: ID!, $after: String) { post(id: $id) {
      comments(sort: NEWEST, after: $after) { edges { node { id } } } } }"""
    edges = (await ada.run(page, id=post, after=cursor))["post"]["comments"]["edges"]
    assert edges == [{"node": {"id": first}}]


async def test_anybody_may_watch_a_public_post(new_phone: NewPhone, anonymous: Phone) -> None:
    ada = await new_phone("Ada")
    post = await publish(ada)
    async with anonymous.watch(WATCH, id=post) as stream:
        said = await comment(ada, post, "Hello, all")
        assert (await until(stream, "CommentCreated"))["commentEdge"]["node"]["id"] == said
        await ada.do("updatePost", "post { id }", postId=post, visibility="FRIENDS")
        assert await until(stream, "PostDeleted") == {"__typename": "PostDeleted", "deletedPostId": post}
        await assert_over(stream)


@pytest.mark.parametrize("loss", ["narrower audience", "unfollowed", "blocked by", "blocked"])
async def test_losing_sight_of_it_ends_the_stream(new_phone: NewPhone, loss: str) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    await befriend(ada, grace)
    post = await publish(ada, visibility="FRIENDS")
    async with grace.watch(WATCH, id=post) as stream:
        if loss == "narrower audience":
            await ada.do("updatePost", "post { id }", postId=post, visibility="PRIVATE")
        elif loss == "unfollowed":
            await ada.do("unfollowUser", "user { id }", userId=grace.user_id)
        elif loss == "blocked by":
            await ada.do("blockUser", "removedUserId", userId=grace.user_id)
        else:
            await grace.do("blockUser", "removedUserId", userId=ada.user_id)
        assert await event(stream) == {"__typename": "PostDeleted", "deletedPostId": post}
        await assert_over(stream)


async def test_its_author_watches_on(new_phone: NewPhone) -> None:
    ada = await new_phone("Ada")
    post = await publish(ada)
    async with ada.watch(WATCH, id=post) as stream:
        await ada.do("updatePost", "post { id }", postId=post, visibility="PRIVATE")
        assert (await until(stream, "PostUpdated"))["post"]["visibility"] == "PRIVATE"


async def test_comments_of_the_blocked_are_left_out(new_phone: NewPhone) -> None:
    ada, grace, alan = await new_phone("Ada"), await new_phone("Grace"), await new_phone("Alan")
    post = await publish(ada)
    await grace.do("blockUser", "removedUserId", userId=alan.user_id)
    async with grace.watch(WATCH, id=post) as stream:
        hidden = await comment(alan, post, "You do not hear me")
        await alan.do("setReaction", "subject { __typename }", subjectId=hidden, kind="LIKE")
        shown = await comment(ada, post, "You hear me")
        while (found := await event(stream))["__typename"] != "CommentCreated":
            assert found.get("subject", {}).get("id") != hidden
        assert found["commentEdge"]["node"]["id"] == shown


@pytest.mark.parametrize("whose", ["nobody's", "hidden"])
async def test_what_is_not_seen_cannot_be_watched(new_phone: NewPhone, whose: str) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    post = await publish(ada, visibility="PRIVATE") if whose == "hidden" else ids.new_id("post")
    async with grace.watch(WATCH, id=post) as stream:
        with pytest.raises(Failed) as failed:
            await stream.next()
    [error] = failed.value.errors
    assert (error["message"], error["extensions"]) == (
        "It does not exist, or you may not see it.",
        {"code": "NOT_FOUND"},
    )


async def test_a_resumed_stream_has_what_was_missed(new_phone: NewPhone) -> None:
    ada = await new_phone("Ada")
    post = await publish(ada)
    async with ada.watch(WATCH, id=post) as stream:
        await comment(ada, post, "Before")
        last = (await stream.next())["postEvents"]
        while last["__typename"] != "CommentCreated":
            last = (await stream.next())["postEvents"]
    missed = await comment(ada, post, "Meanwhile")
    async with ada.watch(WATCH, id=post, after=last["eventId"]) as stream:
        found = await until(stream, "CommentCreated")
        # What lies close before the position may come again; an event keeps its id.
        if found["commentEdge"] == last["commentEdge"]:
            found = await until(stream, "CommentCreated")
        assert found["commentEdge"]["node"] == {"id": missed, "text": "Meanwhile", "author": {"name": "Ada"}}


@pytest.mark.parametrize("after", ["nonsense", "AAAAAAAAAAAAAAAA", "é"])
async def test_a_forged_position_is_refused(new_phone: NewPhone, after: str) -> None:
    ada = await new_phone("Ada")
    post = await publish(ada)
    async with ada.watch(WATCH, id=post, after=after) as stream:
        with pytest.raises(Failed) as failed:
            await stream.next()
    [error] = failed.value.errors
    assert error["extensions"] == {"code": "BAD_USER_INPUT"}
