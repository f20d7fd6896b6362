"""Saving and removing of favorites: both set a state, and are safe to repeat."""

from functools import partial
from typing import Any, TypedDict

from core import nodes
from core.context import Context
from core.errors import UserError
from core.ids import Id
from core.security.limits import Rate
from resolvers.favorite import metrics
from resolvers.favorite.access import edge_in, named_list
from resolvers.favorite.kinds import Document, kind_of, to_save
from resolvers.favorite.named_lists import put_into
from resolvers.favorite.writing import (
    changed_list,
    check_room,
    checked_note,
    rank_at,
    save,
    take_turn,
    unsave,
)
from stores import favorite as store
from stores.favorite import Favorite, FavoriteList, FavoriteRemovalReason, FavoriteStatus

TOGGLE_RATE = Rate("favorite-toggles", 60, 60)
TARGET_RATE = Rate("favorite-target", 10, 60)


class Added(TypedDict):
    favorite: Favorite
    favorite_edge: dict[str, Any]
    favorite_lists: list[FavoriteList]
    already_existed: bool
    deleted_favorite_id: Id | None


class Removed(TypedDict):
    deleted_favorite_id: Id | None
    favorite_lists: list[FavoriteList]
    target: Document | None


async def add_favorite(
    ctx: Context,
    *,
    id: Id | None = None,
    target_id: Id,
    position: int | None = None,
    favorite_list_id: Id | None = None,
    note: str | None = None,
) -> Added:
    """Save a target, at the top unless a position is given; what is saved stays as it is."""
    kind = kind_of(target_id)
    note = checked_note(note)
    check_position(position)
    await limit_toggles(ctx, target_id)
    take_turn(ctx)
    named = await named_list(ctx, favorite_list_id, kind.name) if favorite_list_id else None
    favorite, default, existed = await saved(
        ctx, target_id, id=id, note=note, position=None if named else position
    )
    lists = [default]
    if named is not None:
        favorite, named, _ = await put_into(ctx, favorite, named, position)
        lists.append(named)
    return {
        "favorite": favorite,
        "favorite_edge": await edge_in(ctx, default, favorite),
        "favorite_lists": lists,
        "already_existed": existed,
        # The first id wins: a device that minted another forgets that one.
        "deleted_favorite_id": id if id != favorite["_id"] else None,
    }


async def saved(
    ctx: Context,
    target_id: str,
    *,
    id: str | None = None,
    note: str | None = None,
    position: int | None = None,
) -> tuple[Favorite, FavoriteList, bool]:
    """The viewer's favorite of a target, saved now unless it is, with the default list."""
    kind = kind_of(target_id)
    former = await store.of_target(ctx.db, ctx.viewer_id, target_id)
    default = await store.default_list(ctx.db, ctx.viewer_id, kind.name)
    if former is not None and former["status"] == FavoriteStatus.SAVED:
        return former, default, True
    target = await to_save(ctx, kind, target_id)
    check_room(default)
    rank, _ = await rank_at(ctx, default, position)
    default = await changed_list(ctx, default, by=1)
    favorite = await save(
        ctx,
        kind,
        target,
        user_id=ctx.viewer_id,
        former=former,
        rank=rank,
        saved_at=ctx.tx.now,
        id=id,
        note=note,
    )
    ctx.tx.after_commit(partial(_measure, default["favorite_count"]))
    return favorite, default, False


async def _measure(count: int) -> None:
    metrics.COUNT.observe(count)


async def remove_favorite(ctx: Context, *, target_id: Id) -> Removed:
    """Remove a target from the favorites and all their lists; nothing happens where it is none."""
    kind = kind_of(target_id)
    await limit_toggles(ctx, target_id)
    take_turn(ctx)
    favorite = await store.of_target(ctx.db, ctx.viewer_id, target_id)
    default = await store.default_list(ctx.db, ctx.viewer_id, kind.name)
    target = (await nodes.visible(ctx, [target_id])).get(target_id)
    if favorite is None or favorite["status"] != FavoriteStatus.SAVED:
        return {"deleted_favorite_id": None, "favorite_lists": [default], "target": target}
    named = await unsave(ctx, favorite, FavoriteRemovalReason.USER)
    default = await changed_list(ctx, default, by=-1)
    return {
        "deleted_favorite_id": Id(favorite["_id"]),
        "favorite_lists": [default, *named],
        "target": target,
    }


async def limit_toggles(ctx: Context, target_id: str) -> None:
    """Count an act on a target, by its person and for the target."""
    await ctx.limit(TOGGLE_RATE)
    await ctx.limit(TARGET_RATE, f"{ctx.viewer_id}:{target_id}")


def check_position(position: int | None) -> None:
    if position is not None and position < 0:
        raise UserError("OUT_OF_RANGE", "The first position is 0.", field=["position"])
