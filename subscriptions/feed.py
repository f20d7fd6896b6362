"""Subscriptions to an open post, and to the viewer's feed and notifications."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import datetime, timedelta
from typing import Any

from core import clock, nodes
from core.context import Context
from core.ids import Id, checked, prefix_of
from core.storage.loader import Loader
from core.sync.changes import Entry, aspect_of, user_scope
from core.sync.listeners import Signal
from core.sync.topics import follow, for_all
from loaders.feed import BlockedEitherWayByUser, CommentById, PostById
from resolvers import auth
from resolvers.feed import notifications
from resolvers.feed.access import (
    only_visible,
    open_to_all,
    visible_comments,
    visible_posts,
)
from resolvers.feed.candidates import arrived
from resolvers.feed.home import newer_token
from resolvers.feed.notifications import Notice
from resolvers.feed.reading import comment_edge
from resolvers.feed.typing_indicator import TypingIndicator
from stores.feed import CommentNoticeKind, Post
from stores.feed.scopes import post_scope

Event = dict[str, Any]

MERGED_SECONDS = 2.0
"""Least seconds between two events on the reactions to one subject."""
NEWS_SECONDS = 15.0
"""Least seconds between two "new posts" events of a feed."""
LATE = timedelta(minutes=2)


class Merging:
    """Throttle of reaction bursts: the first is sent at once, the others as one total after the interval."""

    def __init__(self) -> None:
        self._told: dict[str, float] = {}
        self._waiting: dict[str, Entry] = {}

    def at_once(self, entry: Entry) -> bool:
        """Throttle: true to send it now; else it waits, in place of the entry that waited before."""
        now = _seconds()
        if self._told.get(entry["node"], 0.0) + MERGED_SECONDS <= now:
            self._told = {id: at for id, at in self._told.items() if at + MERGED_SECONDS > now}
            self._told[entry["node"]] = now
            self._waiting.pop(entry["node"], None)
            return True
        self._waiting[entry["node"]] = entry
        return False

    def wait(self) -> float | None:
        """Seconds until a waiting event is due."""
        if not self._waiting:
            return None
        return max(0.0, min(self._told[id] for id in self._waiting) + MERGED_SECONDS - _seconds())

    def due(self) -> list[Entry]:
        return [entry for entry in list(self._waiting.values()) if self.at_once(entry)]


def _seconds() -> float:
    return asyncio.get_running_loop().time()


def soonest(one: float | None, other: float | None) -> float | None:
    if one is None or other is None:
        return other if one is None else one
    return min(one, other)


async def post_events(ctx: Context, *, post_id: Id, after: str | None = None) -> AsyncGenerator[Event, None]:
    """Comments, reactions and edits of a post, until it is gone or hidden from the viewer."""
    scopes = [post_scope(checked(post_id, "post"))]
    if ctx.viewer is not None:
        # Follows and blocks change access: they are logged in the viewer's own scope.
        scopes.append(user_scope(ctx.viewer_id))
    merging, typists = Merging(), TypingIndicator()
    own = ctx.viewer_id_or_none

    async def visible() -> None:
        ctx.refresh()
        await nodes.to_watch(ctx, post_id, "post")
        # An idle stream keeps nothing.
        ctx.refresh()

    async def to_event(entry: Entry) -> Event | None:
        counted = aspect_of(entry) == "reactions" and post_scope(post_id) in entry["scopes"]
        if counted and not merging.at_once(entry):
            return None
        return await _event(ctx, post_id, entry)

    async def on_signal(signal: Signal | None) -> list[Event]:
        told = [await _event(ctx, post_id, entry) for entry in merging.due()]
        if typists.still_typing(signal, but=own):
            told.append({"_type": "PostTypingChanged", "typing_count": typists.count})
        return [event for event in told if event is not None]

    def idle_timeout() -> float | None:
        return soonest(merging.wait(), typists.wait())

    events = follow(
        ctx, scopes, after, to_event, authorize=visible, on_signal=on_signal, idle_timeout=idle_timeout
    )
    async with aclosing(events):
        async for event in events:
            yield event
            if event["_type"] == "PostDeleted":
                return


async def feed_events(ctx: Context, *, after: str | None = None) -> AsyncGenerator[Event, None]:
    """Notices and new-post signals of the viewer: never the whole feed, only that it has news."""
    news = News(ctx)

    async def to_event(entry: Entry) -> Event | None:
        told = notifications.told(entry)
        return await _notice(ctx, *told) if told is not None else None

    async def on_signal(signal: Signal | None) -> list[Event]:
        told = await news.look()
        return [told] if told is not None else []

    scopes = [user_scope(ctx.viewer_id)]
    events = follow(ctx, scopes, after, to_event, on_signal=on_signal, idle_timeout=news.wait)
    async with aclosing(events):
        async for event in events:
            yield event


class News:
    """New-post signal: true once the viewer's feed has something new, looked at four times a minute."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self._start: datetime = clock.now()
        self._known: set[str] = set()
        self._next = _seconds() + NEWS_SECONDS

    def wait(self) -> float:
        return max(0.0, self._next - _seconds())

    async def look(self) -> Event | None:
        if self.wait() > 0:
            return None
        self._next = _seconds() + NEWS_SECONDS
        self._ctx.refresh()
        # Delivery takes a moment: a post may come to the inbox after younger ones.
        came = await arrived(self._ctx, max(self._start, clock.now() - LATE))
        count = len(came - self._known)
        self._known = came
        if not count:
            return None
        token = await newer_token(self._ctx)
        return {"_type": "FeedUpdated", "new_post_count": count, "newer_token": token}


async def _notice(ctx: Context, kind: Notice, subject: str) -> Event | None:
    """Event of a notice; None if its subject is gone or hidden meanwhile."""
    if kind == Notice.RESET:
        return {"_type": "FeedReset"}
    if kind == Notice.FOLLOW:
        [person] = await auth.visible_people(ctx, [subject])
        return {"_type": "ViewerFollowed", "user": person} if person else None
    if prefix_of(subject) == "post":
        [post] = await visible_posts(ctx, [subject])
        return {"_type": "ViewerMentioned", "post": post, "comment": None} if post else None
    [comment] = await visible_comments(ctx, [subject])
    [post] = await visible_posts(ctx, [comment["post_id"]]) if comment else [None]
    if comment is None or post is None:
        return None
    said = {"post": post, "comment": comment}
    if kind == Notice.MENTION:
        return {"_type": "ViewerMentioned", **said}
    on = CommentNoticeKind.REPLY if kind == Notice.REPLY else CommentNoticeKind.POST
    return {"_type": "CommentReceived", "kind": on, **said}


async def _event(ctx: Context, post_id: str, entry: Entry) -> Event | None:
    """Event of a log entry for a subscriber of the post; None if it has none."""
    if post_scope(post_id) not in (*entry["scopes"], *entry["former_scopes"]):
        return await _still_visible(ctx, post_id, entry)
    event = await for_all(ctx, entry, "postEvents", _told)
    return event if event is None or await _may_be_told(ctx, event) else _hidden(event)


async def _still_visible(ctx: Context, post_id: str, entry: Entry) -> Event | None:
    """End of the stream, if a changed relation between viewer and author hides the post."""
    if not notifications.may_hide(entry):
        return None
    [post] = await visible_posts(ctx, [post_id])
    return None if post else _gone(post_id)


def _gone(post_id: str) -> Event:
    return {"_type": "PostDeleted", "deleted_post_id": post_id}


def _hidden(event: Event) -> Event | None:
    """Replacement of an event that the viewer may not see: a removal, or nothing."""
    return _gone(event["post"]["_id"]) if event["_type"] == "PostUpdated" else None


async def _told(ctx: Context, entry: Entry) -> Event | None:
    """Event as shared by everybody who may see it; its `_author` and `_blocked` exclude the others."""
    if aspect := aspect_of(entry):
        return await _reactions(ctx, entry) if aspect == "reactions" else None
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
    told: Event = {"_type": "CommentUpdated", "comment": comment}
    if entry["created"]:
        told = {"_type": "CommentCreated", "comment_edge": comment_edge(comment)}
    return {**told, **await _of_author(ctx, comment["author_id"])}


async def _reactions(ctx: Context, entry: Entry) -> Event | None:
    """Event of counted reactions; the viewer's own are read for each who asks for them."""
    if entry["deleted"]:
        return None
    loader: type[Loader[str, Any]] = PostById if prefix_of(entry["node"]) == "post" else CommentById
    subject = await ctx.load(loader, entry["node"])
    if subject is None:
        return None
    counted = {"_type": "ReactionsUpdated", "subject": subject}
    return {**counted, **await _of_author(ctx, subject["author_id"])}


async def _of_author(ctx: Context, author_id: str | None) -> Event:
    if author_id is None:
        # A stub has no author.
        return {}
    return {"_author": author_id, "_blocked": await ctx.load(BlockedEitherWayByUser, author_id)}


async def _may_be_told(ctx: Context, event: Event) -> bool:
    """Access check per subscriber, mostly from the author's side, which is loaded already."""
    if "_author" not in event:
        return True
    post: Post | None = event.get("post")
    if post is not None and not open_to_all(post):
        [visible] = await only_visible(ctx, [post])
        return visible is not None
    viewer = ctx.viewer_id_or_none
    return viewer is None or viewer == event["_author"] or viewer not in event["_blocked"]
