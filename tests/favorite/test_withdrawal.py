"""A target that is withdrawn leaves the favorites of all, once each, with a word why."""

import asyncio
import os

import pytest

from core import ids
from core.context import Services
from resolvers.favorite import withdrawing
from stores import favorite as store
from stores.favorite import FavoriteRemovalReason, FavoriteStatus
from tests.conftest import NewPhone
from tests.favorite.steps import (
    DELTA,
    EVENTS,
    Shop,
    add,
    add_all,
    fill,
    new_list,
    settle,
    targets,
    targets_in,
    the_list,
)
from tests.phone import Phone

FOLLOWERS = 10_000 if os.environ.get("LANDFALL_LONG") == "1" else 300
AUDIT = {"action": "favorite.target_withdrawn"}


async def test_it_leaves_lists_with_a_tombstone_an_event_and_a_friendly_reason(
    shop: Shop, services: Services, ada: Phone, new_phone: NewPhone
) -> None:
    gone, kept = await shop.products(2)
    made = await add_all(ada, [gone, kept])
    id = await new_list(ada, "Sleep", gone, kept)
    token = (await ada.run(DELTA))["viewer"]["changes"]["token"]
    async with ada.watch(EVENTS) as stream:
        await shop.hide(gone)
        event = (await stream.next())["favoriteEvents"]
    assert event == {
        "__typename": "FavoriteRemoved",
        "eventId": event["eventId"],
        "deletedFavoriteId": made[0],
        "removedTargetId": gone,
        "reason": "TARGET_REMOVED",
        "message": "This is no longer offered, so it has left your favorites.",
        "favoriteList": {"version": event["favoriteList"]["version"], "favoriteCount": 1},
    }
    changes = (await ada.run(DELTA, since=token))["viewer"]["changes"]
    assert changes["deleted"] == [{"id": made[0], "typename": "Favorite"}]
    assert {each["__typename"] for each in changes["nodes"]} == {"FavoriteList"}
    assert (await targets(ada), await targets_in(ada, id)) == ([kept], [kept])


async def test_what_is_offered_again_before_the_job_stays(shop: Shop, services: Services, ada: Phone) -> None:
    product = await shop.product()
    await add(ada, product)
    await shop.hide(product, run=False)
    await shop.show(product)
    await settle(services)
    assert await targets(ada) == [product]


async def test_during_followers_in_the_thousands_and_a_worker_killed_twice_each_has_one_tombstone(
    shop: Shop, services: Services, ada: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Golden case F8: every follower has exactly one tombstone and one event."""
    product = await shop.product()
    await fill(services, ada, 1)
    [row] = await store.favorites.find(services.db, {"user_id": ada.user_id})
    people = [ids.new_id("user") for _ in range(FOLLOWERS)]
    rows = [
        {**row, "_id": ids.new_id("favorite"), "user_id": person, "target_id": product} for person in people
    ]
    kind = store.FavoriteKindName("PRODUCT")
    lists = [
        {**store.empty_default_list(person, kind), "favorite_count": 1, "version": 1} for person in people
    ]
    for start in range(0, FOLLOWERS, 1_000):
        part = slice(start, start + 1_000)
        await services.db.write({"insert": store.favorites.name, "documents": rows[part]})
        await services.db.write({"insert": store.favorite_lists.name, "documents": lists[part]})
    update = {"q": {"_id": product}, "u": {"$set": {"status": "HIDDEN"}}}
    await services.db.write({"update": "products", "updates": [update]})
    run = {"kind": "PRODUCT", "target_id": product, "run_id": "withdrawal_1"}
    done = withdrawing._remove
    for killed_after in (1, 2):
        reached = asyncio.Event()
        count = 0

        async def remove(*given: object) -> int:
            nonlocal count
            count += 1
            if count > killed_after:  # noqa: B023
                reached.set()  # noqa: B023
                await asyncio.Event().wait()
            return await done(*given)  # type: ignore[arg-type]

        monkeypatch.setattr(withdrawing, "_remove", remove)
        working = asyncio.create_task(withdrawing.withdraw(services, **run))
        await asyncio.wait_for(reached.wait(), 60)
        working.cancel()
        await asyncio.wait([working])
    monkeypatch.setattr(withdrawing, "_remove", done)
    await withdrawing.withdraw(services, **run)
    left = await store.favorites.find(services.db, {"target_id": product}, limit=FOLLOWERS + 1)
    assert {(each["status"], each["removal_reason"], each["version"]) for each in left} == {
        (FavoriteStatus.REMOVED, FavoriteRemovalReason.TARGET_REMOVED, 2)
    }
    lists_now = await store.favorite_lists.find(
        services.db, {"user_id": {"$in": people}}, limit=FOLLOWERS + 1
    )
    assert {(each["favorite_count"], each["version"]) for each in lists_now} == {(0, 2)}
    log = await services.db.find(
        "changes", {"_id": {"$in": [each["_id"] for each in rows]}}, limit=FOLLOWERS + 1
    )
    assert {(each["deleted"], each["version"]) for each in log} == {(True, 2)}
    assert len(log) == FOLLOWERS
    entries = [
        each
        for each in await services.db.find("audit_entries", AUDIT)
        if each["details"].get("targetId") == product
    ]
    assert len(entries) == 1
    assert entries[0]["details"]["count"] > 10


async def test_a_number_below_ten_is_on_no_record(shop: Shop, services: Services, ada: Phone) -> None:
    product = await shop.product()
    await add(ada, product)
    await shop.hide(product)
    entries = await services.db.find("audit_entries", AUDIT)
    [entry] = [each for each in entries if each["details"].get("targetId") == product]
    assert entry["details"]["count"] is None


async def test_a_target_that_is_hidden_is_null_until_the_job_has_run(
    shop: Shop, services: Services, ada: Phone
) -> None:
    product = await shop.product()
    await add(ada, product)
    await shop.hide(product, run=False)
    [edge] = (await the_list(ada))["favorites"]["edges"]
    assert (edge["node"]["targetId"], edge["node"]["target"]) == (product, None)
