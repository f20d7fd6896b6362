"""What happens to an open post, pushed."""

from collections.abc import AsyncGenerator
from typing import Any

from core import changes
from core.changes import Entry, user_scope
from core.context import Context
from core.ids import Id, checked, prefix_of
from core.live import PositionTooOld, Signal
from core.position import Position
from loaders.feed import BarredByUser, CommentById, PostById
from resolvers import feed
from resolvers.feed.access import only_visible, post_scope
from stores.feed import Post

Event = dict[str, Any]


async def post_events(ctx: Context, *, post_id: Id, after: str | None = None) -> AsyncGenerator[Event, None]:
    """Comments, reactions and edits of a post, until it is gone or hidden from the viewer."""
    signer = ctx.services.signer
    position = signer.position(after) if after is not None else None
    scopes = [post_scope(checked(post_id, "post"))]
    if ctx.viewer is not None:
        # Following and blocking decide who sees it: they are told in the viewer's own scope.
        scopes.append(user_scope(ctx.viewer_id))

    async def visible() -> None:
        ctx.refresh()
        await feed.visible_post(ctx, post_id)

    while True:
        try:
            async for entry in ctx.services.live.follow(scopes, after=position, check=visible):
                if isinstance(entry, Signal):
                    continue
                event = await _event(ctx, post_id, entry)
                if event is not None:
                    yield _placed(ctx, entry, event)
                    if event["_type"] == "PostDeleted":
                        return
        except PositionTooOld:
            position = Position(await changes.database_time(ctx.services.db), "resync")
            token = signer.event_id(position)
            yield {"_type": "ResyncRequired", "event_id": token, "at": position.at, "token": token}


def _placed(ctx: Context, entry: Entry, event: Event) -> Event:
    event_id = ctx.services.signer.event_id(changes.place(entry))
    return {"event_id": event_id, "at": entry["at"], **event}


async def _event(ctx: Context, post_id: str, entry: Entry) -> Event | None:
    """What an entry means to somebody watching the post; None when nothing."""
    aspect, _, rest = entry["_id"].partition(":")
    if post_scope(post_id) not in (*entry["scopes"], *entry["former"]):
        return await _still_visible(ctx, post_id) if aspect in ("scope", "block") else None
    if aspect == "reactions":
        return await _reactions(ctx, entry)
    if rest:
        return None
    if entry["_id"] == post_id:
        return await _post(ctx, entry)
    return await _comment(ctx, entry) if prefix_of(entry["_id"]) == "comment" else None


async def _still_visible(ctx: Context, post_id: str) -> Event | None:
    ctx.refresh()
    [post] = await feed.visible_posts(ctx, [post_id])
    return None if post else {"_type": "PostDeleted", "deleted_post_id": post_id}


async def _post(ctx: Context, entry: Entry) -> Event:
    ctx.refresh()
    gone = {"_type": "PostDeleted", "deleted_post_id": entry["node"]}
    if entry["deleted"]:
        return gone
    post: Post | None = await ctx.services.live.shared(
        entry, "node", lambda: ctx.load(PostById, entry["node"])
    )
    [visible] = await only_visible(ctx, [post])
    return {"_type": "PostUpdated", "post": visible} if visible else gone


async def _comment(ctx: Context, entry: Entry) -> Event | None:
    if entry["deleted"]:
        return {"_type": "CommentDeleted", "deleted_comment_id": entry["node"]}
    ctx.refresh()
    comment = await ctx.services.live.shared(entry, "node", lambda: ctx.load(CommentById, entry["node"]))
    if comment is None or await _hidden(ctx, entry, comment["author_id"]):
        return None
    return {"_type": "CommentCreated" if entry["created"] else "CommentUpdated", "comment": comment}


async def _reactions(ctx: Context, entry: Entry) -> Event | None:
    """Without the viewer's own reaction, so that one event serves everybody."""
    if entry["deleted"]:
        return None
    loader = PostById if prefix_of(entry["node"]) == "post" else CommentById
    ctx.refresh()
    subject = await ctx.services.live.shared(entry, "node", lambda: ctx.load(loader, entry["node"]))
    if subject is None or await _hidden(ctx, entry, subject["author_id"]):
        return None
    return {"_type": "ReactionsUpdated", "subject_id": entry["node"], "summary": feed.summary(subject)}


async def _hidden(ctx: Context, entry: Entry, author_id: str) -> bool:
    """Whether viewer and author are hidden from each other; the author's blocks are read once for all."""
    if ctx.viewer is None or ctx.viewer_id == author_id:
        return False
    barred = await ctx.services.live.shared(entry, "barred", lambda: ctx.load(BarredByUser, author_id))
    return ctx.viewer_id in barred
