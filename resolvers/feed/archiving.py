"""Archive of old posts, which keeps the live collection small; an action on one moves it back."""

from datetime import timedelta
from typing import Any

from core import clock, paging
from core.context import Context, Services
from core.paging import Listing, PageArgs
from core.storage.batches import each_in_unit
from stores import feed as store
from stores.feed import Post

COLD = timedelta(days=365)
BATCH = 100


async def archive(services: Services) -> int:
    """Move posts older than a year into the archive, except pinned ones; return how many."""
    query = {"created_at": {"$lt": clock.now() - COLD}, "pinned": False}
    return await each_in_unit(services, store.posts, query, _put_away, size=BATCH)


async def _put_away(ctx: Context, post: Post) -> None:
    gone = await ctx.tx.delete(store.posts, post["_id"])
    if gone is not None:
        # Readers see no difference, so nothing is logged.
        gone["archived"] = True
        away = await ctx.tx.insert(store.archive, gone)
        ctx.tx.skip_log(away)


async def at_hand(ctx: Context, post: Post) -> Post:
    """Post in the live collection, moved out of the archive if it lies there."""
    if not post.get("archived"):
        return post
    await ctx.tx.delete(store.archive, post["_id"])
    ctx.tx.skip_log(post)
    warm: Any = {key: value for key, value in post.items() if key != "archived"}
    back: Post = await ctx.tx.insert(store.posts, warm)
    ctx.tx.skip_log(back)
    ctx.refresh()
    return back


async def page(
    ctx: Context, query: dict[str, Any], sort: paging.Sort, args: PageArgs, *, listing: Listing
) -> dict[str, Any]:
    """Relay connection over a timeline's or group's posts, which continues into the archive."""
    page = paging.parse_page(listing, sort, args)
    where = {"$and": [query, paging.after_filter(sort, page)]}
    order, fields = paging.sort_order(sort, page), paging.projection(args, sort)
    how: Any = {"sort": order, "limit": page.size + 1, "fields": fields}
    rows: Any = await store.posts.find(ctx.db, where, **how)
    if page.backward or len(rows) <= page.size or _may_be_archived(rows[-1]):
        # One that came back from the archive stands among those that are there still.
        away = await store.archive.find(ctx.db, where, **how)
        rows = paging.slice_of([*rows, *away], sort, page) if away else rows
    return paging.connection(listing, sort, page, rows)


def _may_be_archived(post: Post) -> bool:
    """True if posts of its age are in the archive."""
    return post["created_at"] < clock.now() - COLD
