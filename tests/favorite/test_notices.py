"""News of favorites: who is told, how often, and what waits."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from core import clock
from core.context import Context, Services
from resolvers.favorite import FavoriteKindName, FavoriteTargetEventKind, still_true, target_event, telling
from stores import favorite as store
from tests.conftest import NewPhone
from tests.favorite.steps import EVENTS, Shop, add, later, remove, settle, stored
from tests.notification.steps import inbox, titles
from tests.phone import Phone

PRODUCT = FavoriteKindName("PRODUCT")
PROMOTION = FavoriteTargetEventKind.PROMOTION
AVAILABILITY = FavoriteTargetEventKind.AVAILABILITY


async def tell(
    services: Services, target_id: str, event: FavoriteTargetEventKind, *, run: bool = True, **data: str
) -> None:
    ctx = Context(services)
    await ctx.unit(lambda: target_event(ctx, PRODUCT, target_id, event, data))
    if run:
        await settle(services)


async def waits(services: Services, phone: Phone) -> list[dict[str, Any]]:
    rows = await services.db.find("jobs", {"task": "favorite.tell_later"})
    return [dict(row) for row in rows if row["arguments"]["user_id"] == phone.user_id]


async def test_a_lower_price_is_told_from_5_percent_on_and_then_only_a_still_lower_one(
    shop: Shop, services: Services, ada: Phone
) -> None:
    """Saved at 24.90: 23.65 is the least drop that counts."""
    product = await shop.product(name="Evening Calm Capsules")
    await add(ada, product)
    told = []
    for price in ("23.66", "23.65", "24.00", "23.65", "23.64"):
        await shop.set_price(product, price)
        await settle(services)
        told.append(len(await inbox(ada)))
        await later(services, 60, ada, shop.keeper)
    assert told == [0, 1, 1, 1, 2]
    [latest, _] = await inbox(ada)
    assert latest["notification"]["title"] == "Evening Calm Capsules costs less now"
    assert latest["notification"]["message"] == "It costs 23.64 EUR."
    assert latest["notification"]["source"] == "FAVORITE"


async def test_price_falls_twice_within_the_hour_and_the_second_notice_is_at_its_end_with_the_price_of_then(
    shop: Shop, services: Services, ada: Phone
) -> None:
    product = await shop.product()
    await add(ada, product)
    for price in ("20.00", "19.00", "18.00"):
        await shop.set_price(product, price)
        await settle(services)
    assert len(await inbox(ada)) == 1
    [waiting] = await waits(services, ada)
    assert product not in waiting["_id"]
    await shop.set_price(product, "17.00")
    await later(services, 59, ada)
    assert len(await inbox(ada)) == 1
    await later(services, 2, ada)
    assert [each["notification"]["message"] for each in await inbox(ada)] == [
        "It costs 17.00 EUR.",
        "It costs 20.00 EUR.",
    ]
    assert await waits(services, ada) == []


async def test_what_is_not_true_any_more_at_the_end_of_the_hour_is_not_told(
    shop: Shop, services: Services, ada: Phone
) -> None:
    product = await shop.product()
    await add(ada, product)
    for price in ("20.00", "19.00", "24.00"):
        await shop.set_price(product, price)
        await settle(services)
    await later(services, 61, ada)
    assert len(await inbox(ada)) == 1


async def test_what_can_be_bought_again_is_told(shop: Shop, services: Services, ada: Phone) -> None:
    product = await shop.product(name="Deep Sleep Drops")
    await add(ada, product)
    for on_hand, told in ((0, 0), (10, 1), (50, 1)):
        await shop.set_stock(product, on_hand)
        await settle(services)
        assert len(await inbox(ada)) == told
    assert await titles(ada) == ["Deep Sleep Drops is back in stock"]


async def test_each_kind_is_told_to_who_chose_it(
    shop: Shop, services: Services, ada: Phone, new_phone: NewPhone
) -> None:
    grace, product = await new_phone("Grace"), await shop.product()
    for phone in (ada, grace):
        await add(phone, product)
    await ada.do(
        "updateFavorite",
        "favorite { id }",
        targetId=product,
        notices={"promotions": True, "availability": False},
    )
    for event in (PROMOTION, AVAILABILITY):
        await tell(services, product, event)
    assert [len(await inbox(phone)) for phone in (ada, grace)] == [1, 1]
    assert (await titles(ada))[0].startswith("There is a promotion of ")
    assert (await titles(grace))[0].endswith(" has an appointment free")


async def test_who_removed_it_is_told_nothing_not_even_what_waited(
    shop: Shop, services: Services, ada: Phone
) -> None:
    product = await shop.product()
    await add(ada, product)
    for _ in range(2):
        await tell(services, product, AVAILABILITY)
    assert len(await waits(services, ada)) == 1
    await remove(ada, product)
    await later(services, 61, ada)
    assert len(await inbox(ada)) == 1


async def test_saved_again_within_the_hour_it_is_not_told_again(
    shop: Shop, services: Services, ada: Phone
) -> None:
    product = await shop.product()
    await add(ada, product)
    await tell(services, product, AVAILABILITY)
    await remove(ada, product)
    await add(ada, product)
    await tell(services, product, AVAILABILITY)
    assert len(await inbox(ada)) == 1


async def test_11th_notice_at_2359_is_dropped_and_the_next_at_0001_of_the_users_zone_is_sent(
    shop: Shop, services: Services, new_phone: NewPhone
) -> None:
    ada = await new_phone("Ada", time_zone="Asia/Tokyo")
    wanted = await shop.copies(await shop.product(), 12)
    for product in wanted:
        await add(ada, product)
    _set_clock(clock.now(), "14:59")
    for product in wanted[:11]:
        await tell(services, product, AVAILABILITY)
    await later(services, 0, ada)
    assert len(await inbox(ada)) == 10
    await later(services, 2, ada)
    await tell(services, wanted[11], AVAILABILITY)
    assert len(await inbox(ada)) == 11
    days = await services.db.find(store.favorite_notice_counts.name, {"user_id": ada.user_id})
    assert sorted(row["count"] for row in days) == [1, 10]


def _set_clock(now: datetime, utc: str) -> None:
    """Move the clock to the next moment of this time of day."""
    hour, minute = map(int, utc.split(":"))
    wanted = now.replace(hour=hour, minute=minute, second=0, microsecond=0)
    clock.shift(wanted + timedelta(days=wanted <= now) - now)


async def test_a_job_that_is_done_again_tells_nobody_twice(
    shop: Shop, services: Services, ada: Phone
) -> None:
    product = await shop.product()
    await add(ada, product)
    again: dict[str, Any] = {
        "at": clock.now(),
        "event_id": "event_1",
        "kind": "PRODUCT",
        "target_id": product,
        "event": AVAILABILITY,
        "data": {},
    }
    for _ in range(2):
        await telling.tell_followers(services, **again)
        await settle(services)
    assert len(await inbox(ada)) == 1
    assert await waits(services, ada) == []


async def test_a_price_in_another_currency_is_never_compared(
    shop: Shop, services: Services, ada: Phone
) -> None:
    product = await shop.product()
    await add(ada, product)
    update = {"q": {"target_id": product}, "u": {"$set": {"currency": "JPY"}}}
    await services.db.write({"update": "favorites", "updates": [update]})
    await shop.set_price(product, "1.00")
    await settle(services)
    assert await inbox(ada) == []


async def test_what_a_higher_system_says_is_over_is_told_nobody(
    shop: Shop, services: Services, ada: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    product = await shop.product()
    await add(ada, product)

    async def over(*_: object) -> bool:
        return False

    monkeypatch.setattr(still_true, "listeners", [over])
    await tell(services, product, AVAILABILITY)
    assert await inbox(ada) == []


async def test_an_open_app_is_told_with_the_link(shop: Shop, services: Services, ada: Phone) -> None:
    product = await shop.product(name="Calm Tea")
    await add(ada, product)
    async with ada.watch(EVENTS) as stream:
        await tell(services, product, AVAILABILITY, link_url="https://example.com/slots")
        event = (await stream.next())["favoriteEvents"]
    assert event == {
        "__typename": "FavoriteTargetChanged",
        "eventId": event["eventId"],
        "favorite": {"targetId": product, "target": {"id": product}},
        "kind": "AVAILABILITY",
        "title": "Calm Tea has an appointment free",
        "linkUrl": "https://example.com/slots",
    }


async def test_notices_neither_raise_the_version_nor_show_in_a_delta(
    shop: Shop, services: Services, ada: Phone
) -> None:
    product = await shop.product()
    made = await add(ada, product)
    await tell(services, product, AVAILABILITY)
    [row] = await stored(services, ada)
    assert row["version"] == made["version"]
    assert set(row["last_notices"]) == {"AVAILABILITY"}


async def test_500_followers_are_told_in_batches(
    shop: Shop, services: Services, ada: Phone, new_phone: NewPhone
) -> None:
    """Each in the language of their account."""
    hans = await new_phone("Hans", locale="de")
    product = await shop.product(name="Ruhe")
    for phone in (ada, hans):
        await add(phone, product)
    await tell(services, product, FavoriteTargetEventKind.BACK_IN_STOCK)
    assert await titles(ada) == ["Ruhe is back in stock"]
    assert await titles(hans) == ["Ruhe ist wieder lieferbar"]


async def test_a_draft_that_is_published_is_no_news(shop: Shop, services: Services) -> None:
    await shop.product()
    waiting = await services.db.find("jobs", {"task": {"$in": ["favorite.tell_followers"]}})
    assert [row["arguments"]["event"] for row in waiting if row["arguments"]["event"] == "PRICE_DROP"] == []
