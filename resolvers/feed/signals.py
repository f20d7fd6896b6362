"""Feed signals from clients: hidden posts, impressions, typing."""

from collections.abc import Mapping, Sequence
from typing import Any

from core import ids
from core.context import Context
from core.errors import UserError
from core.ids import Id
from core.security.limits import Rate
from core.values.bounds import check_count
from resolvers.feed.access import post_for_update, visible_posts
from resolvers.feed.snapshots import stale
from stores import feed as store
from stores.feed.kinds import SHOWN
from stores.feed.scopes import post_scope

MOST_IMPRESSIONS = 50
LONGEST_NAME = 100
LONGEST_DWELL = 24 * 3600 * 1000
IMPRESSION_RATE = Rate("impressions", 120, 60)
TYPING_RATE = Rate("comment typing", 60, 60)


async def hide_post(ctx: Context, *, post_id: Id) -> dict[str, Any]:
    """Hide a post from the viewer's feed for good."""
    return await _hide(ctx, post_id, not_interested=False)


async def mark_post_uninteresting(ctx: Context, *, post_id: Id) -> dict[str, Any]:
    """Hide a post, and show less of its author from now on."""
    return await _hide(ctx, post_id, not_interested=True)


async def _hide(ctx: Context, post_id: str, *, not_interested: bool) -> dict[str, Any]:
    post = await post_for_update(ctx, post_id)
    if post["author_id"] == ctx.viewer_id:
        raise UserError("FORBIDDEN", "This cannot be done to oneself.", field=["postId"])
    row = {"_id": store.pair(ctx.viewer_id, post_id), "user_id": ctx.viewer_id, "post_id": post_id}
    if await store.hides.by_id(ctx.db, row) is None:
        row["author_id"] = post["author_id"]
        await ctx.tx.insert(store.hides, {**row, "not_interested": not_interested, "created_at": ctx.tx.now})
    elif not_interested:
        await ctx.tx.update(store.hides, row, set={"not_interested": True})
    stale(ctx, ctx.viewer_id)
    return {"removed_post_id": post_id}


async def record_impressions(ctx: Context, *, items: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Record impressions (post and time on screen): a ranking signal, shown to nobody.

    Of posts that are gone or hidden from the viewer nothing is kept.
    """
    await ctx.limit(IMPRESSION_RATE)
    check_count(items, least=1, most=MOST_IMPRESSIONS, field="items")
    for item in items:
        if (
            item["position"] < 0
            or not 0 <= item["dwell_ms"] <= LONGEST_DWELL
            or len(item["snapshot_id"]) > 100
        ):
            raise UserError("OUT_OF_RANGE", "A number is out of range.", field=["items"])
    named = list(dict.fromkeys(ids.checked(item["post_id"], "post") for item in items))
    seen = {post["_id"] for post in await visible_posts(ctx, named) if post}
    rows = [
        {
            "_id": ids.new_id("impression"),
            "user_id": ctx.viewer_id,
            "post_id": item["post_id"],
            "position": item["position"],
            "dwell_ms": item["dwell_ms"],
            "snapshot_id": item["snapshot_id"],
            "created_at": ctx.tx.now,
        }
        for item in items
        if item["post_id"] in seen
    ]
    if rows:
        await ctx.db.write({"insert": store.impressions.name, "documents": rows})
    return {"recorded_count": len(rows)}


async def set_comment_typing(ctx: Context, *, post_id: Id, typing: bool) -> dict[str, Any]:
    """Typing indicator, ephemeral: sent to those who have the post open, stored nowhere."""
    await ctx.limit(TYPING_RATE)
    [post] = await visible_posts(ctx, [ids.checked(post_id, "post")])
    if post is None:
        raise UserError("NOT_FOUND", "The post is gone, or hidden from you.", field=["postId"])
    if post["state"] not in SHOWN:
        raise UserError("COMMENTS_CLOSED", "This post does not take comments.", field=["postId"])
    ctx.services.live.signal(post_scope(post_id), {"typing": ctx.viewer_id, "on": typing})
    return {}
