"""Sources of home feeds: inboxes, affinities, sponsored posts."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from operator import itemgetter
from typing import Any, TypedDict, cast

from core.paging import NEWEST
from core.storage import merging
from core.storage.mongo import Database
from core.storage.store import collection, index
from stores.feed.kinds import PostStatus, Visibility
from stores.feed.posts import Post, pair, posts

INBOX_KEPT = timedelta(days=30)
INBOX_SIZE = 1_000
SPONSORED = 50
"""Paid posts considered for one feed."""


class InboxRow(TypedDict):
    """A post delivered to a follower; `_id` is `user|post`, `created_at` the post's."""

    _id: str
    user_id: str
    post_id: str
    author_id: str
    created_at: datetime


class Affinity(TypedDict):
    """Affinity of a person to authors and media, learnt from their actions; `_id` is the person. Private."""

    _id: str
    authors: dict[str, float]
    media: dict[str, float]
    inbox_maintained: bool
    """True if the person's inbox has been filled with the posts from before it was maintained."""
    built_at: datetime


class Sponsorship(TypedDict):
    """A post that is paid for; `_id` is the post's id."""

    _id: str
    starts_at: datetime
    ends_at: datetime
    version: int


class Experiment(TypedDict):
    """Ranking experiment last set, as `name:formula=50,fresh=50`; empty: none is running."""

    _id: str
    experiment: str
    set_by: str
    set_at: datetime
    version: int


inboxes = collection(
    "feed_inbox",
    InboxRow,
    indexes=[
        index("user_id", "-created_at", "-_id"),
        index("created_at", expireAfterSeconds=int(INBOX_KEPT.total_seconds())),
    ],
    shard_key="user_id",
)
affinities = collection("feed_affinities", Affinity)
# A sponsorship that is over stays, so that the versions of the next one go on from its own.
sponsorships = collection("sponsorships", Sponsorship, indexes=[index("ends_at")], versioned=True)
experiments = collection("feed_experiments", Experiment, versioned=True)
CURRENT = "current"
"""The one experiment there is."""

FEATURES = (
    "author_id",
    "visibility",
    "state",
    "pinned",
    "media_ids",
    "comment_count",
    "share_count",
    "shared_post_id",
    "shared_author_id",
    "group_id",
    "reactions",
    "created_at",
)
"""Fields of a post that ranking reads."""


async def inbox(db: Database, user_id: str, *, since: datetime) -> list[InboxRow]:
    """The newest of a person's inbox."""
    query = {"user_id": user_id, "created_at": {"$gt": since}}
    return await inboxes.find(db, query, sort=NEWEST, limit=INBOX_SIZE)


async def deliver(db: Database, post: Post, user_ids: Iterable[str]) -> None:
    """Deliver a post to inboxes; idempotent."""
    await put_in(db, [inbox_row(post, user_id) for user_id in user_ids])


def inbox_row(post: Post, user_id: str) -> InboxRow:
    return {
        "_id": pair(user_id, post["_id"]),
        "user_id": user_id,
        "post_id": post["_id"],
        "author_id": post["author_id"],
        "created_at": post["created_at"],
    }


async def put_in(db: Database, rows: Sequence[InboxRow]) -> None:
    updates = [
        {
            "q": {"_id": row["_id"], "user_id": row["user_id"]},
            "u": {
                "$setOnInsert": {each: value for each, value in row.items() if each not in ("_id", "user_id")}
            },
            "upsert": True,
        }
        for row in rows
    ]
    if updates:
        await db.write({"update": inboxes.name, "updates": updates, "ordered": db.session is not None})


async def take_out(db: Database, post_id: str, user_ids: Sequence[str]) -> None:
    """Remove a post from inboxes."""
    if user_ids:
        query = {
            "user_id": {"$in": list(user_ids)},
            "_id": {"$in": [pair(each, post_id) for each in user_ids]},
        }
        await inboxes.delete_all(db, query)


async def take_out_author(db: Database, user_id: str, author_id: str) -> None:
    """Remove all posts of an author from an inbox, which is short."""
    query = {"user_id": user_id, "author_id": author_id}
    await inboxes.delete_all(db, query)


async def trim(db: Database, user_id: str) -> None:
    """Trim an inbox to the newest thousand."""
    # A find through the index, because a skip reads no documents.
    rows = await db.aggregate(
        inboxes.name,
        [
            {"$match": {"user_id": user_id}},
            {"$sort": dict(NEWEST)},
            {"$skip": INBOX_SIZE},
            {"$limit": 1},
            {"$project": {"created_at": 1}},
        ],
    )
    if rows:
        past = {"$or": [{"created_at": {"$lt": rows[0]["created_at"]}}, {"_id": rows[0]["_id"]}]}
        query = {"user_id": user_id, **past}
        await inboxes.delete_all(db, query)


async def pulled(
    db: Database,
    user_id: str,
    followed: Sequence[str],
    groups: Sequence[str],
    *,
    since: datetime,
    limit: int,
) -> list[Post]:
    """Undelivered posts of one's own, of groups and of followed people, newest first."""
    branches: list[dict[str, Any]] = [{"author_id": user_id}]
    if followed:
        recent = {"created_at": {"$gt": since}}
        branches.append({"pulled": True, "author_id": {"$in": list(followed)}, **recent})
    if groups:
        branches.append({"group_id": {"$in": list(groups)}, "created_at": {"$gt": since}})
    query = {"$or": branches}
    return await posts.find(db, query, sort=NEWEST, limit=limit, fields=FEATURES)


async def by_authors(
    db: Database, query: Mapping[str, Any], *, since: datetime | None = None, before: datetime | None = None
) -> list[Post]:
    """Newest posts of these authors that match, as an inbox would hold them."""
    bounds = {**({"$gt": since} if since else {}), **({"$lte": before} if before else {})}
    return await newest(db, query, [{"created_at": bounds}], limit=INBOX_SIZE, fields=FEATURES)


async def newest(
    db: Database,
    query: Mapping[str, Any],
    bounds: Sequence[Mapping[str, Any]] = (),
    *,
    order: Sequence[tuple[str, int]] = NEWEST,
    limit: int,
    fields: Sequence[str] = (),
) -> list[Post]:
    """Posts that fit all bounds and a query, an `$or` over people and groups, in the order of time.

    Over more of them than MongoDB merges by itself, parts of the `$or` are read apart, and merged here.
    """
    branches: list[Mapping[str, Any]] = query["$or"]
    if sum(map(_keys, branches)) <= merging.SCANS:
        # Each branch with its bounds: beside an `$or` they would not bound its scans.
        whole = {"$or": [{"$and": [branch, *bounds]} for branch in branches]}
        return await posts.find(db, whole, sort=order, limit=limit, fields=fields)
    parts = _parts(branches)
    reads = [_reading(db, {"$and": [part, *bounds]}, order, fields) for part in parts]
    backwards = order[0][1] < 0
    rows = await merging.first_of(reads, itemgetter("created_at", "_id"), limit, descending=backwards)
    return cast("list[Post]", rows)


def _keys(branch: Mapping[str, Any]) -> int:
    """Number of authors or groups in a branch."""
    return len(_listed(branch)[1]) or 1


def _listed(branch: Mapping[str, Any]) -> tuple[str, Sequence[str]]:
    for key in ("group_id", "author_id"):
        if isinstance(branch.get(key), Mapping) and "$in" in branch[key]:
            return key, branch[key]["$in"]
    return "", ()


def _parts(branches: Iterable[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    for branch in branches:
        key, listed = _listed(branch)
        if not listed:
            yield branch
        for group in merging.groups(listed):
            yield {**branch, key: {"$in": group}}


def _reading(
    db: Database, query: Mapping[str, Any], order: Sequence[tuple[str, int]], fields: Sequence[str]
) -> merging.Read:
    on, back = ("$lte", "$gte") if order[0][1] < 0 else ("$gte", "$lte")

    async def read(last: dict[str, Any] | None, limit: int) -> list[dict[str, Any]]:
        past: list[Mapping[str, Any]] = []
        if last is not None:
            # A bound that the index knows; what of that very moment was read is few.
            passed = {"created_at": last["created_at"], "_id": {back: last["_id"]}}
            past = [{"created_at": {on: last["created_at"]}}, {"$nor": [passed]}]
        whole = {"$and": [query, *past]}
        return await db.find(posts.name, whole, sort=order, limit=limit, fields=fields, batch=True)

    return read


async def affinity(db: Database, user_id: str) -> Affinity | None:
    rows = await affinities.by_ids(db, [user_id])
    return rows[0] if rows else None


async def learn(db: Database, user_id: str, change: Mapping[str, Any], *, now: datetime) -> None:
    """Store the affinities learnt of a person."""
    fresh = {"authors": {}, "media": {}, "inbox_maintained": False}
    initial = {key: value for key, value in fresh.items() if key not in change}
    update = {"$set": {**change, "built_at": now}, "$setOnInsert": initial}
    await affinities.update_one(db, {"_id": user_id}, update, upsert=True)


async def public(db: Database, now: datetime, *, limit: int) -> tuple[list[Post], list[str]]:
    """Newest public posts, and the ids of the sponsored ones, in one command."""
    newest = {"visibility": Visibility.PUBLIC, "state": PostStatus.PUBLISHED}
    paid = {"starts_at": {"$lte": now}, "ends_at": {"$gt": now}}
    rows = await db.aggregate(
        posts.name,
        [
            {"$match": newest},
            {"$sort": dict(NEWEST)},
            {"$limit": limit},
            {"$project": dict.fromkeys(FEATURES, 1)},
            {
                "$unionWith": {
                    "coll": sponsorships.name,
                    "pipeline": [{"$match": paid}, {"$limit": SPONSORED}, {"$project": {"ends_at": 1}}],
                }
            },
        ],
    )
    found = [cast("Post", row) for row in rows if "author_id" in row]
    return found, [row["_id"] for row in rows if "author_id" not in row]


async def public_by(db: Database, authors: Sequence[str], *, limit: int) -> list[Post]:
    """Newest public posts of some authors."""
    query = {
        "author_id": {"$in": list(authors)},
        "visibility": Visibility.PUBLIC,
        "state": PostStatus.PUBLISHED,
    }
    return await posts.find(db, query, sort=NEWEST, limit=limit, fields=FEATURES)
