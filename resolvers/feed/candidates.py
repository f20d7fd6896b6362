"""Feed candidates: the posts that a home feed may be made of, each with its reason."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from core import clock
from core.context import Context
from resolvers.feed import latest
from resolvers.feed.latest import Edge
from resolvers.feed.ranking import Candidate
from resolvers.feed.snapshots import LOST, SIZE, Snapshots
from resolvers.feed.viewer_relations import ViewerRelations
from resolvers.feed.viewer_relations import viewer_relations as standing_of
from stores import feed as store
from stores.feed import Affinity, FeedReason, Post

SUGGESTIONS = 100
"""Public posts of strangers in one feed."""
LOOKED_FOR = 300
"""Posts of one's own and of widely followed authors that are pulled at read time."""


@dataclass(frozen=True, slots=True)
class Material:
    """Input of ranking: candidates, relations and affinity."""

    candidates: Sequence[Candidate]
    standing: ViewerRelations
    affinity: Affinity | None
    whole: bool
    """True if there is nothing older."""
    undelivered: Sequence[Post]
    """Posts pulled because no inbox is maintained yet."""


async def gather(ctx: Context) -> Material:
    """Posts of followed people, friends, strangers and sponsors that the viewer may see."""
    now = clock.now()
    since = now - store.INBOX_KEPT
    standing, affinity = await asyncio.gather(standing_of(ctx), store.affinity(ctx.db, ctx.viewer_id))
    edges = list(standing.followed.values())
    heard = latest.heard(edges)
    kept = affinity is not None and affinity["inbox_maintained"]
    strangers = SUGGESTIONS if heard else SIZE
    delivered, looked_for, (public, suggested, paid) = await asyncio.gather(
        _delivered(ctx, heard, edges, since, kept=kept),
        store.pulled(ctx.db, ctx.viewer_id, heard, sorted(standing.groups), since=since, limit=LOOKED_FOR),
        _strangers(ctx, now, strangers),
    )
    ids = [*(row["post_id"] for row in delivered[0]), *suggested, *paid]
    named = await store.posts.by_ids(ctx.db, ids, fields=store.FEATURES) if ids else []
    found = {post["_id"]: post for post in (*public, *named, *looked_for, *delivered[1])}
    whole = len(public) < strangers if not heard else False
    if heard and len(found) < SIZE:
        older = await store.by_authors(ctx.db, latest.audience(ctx.viewer_id, edges), before=since)
        found |= {post["_id"]: post for post in older}
        whole = len(older) + len(found) <= SIZE
    candidates = _candidates(standing, found.values(), frozenset(paid))
    return Material(candidates, standing, affinity, whole, delivered[1] if not kept else ())


async def _strangers(
    ctx: Context, now: datetime, limit: int
) -> tuple[Sequence[Post], Sequence[str], Sequence[str]]:
    """Public posts, or the ids last chosen for this person; and the ids of sponsored ones."""
    if limit == SUGGESTIONS:
        try:
            chosen = await ctx.services.get(Snapshots).chosen(ctx.viewer_id)
        except LOST:
            chosen = None
        if chosen is not None:
            return (), *chosen
    public, paid = await store.public(ctx.db, now, limit=limit)
    return public, (), paid


async def _delivered(
    ctx: Context, heard: Sequence[str], edges: Sequence[Edge], since: datetime, *, kept: bool
) -> tuple[Sequence[store.InboxRow], Sequence[Post]]:
    """Rows of the viewer's inbox; until it is maintained, the posts it would hold."""
    if kept:
        return await store.inbox(ctx.db, ctx.viewer_id, since=since), ()
    if not heard:
        return (), ()
    return (), await store.by_authors(ctx.db, latest.audience(ctx.viewer_id, edges), since=since)


def _candidates(standing: ViewerRelations, posts: Any, paid: frozenset[str]) -> list[Candidate]:
    candidates = []
    for post in posts:
        reason = reason_for(standing.user_id, standing.followed, post, paid=post["_id"] in paid)
        if standing.shows(post, reason):
            candidates.append(Candidate(post, reason))
    return candidates


def reason_for(
    user_id: str, followed: Mapping[str, Edge], post: Mapping[str, Any], *, paid: bool = False
) -> FeedReason:
    """Reason why a post is in the feed; a sponsored one always says so."""
    if paid:
        return FeedReason.SPONSORED
    return latest.reason(user_id, followed, post)


async def arrived(ctx: Context, since: datetime) -> set[str]:
    """Ids of others' posts delivered to the viewer since then."""
    stands = await standing_of(ctx)
    heard = latest.heard(list(stands.followed.values()))
    rows, posts = await asyncio.gather(
        store.inbox(ctx.db, ctx.viewer_id, since=since),
        store.pulled(ctx.db, ctx.viewer_id, heard, sorted(stands.groups), since=since, limit=LOOKED_FOR),
    )
    known = set(heard)
    found = {row["post_id"] for row in rows if row["author_id"] in known}
    found |= {
        post["_id"]
        for post in posts
        if post["author_id"] != ctx.viewer_id and post["author_id"] not in stands.blocked_either_way
        if post["created_at"] > since
    }
    if stands.muted and found:
        shares = await store.posts.by_ids(ctx.db, found, fields=("shared_author_id",))
        found -= {row["_id"] for row in shares if row.get("shared_author_id") in stands.muted}
    return found - stands.hidden
