"""Fan-out on write: posts are delivered to the inboxes of followers, so that reading a feed is cheap."""

import hashlib
from collections.abc import Sequence
from typing import Any

from core import clock, jobs
from core.context import Context, Services
from core.paging import NEWEST
from core.storage.mongo import Database
from stores import feed as store
from stores.feed import Follow, Post, Visibility
from stores.feed.kinds import SHOWN

WIDE = 10_000
"""Followers from which an author's posts are pulled at read time instead (fan-out on read)."""
BATCH = 1_000
CAUGHT_UP = 100
"""Posts delivered to the inbox with a new follow."""
TRIMMED_IN = 50
"""Deliveries per trim of the inbox."""


async def send(ctx: Context, post: Post, *, created: bool = False) -> None:
    """Enqueue the delivery of a post, or its correction, with this mutation."""
    if not post.get("pulled"):
        await jobs.enqueue(
            ctx.tx, "feed.deliver", post_id=post["_id"], author_id=post["author_id"], created=created
        )


async def deliver(services: Services, *, post_id: str, author_id: str, created: bool) -> None:
    """Deliver a post to the inboxes it belongs in, remove it from the others; idempotent."""
    db = services.db
    after = ""
    while batch := await store.audience(db, author_id, after=after, limit=BATCH):
        # Read anew for each batch: it may be deleted meanwhile.
        post = await store.posts.by_id(db, post_id)
        to = [edge["follower_id"] for edge in batch if post and _meant_for(post, edge)]
        if post:
            await store.deliver(db, post, to)
        if not created:
            meant = set(to)
            others = [edge["follower_id"] for edge in batch if edge["follower_id"] not in meant]
            await store.take_out(db, post_id, others)
        await _trim(db, post_id, to)
        after = batch[-1]["_id"]
        if created and (post is None or post["visibility"] == Visibility.PRIVATE):
            return


def _meant_for(post: Post, edge: Follow) -> bool:
    if post["state"] not in SHOWN:
        return False
    if post["visibility"] == Visibility.PUBLIC:
        return True
    return post["visibility"] == Visibility.FRIENDS and edge["mutual"]


async def _trim(db: Database, post_id: str, user_ids: Sequence[str]) -> None:
    """Trim each inbox in its turn, so that none grows far beyond its thousand."""
    for user_id in user_ids:
        if hashlib.blake2b(f"{post_id}|{user_id}".encode()).digest()[0] % TRIMMED_IN == 0:
            await store.trim(db, user_id)


async def catch_up(ctx: Context, follower_id: str, followee_id: str, *, friends: bool) -> None:
    """Deliver the latest posts of a newly followed person, in the same transaction."""
    seen = [Visibility.PUBLIC, Visibility.FRIENDS] if friends else [Visibility.PUBLIC]
    query: dict[str, Any] = {
        "author_id": followee_id,
        "created_at": {"$gt": clock.now() - store.INBOX_KEPT},
        "visibility": {"$in": seen},
        "state": {"$in": list(SHOWN)},
        "pulled": {"$ne": True},
    }
    posts = await store.posts.find(ctx.db, query, sort=NEWEST, limit=CAUGHT_UP)
    await store.put_in(ctx.db, [store.inbox_row(post, follower_id) for post in posts])


async def forget(ctx: Context, follower_id: str, followee_id: str) -> None:
    """Remove the posts of a person no longer followed."""
    await store.take_out_author(ctx.db, follower_id, followee_id)
