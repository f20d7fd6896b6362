"""Viewer relations: follows, blocks, mutes and hides, which decide what may be in a person's feed."""

from asyncio import gather
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from core.context import Context
from loaders.feed import (
    FollowOfViewer,
    FollowsByFollower,
    GroupsByUser,
    HideOfViewer,
    HidesByUser,
    MutedByUser,
)
from resolvers.feed.access import blocked_either_way
from resolvers.feed.snapshots import Item
from stores.feed import FeedReason, Follow, Followed, FollowStatus, Hide, Post, PostStatus, Visibility
from stores.feed.kinds import SHOWN


@dataclass(frozen=True, slots=True)
class ViewerRelations:
    """A person's relations to the authors and posts of a feed."""

    user_id: str
    followed: Mapping[str, Followed | Follow]
    blocked_either_way: frozenset[str]
    """People blocked either way."""
    hidden: frozenset[str]
    groups: frozenset[str]
    muted: frozenset[str]
    """People they follow and have muted, who are left out of others' shares too."""

    def shows(self, post: Post, reason: FeedReason) -> bool:
        """True if the post may be in this person's feed, for this reason, now."""
        author = post["author_id"]
        if author == self.user_id:
            return post["state"] != PostStatus.REMOVED
        if post.get("shared_author_id") in self.muted:
            return False
        if post["_id"] in self.hidden or author in self.blocked_either_way or post["state"] not in SHOWN:
            return False
        edge = self.followed.get(author)
        if post["visibility"] == Visibility.GROUP:
            muted = edge is not None and edge["state"] == FollowStatus.MUTED
            return post["group_id"] in self.groups and not muted
        if edge is None:
            stranger = reason in (FeedReason.SUGGESTED, FeedReason.SPONSORED)
            return stranger and open_to_strangers(post)
        if edge["state"] == FollowStatus.MUTED:
            return False
        return post["visibility"] == Visibility.PUBLIC or (
            post["visibility"] == Visibility.FRIENDS and edge["mutual"]
        )


def open_to_strangers(post: Post) -> bool:
    """True if it may be suggested to strangers: public, and not limited by moderation."""
    return post["visibility"] == Visibility.PUBLIC and post["state"] == PostStatus.PUBLISHED


async def relations_to(ctx: Context, items: Sequence[Item]) -> ViewerRelations:
    """The viewer's relations to the authors and posts of a page."""
    # Through loaders, so that all of it, and the posts, travel together.
    edges, hidden, away, groups, muted = await gather(
        ctx.load_many(FollowOfViewer, sorted({item.author_id for item in items})),
        ctx.load_many(HideOfViewer, [item.post_id for item in items]),
        blocked_either_way(ctx),
        ctx.load(GroupsByUser, ctx.viewer_id),
        ctx.load(MutedByUser, ctx.viewer_id),
    )
    return _standing(ctx, edges, hidden, away, groups, muted)


async def viewer_relations(ctx: Context) -> ViewerRelations:
    """All of the viewer's relations."""
    edges, hidden, away, groups = await gather(
        ctx.load(FollowsByFollower, ctx.viewer_id),
        ctx.load(HidesByUser, ctx.viewer_id),
        blocked_either_way(ctx),
        ctx.load(GroupsByUser, ctx.viewer_id),
    )
    muted = frozenset(edge["followee_id"] for edge in edges if edge["state"] == FollowStatus.MUTED)
    ctx.loader(MutedByUser).know(ctx.viewer_id, muted)
    return _standing(ctx, edges, hidden, away, groups, muted)


def _standing(
    ctx: Context,
    edges: Sequence[Followed | Follow | None],
    hidden: Sequence[Hide | None],
    away: frozenset[str],
    groups: Sequence[str],
    muted: frozenset[str],
) -> ViewerRelations:
    followed = {edge["followee_id"]: edge for edge in edges if edge}
    away_from = frozenset(hide["post_id"] for hide in hidden if hide)
    return ViewerRelations(ctx.viewer_id, followed, away, away_from, frozenset(groups), muted)
