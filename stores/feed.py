"""Posts, comments, reactions and who follows whom."""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import TypedDict, cast

from core.mongo import Database
from core.store import collection, index


class Visibility(StrEnum):
    """Who may see a post, with its comments and reactions."""

    PUBLIC = "PUBLIC"
    """Everybody, except people blocked by or blocking the author."""
    FRIENDS = "FRIENDS"
    """People who follow the author and whom the author follows."""
    PRIVATE = "PRIVATE"
    """The author alone."""


class PostState(StrEnum):
    """Where a post or comment is in its life."""

    PROCESSING = "PROCESSING"
    """Its media are not ready; only the author sees it."""
    PUBLISHED = "PUBLISHED"
    """Shown to its audience."""
    LIMITED = "LIMITED"
    """Kept out of suggestions while it is judged."""
    REMOVED = "REMOVED"
    """Taken down by a moderator."""


class ReactionKind(StrEnum):
    """A reaction; one per person and subject."""

    LIKE = "LIKE"
    """Thumbs up."""
    LOVE = "LOVE"
    """Heart."""
    WOW = "WOW"
    """Surprise."""
    SAD = "SAD"
    """Sadness."""
    ANGRY = "ANGRY"
    """Anger."""


class FollowState(StrEnum):
    """How the viewer stands to a person."""

    FOLLOWING = "FOLLOWING"
    """Followed."""
    NOT_FOLLOWING = "NOT_FOLLOWING"
    """Not followed."""
    MUTED = "MUTED"
    """Followed, but kept out of the feed."""


class FeedMode(StrEnum):
    """How the home feed is ordered."""

    LATEST = "LATEST"
    """Newest first."""


class FeedReason(StrEnum):
    """Why a post is in the feed."""

    FOLLOW = "FOLLOW"
    """Its author is followed, or is the viewer."""
    FRIEND = "FRIEND"
    """Its author is a friend: the following is mutual."""
    SUGGESTED = "SUGGESTED"
    """Something public for somebody who follows nobody yet."""


class CommentOrder(StrEnum):
    """How comments are ordered."""

    NEWEST = "NEWEST"
    """Newest first."""
    OLDEST = "OLDEST"
    """Oldest first."""


class Post(TypedDict):
    _id: str
    author_id: str
    text: str | None
    media_ids: list[str]
    visibility: Visibility
    state: PostState
    pinned: bool
    comment_count: int
    share_count: int
    reactions: dict[ReactionKind, int]
    edited_at: datetime | None
    version: int
    created_at: datetime
    updated_at: datetime


class Comment(TypedDict):
    _id: str
    post_id: str
    post_author_id: str
    parent_id: str | None
    author_id: str
    text: str
    reply_count: int
    reactions: dict[ReactionKind, int]
    state: PostState
    edited_at: datetime | None
    version: int
    created_at: datetime
    updated_at: datetime


class Reaction(TypedDict):
    """`_id` is `subject|user`: one per person and subject."""

    _id: str
    subject_id: str
    user_id: str
    kind: ReactionKind
    created_at: datetime


class Follow(TypedDict):
    """One person's following of another; `mutual` when it is returned."""

    _id: str
    follower_id: str
    followee_id: str
    state: FollowState
    mutual: bool
    version: int
    created_at: datetime
    updated_at: datetime


class Block(TypedDict):
    """`_id` is `user|blocked`."""

    _id: str
    user_id: str
    blocked_id: str
    created_at: datetime


LATEST = [("created_at", -1), ("_id", -1)]
OLDEST = [("created_at", 1), ("_id", 1)]
TIMELINE = [("pinned", -1), *LATEST]

posts = collection(
    "posts",
    Post,
    prefix="post",
    indexes=[
        index("author_id", "-pinned", "-created_at", "-_id"),
        index("author_id", "-created_at", "-_id"),
        index("visibility", "state", "-created_at", "-_id"),
    ],
    shard_key="author_id",
    synced=True,
)
comments = collection(
    "comments",
    Comment,
    prefix="comment",
    indexes=[
        index("post_id", "parent_id", "-created_at", "-_id"),
        index("parent_id", "-created_at", "-_id"),
        index("author_id", "-created_at"),
    ],
    shard_key="post_id",
    synced=True,
)
reactions = collection(
    "reactions", Reaction, indexes=[index("subject_id", "kind", "-created_at")], shard_key="subject_id"
)
follows = collection(
    "follows",
    Follow,
    prefix="follow",
    indexes=[
        index("follower_id", "followee_id", unique=True),
        index("followee_id", "-created_at", "-_id"),
        index("follower_id", "-created_at", "-_id"),
    ],
    shard_key="follower_id",
    synced=True,
)
blocks = collection("blocks", Block, indexes=[index("user_id"), index("blocked_id")], shard_key="user_id")

MOST_FOLLOWED = 5_000


def pair(first: str, second: str) -> str:
    return f"{first}|{second}"


class Followed(TypedDict):
    """What a feed needs of a following: there may be thousands."""

    _id: str
    followee_id: str
    state: FollowState
    mutual: bool


async def follows_of(db: Database, follower_id: str) -> list[Followed]:
    """Whom a person follows, bounded by the limit on following."""
    query, fields = {"follower_id": follower_id}, ("followee_id", "state", "mutual")
    rows = await follows.find(db, query, limit=MOST_FOLLOWED + 1, fields=fields, together=True)
    return cast("list[Followed]", rows)


async def follow(db: Database, follower_id: str, followee_id: str) -> Follow | None:
    return await follows.first(db, {"follower_id": follower_id, "followee_id": followee_id})


async def blocks_about(db: Database, user_id: str) -> list[Block]:
    """Blocks by a person and of a person."""
    return await blocks.find(db, {"$or": [{"user_id": user_id}, {"blocked_id": user_id}]}, together=True)


async def reactions_by(db: Database, user_id: str, subject_ids: Iterable[str]) -> list[Reaction]:
    return await reactions.by_ids(db, [pair(subject, user_id) for subject in subject_ids])
