"""Writes of favorites: each change of members or order moves the version of the list it is in.

The document of the default list is written with every change of its members. Of two transactions at once one
is run again, and sees the other: so nobody passes the limit.
"""

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Any

from core import ids, jobs
from core.context import Context
from core.errors import UserError
from core.values.bounds import check_length
from resolvers.favorite import metrics, notes, ranks
from resolvers.favorite.access import note_place
from resolvers.favorite.kinds import Kind, targets_changed
from stores import favorite as store
from stores.favorite import (
    MOST_FAVORITES,
    TOMBSTONES_KEPT,
    Favorite,
    FavoriteKindName,
    FavoriteList,
    FavoriteRemovalReason,
    FavoriteStatus,
)

Document = Mapping[str, Any]

LONGEST_NOTE = 500
NOTICES = {
    "availability": True,
    "cancellations": True,
    "promotions": False,
    "price_drop": True,
    "back_in_stock": True,
}
"""Notices of a favorite until its owner chooses otherwise."""
CHANGES_TO_SUGGEST = 5
"""Changes of a default list after which suggestions are computed anew."""


def take_turn(ctx: Context, user_id: str | None = None) -> None:
    """Let the writes of one person's favorites come one after the other in this process."""
    ctx.tx.contend(f"favorites of {user_id or ctx.viewer_id}")


def check_room(favorite_list: FavoriteList, more: int = 1) -> None:
    """LIMIT_REACHED where a default list has no room for more."""
    if favorite_list["favorite_count"] + more > MOST_FAVORITES:
        raise UserError("LIMIT_REACHED", "At most {limit} favorites.", limit=MOST_FAVORITES)


async def changed_list(
    ctx: Context,
    favorite_list: FavoriteList,
    *,
    by: int = 0,
    ordered_at: datetime | None = None,
    synced_at: datetime | None = None,
) -> FavoriteList:
    """The list, whose members or order changed; `ordered_at` when its owner put it in order."""
    moments = {"ordered_at": ordered_at, "last_synced_at": synced_at}
    written = {name: at for name, at in moments.items() if at is not None}
    changed = await ctx.tx.update(
        store.favorite_lists,
        favorite_list,
        set=written,
        inc={"favorite_count": by} if by else None,
        initial=_initial(favorite_list, *written, *(["favorite_count"] if by else ())),
    )
    assert changed is not None
    if ordered_at is not None:
        notes.log(ctx, notes.REORDERED, changed)
    if changed["name"] is None and changed["version"] % CHANGES_TO_SUGGEST == 0:
        await _suggest_soon(ctx, changed)
    return changed


def _initial(favorite_list: FavoriteList, *written: str) -> dict[str, Any]:
    """Fields of a default list that is made now, but for its key and those that are written."""
    if favorite_list["name"] is not None:
        return {}
    named = {"_id", "user_id", "version", "updated_at", "claims", *written}
    return {name: value for name, value in favorite_list.items() if name not in named}


async def _suggest_soon(ctx: Context, favorite_list: FavoriteList) -> None:
    user_id, kind = favorite_list["user_id"], favorite_list["kind"]
    key = store.key_of_suggestions(user_id, kind)["_id"]
    await jobs.enqueue(ctx.tx, "favorite.suggest", key=key, user_id=user_id, kind=kind)


async def claim(ctx: Context, favorite_list: FavoriteList) -> None:
    """Let nobody else change the lists of this kind beside this unit of work."""
    made = {**_initial(favorite_list), "version": 0, "updated_at": favorite_list["updated_at"]}
    key = store.favorite_lists.key_of(favorite_list)
    change = {"$inc": {"claims": 1}, "$setOnInsert": made}
    await store.favorite_lists.update_one(ctx.db, key, change, upsert=True)


async def rank_at(
    ctx: Context, favorite_list: FavoriteList, position: int | None, *, without: str | None = None
) -> tuple[str, int]:
    """Order key at a position of a list, counted `without` the one that moves, and the position itself.

    What is beyond the end is the end. Where no short key is left, all members get new ones.
    """
    if not position and without is None:
        return ranks.between(None, await store.first_rank(ctx.db, favorite_list)), 0
    rows = [each for each in await store.members(ctx.db, favorite_list) if each["_id"] != without]
    place = min(position or 0, len(rows))
    low = rows[place - 1]["rank"] if place else None
    high = rows[place]["rank"] if place < len(rows) else None
    rank = ranks.between(low, high)
    if len(rank) <= ranks.LONGEST:
        return rank, place
    fresh = ranks.spread(len(rows) + 1)
    rank = fresh.pop(place)
    renewed = {row["_id"]: each for row, each in zip(rows, fresh, strict=True)}
    await store.write_ranks(ctx.db, favorite_list, renewed)
    return rank, place


async def save(
    ctx: Context,
    kind: Kind,
    target: Document,
    *,
    user_id: str,
    former: Favorite | None,
    rank: str,
    saved_at: datetime,
    id: str | None = None,
    note: str | None = None,
) -> Favorite:
    """Save a target; one that was a favorite before is the same one again, without its note."""
    id = former["_id"] if former else ids.minted(id, "favorite")
    amount, currency = kind.price(target) or (None, None)
    fields = {
        "status": FavoriteStatus.SAVED,
        "rank": rank,
        "list_ids": [],
        "note": sealed_note(ctx, id, note),
        "notices": NOTICES,
        "price_when_saved": amount,
        "currency": currency,
        "told_price": None,
        "saved_at": saved_at,
        "removed_at": None,
        "removal_reason": None,
        "purge_at": None,
    }
    _count(ctx, kind.name, "ADD")
    await targets_changed(ctx, user_id, kind.name)
    if former is not None:
        revived = await ctx.tx.update(store.favorites, former, set=fields)
        assert revived is not None
        return revived
    named = {"_id": id, "user_id": user_id, "kind": kind.name, "target_id": target["_id"]}
    return await ctx.tx.insert(store.favorites, {**named, **fields, "last_notices": {}})


async def unsave(
    ctx: Context,
    favorite: Favorite,
    reason: FavoriteRemovalReason,
    *,
    removed_at: datetime | None = None,
) -> list[FavoriteList]:
    """Remove a favorite, also from its named lists, which it returns; the default list is the caller's."""
    gone: dict[str, Any] = {
        "status": FavoriteStatus.REMOVED,
        "list_ids": [],
        "note": None,
        "removed_at": removed_at or ctx.tx.now,
        "removal_reason": reason,
        "purge_at": ctx.tx.now + TOMBSTONES_KEPT,
    }
    await ctx.tx.update(store.favorites, favorite, set=gone)
    _count(ctx, favorite["kind"], "REMOVE")
    await targets_changed(ctx, favorite["user_id"], favorite["kind"])
    return [await leave_list(ctx, favorite, id) for id in favorite["list_ids"]]


async def leave_list(ctx: Context, favorite: Favorite, list_id: str) -> FavoriteList:
    """Take a favorite out of a named list that has it; the favorite's own document is the caller's."""
    named = {"_id": store.item_id(list_id, favorite["_id"]), "user_id": favorite["user_id"]}
    await ctx.tx.delete(store.favorite_list_items, named)
    changed = await ctx.tx.update(
        store.favorite_lists, {"_id": list_id, "user_id": favorite["user_id"]}, inc={"favorite_count": -1}
    )
    assert changed is not None
    return changed


def checked_note(note: str | None) -> str | None:
    """The note, or None for an empty one."""
    check_length(note or "", most=LONGEST_NOTE, field="note")
    return note or None


def sealed_note(ctx: Context, id: str, note: str | None) -> Any:
    return ctx.services.crypto.seal(note, place=note_place(id)) if note else None


def _count(ctx: Context, kind: FavoriteKindName, act: str) -> None:
    ctx.tx.after_commit(partial(_counted, kind, act))


async def _counted(kind: str, act: str) -> None:
    metrics.TOGGLED.labels(kind, act).inc()
