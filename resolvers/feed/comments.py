"""Writing comments."""

from typing import Any

from core import ids, jobs
from core.context import Context
from core.errors import Refused, refusals
from core.ids import Id
from core.limits import Rate
from loaders.feed import CommentById
from resolvers.feed import reading
from resolvers.feed.access import SHOWN, comment_scopes, post_scopes, post_to_act_on, visible_comments
from resolvers.feed.posts import checked_text
from stores import feed as store
from stores.feed import Comment, Post, PostState

refusals(
    EMPTY_COMMENT="A comment needs text.",
    COMMENTS_CLOSED="The post does not take comments.",
)

LONGEST_TEXT = 2_000
COMMENT_RATE = Rate("comments", 60, 600)


async def create_comment(
    ctx: Context, *, post_id: Id, text: str, id: Id | None = None, parent_id: Id | None = None
) -> dict[str, Any]:
    await ctx.limit(COMMENT_RATE)
    body = checked_text(text, LONGEST_TEXT)
    if body is None:
        raise Refused("EMPTY_COMMENT", "A comment needs text.", field=["text"])
    post = await post_to_act_on(ctx, post_id)
    if post["state"] not in SHOWN:
        soon = "yet" if post["state"] == PostState.PROCESSING else "any more"
        raise Refused("COMMENTS_CLOSED", f"This post does not take comments {soon}.", field=["postId"])
    parent = await _thread(ctx, post_id, parent_id) if parent_id else None
    comment = await ctx.tx.insert(
        store.comments,
        {
            "_id": ids.minted(id, "comment"),
            "post_id": post_id,
            "post_author_id": post["author_id"],
            "parent_id": parent["_id"] if parent else None,
            "author_id": ctx.viewer_id,
            "text": body,
            "reply_count": 0,
            "reactions": {},
            "state": PostState.PUBLISHED,
            "edited_at": None,
        },
    )
    ctx.tx.changed(comment, scopes=comment_scopes(comment), created=True)
    updated = await _count(ctx, post_id, parent, 1)
    return {"comment": comment, "comment_edge": reading.comment_edge(comment), "post": updated}


async def _thread(ctx: Context, post_id: str, parent_id: str) -> Comment:
    """The top comment to reply to: deeper replies join its thread."""
    [parent] = await visible_comments(ctx, [ids.checked(parent_id, "comment")])
    if parent is not None and parent["parent_id"]:
        [parent] = await visible_comments(ctx, [parent["parent_id"]])
    if parent is None or parent["post_id"] != post_id:
        raise Refused("NOT_FOUND", "There is no such comment to reply to.", field=["parentId"])
    return parent


async def update_comment(
    ctx: Context, *, id: Id, text: str, expected_version: int | None = None
) -> dict[str, Any]:
    comment = await ctx.load(CommentById, ids.checked(id, "comment"))
    if comment is None or comment["author_id"] != ctx.viewer_id:
        raise Refused("NOT_FOUND", "You have no such comment.", field=["id"])
    if expected_version is not None and expected_version != comment["version"]:
        raise Refused("CONFLICT", "The comment was changed on another device.", comment=comment)
    body = checked_text(text, LONGEST_TEXT)
    if body is None:
        raise Refused("EMPTY_COMMENT", "A comment needs text.", field=["text"])
    updated = await ctx.tx.update(store.comments, id, set={"text": body, "edited_at": ctx.tx.now})
    assert updated is not None
    ctx.tx.changed(updated, scopes=comment_scopes(updated))
    return {"comment": updated}


async def delete_comment(ctx: Context, *, id: Id) -> dict[str, Any]:
    """By its author or the post's; its replies go with it."""
    comment = await ctx.load(CommentById, ids.checked(id, "comment"))
    if comment is None or ctx.viewer_id not in (comment["author_id"], comment["post_author_id"]):
        raise Refused("NOT_FOUND", "You cannot delete such a comment.", field=["id"])
    gone = [comment, *await store.comments.find(ctx.db, {"parent_id": id}, limit=1_000)]
    for each in gone:
        await ctx.tx.delete(store.comments, each["_id"])
        ctx.tx.removed(each, aspects=["reactions", "counts"])
    await jobs.later(ctx.tx, "feed.erase_reactions", subject_ids=[each["_id"] for each in gone])
    parent = await ctx.load(CommentById, comment["parent_id"]) if comment["parent_id"] else None
    post = await _count(ctx, comment["post_id"], parent, -len(gone))
    return {"deleted_comment_id": id, "post": post}


async def _count(ctx: Context, post_id: str, parent: Comment | None, by: int) -> Post | None:
    """Move the counters of the post and the thread."""
    if parent is not None:
        thread = await ctx.tx.update(store.comments, parent["_id"], inc={"reply_count": by}, version=False)
        if thread is not None:
            ctx.tx.changed(thread, aspect="counts", scopes=comment_scopes(thread))
    post = await ctx.tx.update(store.posts, post_id, inc={"comment_count": by}, version=False)
    if post is not None:
        ctx.tx.changed(post, aspect="counts", scopes=post_scopes(post))
    return post
