"""Comments: one level of replies, and stubs in place of deleted comments with replies."""

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict, Unpack

from core import ids, jobs
from core.audit import Act, record
from core.context import Context
from core.errors import ErrorKind, UserError, error_codes
from core.ids import Id
from core.security.limits import Rate
from loaders.feed import CommentById
from resolvers.feed import moderating, notifications, reading
from resolvers.feed.access import need_files, own_comment_for_update, post_for_update, visible_comments
from resolvers.feed.content import checked_mentions, checked_text
from resolvers.feed.counting import KEPT, commented, sweep
from stores import feed as store
from stores.feed import Comment, PostStatus
from stores.feed.kinds import SHOWN

error_codes(ErrorKind.WRONG_STATUS, COMMENTS_CLOSED="The post does not take comments.")

LONGEST_TEXT = 2_000
COMMENT_RATE = Rate("comments", 60, 600)


class Created(TypedDict):
    comment: Comment
    comment_edge: dict[str, Any]
    parent: Mapping[str, Any] | None
    post: Mapping[str, Any] | None


class Changed(TypedDict):
    comment: Comment


class Deleted(TypedDict):
    deleted_comment_id: Id | None
    comment: Comment | None
    parent: Mapping[str, Any] | None
    post: Mapping[str, Any] | None


async def create_comment(
    ctx: Context,
    *,
    id: Id | None = None,
    post_id: Id,
    parent_id: Id | None = None,
    text: str,
    mentions: Sequence[Id] = (),
) -> Created:
    await moderating.limit(ctx, COMMENT_RATE)
    body = _checked(text)
    post = await post_for_update(ctx, post_id)
    need_files(post, field="postId")
    if post["state"] not in SHOWN:
        raise UserError("COMMENTS_CLOSED", "This post does not take comments any more.", field=["postId"])
    await moderating.screen(ctx, body)
    parent = await _parent(ctx, post_id, parent_id) if parent_id else None
    top = await _top(ctx, parent) if parent else None
    named = await checked_mentions(ctx, mentions)
    comment = await ctx.tx.insert(
        store.comments,
        {
            "_id": ids.minted(id, "comment"),
            "post_id": post_id,
            "post_author_id": post["author_id"],
            "parent_id": top["_id"] if top else None,
            "author_id": ctx.viewer_id,
            "text": body,
            "reply_count": 0,
            "weight": 0,
            "reactions": {},
            "state": PostStatus.PUBLISHED,
            "edited_at": None,
            **({"mention_ids": named} if named else {}),
        },
    )
    thread, updated = await commented(ctx.tx, comment, 1)
    await notifications.commented(ctx, comment, post, parent)
    await jobs.enqueue(ctx.tx, "feed.scan", subject_id=comment["_id"])
    return {
        "comment": comment,
        "comment_edge": reading.comment_edge(comment),
        "parent": thread,
        "post": updated,
    }


def _checked(text: str) -> str:
    body = checked_text(text, LONGEST_TEXT)
    if body is None:
        raise UserError("REQUIRED", "A comment needs text.", field=["text"])
    return body


async def _parent(ctx: Context, post_id: str, parent_id: str) -> Comment:
    """Comment replied to; a stub takes no more replies."""
    [parent] = await visible_comments(ctx, [ids.checked(parent_id, "comment")])
    if parent is None or parent["post_id"] != post_id or parent["state"] == PostStatus.REMOVED:
        raise UserError("NOT_FOUND", "There is no such comment to reply to.", field=["parentId"])
    return parent


async def _top(ctx: Context, parent: Comment) -> Comment:
    """Top comment of the thread: deeper replies join it, even if it was deleted meanwhile."""
    if parent["parent_id"] is None:
        return parent
    top = await ctx.load(CommentById, parent["parent_id"])
    if top is None:
        raise UserError("NOT_FOUND", "There is no such comment to reply to.", field=["parentId"])
    return top


class Mentions(TypedDict, total=False):
    mentions: Sequence[Id]


async def update_comment(
    ctx: Context,
    *,
    comment_id: Id,
    text: str,
    expected_version: int | None = None,
    **given: Unpack[Mentions],
) -> Changed:
    comment = await own_comment_for_update(ctx, comment_id)
    changes: dict[str, Any] = {"text": _checked(text), "edited_at": ctx.tx.now}
    await moderating.screen(ctx, changes["text"])
    if "mentions" in given:
        changes["mention_ids"] = await checked_mentions(ctx, given["mentions"])
    updated = await ctx.tx.edit(store.comments, comment, changes, expected_version=expected_version)
    await jobs.enqueue(ctx.tx, "feed.scan", subject_id=comment_id)
    return {"comment": updated}


async def delete_comment(ctx: Context, *, comment_id: Id) -> Deleted:
    """Delete a comment, by its author, the post's author or a moderator; with replies it becomes a stub."""
    comment = await ctx.load(CommentById, ids.checked(comment_id, "comment"))
    if comment is None or comment.get("gone") or not await _may_delete(ctx, comment):
        raise UserError("NOT_FOUND", "You cannot delete such a comment.", field=["commentId"])
    stub, parent, post = await blank(ctx, comment)
    if comment["author_id"] != ctx.viewer_id:
        act = Act("feed.comment_deleted", "DATA_MODIFIED", "CONTENT", comment_id, comment["author_id"])
        await record(ctx, act)
    gone = stub.get("gone", False)
    return {
        "deleted_comment_id": comment_id if gone else None,
        "comment": None if gone else stub,
        "parent": parent,
        "post": post,
    }


async def _may_delete(ctx: Context, comment: Comment) -> bool:
    if comment["author_id"] is None:
        return False
    if ctx.viewer_id in (comment["author_id"], comment["post_author_id"]):
        return True
    return await moderating.may_judge(ctx, comment["_id"])


async def blank(
    ctx: Context, comment: Comment
) -> tuple[Comment, dict[str, Any] | None, dict[str, Any] | None]:
    """Remove a comment's text and author; without replies it leaves the thread, too."""
    gone = comment["reply_count"] <= 0
    stub = await ctx.tx.update(
        store.comments,
        comment["_id"],
        set={
            "text": "",
            "author_id": None,
            "state": PostStatus.REMOVED,
            "deleted_at": ctx.tx.now,
            **({"gone": True, "purge_at": ctx.tx.now + KEPT} if gone else {}),
        },
        unset=["mention_ids", "kept"],
    )
    assert stub is not None
    await jobs.enqueue(ctx.tx, "feed.erase_reactions", subject_ids=[comment["_id"]])
    parent = await ctx.load(CommentById, comment["parent_id"]) if comment["parent_id"] else None
    # A stub counts no more; a comment that a moderator had removed was taken off before.
    counted = -1 if comment["state"] != PostStatus.REMOVED else 0
    thread, post = await commented(ctx.tx, comment, counted)
    if parent is not None and parent["author_id"] is None:
        await sweep(ctx.tx, parent["_id"])
    return stub, thread, post
