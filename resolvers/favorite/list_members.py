"""Members of named lists: favorites that are put into one, or taken out and stay saved."""

from typing import Any, TypedDict

from core.context import Context
from core.ids import Id
from resolvers.favorite.access import favorite_for_update, named_list
from resolvers.favorite.kinds import kind_of
from resolvers.favorite.named_lists import LIST_RATE, put_into, taken_out
from resolvers.favorite.saving import check_position, limit_toggles, saved
from resolvers.favorite.writing import take_turn
from stores.favorite import Favorite, FavoriteList


class PutIn(TypedDict):
    favorite: Favorite
    favorite_edge: dict[str, Any]
    favorite_lists: list[FavoriteList]


class TakenOut(TypedDict):
    favorite: Favorite
    removed_favorite_id: Id
    favorite_lists: list[FavoriteList]


async def add_to_favorite_list(
    ctx: Context, *, favorite_list_id: Id, target_id: Id, position: int | None = None
) -> PutIn:
    """Put a target into a named list, and save it first where it is no favorite."""
    kind = kind_of(target_id)
    check_position(position)
    await limit_toggles(ctx, target_id)
    take_turn(ctx)
    named = await named_list(ctx, favorite_list_id, kind.name)
    favorite, default, _ = await saved(ctx, target_id)
    favorite, named, edge = await put_into(ctx, favorite, named, position)
    return {"favorite": favorite, "favorite_edge": edge, "favorite_lists": [default, named]}


async def remove_from_favorite_list(ctx: Context, *, favorite_list_id: Id, target_id: Id) -> TakenOut:
    """Take a target out of a named list; it stays saved."""
    await ctx.limit(LIST_RATE)
    take_turn(ctx)
    favorite = await favorite_for_update(ctx, target_id)
    named = await named_list(ctx, favorite_list_id, favorite["kind"])
    favorite, named = await taken_out(ctx, favorite, named)
    return {
        "favorite": favorite,
        "removed_favorite_id": Id(favorite["_id"]),
        "favorite_lists": [named],
    }
