"""Reconciliation of counters, which transactions move: counted again in the background."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import structlog

from core import clock
from core.context import Context, Services
from core.storage.counters import Counters, deltas
from resolvers.feed.counting import COMMENTS, PEOPLE, POSTS
from stores import auth as accounts
from stores import feed as store

logger = structlog.get_logger(__name__)

WINDOW = timedelta(hours=2)
"""Age of the changes that are counted again; the job runs every hour."""


async def reconcile(services: Services) -> int:
    """Count again after recent changes; return how many counters were wrong."""
    since = clock.now() - WINDOW
    wrong = await _all(services, store.posts, since, _posts)
    wrong += await _all(services, store.comments, since, _comments)
    wrong += await _all(services, accounts.users, since, _people)
    if wrong:
        logger.warning("counters put right", counters=wrong)
    return wrong


async def _all(services: Services, collection: Any, since: Any, check: Any) -> int:
    changed = collection.batches(services.db, {"updated_at": {"$gte": since}})
    return sum([await check(services, rows) async for rows in changed])


async def _posts(services: Services, rows: Sequence[Any]) -> int:
    ids = [row["_id"] for row in rows]
    said = await store.counted(services.db, store.comments, "post_id", ids, {"state": {"$ne": "REMOVED"}})
    shared: Counter[str] = await store.counted(services.db, store.posts, "shared_post_id", ids)
    shared += await store.counted(services.db, store.archive, "shared_post_id", ids)
    reacted = await store.reactions_counted(services.db, ids)
    wrong = 0
    for row in rows:
        id = row["_id"]
        right = {
            "comment_count": said[id],
            "share_count": shared[id],
            "reactions": {kind: count for (subject, kind), count in reacted.items() if subject == id},
        }
        wrong += await _put_right(services, POSTS, row, right)
    return wrong


async def _comments(services: Services, rows: Sequence[Any]) -> int:
    ids = [row["_id"] for row in rows]
    replies = await store.counted(
        services.db, store.comments, "parent_id", ids, {"state": {"$ne": "REMOVED"}}
    )
    reacted = await store.reactions_counted(services.db, ids)
    wrong = 0
    for row in rows:
        mine = {kind: count for (subject, kind), count in reacted.items() if subject == row["_id"]}
        weight = replies[row["_id"]] + sum(mine.values())
        right = {"reply_count": replies[row["_id"]], "reactions": mine, "weight": weight}
        wrong += await _put_right(services, COMMENTS, row, right)
    return wrong


async def _people(services: Services, rows: Sequence[Any]) -> int:
    ids = [row["_id"] for row in rows]
    follower = await store.counted(services.db, store.follows, "followee_id", ids)
    following = await store.counted(services.db, store.follows, "follower_id", ids)
    posts: Counter[str] = await store.counted(services.db, store.posts, "author_id", ids)
    posts += await store.counted(services.db, store.archive, "author_id", ids)
    wrong = 0
    for row in rows:
        id = row["_id"]
        right = {
            "follower_count": follower[id],
            "following_count": following[id],
            "post_count": posts[id],
        }
        wrong += await _put_right(services, PEOPLE, row, right)
    return wrong


async def _put_right(
    services: Services, counted: Counters, row: Mapping[str, Any], right: Mapping[str, Any]
) -> int:
    """Correct the counters unless they changed since; return how many were corrected.

    What waits to be folded may be counted already, and would then be added once more.
    """
    off = {name: value for name, value in right.items() if _plain(row.get(name)) != value}
    if not off:
        return 0
    ctx = Context(services)

    async def work() -> bool:
        if await deltas.first(ctx.db, {"subject_id": row["_id"]}) is not None:
            return False
        where = {"updated_at": row["updated_at"]}
        changed = await ctx.tx.update(counted.store, row["_id"], set=off, where=where, version=False)
        for aspect in ("counts", "reactions") if "reactions" in off else ("counts",):
            if changed is not None:
                ctx.tx.counted(counted, changed, aspect)
        return changed is not None

    return len(off) if await ctx.unit(work) else 0


def _plain(value: Any) -> Any:
    """Counts in comparable form: without the kinds at zero."""
    if isinstance(value, dict):
        return {kind: count for kind, count in value.items() if count}
    return value or 0
