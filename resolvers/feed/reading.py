"""Reading timelines, comments and follow lists."""

from asyncio import gather
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from core import paging
from core.context import Context
from core.ids import Id
from core.paging import Asked, Listing, Page
from loaders.feed import (
    CommentsByThread,
    FollowOfViewer,
    GroupsByUser,
    MutedByUser,
    Thread,
    pages_like,
    thread_sort,
)
from resolvers.feed import archiving
from resolvers.feed.access import SHOWN, barred, visible_comments, visible_post, visible_posts
from stores import feed as store
from stores.feed import Comment, CommentOrder, Post, Visibility

Document = Mapping[str, Any]
Parent = tuple[str, str | None]
"""A post, and a comment on it for its replies."""

PREVIEWED_COMMENTS = 3


async def post(ctx: Context, *, id: Id) -> Post:
    """NOT_FOUND when unseen."""
    return await visible_post(ctx, id)


async def timeline(ctx: Context, user: Document, *, asked: Asked) -> dict[str, Any]:
    """A person's posts that the viewer may see, pinned on top, then newest first."""
    listing = timeline_listing(user["_id"])
    page = paging.requested(listing, store.TIMELINE, asked)
    audience = await _audience_of(ctx, user["_id"])
    if audience is None:
        return paging.connection(listing, store.TIMELINE, page, [])
    query = {"$and": [{"author_id": user["_id"], **audience}, paging.beyond(store.TIMELINE, page)]}
    order = paging.scan_order(store.TIMELINE, page)
    fields = paging.projection(asked, store.TIMELINE)
    rows = await archiving.page_of(ctx, query, order=order, page=page, fields=fields)
    return paging.connection(listing, store.TIMELINE, page, rows)


def timeline_listing(user_id: str) -> paging.Listing:
    return paging.Listing("timeline", user=user_id)


async def _audience_of(ctx: Context, author_id: str) -> dict[str, Any] | None:
    """Which of an author's posts the viewer may see; None for none at all."""
    viewer = ctx.viewer_id_or_none
    if viewer == author_id:
        return {}
    if author_id in await barred(ctx):
        return None
    edge = await ctx.load(FollowOfViewer, author_id) if viewer else None
    seen = [Visibility.PUBLIC, Visibility.FRIENDS] if edge and edge["mutual"] else [Visibility.PUBLIC]
    shown: dict[str, Any] = {"visibility": {"$in": seen}, "state": {"$in": list(SHOWN)}}
    groups = await ctx.load(GroupsByUser, viewer) if viewer else []
    if not groups:
        return shown
    ours = {"group_id": {"$in": groups}, "state": {"$in": list(SHOWN)}}
    return {"$or": [shown, ours]}


async def comments(
    ctx: Context,
    post: Document,
    *,
    order: CommentOrder = CommentOrder.NEWEST,
    since: datetime | None = None,
    asked: Asked,
) -> dict[str, Any]:
    """Top-level comments of a post; with `since`, those that changed or were deleted from then on."""
    return (await _threads(ctx, [(post["_id"], None)], order, asked, since))[0]


async def comments_of_many(
    ctx: Context,
    posts: Sequence[Document],
    *,
    asked: Asked,
    order: CommentOrder = CommentOrder.NEWEST,
    since: datetime | None = None,
) -> list[dict[str, Any]]:
    return await _threads(ctx, [(post["_id"], None) for post in posts], order, asked, since, level=True)


async def replies(ctx: Context, comment: Document, *, asked: Asked) -> dict[str, Any]:
    """Replies to a top-level comment, oldest first."""
    return (await _threads(ctx, [(comment["post_id"], comment["_id"])], CommentOrder.OLDEST, asked))[0]


async def replies_of_many(
    ctx: Context, comments: Sequence[Document], *, asked: Asked
) -> list[dict[str, Any]]:
    parents = [(comment["post_id"], comment["_id"]) for comment in comments]
    return await _threads(ctx, parents, CommentOrder.OLDEST, asked, level=True)


async def _threads(
    ctx: Context,
    parents: Sequence[Parent],
    order: CommentOrder,
    asked: Asked,
    since: datetime | None = None,
    *,
    level: bool = False,
) -> list[dict[str, Any]]:
    """A page of each thread, all in one command; `level` says that there are no others to wait for."""
    sort = thread_sort(order, since)
    listings = [_thread(*parent, order, since) for parent in parents]
    without = await barred(ctx)
    if level and asked.from_an_end:
        page = paging.requested("", sort, asked)
        pages = [page] * len(parents)
        found = [Thread(*parent, order, page, without, since) for parent in parents[:1]]
        rows = await _level(ctx, found, parents, paging.projection(asked, sort))
    else:
        pages = [paging.requested(listing, sort, asked) for listing in listings]
        threads = [
            Thread(*each, order, page, without, since) for each, page in zip(parents, pages, strict=True)
        ]
        rows = await ctx.load_many(CommentsByThread, threads)
    return [
        paging.connection(listing, sort, page, each)
        for listing, page, each in zip(listings, pages, rows, strict=True)
    ]


async def _level(
    ctx: Context, first: Sequence[Thread], parents: Sequence[Parent], fields: Sequence[str] = ()
) -> list[list[Comment]]:
    """The page of the first thread, if there is one, of every parent."""
    ids = [comment or post for post, comment in parents]
    rows = await pages_like(ctx.db, first[0], ids, fields=fields) if first else {}
    return [rows.get(id, []) for id in ids]


def _thread(
    post_id: str, parent_id: str | None, order: CommentOrder, since: datetime | None = None
) -> Listing:
    filters: dict[str, Any] = {"since": since} if since else {"order": order}
    return Listing("comments", post=post_id, parent=parent_id, **filters)


async def comment_preview(ctx: Context, post: Document) -> list[Comment]:
    """The newest three comments, in the order they were written."""
    [rows] = await ctx.load_many(CommentsByThread, await _preview(ctx, [post]))
    return _previewed(rows)


async def comment_previews(ctx: Context, posts: Sequence[Document]) -> list[list[Comment]]:
    parents = [(post["_id"], None) for post in posts]
    return [_previewed(rows) for rows in await _level(ctx, await _preview(ctx, posts[:1]), parents)]


async def _preview(ctx: Context, posts: Sequence[Document]) -> list[Thread]:
    page, without = Page(PREVIEWED_COMMENTS), await _unheard(ctx)
    return [Thread(post["_id"], None, CommentOrder.NEWEST, page, without) for post in posts]


async def _unheard(ctx: Context) -> frozenset[str]:
    """Whose comments are not held before the viewer: they are hidden from each other, or muted."""
    if ctx.viewer is None:
        return frozenset()
    away, muted = await gather(barred(ctx), ctx.load(MutedByUser, ctx.viewer_id))
    return away | muted


def _previewed(rows: Sequence[Comment]) -> list[Comment]:
    return list(rows[:PREVIEWED_COMMENTS][::-1])


async def visible_post_of(ctx: Context, comment: Document) -> Any:
    """A comment's post, None when it is gone or hidden from its commenter."""
    [post] = await visible_posts(ctx, [comment["post_id"]])
    return post


async def visible_parent(ctx: Context, comment: Document) -> Any:
    """The comment replied to, None at top level or when its author is hidden from the viewer."""
    if comment["parent_id"] is None:
        return None
    [parent] = await visible_comments(ctx, [comment["parent_id"]])
    return parent


def post_edge(post: Post) -> dict[str, Any]:
    """The post's place on its author's timeline."""
    return paging.edge_of(timeline_listing(post["author_id"]), store.TIMELINE, post)


def comment_edge(comment: Comment) -> dict[str, Any]:
    """The comment's place in its thread."""
    top = comment["parent_id"] is None
    order = CommentOrder.NEWEST if top else CommentOrder.OLDEST
    listing = _thread(comment["post_id"], comment["parent_id"], order)
    return paging.edge_of(listing, store.LATEST if top else store.OLDEST, comment)
