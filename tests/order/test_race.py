"""Many buyers of a few units at once: what is there is sold once, and paid once."""

import asyncio

from core.context import Services
from stores import order as store
from tests.cart.steps import added, quoted, set_stock, variants
from tests.conftest import NewPhone
from tests.order.placing import level, place
from tests.order.steps import Till
from tests.phone import Phone

BUYERS, UNITS = 24, 5


async def test_as_many_orders_as_there_are_units(
    till: Till, services: Services, shop: Phone, new_phone: NewPhone
) -> None:
    [variant] = await variants(services, shop, "€10.00")
    buyers = [await new_phone(f"Buyer {number}") for number in range(BUYERS)]
    for buyer in buyers:
        await added(buyer, variant)
    tokens = [(await quoted(buyer))["token"] for buyer in buyers]
    await set_stock(services, variant, UNITS)
    done = await asyncio.gather(
        *(place(buyer, quoteToken=token) for buyer, token in zip(buyers, tokens, strict=True))
    )
    placed = [each["order"] for each in done if not each["errors"]]
    assert [each["status"] for each in placed] == ["PROCESSING"] * UNITS
    refused = [error["code"] for each in done for error in each["errors"]]
    assert refused == ["OUT_OF_STOCK"] * (BUYERS - UNITS)
    assert await level(services, variant) == (0, 0, UNITS)
    assert till.money == [("HOLD", 1_490)] * UNITS
    theirs = {"user_id": {"$in": [each.user_id for each in buyers]}}
    assert len(await store.orders.find(services.db, theirs)) == UNITS
