"""Chronological feed: by itself, behind the end of a ranked one, and as fallback of ranking."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from core import paging
from core.context import Context
from core.paging import NEWEST, KeysetPage
from resolvers.feed.viewer_relations import viewer_relations
from stores import feed as store
from stores.feed import FeedReason, Follow, Followed, FollowStatus, Post, Visibility
from stores.feed.kinds import SHOWN

Document = Mapping[str, Any]
Edge = Followed | Follow


async def page(
    ctx: Context,
    page: KeysetPage,
    *,
    until: datetime | None = None,
    without: Sequence[str] = (),
    fields: Sequence[str] = (),
) -> list[tuple[Post, FeedReason]]:
    """Posts of oneself and those followed, one more than the page; public ones for who follows nobody.

    `fields`, where given, must hold what is `REASONED` from.
    """
    stands = await viewer_relations(ctx)
    edges = list(stands.followed.values())
    near = heard(edges) or stands.groups
    whose = (
        audience(ctx.viewer_id, edges, sorted(stands.groups), stands.blocked_either_way)
        if near
        else _suggested(ctx.viewer_id, stands.blocked_either_way)
    )
    parts = past(page)
    if until is not None:
        parts.append({"created_at": {"$lte": until}})
    parts += without_shares_of(stands.muted)
    if without or stands.hidden:
        parts.append({"_id": {"$nin": [*without, *sorted(stands.hidden)]}})
    order = paging.sort_order(NEWEST, page)
    rows = await store.newest(ctx.db, whose, parts, order=order, limit=page.size + 1, fields=fields)
    return [(row, reason(ctx.viewer_id, stands.followed, row)) for row in rows]


def past(page: KeysetPage) -> list[dict[str, Any]]:
    """Cursor filter: posts after a page's position, in the form that bounds the scans of all authors."""
    if page.position is None:
        return []
    at, id = page.position
    on, back = ("$gte", "$lte") if page.backward else ("$lte", "$gte")
    return [{"created_at": {on: at}}, {"$nor": [{"created_at": at, "_id": {back: id}}]}]


def heard(edges: Sequence[Edge]) -> list[str]:
    """Ids of the people a person follows and has not muted."""
    return [edge["followee_id"] for edge in edges if edge["state"] == FollowStatus.FOLLOWING]


def audience(
    user_id: str,
    edges: Sequence[Edge],
    groups: Sequence[str] = (),
    blocked_either_way: frozenset[str] = frozenset(),
) -> dict[str, Any]:
    """Filter of visible posts: one's own, those of followed people, and of groups."""
    friends = heard([edge for edge in edges if edge["mutual"]])
    shown = {"state": {"$in": list(SHOWN)}}
    others = heard([edge for edge in edges if not edge["mutual"]])
    branches: list[dict[str, Any]] = [{"author_id": user_id}]
    if others:
        branches.append({"author_id": {"$in": others}, "visibility": Visibility.PUBLIC, **shown})
    if friends:
        both = {"$in": [Visibility.PUBLIC, Visibility.FRIENDS]}
        branches.append({"author_id": {"$in": friends}, "visibility": both, **shown})
    if groups:
        quiet = {
            edge["followee_id"] for edge in edges if edge["state"] == FollowStatus.MUTED
        } | blocked_either_way
        branches.append({"group_id": {"$in": list(groups)}, "author_id": {"$nin": sorted(quiet)}, **shown})
    return {"$or": branches}


def _suggested(user_id: str, hidden: frozenset[str]) -> dict[str, Any]:
    public: dict[str, Any] = {"visibility": Visibility.PUBLIC, "state": SHOWN[0]}
    if hidden:
        public["author_id"] = {"$nin": sorted(hidden)}
    return {"$or": [{"author_id": user_id}, public]}


def without_shares_of(muted: frozenset[str]) -> list[dict[str, Any]]:
    """Filter against muted authors, whose posts would otherwise come back by others' shares."""
    return [{"shared_author_id": {"$nin": sorted(muted)}}] if muted else []


REASONED = ("author_id", "group_id", "pinned", "shared_post_id")
"""Fields of a post that give the reason."""


def reason(user_id: str, followed: Mapping[str, Edge], post: Document) -> FeedReason:
    """Reason why a post is in the feed of this person."""
    if post["author_id"] == user_id:
        return FeedReason.FOLLOW
    if post.get("group_id"):
        return FeedReason.GROUP
    edge = followed.get(post["author_id"])
    if edge is None:
        return FeedReason.SUGGESTED
    if post.get("shared_post_id"):
        return FeedReason.SHARED_BY_FOLLOW
    if post.get("pinned"):
        return FeedReason.PINNED
    return FeedReason.FRIEND if edge["mutual"] else FeedReason.FOLLOW
