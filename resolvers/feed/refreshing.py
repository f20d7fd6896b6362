"""Pull-to-refresh: new, changed and removed items since a feed was shown."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from core import paging
from core.context import Context
from core.errors import BadUserInput
from core.paging import DEFAULT_PAGE, PageArgs
from loaders.feed import PostById
from resolvers.feed import home, viewer_relations
from resolvers.feed.home import about, feed_listing
from resolvers.feed.snapshots import LOST, Item, Snapshot, Snapshots
from resolvers.feed.viewer_relations import ViewerRelations
from stores import feed as store
from stores.feed import FeedSort, Post

Document = Mapping[str, Any]

MOST_NEW = 50
MOST_CHANGED = 100
FRESH = timedelta(seconds=5)
"""Oldest snapshot that a refresh compares with: later changes show at the next one."""
COMPARED = 50
"""Top items compared to tell whether it is still the same feed."""


async def feed_delta(ctx: Context, viewer: Document, *, newer_token: str) -> dict[str, Any]:
    """Delta of a feed since its token; a reset if the token's snapshot is gone or has moved too much."""
    sort, snapshot_id = _opened(ctx, newer_token)
    if sort is FeedSort.NEWEST or not snapshot_id:
        return await _reset(ctx, viewer, sort)
    try:
        held = await ctx.services.get(Snapshots).named(ctx.viewer_id, snapshot_id)
        now, stands = await home.current(ctx, oldest=FRESH)
    except LOST:
        return await _reset(ctx, viewer, sort)
    if held is None or _moved(held, now):
        return await _reset(ctx, viewer, sort)
    return await _compared(ctx, held, now, stands)


def _opened(ctx: Context, token: str) -> tuple[FeedSort, str]:
    for sort in FeedSort:
        try:
            id, _ = paging.decode(f"{feed_listing(ctx, sort)}+", token)
            return sort, str(id)
        except (BadUserInput, ValueError):
            continue
    raise BadUserInput("The token is not of this feed.")


def _moved(held: Snapshot, now: Snapshot) -> bool:
    """True if the client should start over: another ranking model, or half of the top is gone."""
    if (held.variant, held.degraded) != (now.variant, now.degraded):
        return True
    top = [item.post_id for item in held.items[:COMPARED]]
    present = {item.post_id for item in now.items}
    return sum(id in present for id in top) < len(top) / 2


async def _reset(ctx: Context, viewer: Document, sort: FeedSort) -> dict[str, Any]:
    page = await home.feed(ctx, viewer, sort=sort, args=PageArgs(first=DEFAULT_PAGE))
    edges = page["edges"]
    return {
        "new_edges": edges,
        "new_count": len(edges),
        "changed": [],
        "removed_post_ids": [],
        "newer_token": page["newer_token"],
        "reset": True,
    }


async def _compared(
    ctx: Context, held: Snapshot, now: Snapshot, stands: ViewerRelations | None
) -> dict[str, Any]:
    known = {item.post_id for item in held.items}
    fresh = [(index, item) for index, item in enumerate(now.items) if item.post_id not in known]
    items = [*held.items, *(item for _, item in fresh)]
    stands = stands or await viewer_relations.relations_to(ctx, items)
    shown = await _shown(ctx, items, stands)
    new = [(index, item) for index, item in fresh if item.post_id in shown]
    changed = [
        item.post_id
        for item in held.items
        if item.post_id in shown and shown[item.post_id]["updated_at"] >= held.generated_at
    ][:MOST_CHANGED]
    wanted = [*(item.post_id for _, item in new[:MOST_NEW]), *changed]
    loaded = await ctx.load_many(PostById, wanted)
    posts = {post["_id"]: post for post in loaded if post}
    listing = feed_listing(ctx)
    return {
        "new_edges": [
            home.ranked_edge(listing, now, index, posts[item.post_id])
            for index, item in new[:MOST_NEW]
            if item.post_id in posts
        ],
        "new_count": len(new),
        "changed": [posts[id] for id in changed if id in posts],
        "removed_post_ids": [item.post_id for item in held.items if item.post_id not in shown],
        "newer_token": about(listing, now)["newer_token"],
        "reset": False,
    }


async def _shown(ctx: Context, items: Sequence[Item], stands: ViewerRelations) -> dict[str, Post]:
    """Ranking features of those posts that the viewer may still be shown."""
    fields = (*store.FEATURES, "updated_at")
    rows = await store.posts.by_ids(ctx.db, [item.post_id for item in items], fields=fields)
    reasons = {item.post_id: item.why for item in items}
    return {row["_id"]: row for row in rows if stands.shows(row, reasons[row["_id"]])}
