"""Background work of favorites: news, withdrawals and suggestions, and the part in erasure and export."""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import time
from typing import Any

from core.context import Services
from core.erasure import erase_owned, on_user_deleted, on_user_export, pages
from core.jobs import Daily, Lane, task
from resolvers.favorite import access, suggesting, telling, withdrawing
from stores import favorite as store

task("favorite.tell_followers", lane=Lane.BULK)(telling.tell_followers)
task("favorite.tell_later", lane=Lane.TIMED)(telling.tell_later)
task("favorite.withdraw", lane=Lane.BULK, retries=withdrawing.RETRIES)(withdrawing.withdraw)
task("favorite.suggest", lane=Lane.BULK)(suggesting.suggest)
task("favorite.suggest_to_all", lane=Lane.BULK, daily_at=Daily(time(4, 15), "UTC"))(suggesting.suggest_to_all)

OWNED = (store.favorites, store.favorite_lists)
APART = (
    store.favorite_list_items,
    store.favorite_suggestions,
    store.favorite_dismissals,
    store.favorite_notice_counts,
)
"""Collections of which no device keeps anything."""


@on_user_deleted
async def erase(services: Services, user_id: str) -> None:
    """Erase what a person saved, what was removed included, their lists and their suggestions."""
    for kept in APART:
        await kept.delete_all(services.db, {"user_id": user_id})
    await erase_owned(OWNED, services, user_id)


@on_user_export
async def export(services: Services, user_id: str) -> AsyncIterator[tuple[str, Sequence[Mapping[str, Any]]]]:
    """Export favorites with their notes, lists, and suggestions."""
    own = {"user_id": user_id}
    async for favorites in store.favorites.batches(services.db, own):
        yield "favorites", [_favorite(services, row) for row in favorites]
    for name, collection, without in (
        ("favorite_lists", store.favorite_lists, ("user_id", "claims")),
        ("favorite_list_items", store.favorite_list_items, ("user_id",)),
        ("favorite_suggestions", store.favorite_suggestions, ("user_id",)),
        ("favorite_dismissals", store.favorite_dismissals, ("user_id",)),
        ("favorite_notices", store.favorite_notice_counts, ("user_id",)),
    ):
        async for rows in pages(services, collection, own, without=without):
            yield name, rows


def _favorite(services: Services, row: store.Favorite) -> dict[str, Any]:
    """A favorite as its owner reads it."""
    kept = {name: value for name, value in row.items() if name not in ("_id", "user_id", "last_notices")}
    return {"id": row["_id"], **kept, "note": access.opened_note(services.crypto, row)}
