"""Reconciliation of a device's list with the server's, over HTTP."""

from datetime import timedelta
from typing import Any

import pytest

from core import clock, ids
from core.context import Services
from core.sync.log_offset import LogOffset
from resolvers.favorite import syncing
from tests.favorite.steps import (
    SYNC,
    Shop,
    add,
    add_all,
    allowed,
    at,
    fill,
    new_list,
    refusal,
    refusals,
    remove,
    set_times,
    stored,
    sync,
    targets,
    targets_in,
    the_list,
)
from tests.phone import Phone


def listed(*target_ids: str, saved_at: str | None = None) -> list[dict[str, Any]]:
    """A device's list in this order."""
    when = saved_at or at(0)
    return [{"targetId": id, "position": place, "savedAt": when} for place, id in enumerate(target_ids)]


async def test_a_first_sync_takes_what_the_device_has_and_gives_what_it_lacks(
    shop: Shop, services: Services, ada: Phone
) -> None:
    there, here, both = await shop.products(3)
    await add_all(ada, [there, both])
    minted = ids.new_id("favorite")
    local = listed(here, both)
    local[0]["id"] = minted
    done = await sync(ada, local=local)
    assert done["applied"] == {"addedCount": 1, "removedCount": 0, "unchangedCount": 2}
    assert [(each["targetId"], each["position"]) for each in done["favorites"]] == [
        (here, 0),
        (there, 1),
        (both, 2),
    ]
    assert done["favorites"][0]["id"] == minted
    told = {each["targetId"]: (each["kind"], each["proposal"]) for each in done["differences"]}
    assert told == {here: ("ONLY_LOCAL", "ADD"), there: ("ONLY_SERVER", "KEEP")}
    assert done["favoriteList"]["favoriteCount"] == 3
    assert (await the_list(ada))["lastSyncedAt"] == done["favoriteList"]["lastSyncedAt"] is not None
    version = done["favoriteList"]["version"]
    again = await sync(ada, local=listed(here, there, both), baseToken=done["token"])
    assert (again["favoriteList"]["version"], again["differences"]) == (version, [])
    assert again["favoriteList"]["lastSyncedAt"] >= done["favoriteList"]["lastSyncedAt"]


@pytest.mark.parametrize(
    ("saved", "removed_there", "is_saved"), [(-5, -4, False), (-4, -5, True), (1_440, -0.02, True)]
)
async def test_saved_offline_and_removed_elsewhere_the_later_act_counts(
    shop: Shop, services: Services, ada: Phone, saved: float, removed_there: float, is_saved: bool
) -> None:
    """Device clock one day ahead: its stamp is taken as server time."""
    product, other = await shop.products(2)
    first = await add(ada, product)
    await add(ada, other)
    await remove(ada, product)
    await set_times(services, ada, product, removed_at=clock.now() + timedelta(minutes=removed_there))
    done = await sync(ada, local=listed(product, saved_at=at(saved)))
    assert (product in await targets(ada)) is is_saved
    [difference, *_] = [each for each in done["differences"] if each["targetId"] == product]
    assert (difference["kind"], difference["proposal"]) == (
        "REMOVED_ON_SERVER",
        "ADD" if is_saved else "REMOVE",
    )
    if is_saved:
        [again, _] = done["favorites"]
        assert (again["id"], again["position"]) == (first["id"], 0)
        [row, _] = await stored(services, ada)
        assert row["version"] > first["version"]
        assert row["saved_at"] <= clock.now()


async def test_removed_offline_it_goes_unless_it_was_saved_since(
    shop: Shop, services: Services, ada: Phone
) -> None:
    gone, kept = await shop.products(2)
    await add_all(ada, [gone, kept])
    id = await new_list(ada, "Sleep", gone)
    for product, minutes in ((gone, -10), (kept, -1)):
        await set_times(services, ada, product, saved_at=clock.now() + timedelta(minutes=minutes))
    done = await sync(ada, removed=[{"targetId": each, "removedAt": at(-5)} for each in (gone, kept)])
    assert done["applied"] == {"addedCount": 0, "removedCount": 1, "unchangedCount": 1}
    assert (await targets(ada), await targets_in(ada, id)) == ([kept], [])
    assert {each["targetId"]: each["proposal"] for each in done["differences"]} == {
        gone: "REMOVE",
        kept: "KEEP",
    }


async def test_the_later_order_counts_with_newcomers_on_top(shop: Shop, ada: Phone) -> None:
    a, b, c, new = await shop.products(4)
    await add_all(ada, [a, b, c])
    done = await sync(ada, local=listed(c, b, a), orderChangedAt=at(0))
    assert await targets(ada) == [c, b, a]
    moved = [each["targetId"] for each in done["differences"] if each["kind"] == "POSITION"]
    assert sorted(moved) == sorted([a, c])
    await ada.do("moveFavorite", "favorite { id }", targetId=a)
    # The device's order is the older one now, and what it brings is on top.
    await sync(ada, local=listed(b, new, c, a), orderChangedAt=at(-60))
    assert await targets(ada) == [new, a, c, b]


async def test_local_wins_makes_the_server_equal_to_the_device_and_is_on_record(
    shop: Shop, services: Services, ada: Phone
) -> None:
    a, b, c = await shop.products(3)
    await add_all(ada, [a, b])
    done = await sync(ada, strategy="LOCAL_WINS", local=listed(c, b))
    assert done["applied"] == {"addedCount": 1, "removedCount": 1, "unchangedCount": 1}
    assert await targets(ada) == [c, b]
    query = {"action": "favorite.list_replaced", "actor_id": ada.user_id}
    [entry] = await services.db.find("audit_entries", query)
    assert entry["details"] == {"added": 1, "removed": 1}


async def test_local_wins_with_an_empty_list_requires_confirmation_and_nothing_is_removed(
    shop: Shop, ada: Phone
) -> None:
    product = await shop.product()
    await add(ada, product)
    refused = await ada.do("syncFavorites", SYNC, kind="PRODUCT", strategy="LOCAL_WINS")
    assert refused["errors"] == [
        refusal("CONFIRMATION_REQUIRED", "This would remove all favorites.", ["confirmed"])
    ]
    assert refused["favoriteList"]["favoriteCount"] == 1
    assert await targets(ada) == [product]
    await sync(ada, strategy="LOCAL_WINS", confirmed=True)
    assert await targets(ada) == []


async def test_server_wins_discards_what_the_device_did(shop: Shop, ada: Phone) -> None:
    a, b = await shop.products(2)
    await add(ada, a)
    given = {"local": listed(b), "removed": [{"targetId": a, "removedAt": at(0)}]}
    done = await sync(ada, strategy="SERVER_WINS", **given)
    assert [each["targetId"] for each in done["favorites"]] == [a]
    assert {each["proposal"] for each in done["differences"]} == {"KEEP"}


async def test_a_preview_writes_nothing_and_decisions_override_the_rule(
    shop: Shop, services: Services, ada: Phone
) -> None:
    there, here, other = await shop.products(3)
    await add(ada, there)
    before, synced = await stored(services, ada), (await the_list(ada))["lastSyncedAt"]
    given = {"local": listed(here, other)}
    done = await sync(ada, strategy="PREVIEW", **given)
    assert {each["targetId"]: each["proposal"] for each in done["differences"]} == {
        there: "KEEP",
        here: "ADD",
        other: "ADD",
    }
    assert done["applied"] == {"addedCount": 0, "removedCount": 0, "unchangedCount": 3}
    assert (await stored(services, ada), (await the_list(ada))["lastSyncedAt"]) == (before, synced)
    decisions = [{"targetId": there, "action": "REMOVE"}, {"targetId": here, "action": "KEEP"}]
    await sync(ada, **given, decisions=decisions)
    assert await targets(ada) == [other]


async def test_one_refused_stops_no_other(shop: Shop, services: Services, ada: Phone) -> None:
    hidden, fine, taken = await shop.products(3)
    await shop.hide(hidden)
    unknown, wrong = ids.new_id("product"), ids.new_id("post")
    [used] = await add_all(ada, [await shop.product()])
    local = listed(hidden, unknown, wrong, fine, taken)
    local[4]["id"] = used
    done = await sync(ada, local=local)
    codes = {each["targetId"]: each["errors"][0]["code"] for each in done["rejected"]}
    assert codes == {
        hidden: "TARGET_UNAVAILABLE",
        unknown: "NOT_FOUND",
        wrong: "INVALID_INPUT",
        taken: "ID_TAKEN",
    }
    assert fine in await targets(ada)


async def test_beyond_500_the_newest_are_taken(shop: Shop, services: Services, ada: Phone) -> None:
    await fill(services, ada, 499)
    older, newer = await shop.products(2)
    local = [*listed(older, saved_at=at(-9)), *listed(newer, saved_at=at(-1))]
    done = await sync(ada, local=local)
    assert [(each["targetId"], each["errors"][0]["code"]) for each in done["rejected"]] == [
        (older, "LIMIT_REACHED")
    ]
    assert done["favoriteList"]["favoriteCount"] == 500


async def test_lists_have_at_most_500_items(ada: Phone) -> None:
    ids_ = [ids.new_id("product") for _ in range(501)]
    removed = [{"targetId": id, "removedAt": at(0)} for id in ids_]
    decisions = [{"targetId": id, "action": "KEEP"} for id in ids_]
    for name, given in (("local", listed(*ids_)), ("removed", removed), ("decisions", decisions)):
        refused = await ada.do("syncFavorites", SYNC, kind="PRODUCT", **{name: given})
        assert refusals(refused) == [("TOO_MANY", [name])]


async def test_sync_token_older_than_90_days_is_expired_and_the_full_list_merges_without_deleting(
    shop: Shop, services: Services, ada: Phone
) -> None:
    a, b = await shop.products(2)
    await add(ada, a)
    old = services.signer.event_id(LogOffset(clock.now() - timedelta(days=91), "favorites"))
    refused = await ada.do("syncFavorites", SYNC, kind="PRODUCT", baseToken=old, local=listed(b))
    assert refusals(refused) == [("EXPIRED", ["baseToken"])]
    assert await targets(ada) == [a]
    await sync(ada, local=listed(b))
    assert await targets(ada) == [b, a]


async def test_an_add_and_a_remove_of_one_target_in_one_list_end_in_the_state_of_the_last(
    shop: Shop, ada: Phone
) -> None:
    a, b = await shop.products(2)
    await sync(
        ada,
        local=[*listed(a, saved_at=at(-3)), *listed(b, saved_at=at(-1))],
        removed=[{"targetId": a, "removedAt": at(-2)}, {"targetId": b, "removedAt": at(-2)}],
    )
    assert await targets(ada) == [b]


@pytest.mark.usefixtures("hurried")
async def test_a_device_syncs_20_times_a_minute(ada: Phone) -> None:
    async def preview(_: int) -> dict[str, Any]:
        return dict(await ada.do("syncFavorites", SYNC, kind="PRODUCT", strategy="PREVIEW"))

    assert await allowed(preview, syncing.SYNC_RATE) == 20


async def test_others_lists_stay_as_they_are(shop: Shop, ada: Phone, new_phone: Any) -> None:
    grace, product = await new_phone("Grace"), await shop.product()
    await add(grace, product)
    await sync(ada, removed=[{"targetId": product, "removedAt": at(0)}])
    assert await targets(grace) == [product]
