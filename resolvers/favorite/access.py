"""Access guards of favorites and their lists, and what is read of them: their owner alone sees any."""

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

import structlog

from core import ids, nodes, outages, paging
from core.context import Context
from core.errors import UserError
from core.ids import Id
from core.nodes import guard
from core.one_of import one_of
from core.paging import Listing, PageArgs
from loaders.favorite import (
    FavoriteOfTarget,
    MembersOfDefault,
    MembersOfNamed,
    OwnFavoriteById,
    OwnListById,
    SavedByViewer,
)
from resolvers.favorite.kinds import KINDS, kind_of
from stores import favorite as store
from stores.favorite import Favorite, FavoriteKindName, FavoriteList, FavoriteStatus, Member

logger = structlog.get_logger(__name__)

Document = Mapping[str, Any]

NAMED_ORDER: paging.Sort = (("created_at", 1), ("_id", 1))


@one_of
class FavoriteBy(TypedDict, total=False):
    """Key of a favorite: one of several."""

    id: Id | None
    """Id of the favorite."""
    target_id: Id | None
    """Id of the target that was saved."""


@one_of
class FavoriteListBy(TypedDict, total=False):
    """Key of a list of favorites: one of several."""

    id: Id | None
    """Id of the list."""
    kind: FavoriteKindName | None
    """Kind of the favorites, for the default list of the kind."""


class FavoriteListFilter(TypedDict, total=False):
    """Filter of the named lists."""

    kinds: list[FavoriteKindName] | None
    """Kinds of the favorites in the lists."""


@guard("favorite", sync="FAVORITE", collection=store.favorites.name, owner="user_id")
async def own_favorites(ctx: Context, wanted: Sequence[str]) -> list[Favorite | None]:
    """Favorites of the viewer; None for those that were removed."""
    found = await ctx.load_many(OwnFavoriteById, wanted)
    return [each if each and each["status"] == FavoriteStatus.SAVED else None for each in found]


@guard("favorite_list", sync="FAVORITE_LIST", collection=store.favorite_lists.name, owner="user_id")
async def own_lists(ctx: Context, wanted: Sequence[str]) -> list[FavoriteList | None]:
    """Lists of the viewer; the default ones also while nothing was saved yet."""
    viewer = ctx.viewer_id_or_none
    if viewer is None:
        return [None for _ in wanted]
    empty = {
        row["_id"]: row for row in (store.empty_default_list(viewer, each.name) for each in KINDS.values())
    }
    found = await ctx.load_many(OwnListById, wanted)
    return [each or empty.get(id) for id, each in zip(wanted, found, strict=True)]


async def favorite(ctx: Context, *, by: FavoriteBy) -> Favorite | None:
    """Favorite of the viewer by one of its keys."""
    id, target_id = by.get("id"), by.get("target_id")
    if id is not None:
        return (await nodes.read_by_id(ctx, [ids.checked(id, "favorite")])).get(id)  # type: ignore[return-value]
    kind_of(str(target_id))
    return await ctx.load(FavoriteOfTarget, str(target_id))


async def default_list(ctx: Context, kind: FavoriteKindName) -> FavoriteList:
    """The viewer's default list of a kind."""
    [found] = await own_lists(ctx, [store.default_list_id(ctx.viewer_id, kind)])
    assert found is not None
    return found


async def viewer_list(ctx: Context, viewer: Document, *, kind: FavoriteKindName) -> FavoriteList:
    return await default_list(ctx, kind)


def named_of(user_id: str) -> dict[str, Any]:
    """Filter of a person's named lists."""
    return {"user_id": user_id, "name": {"$ne": None}}


async def viewer_lists(
    ctx: Context, viewer: Document, *, filter: FavoriteListFilter | None = None, args: PageArgs
) -> dict[str, Any]:
    """Connection of the viewer's named lists, oldest first."""
    query = named_of(ctx.viewer_id)
    if kinds := (filter or {}).get("kinds"):
        query["kind"] = paging.any_of(kinds)
    return await store.favorite_lists.page(ctx.db, query, NAMED_ORDER, args)


async def list_for_update(ctx: Context, by: FavoriteListBy) -> FavoriteList:
    """List to act on; NOT_FOUND when there is none."""
    id, kind = by.get("id"), by.get("kind")
    if id is None:
        assert kind is not None
        return await default_list(ctx, kind)
    return await nodes.for_update(ctx, store.favorite_lists, id, field="by")


async def named_list(ctx: Context, id: str, kind: FavoriteKindName | None = None) -> FavoriteList:
    """Named list to act on, of favorites of a kind; NOT_FOUND when there is none."""
    found = await nodes.for_update(ctx, store.favorite_lists, id)
    if found["name"] is None:
        raise UserError("NOT_FOUND", "This is no named list.", field=["favoriteListId"])
    if kind is not None and found["kind"] != kind:
        raise UserError(
            "INVALID_INPUT", "The list is of another kind of favorites.", field=["favoriteListId"]
        )
    return found


async def favorite_for_update(ctx: Context, target_id: str) -> Favorite:
    """The viewer's favorite of a target, to act on; NOT_FOUND where it is not saved."""
    kind_of(target_id)
    found = await store.of_target(ctx.db, ctx.viewer_id, target_id)
    if found is None or found["status"] != FavoriteStatus.SAVED:
        raise UserError("NOT_FOUND", "This is not among your favorites.", field=["targetId"])
    return found


async def members(ctx: Context, favorite_list: Document) -> list[Member]:
    """Members of a list of the viewer in their order."""
    if favorite_list["name"] is None:
        return await ctx.load(MembersOfDefault, favorite_list["kind"])
    return await ctx.load(MembersOfNamed, favorite_list["_id"])


async def favorites_of(ctx: Context, favorite_list: Document, *, args: PageArgs) -> dict[str, Any]:
    """Connection of a list's favorites in their order, with their positions."""
    listing = _listing(favorite_list)
    page = paging.parse_page(listing, store.ORDER, args)
    placed = [{**each, "position": place} for place, each in enumerate(await members(ctx, favorite_list))]
    rows = paging.slice_of(placed, store.ORDER, page)
    found = paging.connection(
        listing, store.ORDER, page, rows, edge=lambda row: {"position": row["position"]}
    )
    shown = await own_favorites(ctx, [edge["node"]["_id"] for edge in found["edges"]])
    return paging.referring(found, shown)


def edge_of(favorite_list: Document, favorite: Favorite, rank: str, position: int) -> dict[str, Any]:
    """Edge of a favorite at its place in a list."""
    row = {"_id": favorite["_id"], "rank": rank}
    place = [row[key] for key, _ in store.ORDER]
    return paging.edge_of(_listing(favorite_list), store.ORDER, favorite, place=place, position=position)


async def edge_in(ctx: Context, favorite_list: FavoriteList, favorite: Favorite) -> dict[str, Any]:
    """Edge of a favorite in a list that has it."""
    rows = await store.members(ctx.db, favorite_list)
    place = next(place for place, each in enumerate(rows) if each["_id"] == favorite["_id"])
    return edge_of(favorite_list, favorite, rows[place]["rank"], place)


def _listing(favorite_list: Document) -> Listing:
    return Listing(store.favorites.name, list_id=favorite_list["_id"])


async def positions(ctx: Context, favorites: Sequence[Document]) -> list[int]:
    """Positions of favorites in the default lists of their kinds."""
    places: dict[str, int] = {}
    for kind in dict.fromkeys(each["kind"] for each in favorites):
        ordered = await ctx.load(MembersOfDefault, kind)
        places |= {member["_id"]: place for place, member in enumerate(ordered)}
    return [places.get(each["_id"], 0) for each in favorites]


async def saved_by_viewer(ctx: Context, targets: Sequence[Document]) -> list[bool | None]:
    """True of each target that the viewer saved; None when anonymous."""
    if ctx.viewer is None:
        return [None for _ in targets]
    return await ctx.load_level(SavedByViewer, [each["_id"] for each in targets])


async def targets(ctx: Context, favorites: Sequence[Document]) -> list[Document | None]:
    """Targets of favorites; None where one is hidden, or cannot be read for the moment."""
    found: dict[str, Document] = {}
    by_kind: dict[str, list[str]] = {}
    for each in favorites:
        by_kind.setdefault(kind_of(each["target_id"]).name, []).append(each["target_id"])
    for kind, wanted in by_kind.items():
        try:
            found |= await nodes.visible(ctx, wanted)
        except Exception as error:
            fault = outages.fault_of(error)
            if fault is None or not fault.transient:
                raise
            # The list is whole without them; their ids stay out of the log.
            logger.warning("targets not read", kind=kind, error=type(error).__name__, count=len(wanted))
    return [found.get(each["target_id"]) for each in favorites]


def note_of(ctx: Context, favorite: Document) -> str | None:
    return opened_note(ctx.services.crypto, favorite)


def opened_note(crypto: Any, favorite: Document) -> str | None:
    """Decrypted note of a favorite."""
    sealed = favorite["note"]
    return crypto.open(sealed, place=note_place(favorite["_id"])) if sealed else None


def note_place(id: str) -> str:
    return f"favorites/{id}/note"


async def saved_targets(ctx: Context, user_id: str, kind: FavoriteKindName) -> list[str]:
    """Targets of a kind that a person saved, in their order, for systems that rank by them."""
    return [each["target_id"] for each in await store.all_saved(ctx.db, user_id, kind)]
