"""Loaders of posts, comments, reactions and follows."""

from core.storage.loader import Loader, by_id, in_order
from stores import feed as store
from stores.feed import (
    Follow,
    Followed,
    Hide,
    Member,
    Post,
    ReactionKind,
)

CommentById = by_id(store.comments)
GroupById = by_id(store.groups)
SponsorshipByPost = by_id(store.sponsorships)


class PostById(Loader[str, Post | None]):
    async def batch_load_fn(self, keys: list[str]) -> list[Post | None]:
        return in_order(keys, await store.posts_by_ids(self.db, keys, fields=self.fields))


class MembershipOfViewer(Loader[str, Member | None]):
    """The viewer's membership of a group."""

    async def batch_load_fn(self, keys: list[str]) -> list[Member | None]:
        if self.viewer_id is None:
            return [None for _ in keys]
        rows = await store.members.by_ids(self.db, [store.pair(key, self.viewer_id) for key in keys])
        return in_order(keys, rows, by="group_id")


class GroupsByUser(Loader[str, list[str]]):
    """The groups a person is in."""

    batch = False

    async def batch_load_fn(self, keys: list[str]) -> list[list[str]]:
        return [[row["group_id"] for row in await store.memberships(self.db, key)] for key in keys]


class FollowsByFollower(Loader[str, list[Followed]]):
    batch = False

    async def batch_load_fn(self, keys: list[str]) -> list[list[Followed]]:
        return [await store.follows_of(self.db, key) for key in keys]


class MutedByUser(Loader[str, frozenset[str]]):
    """People that a person follows and has muted."""

    batch = False

    async def batch_load_fn(self, keys: list[str]) -> list[frozenset[str]]:
        return [frozenset(await store.muted_by(self.db, key)) for key in keys]


class FollowOfViewer(Loader[str, Follow | None]):
    """The viewer's follow of a person."""

    async def batch_load_fn(self, keys: list[str]) -> list[Follow | None]:
        query = {"follower_id": self.viewer_id, "followee_id": {"$in": keys}}
        return in_order(keys, await store.follows.find(self.db, query, batch=True), by="followee_id")


class FollowToViewer(Loader[str, Follow | None]):
    """A person's follow of the viewer."""

    async def batch_load_fn(self, keys: list[str]) -> list[Follow | None]:
        query = {"follower_id": {"$in": keys}, "followee_id": self.viewer_id}
        return in_order(keys, await store.follows.find(self.db, query), by="follower_id")


class BlockedEitherWayByUser(Loader[str, frozenset[str]]):
    """Ids of people blocked either way."""

    batch = False

    async def batch_load_fn(self, keys: list[str]) -> list[frozenset[str]]:
        found = []
        for key in keys:
            rows = await store.blocks_about(self.db, key)
            found.append(
                frozenset({row["user_id"] for row in rows} | {row["blocked_id"] for row in rows}) - {key}
            )
        return found


class HideOfViewer(Loader[str, Hide | None]):
    """The viewer's hide of a post, or None."""

    async def batch_load_fn(self, keys: list[str]) -> list[Hide | None]:
        if self.viewer_id is None:
            return [None for _ in keys]
        rows = await store.hidden_among(self.db, self.viewer_id, keys)
        return in_order(keys, rows, by="post_id")


class HidesByUser(Loader[str, list[Hide]]):
    """The latest hides of a person."""

    batch = False

    async def batch_load_fn(self, keys: list[str]) -> list[list[Hide]]:
        return [await store.hidden_by(self.db, key) for key in keys]


class ReactionOfViewer(Loader[str, ReactionKind | None]):
    """The viewer's own reaction to a subject."""

    async def batch_load_fn(self, keys: list[str]) -> list[ReactionKind | None]:
        if self.viewer_id is None:
            return [None for _ in keys]
        rows = await store.reactions_by(self.db, self.viewer_id, keys)
        kinds = {row["subject_id"]: row["kind"] for row in rows}
        return [kinds.get(key) for key in keys]
