"""Posts, comments and reactions."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NotRequired, TypedDict

from core.ids import prefix_of
from core.paging import NEWEST
from core.storage.indexes import A_TEXT, LONG_AGO
from core.storage.mongo import Database
from core.storage.moves import Moves
from core.storage.store import Collection, Row, collection, entity, index
from stores.feed.kinds import ModerationLabel, PostStatus, ReactionKind, Visibility
from stores.feed.scopes import comment_scopes, post_scopes


class Post(Row):
    """Post; `pulled` if its author is so widely followed that it is read on demand rather than delivered."""

    author_id: str
    text: str | None
    media_ids: list[str]
    visibility: Visibility
    state: PostStatus
    pinned: bool
    comment_count: int
    share_count: int
    reactions: dict[ReactionKind, int]
    edited_at: datetime | None
    pulled: NotRequired[bool]
    group_id: NotRequired[str]
    shared_post_id: NotRequired[str]
    shared_author_id: NotRequired[str]
    """Author of the post it shares."""
    mention_ids: NotRequired[list[str]]
    files: NotRequired[list[dict[str, Any]]]
    """Uploads in their order, `{upload_id, media_id}`; the medium is None while it is not ready."""
    link_url: NotRequired[str]
    link: NotRequired[dict[str, Any]]
    label: NotRequired[ModerationLabel | None]
    archived: NotRequired[bool]


class Comment(Row):
    """A deleted one is a stub without author while it has replies; `gone` without, known for 90 days more.

    `kept` is the text of one that moderators removed.
    """

    post_id: str
    post_author_id: str
    parent_id: str | None
    author_id: str | None
    text: str
    weight: NotRequired[int]
    mention_ids: NotRequired[list[str]]
    label: NotRequired[ModerationLabel | None]
    deleted_at: NotRequired[datetime]
    gone: NotRequired[bool]
    kept: NotRequired[str | None]
    reply_count: int
    reactions: dict[ReactionKind, int]
    state: PostStatus
    edited_at: datetime | None


class Reaction(TypedDict):
    """`_id` is `subject|user`: one per person and subject."""

    _id: str
    subject_id: str
    user_id: str
    kind: ReactionKind
    created_at: datetime


OLDEST = [("created_at", 1), ("_id", 1)]
TIMELINE = [("pinned", -1), *NEWEST]
TOP = [("weight", -1), *NEWEST]
CHANGED = [("updated_at", 1), ("_id", 1)]

posts = entity(
    "posts",
    Post,
    prefix="post",
    indexes=[
        index("author_id", "-pinned", "-created_at", "-_id"),
        index("author_id", "-created_at", "-_id"),
        index("visibility", "state", "-created_at", "-_id"),
        index("updated_at", "_id"),
        index("created_at"),
        index(
            "group_id",
            "-created_at",
            "-_id",
            partialFilterExpression={"group_id": {"$exists": True}},
            serves={"group_id": {"$in": ["x"]}, "created_at": {"$gt": LONG_AGO}},
        ),
        index(
            "shared_post_id",
            "_id",
            partialFilterExpression={"shared_post_id": {"$exists": True}},
            serves={"shared_post_id": {"$in": ["x"]}},
        ),
        index(
            "shared_author_id",
            "author_id",
            partialFilterExpression={"shared_author_id": A_TEXT},
            serves={"shared_author_id": "x", "author_id": {"$in": ["x", "y"]}},
        ),
        # The few posts that are looked for at every reading.
        index(
            "pulled",
            "author_id",
            "-created_at",
            "-_id",
            partialFilterExpression={"pulled": True},
            serves={"pulled": True, "author_id": {"$in": ["x", "y"]}},
        ),
    ],
    scopes=post_scopes,
    aspects=["reactions", "counts", "shared", "media"],
    moves=Moves(
        {
            PostStatus.PROCESSING: {PostStatus.PUBLISHED, PostStatus.LIMITED, PostStatus.REMOVED},
            PostStatus.PUBLISHED: {PostStatus.LIMITED, PostStatus.REMOVED},
            PostStatus.LIMITED: {PostStatus.PUBLISHED, PostStatus.REMOVED},
            PostStatus.REMOVED: {PostStatus.PUBLISHED, PostStatus.LIMITED},
        },
        field="state",
    ),
)
archive = collection(
    "posts_archive",
    Post,
    indexes=[
        index("author_id", "-pinned", "-created_at", "-_id"),
        index(
            "group_id",
            "-created_at",
            "-_id",
            partialFilterExpression={"group_id": {"$exists": True}},
            serves={"group_id": "x"},
        ),
        index(
            "shared_post_id",
            "_id",
            partialFilterExpression={"shared_post_id": A_TEXT},
            serves={"shared_post_id": "x"},
        ),
        index(
            "shared_author_id",
            "author_id",
            partialFilterExpression={"shared_author_id": A_TEXT},
            serves={"shared_author_id": "x", "author_id": {"$in": ["x", "y"]}},
        ),
    ],
    synced=True,
)
comments = entity(
    "comments",
    Comment,
    prefix="comment",
    indexes=[
        index("post_id", "parent_id", "-created_at", "-_id"),
        index("parent_id", "-created_at", "-_id"),
        index("post_id", "parent_id", "-weight", "-created_at", "-_id"),
        index("post_id", "updated_at", "_id"),
        index("purge_at", expireAfterSeconds=0, partialFilterExpression={"purge_at": {"$exists": True}}),
        index("author_id", "-created_at"),
    ],
    scopes=comment_scopes,
    aspects=["reactions", "counts"],
)
reactions = collection(
    "reactions",
    Reaction,
    indexes=[
        index("subject_id", "-created_at", "-_id"),
        index("subject_id", "kind", "-created_at", "-_id"),
        index("user_id", "-created_at"),
    ],
)


def pair(first: str, second: str) -> str:
    return f"{first}|{second}"


async def reactions_by(db: Database, user_id: str, subject_ids: Iterable[str]) -> list[Reaction]:
    return await reactions.by_ids(db, [pair(subject, user_id) for subject in subject_ids])


async def latest_reactions(db: Database, user_id: str, *, limit: int) -> list[Reaction]:
    return await reactions.find(db, {"user_id": user_id}, sort=[("created_at", -1)], limit=limit)


async def latest_comments(db: Database, user_id: str, *, limit: int) -> list[Comment]:
    return await comments.find(db, {"author_id": user_id}, sort=[("created_at", -1)], limit=limit)


async def posts_by_ids(db: Database, ids: Sequence[str], *, fields: Sequence[str] = ()) -> list[Post]:
    """Posts by id, those of the archive too."""
    found = await posts.by_ids(db, ids, fields=fields)
    if len(found) == len(ids):
        return found
    away = await archive.by_ids(db, _missing(ids, found), fields=fields)
    found += map(from_archive, away)
    # One that left the archive between the two looks is in the first collection now.
    return [*found, *await posts.by_ids(db, _missing(ids, found), fields=fields)]


def _missing(ids: Sequence[str], found: Sequence[Post]) -> list[str]:
    here = {post["_id"] for post in found}
    return [id for id in ids if id not in here]


async def subject_by_id(db: Database, id: str) -> dict[str, Any] | None:
    """Live post, or comment."""
    rows = await db.by_ids(posts.name if prefix_of(id) == "post" else comments.name, [id])
    return rows[0] if rows else None


def from_archive(post: Post) -> Post:
    """Mark a post as read from the archive: it is to be moved out before it is changed."""
    return {**post, "archived": True}


async def counted(
    db: Database,
    kept: Collection[Any],
    key: str,
    values: Sequence[str],
    where: Mapping[str, Any] | None = None,
) -> Counter[str]:
    """Number of rows by value of the key."""
    rows = await db.aggregate(
        kept.name,
        [
            {"$match": {key: {"$in": list(values)}, **(where or {})}},
            {"$group": {"_id": f"${key}", "count": {"$sum": 1}}},
        ],
    )
    return Counter({row["_id"]: row["count"] for row in rows})


async def reactions_counted(db: Database, subject_ids: Sequence[str]) -> dict[tuple[str, str], int]:
    """Number of reactions by subject and kind."""
    rows = await db.aggregate(
        reactions.name,
        [
            {"$match": {"subject_id": {"$in": list(subject_ids)}}},
            {"$group": {"_id": {"subject": "$subject_id", "kind": "$kind"}, "count": {"$sum": 1}}},
        ],
    )
    return {(row["_id"]["subject"], row["_id"]["kind"]): row["count"] for row in rows}
