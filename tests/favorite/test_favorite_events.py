"""Other devices: what they are told live, and what a delta brings."""

from datetime import timedelta

from core import clock
from core.context import Services
from core.sync.log_offset import LogOffset
from tests.conftest import NewPhone
from tests.favorite.steps import (
    DELTA,
    EVENTS,
    Shop,
    add,
    add_all,
    at,
    new_list,
    remove,
    settle,
    sync,
    the_list,
)
from tests.phone import Phone

LIVE = """subscription { changeEvents(types: [FAVORITE, FAVORITE_LIST]) { __typename
  ... on NodeChanged { node { __typename id ... on Favorite { targetId note } } }
  ... on NodeDeleted { deleted { id typename } } } }"""


async def test_adds_and_removals_show_at_once_on_other_devices(
    shop: Shop, ada: Phone, new_phone: NewPhone
) -> None:
    other, product = await new_phone(user_id=ada.user_id), await shop.product()
    grace = await new_phone("Grace")
    async with other.watch(LIVE) as stream, grace.watch(LIVE) as strangers:
        made = await add(ada, product)
        list_id = (await the_list(ada))["id"]
        told = [(await stream.next())["changeEvents"] for _ in range(2)]
        nodes = {each["node"]["__typename"]: each["node"] for each in told}
        assert nodes["Favorite"] == {
            "__typename": "Favorite",
            "id": made["id"],
            "targetId": product,
            "note": None,
        }
        assert nodes["FavoriteList"]["id"] == list_id
        await add(ada, product)
        await remove(ada, product)
        told = [(await stream.next())["changeEvents"] for _ in range(2)]
        assert {"id": made["id"], "typename": "Favorite"} in [each.get("deleted") for each in told]
        assert await strangers.nothing(seconds=0.2)


async def test_an_order_is_told_as_a_whole(shop: Shop, ada: Phone, new_phone: NewPhone) -> None:
    other, (a, b) = await new_phone(user_id=ada.user_id), await shop.products(2)
    await add_all(ada, [a, b])
    id = await new_list(ada, "Sleep", a, b)
    async with other.watch(EVENTS) as stream:
        await ada.do("moveFavorite", "favorite { id }", targetId=b)
        event = (await stream.next())["favoriteEvents"]
        found = await the_list(ada)
        assert event == {
            "__typename": "FavoriteListReordered",
            "eventId": event["eventId"],
            "favoriteList": {"id": found["id"], "version": found["version"]},
            "favorites": [{"targetId": b}, {"targetId": a}],
        }
        await ada.do("reorderFavorites", "favoriteList { id }", by={"id": id}, targetIds=[b, a])
        event = (await stream.next())["favoriteEvents"]
        assert event["favoriteList"]["id"] == id
        assert event["favorites"] == [{"targetId": b}, {"targetId": a}]


async def test_a_removal_says_why_in_ones_language_and_a_stream_resumes_without_loss(
    shop: Shop, ada: Phone, new_phone: NewPhone
) -> None:
    a, b = await shop.products(2)
    made = await add_all(ada, [a, b])
    async with ada.watch(EVENTS) as stream:
        await remove(ada, a)
        first = (await stream.next())["favoriteEvents"]
        assert (first["deletedFavoriteId"], first["reason"]) == (made[0], "USER")
        assert first["message"] == "You have removed this from your favorites."
    await sync(ada, removed=[{"targetId": b, "removedAt": at(0)}])
    async with ada.watch(EVENTS, after=first["eventId"]) as stream:
        second = (await stream.next())["favoriteEvents"]
        assert (second["removedTargetId"], second["reason"]) == (b, "SYNC")


async def test_subscription_resumed_past_retention_begins_with_resync_required(
    services: Services, ada: Phone
) -> None:
    old = services.signer.event_id(LogOffset(clock.now() - timedelta(days=91), "favorite_x"))
    async with ada.watch(EVENTS, after=old) as stream:
        assert (await stream.next())["favoriteEvents"]["__typename"] == "ResyncRequired"


async def test_a_delta_has_favorites_lists_and_tombstones(shop: Shop, services: Services, ada: Phone) -> None:
    a, b = await shop.products(2)
    token = (await ada.run(DELTA))["viewer"]["changes"]["token"]
    made = await add_all(ada, [a, b])
    id = await new_list(ada, "Sleep", a)
    changes = (await ada.run(DELTA, since=token))["viewer"]["changes"]
    assert {each["id"] for each in changes["nodes"]} == {*made, id, (await the_list(ada))["id"]}
    await remove(ada, a)
    await ada.do("deleteFavoriteList", "deletedFavoriteListId", favoriteListId=id)
    await settle(services)
    later = (await ada.run(DELTA, since=changes["token"]))["viewer"]["changes"]
    assert {(each["id"], each["typename"]) for each in later["deleted"]} == {
        (made[0], "Favorite"),
        (id, "FavoriteList"),
    }
    await add(ada, a)
    again = (await ada.run(DELTA, since=later["token"]))["viewer"]["changes"]
    assert made[0] in {each["id"] for each in again["nodes"]}
    # A new device never hears of what is gone.
    fresh = (await ada.run(DELTA))["viewer"]["changes"]
    assert fresh["deleted"] == []
    assert {each["id"] for each in fresh["nodes"]} == {*made, (await the_list(ada))["id"]}
