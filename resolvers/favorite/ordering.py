"""Order of lists: put in order as a whole, or one favorite moved."""

from collections.abc import Sequence
from typing import Any, TypedDict

from core.context import Context
from core.errors import UserError, check_version
from core.ids import Id
from core.security.limits import Rate
from core.values.bounds import check_count
from resolvers.favorite import ranks
from resolvers.favorite.access import FavoriteListBy, favorite_for_update, list_for_update, named_list
from resolvers.favorite.kinds import Rejection, kind_of, rejection
from resolvers.favorite.writing import changed_list, rank_at, take_turn
from stores import favorite as store
from stores.favorite import MOST_FAVORITES, Favorite, FavoriteList, FavoriteStatus

REORDER_RATE = Rate("favorite-order", 20, 60)


class Reordered(TypedDict):
    favorite_list: FavoriteList
    rejected: list[Rejection]


class Moved(TypedDict):
    favorite: Favorite
    favorite_list: FavoriteList


async def reorder_favorites(
    ctx: Context, *, by: FavoriteListBy, target_ids: Sequence[Id], expected_version: int | None = None
) -> Reordered:
    """Put a list in order. With a version each member is named once; without, the others follow behind."""
    check_count(target_ids, most=MOST_FAVORITES, field="target_ids")
    if len(set(target_ids)) < len(target_ids):
        raise UserError("INVALID_INPUT", "Name each target once.", field=["targetIds"])
    for each in target_ids:
        kind_of(each)
    await ctx.limit(REORDER_RATE)
    take_turn(ctx)
    found = await list_for_update(ctx, by)
    check_version(expected_version, found["version"], favorite_list=found)
    members = await store.members(ctx.db, found)
    named, unknown = await _members_named(ctx, target_ids, {each["_id"] for each in members})
    if expected_version is not None:
        _check_whole(len(members), named, unknown)
    order = [*named, *(each["_id"] for each in members if each["_id"] not in set(named))]
    if order != [each["_id"] for each in members]:
        found = await put_in_order(ctx, found, order)
    return {"favorite_list": found, "rejected": [rejection(each, _not_in_list()) for each in unknown]}


async def put_in_order(
    ctx: Context, favorite_list: FavoriteList, order: Sequence[str], *, at: Any = None
) -> FavoriteList:
    """The list, whose members, named by their ids, have this order from now on."""
    changed = await changed_list(ctx, favorite_list, ordered_at=at or ctx.tx.now)
    await store.write_ranks(ctx.db, changed, dict(zip(order, ranks.spread(len(order)), strict=True)))
    return changed


async def _members_named(
    ctx: Context, target_ids: Sequence[str], members: set[str]
) -> tuple[list[str], list[str]]:
    """Ids of the members that are named, in that order, and the targets that are none."""
    rows = await store.of_targets(ctx.db, ctx.viewer_id, target_ids) if target_ids else []
    saved = {each["target_id"]: each["_id"] for each in rows if each["status"] == FavoriteStatus.SAVED}
    named = [saved[each] for each in target_ids if saved.get(each) in members]
    return named, [each for each in target_ids if saved.get(each) not in members]


def _not_in_list() -> UserError:
    return UserError("NOT_FOUND", "A target is not in the list.", field=["targetIds"])


def _check_whole(count: int, named: Sequence[str], unknown: Sequence[str]) -> None:
    if unknown:
        raise _not_in_list()
    if len(named) < count:
        raise UserError("INVALID_INPUT", "Name all targets of the list.", field=["targetIds"])


async def move_favorite(
    ctx: Context, *, target_id: Id, favorite_list_id: Id | None = None, after_target_id: Id | None = None
) -> Moved:
    """Move a favorite behind another one, or to the top."""
    await ctx.limit(REORDER_RATE)
    take_turn(ctx)
    favorite = await favorite_for_update(ctx, target_id)
    if favorite_list_id is None:
        found = await store.default_list(ctx.db, ctx.viewer_id, favorite["kind"])
    else:
        found = await named_list(ctx, favorite_list_id, favorite["kind"])
    order = [each["_id"] for each in await store.members(ctx.db, found)]
    if favorite["_id"] not in order:
        raise UserError("NOT_FOUND", "This is not in the list.", field=["targetId"])
    others = [each for each in order if each != favorite["_id"]]
    place = 0 if after_target_id is None else await _place_behind(ctx, after_target_id, others)
    if order.index(favorite["_id"]) != place:
        rank, _ = await rank_at(ctx, found, place, without=favorite["_id"])
        await store.write_ranks(ctx.db, found, {favorite["_id"]: rank})
        found = await changed_list(ctx, found, ordered_at=ctx.tx.now)
    return {"favorite": favorite, "favorite_list": found}


async def _place_behind(ctx: Context, target_id: str, others: Sequence[str]) -> int:
    kind_of(target_id)
    neighbor = await store.of_target(ctx.db, ctx.viewer_id, target_id)
    if neighbor is None or neighbor["_id"] not in others:
        raise UserError("NOT_FOUND", "This is not in the list.", field=["afterTargetId"])
    return others.index(neighbor["_id"]) + 1
