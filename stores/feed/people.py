"""Follow graph: follows, blocks and hides."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NotRequired, TypedDict, cast

from core.storage.mongo import Database
from core.storage.store import Row, collection, entity, index
from stores.feed.kinds import FollowStatus
from stores.feed.posts import pair


class Follow(Row):
    """Follow of one person by another; `mutual` if it is returned."""

    follower_id: str
    followee_id: str
    state: FollowStatus
    mutual: bool
    notify: NotRequired[bool]
    """True if new posts of a friend are pushed."""


class Block(TypedDict):
    """`_id` is `user|blocked`."""

    _id: str
    user_id: str
    blocked_id: str
    created_at: datetime


class Hide(TypedDict):
    """A post somebody does not want to see in the feed; `_id` is `user|post`."""

    _id: str
    user_id: str
    post_id: str
    author_id: str
    not_interested: bool
    created_at: datetime


class Pair(TypedDict):
    """Lock document of two people, in `_id`: changes between them conflict on it."""

    _id: str
    expires_at: datetime


follows = entity(
    "follows",
    Follow,
    prefix="follow",
    owner="follower_id",
    indexes=[
        index("follower_id", "followee_id", unique=True),
        index("follower_id", "_id"),
        index("followee_id", "-created_at", "-_id"),
        index("followee_id", "_id"),
        index(
            "followee_id",
            "notify",
            partialFilterExpression={"notify": True},
            serves={"followee_id": "x", "notify": True, "mutual": True},
        ),
        index("follower_id", "-created_at", "-_id"),
        index(
            "follower_id",
            "state",
            partialFilterExpression={"state": "MUTED"},
            serves={"follower_id": "x", "state": "MUTED"},
        ),
    ],
    shard_key="follower_id",
)
blocks = collection(
    "blocks",
    Block,
    indexes=[index("user_id", "-created_at", "-_id"), index("blocked_id")],
    shard_key="user_id",
)
hides = collection("hides", Hide, indexes=[index("user_id", "-created_at")], shard_key="user_id")
pairs = collection("follow_pairs", Pair, indexes=[index("expires_at", expireAfterSeconds=0)])

PAIR_KEPT = timedelta(hours=1)
"""Lifetime of a pair's lock document: longer than any transaction."""

MOST_FOLLOWED = 5_000
MOST_BLOCKED = 10_000
EVERYBODY = 1_000_000
"""Blocks about one person that are read: whoever is left out would be seen."""
ASKED = 200
"""Followed people whose own follows are considered."""
HIDES_CONSIDERED = 1_000
"""Newest hides considered; older posts have left every ranking by themselves."""


class Followed(TypedDict):
    """The fields of a follow that a feed needs: there may be thousands."""

    _id: str
    followee_id: str
    state: FollowStatus
    mutual: bool


FOLLOWED = ("followee_id", "state", "mutual")


async def follows_of(db: Database, follower_id: str) -> list[Followed]:
    """People a person follows, bounded by the limit on following."""
    query = {"follower_id": follower_id}
    rows = await follows.find(db, query, limit=MOST_FOLLOWED + 1, fields=FOLLOWED, batch=True)
    return cast("list[Followed]", rows)


async def muted_by(db: Database, follower_id: str) -> list[str]:
    """People a person follows and has muted."""
    query = {"follower_id": follower_id, "state": FollowStatus.MUTED}
    rows = await follows.find(db, query, limit=MOST_FOLLOWED, fields=("followee_id",), batch=True)
    return [row["followee_id"] for row in rows]


async def follow(db: Database, follower_id: str, followee_id: str) -> Follow | None:
    return await follows.first(db, {"follower_id": follower_id, "followee_id": followee_id})


async def claim_pair(db: Database, one: str, other: str, now: datetime) -> None:
    """Lock the pair: conflict with every transaction that locks the same two people."""
    change = {"$set": {"expires_at": now + PAIR_KEPT}}
    await pairs.update_one(db, {"_id": pair(*sorted((one, other)))}, change, upsert=True)


async def blocks_about(db: Database, user_id: str) -> list[Block]:
    """Blocks by a person and of a person: their ids, of all there are."""
    query, fields = {"$or": [{"user_id": user_id}, {"blocked_id": user_id}]}, ("user_id", "blocked_id")
    return await blocks.find(db, query, limit=EVERYBODY, fields=fields, batch=True)


async def audience(db: Database, followee_id: str, *, after: str = "", limit: int) -> list[Follow]:
    """A person's followers, a batch at a time in the order of the edges' ids."""
    query = {"followee_id": followee_id, "_id": {"$gt": after}}
    return await follows.find(db, query, sort=[("_id", 1)], limit=limit)


async def notified_friends(db: Database, followee_id: str, *, limit: int) -> list[str]:
    """Friends who asked to be notified of a person's posts."""
    query = {"followee_id": followee_id, "notify": True, "mutual": True, "state": FollowStatus.FOLLOWING}
    return [row["follower_id"] for row in await follows.find(db, query, limit=limit)]


async def uninteresting(db: Database, user_id: str, *, limit: int) -> list[Hide]:
    """Latest "not interested" hides of a person."""
    query = {"user_id": user_id, "not_interested": True}
    return await hides.find(db, query, sort=[("created_at", -1)], limit=limit)


async def acquaintances(db: Database, followed: Sequence[str], *, limit: int) -> list[str]:
    """People followed by those people, most followed first."""
    rows = await db.aggregate(
        follows.name,
        [
            {"$match": {"follower_id": {"$in": list(followed)[:ASKED]}}},
            {"$limit": ASKED * 50},
            {"$group": {"_id": "$followee_id", "count": {"$sum": 1}}},
            {"$sort": {"count": -1, "_id": 1}},
            # Many of them are followed already.
            {"$limit": limit + len(followed)},
        ],
    )
    return [row["_id"] for row in rows]


async def hidden_among(db: Database, user_id: str, posts: Sequence[str]) -> list[Hide]:
    """Those of these posts that a person has hidden."""
    return await hides.by_ids(db, [pair(user_id, post) for post in posts])


async def hidden_by(db: Database, user_id: str) -> list[Hide]:
    """Latest hides of a person."""
    order = [("created_at", -1)]
    return await hides.find(db, {"user_id": user_id}, sort=order, limit=HIDES_CONSIDERED, batch=True)
