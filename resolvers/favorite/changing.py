"""Notes and notices of a favorite."""

from typing import Any, TypedDict, Unpack

from core.context import Context
from core.errors import check_version
from core.ids import Id
from core.security.limits import Rate
from resolvers.favorite.access import favorite_for_update
from resolvers.favorite.writing import checked_note, sealed_note
from stores import favorite as store
from stores.favorite import Favorite

CHANGE_RATE = Rate("favorite-changes", 60, 60)


class FavoriteNoticeChoices(TypedDict, total=False):
    """Choices of what is told of a favorite."""

    availability: bool
    """True to be told when an appointment becomes free."""
    cancellations: bool
    """True to be told when somebody else cancels an appointment."""
    promotions: bool
    """True to be told when a promotion begins."""
    price_drop: bool
    """True to be told when the price falls."""
    back_in_stock: bool
    """True to be told when it can be bought again."""


class FavoriteChanges(TypedDict, total=False):
    note: str | None
    notices: FavoriteNoticeChoices


class Changed(TypedDict):
    favorite: Favorite


async def update_favorite(
    ctx: Context, *, target_id: Id, expected_version: int | None = None, **changes: Unpack[FavoriteChanges]
) -> Changed:
    """Change the note of a favorite, and what is told of it."""
    await ctx.limit(CHANGE_RATE)
    favorite = await favorite_for_update(ctx, target_id)
    check_version(expected_version, favorite["version"], favorite=favorite)
    written: dict[str, Any] = {}
    if "note" in changes:
        written["note"] = sealed_note(ctx, favorite["_id"], checked_note(changes["note"]))
    if "notices" in changes:
        written["notices"] = {**favorite["notices"], **changes["notices"]}
    return {"favorite": await ctx.tx.edit(store.favorites, favorite, written)}
