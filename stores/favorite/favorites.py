"""Favorites and their lists. A removed favorite stays for 90 days: saved again, it is the same one."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, TypedDict

from core import ids
from core.storage.mongo import Database
from core.storage.moves import Moves
from core.storage.store import Row, Sealed, collection, entity, index
from core.sync.changes import user_scope
from stores.favorite.kinds import FavoriteKindName, FavoriteRemovalReason, FavoriteStatus

MOST_FAVORITES = 500
"""Favorites of a person and kind."""
TOMBSTONES_KEPT = timedelta(days=90)

ORDER = (("rank", 1), ("_id", 1))


class FavoriteNotices(TypedDict):
    """Choices of what is told of a favorite."""

    availability: bool
    cancellations: bool
    promotions: bool
    price_drop: bool
    back_in_stock: bool


class LastNotice(TypedDict):
    """Last notice of a kind: at most one an hour."""

    at: datetime
    event_id: str
    """A job that is done again tells nothing twice."""
    link_url: str | None


class Favorite(Row):
    user_id: str
    kind: FavoriteKindName
    target_id: str
    status: FavoriteStatus
    rank: str
    """Order key in the default list of its kind."""
    list_ids: list[str]
    """Named lists that hold it."""
    note: Any
    """Encrypted: why somebody keeps a provider may be about their health. None when there is none."""
    notices: FavoriteNotices
    price_when_saved: int | None
    currency: str | None
    told_price: int | None
    """Lowest price that was told of since it was saved."""
    saved_at: datetime
    """By the clock of the device that saved it, not after the server's."""
    removed_at: datetime | None
    removal_reason: FavoriteRemovalReason | None
    last_notices: dict[str, LastNotice]
    purge_at: datetime | None


class FavoriteList(Row):
    """List of a person's favorites of a kind; its version grows with each change of members or order."""

    user_id: str
    kind: FavoriteKindName
    name: str | None
    """None: the default list, which has all."""
    favorite_count: int
    ordered_at: datetime | None
    """When its owner last put it in order, by the clock of the device."""
    last_synced_at: datetime | None


class FavoriteListItem(TypedDict):
    """Place of a favorite in a named list."""

    _id: str
    user_id: str
    list_id: str
    favorite_id: str
    rank: str


class Member(TypedDict):
    """Member of a list at its place: the id of a favorite, with its order key there."""

    _id: str
    rank: str


def favorite_scopes(favorite: Favorite) -> list[str]:
    return [user_scope(favorite["user_id"])] if favorite["status"] == FavoriteStatus.SAVED else []


favorites = entity(
    "favorites",
    Favorite,
    prefix="favorite",
    owner="user_id",
    scopes=favorite_scopes,
    indexes=[
        index("user_id", "target_id", unique=True),
        index("user_id", "kind", "status", "rank", "_id"),
        index("target_id", "status", "_id"),
        index("user_id", "_id"),
        index("purge_at", expireAfterSeconds=0, partialFilterExpression={"purge_at": {"$type": "date"}}),
    ],
    # A person's list is read and locked as a whole.
    shard_key="user_id",
    sealed=[Sealed("note", "favorites/{_id}/note")],
    moves=Moves(
        {
            FavoriteStatus.SAVED: {FavoriteStatus.REMOVED},
            FavoriteStatus.REMOVED: {FavoriteStatus.SAVED},
        }
    ),
)
favorite_lists = entity(
    "favorite_lists",
    FavoriteList,
    prefix="favorite_list",
    owner="user_id",
    indexes=[
        index("user_id", "kind", "name", unique=True),
        index("user_id", "created_at", "_id"),
        index("user_id", "_id"),
    ],
    shard_key="user_id",
)
favorite_list_items = collection(
    "favorite_list_items",
    FavoriteListItem,
    owner="user_id",
    indexes=[index("user_id", "list_id", "rank", "_id"), index("user_id", "_id")],
    shard_key="user_id",
)


def saved_of(user_id: str, kind: FavoriteKindName) -> dict[str, Any]:
    """Filter of a person's favorites of a kind."""
    return {"user_id": user_id, "kind": kind, "status": FavoriteStatus.SAVED}


def default_list_id(user_id: str, kind: FavoriteKindName) -> str:
    return ids.derived("favorite_list", user_id, kind)


def empty_default_list(user_id: str, kind: FavoriteKindName) -> FavoriteList:
    """The default list of somebody who has saved nothing yet."""
    joined = datetime.fromtimestamp(ids.moment_of(user_id), UTC)
    return {
        "_id": default_list_id(user_id, kind),
        "user_id": user_id,
        "kind": kind,
        "name": None,
        "favorite_count": 0,
        "ordered_at": None,
        "last_synced_at": None,
        "version": 0,
        "created_at": joined,
        "updated_at": joined,
    }


async def default_list(db: Database, user_id: str, kind: FavoriteKindName) -> FavoriteList:
    empty = empty_default_list(user_id, kind)
    return await favorite_lists.by_id(db, empty) or empty


async def own(db: Database, user_id: str, ids: Sequence[str]) -> list[Favorite]:
    """Those of the favorites that are a person's, removed ones included."""
    query = {"user_id": user_id, "_id": {"$in": list(ids)}}
    return await favorites.find(db, query, limit=max(1, len(ids)), batch=True)


async def of_target(db: Database, user_id: str, target_id: str) -> Favorite | None:
    """A person's favorite of a target, removed perhaps."""
    return await favorites.first(db, {"user_id": user_id, "target_id": target_id})


async def of_targets(
    db: Database, user_id: str, target_ids: Sequence[str], *, fields: Sequence[str] = (), batch: bool = False
) -> list[Favorite]:
    query = {"user_id": user_id, "target_id": {"$in": list(target_ids)}}
    return await favorites.find(db, query, limit=max(1, len(target_ids)), fields=fields, batch=batch)


async def all_saved(db: Database, user_id: str, kind: FavoriteKindName) -> list[Favorite]:
    """A person's favorites of a kind, in their order."""
    return await favorites.find(db, saved_of(user_id, kind), sort=ORDER, limit=MOST_FAVORITES)


async def members_of_default(db: Database, user_id: str, kind: FavoriteKindName) -> list[Member]:
    rows = await favorites.find(
        db, saved_of(user_id, kind), sort=ORDER, limit=MOST_FAVORITES, fields=("rank",), batch=True
    )
    return [{"_id": row["_id"], "rank": row["rank"]} for row in rows]


async def members_of_named(db: Database, user_id: str, list_id: str) -> list[Member]:
    held = {"user_id": user_id, "list_id": list_id}
    rows = await favorite_list_items.find(db, held, sort=ORDER, limit=MOST_FAVORITES, batch=True)
    return [{"_id": row["favorite_id"], "rank": row["rank"]} for row in rows]


async def members(db: Database, favorite_list: FavoriteList) -> list[Member]:
    """Members of a list in their order."""
    user_id, id = favorite_list["user_id"], favorite_list["_id"]
    if favorite_list["name"] is None:
        return await members_of_default(db, user_id, favorite_list["kind"])
    return await members_of_named(db, user_id, id)


async def first_rank(db: Database, favorite_list: FavoriteList) -> str | None:
    """Order key of the first member of a list; None when it is empty."""
    if favorite_list["name"] is None:
        saved = saved_of(favorite_list["user_id"], favorite_list["kind"])
        rows: Sequence[Mapping[str, Any]] = await favorites.find(
            db, saved, sort=ORDER, limit=1, fields=("rank",)
        )
    else:
        held = {"user_id": favorite_list["user_id"], "list_id": favorite_list["_id"]}
        rows = await favorite_list_items.find(db, held, sort=ORDER, limit=1)
    return rows[0]["rank"] if rows else None


async def write_ranks(db: Database, favorite_list: FavoriteList, ranks: Mapping[str, str]) -> None:
    """Give members of a list other places, which none of them shows by itself: the list's version tells."""
    if not ranks:
        return
    user_id = favorite_list["user_id"]
    default = favorite_list["name"] is None
    updates = [
        {
            "q": {"_id": id if default else item_id(favorite_list["_id"], id), "user_id": user_id},
            "u": {"$set": {"rank": rank}},
        }
        for id, rank in ranks.items()
    ]
    name = favorites.name if default else favorite_list_items.name
    await db.write({"update": name, "updates": updates})


def item_id(list_id: str, favorite_id: str) -> str:
    return f"{list_id}|{favorite_id}"
