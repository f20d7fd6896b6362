"""Reads of timelines, comments and threads."""

from asyncio import gather
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, TypedDict

from core import paging
from core.context import Context
from core.paging import NEWEST, KeysetPage, Listing, PageArgs
from loaders.feed import FollowOfViewer, GroupsByUser, MutedByUser
from resolvers.feed import archiving
from resolvers.feed.access import blocked_either_way
from stores import feed as store
from stores.feed import Comment, CommentSort, Post, Visibility
from stores.feed.kinds import SHOWN

Document = Mapping[str, Any]
Parent = tuple[str, str | None]
"""Parent of comments: a post, and a comment on it for its replies."""

PREVIEWED_COMMENTS = 3


async def timeline(ctx: Context, user: Document, *, args: PageArgs) -> dict[str, Any]:
    """A person's posts that the viewer may see, pinned on top, then newest first."""
    listing = timeline_listing(user["_id"])
    audience = await _audience_of(ctx, user["_id"])
    if audience is None:
        return paging.nothing(listing, store.TIMELINE, args)
    query = {"author_id": user["_id"], **audience}
    return await archiving.page(ctx, query, store.TIMELINE, args, listing=listing)


def timeline_listing(user_id: str) -> paging.Listing:
    return paging.Listing("timeline", user=user_id)


async def _audience_of(ctx: Context, author_id: str) -> dict[str, Any] | None:
    """Filter of an author's posts that the viewer may see; None for none at all."""
    viewer = ctx.viewer_id_or_none
    if viewer == author_id:
        return {}
    if author_id in await blocked_either_way(ctx):
        return None
    edge = await ctx.load(FollowOfViewer, author_id) if viewer else None
    seen = [Visibility.PUBLIC, Visibility.FRIENDS] if edge and edge["mutual"] else [Visibility.PUBLIC]
    shown: dict[str, Any] = {"visibility": {"$in": seen}, "state": {"$in": list(SHOWN)}}
    groups = await ctx.load(GroupsByUser, viewer) if viewer else []
    if not groups:
        return shown
    ours = {"group_id": {"$in": groups}, "state": {"$in": list(SHOWN)}}
    return {"$or": [shown, ours]}


class CommentFilter(TypedDict, total=False):
    """Filter of a post's comments."""

    updated_from: datetime | None
    """Moment since when the comments changed or were deleted: oldest change first, whatever the `sort`."""


async def comments(
    ctx: Context,
    posts: Sequence[Document],
    *,
    filter: CommentFilter | None = None,
    sort: CommentSort = CommentSort.NEWEST,
    args: PageArgs,
) -> list[dict[str, Any]]:
    """Top-level comments of posts; filtered, those that changed or were deleted from a moment on."""
    since = (filter or {}).get("updated_from")
    return await _threads(ctx, [(post["_id"], None) for post in posts], sort, args, since)


async def replies(ctx: Context, comments: Sequence[Document], *, args: PageArgs) -> list[dict[str, Any]]:
    """Replies to top-level comments, oldest first."""
    parents = [(comment["post_id"], comment["_id"]) for comment in comments]
    return await _threads(ctx, parents, CommentSort.OLDEST, args)


async def _threads(
    ctx: Context,
    parents: Sequence[Parent],
    order: CommentSort,
    args: PageArgs,
    since: datetime | None = None,
) -> list[dict[str, Any]]:
    """The same page of each thread, in one command."""
    if not parents:
        return []
    sort = _order_of(order, since)
    listings = [_thread(*parent, order, since) for parent in parents]
    # A cursor is good for one thread alone.
    [page, *_] = [
        paging.parse_page(listing, sort, args) for listing in (listings[:1] if args.from_an_end else listings)
    ]
    fields, without = paging.projection(args, sort), await blocked_either_way(ctx)
    rows = await _pages(ctx, parents, sort, page, without=without, since=since, fields=fields)
    return [
        paging.connection(listing, sort, page, each) for listing, each in zip(listings, rows, strict=True)
    ]


def _order_of(order: CommentSort, since: datetime | None) -> paging.Sort:
    if since is not None:
        return store.CHANGED
    return {CommentSort.NEWEST: NEWEST, CommentSort.OLDEST: store.OLDEST}.get(order, store.TOP)


async def _pages(
    ctx: Context,
    parents: Sequence[Parent],
    sort: paging.Sort,
    page: KeysetPage,
    *,
    without: frozenset[str],
    since: datetime | None = None,
    fields: Sequence[str] = (),
) -> list[list[Comment]]:
    """Comments of every post, or replies to every comment, without those of some authors."""
    key = "parent_id" if parents and parents[0][1] else "post_id"
    where: dict[str, Any] = {
        **({} if key == "parent_id" else {"parent_id": None}),
        **({"author_id": {"$nin": sorted(without)}} if without else {}),
        **({"updated_at": {"$gte": since}} if since else {"gone": {"$ne": True}}),
    }
    beyond = paging.after_filter(sort, page)
    ids = [comment or post for post, comment in parents]
    rows = await store.comments.per_parent(
        ctx.db,
        key,
        ids,
        sort=paging.sort_order(sort, page),
        limit=page.size + 1,
        where={"$and": [where, beyond]} if beyond else where,
        fields=fields,
    )
    return [rows.get(id, []) for id in ids]


def _thread(
    post_id: str, parent_id: str | None, order: CommentSort, since: datetime | None = None
) -> Listing:
    filters: dict[str, Any] = {"since": since} if since else {"order": order}
    return Listing("comments", post=post_id, parent=parent_id, **filters)


async def comment_previews(ctx: Context, posts: Sequence[Document]) -> list[list[Comment]]:
    """The newest three comments of each post, in the order they were written."""
    parents, page = [(post["_id"], None) for post in posts], KeysetPage(PREVIEWED_COMMENTS)
    found = await _pages(ctx, parents, NEWEST, page, without=await _unheard(ctx))
    return [rows[:PREVIEWED_COMMENTS][::-1] for rows in found]


async def _unheard(ctx: Context) -> frozenset[str]:
    """Authors whose comments are left out of the viewer's previews: blocked either way, or muted."""
    if ctx.viewer is None:
        return frozenset()
    away, muted = await gather(blocked_either_way(ctx), ctx.load(MutedByUser, ctx.viewer_id))
    return away | muted


def post_edge(post: Post) -> dict[str, Any]:
    """The post's place on its author's timeline."""
    return paging.edge_of(timeline_listing(post["author_id"]), store.TIMELINE, post)


def comment_edge(comment: Comment) -> dict[str, Any]:
    """The comment's place in its thread."""
    top = comment["parent_id"] is None
    order = CommentSort.NEWEST if top else CommentSort.OLDEST
    listing = _thread(comment["post_id"], comment["parent_id"], order)
    return paging.edge_of(listing, NEWEST if top else store.OLDEST, comment)
