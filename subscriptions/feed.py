"""What happens to an open post, pushed."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from core.changes import Entry, user_scope
from core.context import Context
from core.ids import Id, checked, prefix_of
from core.loader import Loader
from core.topics import followed, for_all
from loaders.feed import BarredByUser, CommentById, PostById
from resolvers import feed
from resolvers.feed.access import only_visible, open_to_all, post_scope
from stores.feed import Post

Event = dict[str, Any]


async def post_events(ctx: Context, *, post_id: Id, after: str | None = None) -> AsyncGenerator[Event, None]:
    """Comments, reactions and edits of a post, until it is gone or hidden from the viewer."""
    scopes = [post_scope(checked(post_id, "post"))]
    if ctx.viewer is not None:
        # Following and blocking decide who sees it: they are told in the viewer's own scope.
        scopes.append(user_scope(ctx.viewer_id))

    async def visible() -> None:
        ctx.refresh()
        await feed.visible_post(ctx, post_id)
        # An idle stream keeps nothing.
        ctx.refresh()

    async def meaning(entry: Entry) -> Event | None:
        return await _event(ctx, post_id, entry)

    async with aclosing(followed(ctx, scopes, after, meaning, check=visible)) as events:
        async for event in events:
            yield event
            if event["_type"] == "PostDeleted":
                return


async def _event(ctx: Context, post_id: str, entry: Entry) -> Event | None:
    """What an entry means to somebody watching the post; None when nothing."""
    if post_scope(post_id) not in (*entry["scopes"], *entry["former"]):
        return await _still_visible(ctx, post_id, entry)
    event = await for_all(ctx, entry, "postEvents", _told)
    return event if event is None or await _may_be_told(ctx, event) else _hidden(event)


async def _still_visible(ctx: Context, post_id: str, entry: Entry) -> Event | None:
    """The end of the stream, when a change between viewer and author hides the post."""
    if entry["_id"].partition(":")[0] not in ("scope", "block"):
        return None
    [post] = await feed.visible_posts(ctx, [post_id])
    return None if post else _gone(post_id)


def _gone(post_id: str) -> Event:
    return {"_type": "PostDeleted", "deleted_post_id": post_id}


def _hidden(event: Event) -> Event | None:
    """What is told instead to who may not see an event."""
    return _gone(event["post"]["_id"]) if event["_type"] == "PostUpdated" else None


async def _told(ctx: Context, entry: Entry) -> Event | None:
    """The event as everybody gets it who may see it; `_author` and `_barred` say who may not."""
    aspect, _, rest = entry["_id"].partition(":")
    if aspect == "reactions":
        return await _reactions(ctx, entry)
    if rest:
        return None
    if prefix_of(entry["_id"]) == "post":
        return await _post(ctx, entry)
    return await _comment(ctx, entry) if prefix_of(entry["_id"]) == "comment" else None


async def _post(ctx: Context, entry: Entry) -> Event:
    post = None if entry["deleted"] else await ctx.load(PostById, entry["node"])
    if post is None:
        return _gone(entry["node"])
    return {"_type": "PostUpdated", "post": post, **await _of_author(ctx, post["author_id"])}


async def _comment(ctx: Context, entry: Entry) -> Event | None:
    if entry["deleted"]:
        return {"_type": "CommentDeleted", "deleted_comment_id": entry["node"]}
    comment = await ctx.load(CommentById, entry["node"])
    if comment is None:
        return None
    kind = "CommentCreated" if entry["created"] else "CommentUpdated"
    return {"_type": kind, "comment": comment, **await _of_author(ctx, comment["author_id"])}


async def _reactions(ctx: Context, entry: Entry) -> Event | None:
    """Without the viewer's own reaction, so that one event serves everybody."""
    if entry["deleted"]:
        return None
    loader: type[Loader[str, Any]] = PostById if prefix_of(entry["node"]) == "post" else CommentById
    subject = await ctx.load(loader, entry["node"])
    if subject is None:
        return None
    counted = {"_type": "ReactionsUpdated", "subject_id": entry["node"], "summary": feed.summary(subject)}
    return {**counted, **await _of_author(ctx, subject["author_id"])}


async def _of_author(ctx: Context, author_id: str) -> Event:
    return {"_author": author_id, "_barred": await ctx.load(BarredByUser, author_id)}


async def _may_be_told(ctx: Context, event: Event) -> bool:
    """Asked for each subscriber; what most may see is seen from the author's side, which is read already."""
    if "_author" not in event:
        return True
    post: Post | None = event.get("post")
    if post is not None and not open_to_all(post):
        [visible] = await only_visible(ctx, [post])
        return visible is not None
    viewer = ctx.viewer_id_or_none
    return viewer is None or viewer == event["_author"] or viewer not in event["_barred"]
