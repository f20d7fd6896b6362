"""Writing posts."""

from collections.abc import Mapping, Sequence
from typing import Any

from core import ids, jobs
from core.changes import user_scope
from core.context import Context
from core.errors import Refused, refusals
from core.ids import Id
from core.limits import Rate
from loaders.feed import PostById
from loaders.media import MediaById
from resolvers.feed import delivery, home, reading
from resolvers.feed.access import post_scopes
from resolvers.feed.snapshots import stale
from stores import auth as people
from stores import feed as store
from stores.feed import Post, PostState, Visibility

refusals(
    EMPTY_POST="A post needs text or media.",
    TEXT_TOO_LONG="The text is longer than allowed.",
    TOO_MANY_MEDIA="A post shows at most 10 media.",
    MEDIA_NOT_FOUND="One of the media does not exist or is not yours.",
)

LONGEST_TEXT = 5_000
PREVIEW = 280
MOST_MEDIA = 10
POST_RATE = Rate("posts", 30, 3600)

Document = Mapping[str, Any]


async def create_post(
    ctx: Context,
    *,
    id: Id | None = None,
    text: str | None = None,
    media_ids: Sequence[Id] = (),
    visibility: Visibility = Visibility.FRIENDS,
) -> dict[str, Any]:
    await ctx.limit(POST_RATE)
    body = checked_text(text, LONGEST_TEXT)
    if not body and not media_ids:
        raise Refused("EMPTY_POST", "A post needs text or media.", field=["text"])
    await _check_media(ctx, media_ids)
    author = await count_posts(ctx, ctx.viewer_id, 1)
    post = await ctx.tx.insert(
        store.posts,
        {
            "_id": ids.minted(id, "post"),
            "author_id": ctx.viewer_id,
            "text": body,
            "media_ids": list(media_ids),
            "visibility": visibility,
            "state": PostState.PUBLISHED,
            "pinned": False,
            "comment_count": 0,
            "share_count": 0,
            "reactions": {},
            "edited_at": None,
            **({"pulled": True} if _widely_followed(author) else {}),
        },
    )
    ctx.tx.changed(post, scopes=post_scopes(post), created=True)
    if visibility != Visibility.PRIVATE:
        await delivery.send(ctx, post, created=True)
    stale(ctx, ctx.viewer_id)
    return {"post": post, "post_edge": reading.post_edge(post), "feed_edge": home.feed_edge(ctx, post)}


def _widely_followed(author: Document | None) -> bool:
    return author is not None and author.get("follower_count", 0) > delivery.WIDE


async def update_post(
    ctx: Context,
    *,
    id: Id,
    text: str | None = None,
    visibility: Visibility | None = None,
    expected_version: int | None = None,
) -> dict[str, Any]:
    """Change text or audience; those who lose sight of it learn so."""
    post = await own_post(ctx, id)
    changes: dict[str, Any] = {}
    if text is not None:
        body = checked_text(text, LONGEST_TEXT)
        if not body and not post["media_ids"]:
            raise Refused("EMPTY_POST", "A post needs text or media.", field=["text"])
        changes |= {"text": body, "edited_at": ctx.tx.now}
    if visibility is not None:
        changes["visibility"] = visibility
    if expected_version is not None and expected_version != post["version"]:
        raise Refused("CONFLICT", "The post was changed on another device.", post=post)
    updated = await ctx.tx.update(store.posts, id, set=changes)
    assert updated is not None
    ctx.tx.changed(updated, scopes=post_scopes(updated))
    if updated["visibility"] != post["visibility"]:
        await delivery.send(ctx, updated)
    return {"post": updated}


async def delete_post(ctx: Context, *, id: Id) -> dict[str, Any]:
    """Delete a post; its comments and reactions follow in the background."""
    post = await own_post(ctx, id)
    await ctx.tx.delete(store.posts, id)
    ctx.tx.removed(post, aspects=["reactions", "counts"])
    await count_posts(ctx, post["author_id"], -1)
    await jobs.later(ctx.tx, "feed.erase_comments", post_id=id)
    await delivery.send(ctx, post)
    stale(ctx, ctx.viewer_id)
    return {"deleted_post_id": id}


async def own_post(ctx: Context, id: str) -> Post:
    post = await ctx.load(PostById, ids.checked(id, "post"))
    if post is None or post["author_id"] != ctx.viewer_id:
        raise Refused("NOT_FOUND", "You have no such post.", field=["id"])
    return post


async def count_posts(ctx: Context, author_id: str, by: int) -> people.User | None:
    author = await ctx.tx.update(people.users, author_id, inc={"post_count": by}, version=False)
    if author is not None:
        ctx.tx.changed(author, aspect="counts", scopes=[user_scope(author_id)])
    return author


def checked_text(text: str | None, longest: int) -> str | None:
    """Text without surrounding blanks, None when nothing is left."""
    body = (text or "").strip()
    if len(body) > longest:
        raise Refused("TEXT_TOO_LONG", f"At most {longest:,} characters.", field=["text"])
    return body or None


async def _check_media(ctx: Context, media_ids: Sequence[str]) -> None:
    if len(media_ids) > MOST_MEDIA:
        raise Refused("TOO_MANY_MEDIA", f"At most {MOST_MEDIA} media.", field=["mediaIds"])
    wanted = [ids.checked(id, "media") for id in media_ids]
    for medium in await ctx.load_many(MediaById, wanted):
        if medium is None or medium["owner_id"] != ctx.viewer_id:
            raise Refused("MEDIA_NOT_FOUND", "This medium is not yours to post.", field=["mediaIds"])


def text_preview(post: Document) -> str:
    """The first 280 characters, cut at a word."""
    text = post.get("text") or ""
    if len(text) <= PREVIEW:
        return text
    cut = text[:PREVIEW].rsplit(None, 1)[0]
    return f"{cut}…"


def truncated(post: Document) -> bool:
    return len(post.get("text") or "") > PREVIEW


def viewer_can(ctx: Context, post: Document) -> dict[str, bool]:
    own = ctx.viewer_id_or_none == post["author_id"]
    signed_in = ctx.viewer is not None
    open_post = post["state"] in (PostState.PUBLISHED, PostState.LIMITED)
    shareable = post["visibility"] == Visibility.PUBLIC
    return {
        "edit": own,
        "delete": own,
        "comment": signed_in and open_post,
        "share": signed_in and open_post and shareable,
        "pin": own,
    }
