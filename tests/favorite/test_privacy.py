"""Favorites are their owner's: erased and exported, sealed at rest, and in no log."""

import asyncio
from pathlib import Path

from core.context import Context, Services
from core.erasure import ERASERS, EXPORTERS
from resolvers.favorite import FavoriteKindName, saved_targets
from stores import favorite as store
from tests.conftest import NewPhone
from tests.favorite.steps import DELTA, Shop, add, new_list, remove, settle, stored, targets
from tests.phone import Phone

ALL = (
    store.favorites,
    store.favorite_lists,
    store.favorite_list_items,
    store.favorite_suggestions,
    store.favorite_dismissals,
    store.favorite_notice_counts,
)


async def test_the_export_has_them_readable_and_they_go_with_the_account(
    shop: Shop, services: Services, ada: Phone, new_phone: NewPhone
) -> None:
    grace, (a, b) = await new_phone("Grace"), await shop.products(2)
    await add(ada, a, note="For my knee")
    await add(grace, a)
    await new_list(ada, "Knee", a)
    await add(ada, b)
    await remove(ada, b)
    await ada.do("dismissFavoriteSuggestion", "removedTargetId", targetId=b)
    exported = {name: rows async for name, rows in EXPORTERS["favorite"](services, ada.user_id)}
    by_target = {row["target_id"]: row for row in exported["favorites"]}
    assert (by_target[a]["note"], by_target[b]["status"]) == ("For my knee", "REMOVED")
    assert [row["name"] for row in exported["favorite_lists"]] in ([None, "Knee"], ["Knee", None])
    assert len(exported["favorite_list_items"]) == len(exported["favorite_dismissals"]) == 1
    token = (await ada.run(DELTA))["viewer"]["changes"]["token"]
    for _ in range(2):
        await ERASERS["favorite"](services, ada.user_id)
    for kept in ALL:
        assert await kept.find(services.db, {"user_id": ada.user_id}) == [], kept.name
    assert {name async for name, _ in EXPORTERS["favorite"](services, ada.user_id)} == set()
    deleted = (await ada.run(DELTA, since=token))["viewer"]["changes"]["deleted"]
    assert len(deleted) == 4
    assert await targets(grace) == [a]


async def test_notes_are_sealed_and_target_ids_are_in_no_log(
    shop: Shop, services: Services, ada: Phone, logged: Path
) -> None:
    product = await shop.product()
    await add(ada, product, note="For my knee")
    [row] = await stored(services, ada)
    assert "knee" not in str(row["note"])
    await ada.do("moveFavorite", "favorite { id }", targetId=product)
    await shop.hide(product)
    await settle(services)
    assert product not in await asyncio.to_thread(logged.read_text)


async def test_the_note_of_what_was_removed_is_forgotten(shop: Shop, services: Services, ada: Phone) -> None:
    product = await shop.product()
    await add(ada, product, note="For my knee")
    await remove(ada, product)
    [row] = await stored(services, ada)
    assert (row["status"], row["note"]) == ("REMOVED", None)


async def test_other_systems_get_the_targets_of_one_person(
    shop: Shop, services: Services, ada: Phone
) -> None:
    a, b = await shop.products(2)
    await add(ada, a)
    await add(ada, b)
    await remove(ada, b)
    kind = FavoriteKindName("PRODUCT")
    assert await saved_targets(Context(services), ada.user_id, kind) == [a]
