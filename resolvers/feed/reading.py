"""Reading timelines, comments and follow lists."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from core import paging
from core.context import Context
from core.ids import Id
from core.paging import Asked
from loaders.feed import CommentsByThread, FollowOfViewer, GroupsByUser, Thread, thread_sort
from resolvers.feed.access import SHOWN, barred, visible_comments, visible_post, visible_posts
from stores import feed as store
from stores.feed import Comment, CommentOrder, Post, Visibility

Document = Mapping[str, Any]
Load = Callable[[type[CommentsByThread], Sequence[Thread]], Awaitable[list[list[Comment]]]]
"""Of a whole level of threads, or of single ones that are asked for side by side."""

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
    rows = await store.posts.find(ctx.db, query, sort=order, limit=page.size + 1)
    return paging.connection(listing, store.TIMELINE, page, rows)


def timeline_listing(user_id: str) -> str:
    return paging.fingerprint("timeline", user=user_id)


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
    return (await _threads(ctx, [(post["_id"], None)], order, asked, ctx.load_many, since))[0]


async def comments_of_many(
    ctx: Context,
    posts: Sequence[Document],
    *,
    asked: Asked,
    order: CommentOrder = CommentOrder.NEWEST,
    since: datetime | None = None,
) -> list[dict[str, Any]]:
    return await _threads(ctx, [(post["_id"], None) for post in posts], order, asked, ctx.load_level, since)


async def replies(ctx: Context, comment: Document, *, asked: Asked) -> dict[str, Any]:
    """Replies to a top-level comment, oldest first."""
    parent = (comment["post_id"], comment["_id"])
    return (await _threads(ctx, [parent], CommentOrder.OLDEST, asked, ctx.load_many))[0]


async def replies_of_many(
    ctx: Context, comments: Sequence[Document], *, asked: Asked
) -> list[dict[str, Any]]:
    parents = [(comment["post_id"], comment["_id"]) for comment in comments]
    return await _threads(ctx, parents, CommentOrder.OLDEST, asked, ctx.load_level)


async def _threads(
    ctx: Context,
    parents: Sequence[tuple[str, str | None]],
    order: CommentOrder,
    asked: Asked,
    load: Load,
    since: datetime | None = None,
) -> list[dict[str, Any]]:
    """A page of each thread, all in one command."""
    sort = thread_sort(order, since)
    listings = [thread_listing(post_id, parent_id, order, since) for post_id, parent_id in parents]
    pages = [paging.requested(listing, sort, asked) for listing in listings]
    without = await barred(ctx)
    threads = [
        Thread(*parent, order, page, without, since) for parent, page in zip(parents, pages, strict=True)
    ]
    rows = await load(CommentsByThread, threads)
    return [
        paging.connection(listing, sort, page, each)
        for listing, page, each in zip(listings, pages, rows, strict=True)
    ]


def thread_listing(
    post_id: str, parent_id: str | None, order: CommentOrder, since: datetime | None = None
) -> str:
    filters = {"since": since} if since else {"order": order}
    return paging.fingerprint("comments", post=post_id, parent=parent_id, **filters)


async def comment_preview(ctx: Context, post: Document) -> list[Comment]:
    """The newest three comments, in the order they were written."""
    return (await _previews(ctx, [post], ctx.load_many))[0]


async def comment_previews(ctx: Context, posts: Sequence[Document]) -> list[list[Comment]]:
    return await _previews(ctx, posts, ctx.load_level)


async def _previews(ctx: Context, posts: Sequence[Document], load: Load) -> list[list[Comment]]:
    page, without = paging.Page(PREVIEWED_COMMENTS), await barred(ctx)
    threads = [Thread(post["_id"], None, CommentOrder.NEWEST, page, without) for post in posts]
    rows = await load(CommentsByThread, threads)
    return [each[:PREVIEWED_COMMENTS][::-1] for each in rows]


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
    listing = thread_listing(comment["post_id"], comment["parent_id"], order)
    return paging.edge_of(listing, store.LATEST if top else store.OLDEST, comment)
