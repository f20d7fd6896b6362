"""What happens to an open post, pushed."""

from collections.abc import AsyncGenerator
from typing import Any

from core import changes
from core.changes import Entry, user_scope
from core.context import Context
from core.everybody import Everybody
from core.ids import Id, checked, prefix_of
from core.live import PositionTooOld, Signal
from core.loader import Loader
from core.once import ForAll
from core.position import Position
from loaders.feed import BarredByUser, CommentById, PostById
from resolvers import feed
from resolvers.feed.access import only_visible, open_to_all, post_scope
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
                    # What is answered may read as much as it likes, of this moment.
                    ctx.refresh()
                    yield event
                    if event["_type"] == "PostDeleted":
                        return
        except PositionTooOld:
            position = Position(await changes.database_time(ctx.services.db), "resync")
            token = signer.event_id(position)
            yield {"_type": "ResyncRequired", "event_id": token, "at": position.at, "token": token}


async def _event(ctx: Context, post_id: str, entry: Entry) -> Event | None:
    """What an entry means to somebody watching the post; None when nothing."""
    if post_scope(post_id) not in (*entry["scopes"], *entry["former"]):
        return await _still_visible(ctx, post_id, entry)
    # Read once for everybody who watches; who may see it is asked for each.
    event = await ctx.services.live.shared(
        entry, f"event of {post_id}", lambda: _told(Everybody(ctx.services), post_id, entry)
    )
    return await _shown(ctx, entry, event) if event is not None else None


async def _still_visible(ctx: Context, post_id: str, entry: Entry) -> Event | None:
    """The end of the stream, when a change between viewer and author hides the post."""
    if entry["_id"].partition(":")[0] not in ("scope", "block"):
        return None
    ctx.refresh()
    [post] = await feed.visible_posts(ctx, [post_id])
    return None if post else _gone(ctx, post_id, entry)


async def _told(ctx: Context, post_id: str, entry: Entry) -> ForAll | None:
    """The event as everybody gets it who may see it."""
    aspect, _, rest = entry["_id"].partition(":")
    if aspect == "reactions":
        return await _reactions(ctx, entry)
    if rest:
        return None
    if entry["_id"] == post_id:
        return await _post(ctx, entry)
    return await _comment(ctx, entry) if prefix_of(entry["_id"]) == "comment" else None


async def _shown(ctx: Context, entry: Entry, event: ForAll) -> Event | None:
    if event["_type"] == "PostUpdated":
        return event if await _may_see(ctx, entry, event["post"]) else _gone(ctx, entry["node"], entry)
    if event["_type"] in ("PostDeleted", "CommentDeleted"):
        return event
    return None if await _hidden(ctx, entry, event["author_id"]) else event


def _placed(ctx: Context, entry: Entry, type: str, **fields: Any) -> ForAll:
    event_id = ctx.services.signer.event_id(changes.place(entry))
    return ForAll(_type=type, event_id=event_id, at=entry["at"], **fields)


def _gone(ctx: Context, post_id: str, entry: Entry) -> ForAll:
    return _placed(ctx, entry, "PostDeleted", deleted_post_id=post_id)


async def _post(ctx: Context, entry: Entry) -> ForAll:
    post = None if entry["deleted"] else await ctx.load(PostById, entry["node"])
    if post is None:
        return _gone(ctx, entry["node"], entry)
    return _placed(ctx, entry, "PostUpdated", post=post)


async def _comment(ctx: Context, entry: Entry) -> ForAll | None:
    if entry["deleted"]:
        return _placed(ctx, entry, "CommentDeleted", deleted_comment_id=entry["node"])
    comment = await ctx.load(CommentById, entry["node"])
    if comment is None:
        return None
    kind = "CommentCreated" if entry["created"] else "CommentUpdated"
    return _placed(ctx, entry, kind, comment=comment, author_id=comment["author_id"])


async def _reactions(ctx: Context, entry: Entry) -> ForAll | None:
    """Without the viewer's own reaction, so that one event serves everybody."""
    if entry["deleted"]:
        return None
    loader: type[Loader[str, Any]] = PostById if prefix_of(entry["node"]) == "post" else CommentById
    subject = await ctx.load(loader, entry["node"])
    if subject is None:
        return None
    counted, author_id = feed.summary(subject), subject["author_id"]
    return _placed(
        ctx, entry, "ReactionsUpdated", subject_id=entry["node"], summary=counted, author_id=author_id
    )


async def _may_see(ctx: Context, entry: Entry, post: Post) -> bool:
    if open_to_all(post):
        return not await _hidden(ctx, entry, post["author_id"])
    ctx.refresh()
    [visible] = await only_visible(ctx, [post])
    return visible is not None


async def _hidden(ctx: Context, entry: Entry, author_id: str) -> bool:
    """Whether viewer and author are hidden from each other; the author's blocks are read once for all."""
    if ctx.viewer is None or ctx.viewer_id == author_id:
        return False
    everybody = Everybody(ctx.services)
    barred = await ctx.services.live.shared(entry, "barred", lambda: everybody.load(BarredByUser, author_id))
    return ctx.viewer_id in barred
