"""Shares: into one's own timeline, or by a link."""

import secrets
from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

from core import ids, nodes, viewers
from core.context import Context
from core.errors import UserError
from core.ids import Id
from resolvers.feed import home, moderating, posts, reading
from resolvers.feed.access import need_files, post_for_update, visible_posts
from resolvers.feed.content import checked_text, shareable
from stores import feed as store
from stores.feed import Post, Visibility
from stores.feed.kinds import SHOWN

Document = Mapping[str, Any]


class Shared(TypedDict):
    post: Post
    post_edge: dict[str, Any]
    feed_edge: dict[str, Any]
    shared_post: Document | None
    viewer: dict[str, Any]


class Link(TypedDict):
    code: str
    url: str
    post: Post | None


class Linked(TypedDict):
    share_link: Link


async def share_post(
    ctx: Context,
    *,
    id: Id | None = None,
    post_id: Id,
    text: str | None = None,
    visibility: Visibility = Visibility.FRIENDS,
) -> Shared:
    """Share a post in one of one's own; a share of a share shows the first."""
    await moderating.limit(ctx, posts.POST_RATE)
    body = checked_text(text, posts.LONGEST_TEXT)
    await moderating.screen(ctx, body)
    original = await post_for_update(ctx, post_id)
    if original.get("shared_post_id"):
        original = await post_for_update(ctx, original["shared_post_id"])
    need_files(original, field="postId")
    if original["state"] not in SHOWN or not shareable(original) or visibility == Visibility.GROUP:
        raise UserError("FORBIDDEN", "This post is not passed on.", field=["postId"])
    share = await posts.publish(
        ctx,
        {
            "_id": ids.minted(id, "post"),
            "text": body,
            "visibility": visibility,
            "shared_post_id": original["_id"],
            "shared_author_id": original["author_id"],
        },
    )
    counted = await posts.count_shares(ctx, original["_id"], 1)
    return {
        "post": share,
        "post_edge": reading.post_edge(share),
        "feed_edge": home.feed_edge(ctx, share),
        "shared_post": counted,
        "viewer": viewers.document(ctx),
    }


async def create_share_link(ctx: Context, *, post_id: Id) -> Linked:
    """Link to a public post; a person has one for each."""
    post = await post_for_update(ctx, post_id)
    need_files(post, field="postId")
    if post["state"] not in SHOWN or post["visibility"] != Visibility.PUBLIC:
        raise UserError("FORBIDDEN", "Only public posts have links.", field=["postId"])
    query = {"post_id": post_id, "user_id": ctx.viewer_id}
    link = await store.share_links.first(ctx.db, query)
    if link is None:
        row = {"_id": secrets.token_urlsafe(9), **query, "created_at": ctx.tx.now}
        link = await ctx.tx.insert(
            store.share_links,
            row,
            taken=lambda _: UserError("UNAVAILABLE", "Try again.", retry_after_seconds=1),
        )
    return {"share_link": _shown(ctx, link["_id"], post)}


def _shown(ctx: Context, code: str, post: Post) -> Link:
    return {"code": code, "url": f"{ctx.origin}/p/{code}", "post": post}


async def share_link(ctx: Context, *, code: str) -> Link | None:
    """Link by its code; None if it is unknown, or its post is not visible to the viewer."""
    link = await store.share_links.by_id(ctx.db, code[:100])
    [post] = await visible_posts(ctx, [link["post_id"]]) if link else [None]
    if post is None:
        nodes.check_token(ctx)
        return None
    return _shown(ctx, code, post)


async def shared_posts(ctx: Context, sharing: Sequence[Document]) -> list[Post | None]:
    """The shared posts of posts; None where the shared post's own audience excludes the viewer."""
    wanted = [id for post in sharing if (id := post.get("shared_post_id"))]
    seen = dict(zip(wanted, await visible_posts(ctx, wanted), strict=True)) if wanted else {}
    return [seen.get(post.get("shared_post_id") or "") for post in sharing]


async def shared_unavailable(ctx: Context, sharing: Sequence[Document]) -> list[bool]:
    found = await shared_posts(ctx, sharing)
    return [
        bool(post.get("shared_post_id")) and other is None for post, other in zip(sharing, found, strict=True)
    ]
