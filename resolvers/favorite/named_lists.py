"""Named lists: some of the favorites of a kind, in an order of their own."""

from typing import Any, TypedDict, Unpack

from core import ids
from core.context import Context
from core.errors import UserError, check_version
from core.ids import Id
from core.security.limits import Rate
from core.values.bounds import check_length
from core.values.text import Line
from resolvers.favorite.access import NAMED_ORDER, edge_in, edge_of, named_list, named_of
from resolvers.favorite.writing import changed_list, claim, leave_list, rank_at, take_turn
from stores import favorite as store
from stores.favorite import Favorite, FavoriteKindName, FavoriteList

LIST_RATE = Rate("favorite-lists", 60, 60)
MOST_LISTS = 50
LONGEST_NAME = 60


class ListCreated(TypedDict):
    favorite_list: FavoriteList
    favorite_list_edge: dict[str, Any]


class ListChanged(TypedDict):
    favorite_list: FavoriteList


class ListDeleted(TypedDict):
    deleted_favorite_list_id: Id


class FavoriteListChanges(TypedDict, total=False):
    name: Line


async def create_favorite_list(
    ctx: Context, *, id: Id | None = None, kind: FavoriteKindName, name: Line
) -> ListCreated:
    await ctx.limit(LIST_RATE)
    take_turn(ctx)
    await claim(ctx, await store.default_list(ctx.db, ctx.viewer_id, kind))
    others = await _named(ctx, kind)
    if len(others) >= MOST_LISTS:
        raise UserError("LIMIT_REACHED", "At most {limit} lists.", limit=MOST_LISTS)
    made = {
        "_id": ids.minted(id, "favorite_list"),
        "user_id": ctx.viewer_id,
        "kind": kind,
        "name": _checked(name, others),
        "favorite_count": 0,
        "ordered_at": None,
        "last_synced_at": None,
    }
    created = await ctx.tx.insert(store.favorite_lists, made)
    edge = store.favorite_lists.edge(named_of(ctx.viewer_id), NAMED_ORDER, created)
    return {"favorite_list": created, "favorite_list_edge": edge}


async def update_favorite_list(
    ctx: Context,
    *,
    favorite_list_id: Id,
    expected_version: int | None = None,
    **changes: Unpack[FavoriteListChanges],
) -> ListChanged:
    await ctx.limit(LIST_RATE)
    take_turn(ctx)
    found = await named_list(ctx, favorite_list_id)
    check_version(expected_version, found["version"], favorite_list=found)
    if "name" in changes:
        others = [each for each in await _named(ctx, found["kind"]) if each["_id"] != found["_id"]]
        changes["name"] = _checked(changes["name"], others)
    return {"favorite_list": await ctx.tx.edit(store.favorite_lists, found, changes)}


async def delete_favorite_list(ctx: Context, *, favorite_list_id: Id) -> ListDeleted:
    """Delete a named list; what is in it stays saved."""
    await ctx.limit(LIST_RATE)
    take_turn(ctx)
    found = await named_list(ctx, favorite_list_id)
    id = found["_id"]
    held = [each["_id"] for each in await store.members(ctx.db, found)]
    for each in await store.own(ctx.db, ctx.viewer_id, held):
        await ctx.tx.update(store.favorites, each, set={"list_ids": _without(each, id)})
    await store.favorite_list_items.delete_all(ctx.db, {"list_id": id, "user_id": ctx.viewer_id})
    await ctx.tx.delete(store.favorite_lists, found)
    return {"deleted_favorite_list_id": favorite_list_id}


async def put_into(
    ctx: Context, favorite: Favorite, named: FavoriteList, position: int | None
) -> tuple[Favorite, FavoriteList, dict[str, Any]]:
    """Favorite, list and edge, once the list has it: at the top unless a position is given."""
    if named["_id"] in favorite["list_ids"]:
        return favorite, named, await edge_in(ctx, named, favorite)
    rank, place = await rank_at(ctx, named, position)
    changed = await changed_list(ctx, named, by=1)
    item = {
        "_id": store.item_id(named["_id"], favorite["_id"]),
        "user_id": favorite["user_id"],
        "list_id": named["_id"],
        "favorite_id": favorite["_id"],
        "rank": rank,
    }
    await ctx.tx.insert(store.favorite_list_items, item)
    held = [*favorite["list_ids"], named["_id"]]
    put = await ctx.tx.update(store.favorites, favorite, set={"list_ids": held})
    assert put is not None
    return put, changed, edge_of(changed, put, rank, place)


async def taken_out(ctx: Context, favorite: Favorite, named: FavoriteList) -> tuple[Favorite, FavoriteList]:
    """Favorite and list, once the list has it no more."""
    if named["_id"] not in favorite["list_ids"]:
        return favorite, named
    changed = await leave_list(ctx, favorite, named["_id"])
    left = await ctx.tx.update(store.favorites, favorite, set={"list_ids": _without(favorite, named["_id"])})
    assert left is not None
    return left, changed


def _without(favorite: Favorite, list_id: str) -> list[str]:
    return [each for each in favorite["list_ids"] if each != list_id]


async def _named(ctx: Context, kind: FavoriteKindName) -> list[FavoriteList]:
    """The viewer's named lists of a kind."""
    query = {**named_of(ctx.viewer_id), "kind": kind}
    return await store.favorite_lists.find(ctx.db, query, limit=MOST_LISTS + 1)


def _checked(name: str, others: list[FavoriteList]) -> Line:
    """The name of a list, unless another one has it; of two at once, the index lets one pass."""
    check_length(name, least=1, most=LONGEST_NAME, field="name")
    if any(each["name"] == name for each in others):
        raise UserError("NAME_TAKEN", "This name is taken.", field=["name"])
    return Line(name)
