"""Prices and availability, pushed."""

from datetime import timedelta
from typing import Any

import pytest

from core import clock, ids
from core import jobs as job_queue
from core.context import Services
from jobs import catalog as jobs
from tests.catalog.steps import euros, import_rows, on_sale, row, set_stock
from tests.phone import Failed, Phone

WATCH = """subscription($ids: [ID!]!, $after: ID) { productEvents(productIds: $ids, after: $after) {
  __typename
  ... on Event { eventId occurredAt }
  ... on ProductUpdated { product { id name version dataQuality } }
  ... on ProductPriceChanged { previousPrice { amount } variant { id price { amount currencyCode } } }
  ... on ProductAvailabilityChanged { variant { id availability { status remaining } } }
} }""".replace("$after: ID", "$after: String")


async def run_periodic(services: Services) -> None:
    await job_queue.enqueue_periodic(services.db)
    await job_queue.run_due(services)


async def set_price(admin: Phone, variant: str, price: str) -> None:
    done = await admin.do(
        "setVariantPrice", "productVariant { id }", productVariantId=variant, price=euros(price)
    )
    assert done["errors"] == []


async def test_a_price_and_a_stock_reach_who_watches_and_a_cut_stream_resumes(
    services: Services, admin: Phone, anonymous: Phone
) -> None:
    made, other = await on_sale(services, admin, row(), row())
    variant = made["variants"][0]["id"]
    async with anonymous.watch(WATCH, ids=[made["id"]]) as stream:
        await set_price(admin, other["variants"][0]["id"], "5.00")
        await set_price(admin, variant, "19.50")
        await jobs.tell(services)
        event = (await stream.next())["productEvents"]
        first = event.pop("eventId")
        assert event.pop("occurredAt")
        assert event == {
            "__typename": "ProductPriceChanged",
            "previousPrice": {"amount": "24.90"},
            "variant": {"id": variant, "price": {"amount": "19.50", "currencyCode": "EUR"}},
        }
    await set_stock(services, variant, 3)
    async with anonymous.watch(WATCH, ids=[made["id"]], after=first) as stream:
        while (event := (await stream.next())["productEvents"])["__typename"] != "ProductAvailabilityChanged":
            # What lies close before the position may be told again.
            assert event["__typename"] in ("ProductPriceChanged", "ProductUpdated")
        assert event["variant"]["availability"] == {"status": "LOW_STOCK", "remaining": 3}


async def test_an_edit_is_told_with_the_product(services: Services, admin: Phone, anonymous: Phone) -> None:
    [made] = await on_sale(services, admin, row())
    async with (
        anonymous.watch(WATCH, ids=[made["id"]]) as stream,
        admin.watch(WATCH, ids=[made["id"]]) as own,
    ):
        await admin.do("updateProduct", "product { id }", productId=made["id"], name="Renamed")
        event = (await stream.next())["productEvents"]
        product = {"id": made["id"], "name": "Renamed", "version": 2, "dataQuality": None}
        assert (event["__typename"], event["product"]) == ("ProductUpdated", product)
        assert (await own.next())["productEvents"]["product"] == {**product, "dataQuality": "OK"}


async def test_a_thousand_changes_of_one_item_are_one_event_a_second(
    services: Services, admin: Phone, anonymous: Phone
) -> None:
    """Failure case: 1,000 stock events in a minute on one item."""
    [made] = await on_sale(services, admin, row())
    variant = made["variants"][0]["id"]
    await run_periodic(services)
    async with anonymous.watch(WATCH, ids=[made["id"]]) as stream:
        told: list[dict[str, Any]] = []
        for second in range(4):
            clock.shift(timedelta(seconds=1.1))
            for left in range(25):
                change = {"on_hand": left % 5 + 1, "available": left % 5 + 1 - second % 2, "dirty": True}
                update = {"q": {"variant_id": variant}, "u": {"$set": change, "$inc": {"version": 1}}}
                await services.db.write({"update": "inventory", "updates": [update]})
                if left % 8 == 0:
                    await run_periodic(services)
        # What nothing before was, so that it is known to be the last.
        last = {"on_hand": 50, "available": 50, "dirty": True}
        update = {"q": {"variant_id": variant}, "u": {"$set": last, "$inc": {"version": 1}}}
        await services.db.write({"update": "inventory", "updates": [update]})
        clock.shift(timedelta(seconds=1.1))
        await run_periodic(services)
        while not told or told[-1]["variant"]["availability"] != {"status": "IN_STOCK", "remaining": None}:
            told.append((await stream.next())["productEvents"])
        assert await stream.nothing()
    assert len({each["eventId"] for each in told}) <= 5


async def test_nothing_is_told_of_what_is_not_on_sale_yet(
    services: Services, admin: Phone, anonymous: Phone
) -> None:
    [result] = await import_rows(admin, [row()], publish=False)
    made = result["product"]
    async with anonymous.watch(WATCH, ids=[made["id"]]) as stream:
        await set_price(admin, made["variants"][0]["id"], "19.50")
        await set_stock(services, made["variants"][0]["id"], 3)
        await jobs.tell(services)
        assert await stream.nothing()
    assert (
        await services.db.find("changes", {"scopes": f"product:{made['id']}", "detail": {"$ne": None}}) == []
    )


async def test_an_edit_before_the_sale_is_told_to_nobody_and_ends_no_stream(
    services: Services, admin: Phone, anonymous: Phone
) -> None:
    [result] = await import_rows(admin, [row()], publish=False)
    id = result["product"]["id"]
    async with anonymous.watch(WATCH, ids=[id]) as stream, admin.watch(WATCH, ids=[id]) as own:
        edited = await admin.do("updateProduct", "product { id }", productId=id, name="Renamed")
        assert edited["errors"] == []
        await jobs.tell(services)
        assert await stream.nothing()
        assert await own.nothing()
        done = await admin.do("setProductStatus", "product { version }", productId=id, status="ACTIVE")
        for each in (stream, own):
            event = (await each.next())["productEvents"]
            told = (event["__typename"], event["product"]["name"], event["product"]["version"])
            assert told == ("ProductUpdated", "Renamed", done["product"]["version"])


async def test_one_that_cannot_be_told_holds_up_no_other(
    services: Services, admin: Phone, anonymous: Phone
) -> None:
    made = await on_sale(services, admin, row(), row())
    # The first in the order in which they are told.
    broken, other = sorted(each["id"] for each in made)
    [kept] = await services.db.find("products", {"_id": broken}, fields=("category_id",))

    async def in_category(category_id: str) -> None:
        change = {"$set": {"category_id": category_id, "dirty": True}}
        update = {"q": {"_id": broken}, "u": change}
        await services.db.write({"update": "products", "updates": [update]})

    await in_category(ids.new_id("category"))
    await admin.do("updateProduct", "product { id }", productId=other, name="Told all the same")
    await jobs.tell(services)

    async def dirty() -> list[str]:
        rows = await services.db.find("products", {"_id": {"$in": [broken, other]}, "dirty": True})
        return [each["_id"] for each in rows]

    assert await dirty() == [broken]
    await in_category(kept["category_id"])
    await jobs.tell(services)
    assert await dirty() == []


async def test_who_watches_says_what(anonymous: Phone) -> None:
    for wanted, message in (
        ([], "Watch 1 to 50 products."),
        ([ids.new_id("product") for _ in range(51)], "Watch 1 to 50 products."),
        (["cart_1"], "'cart_1' is not an id."),
    ):
        async with anonymous.watch(WATCH, ids=wanted) as stream:
            with pytest.raises(Failed) as failed:
                await stream.next()
            [error] = failed.value.errors
            assert (error["extensions"]["code"], error["message"]) == ("BAD_USER_INPUT", message)
