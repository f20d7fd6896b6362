"""Consequences of an order: notices to its customer, and what other systems learn of purchases."""

from typing import Any

import pytest

from core.context import Context, Services
from core.erasure import ERASERS
from core.jobs.enqueueing import queue
from resolvers.favorite import FavoriteKindName, history
from stores.catalog import CATALOG_ADMIN
from stores.order import Order, OrderStatus
from tests.cart.steps import only, products, ships
from tests.catalog.steps import staff
from tests.conftest import NewPhone
from tests.notification.steps import settle, titles
from tests.order.placing import order_now, placed
from tests.order.test_orders import moved
from tests.phone import Phone

REVIEW = "review { verifiedPurchase }"


@pytest.fixture
async def shop(new_phone: NewPhone, services: Services) -> Phone:
    await only(services, "promotions", "shipping_rates", "tax_rates")
    admin = await staff(new_phone, services, CATALOG_ADMIN)
    await ships(admin)
    return admin


async def went(services: Services, order: Order, *statuses: OrderStatus) -> Order:
    for status in statuses:
        order = await moved(services, order, status)
    return order


async def test_the_customer_is_told_of_what_they_wait_for(
    services: Services, shop: Phone, new_phone: NewPhone
) -> None:
    ada = await new_phone("Ada")
    [product] = await products(services, shop, "€10.00")
    order = await placed(services, ada, product["variant"])
    number = order["number"]
    order = await went(services, order, OrderStatus.PROCESSING)
    await settle(services)
    assert await titles(ada) == []
    for status, title in (
        (OrderStatus.SHIPPED, f"Order #{number} is on its way"),
        (OrderStatus.DELIVERED, f"Order #{number} has arrived"),
        (OrderStatus.REFUNDED, f"Order #{number} is refunded"),
    ):
        order = await went(services, order, status)
        await settle(services)
        assert (await titles(ada))[0] == title
    other = await placed(services, ada, product["variant"])
    await went(services, other, OrderStatus.CANCELLED)
    await settle(services)
    assert (await titles(ada))[0] == f"Order #{other['number']} is canceled"
    assert len(await titles(ada)) == 4


async def test_in_the_customers_language(services: Services, shop: Phone, new_phone: NewPhone) -> None:
    ada = await new_phone("Ada", locale="de-AT")
    [product] = await products(services, shop, "€10.00")
    order = await placed(services, ada, product["variant"])
    await went(services, order, OrderStatus.PROCESSING, OrderStatus.SHIPPED)
    await settle(services)
    assert await titles(ada) == [f"Bestellung #{order['number']} ist unterwegs"]


async def test_who_bought_a_product_is_marked_in_its_review(
    services: Services, shop: Phone, new_phone: NewPhone
) -> None:
    ada, eve = await new_phone("Ada"), await new_phone("Eve")
    product, other = await products(services, shop, "€10.00", "€5.00")

    async def verified(of: Any, by: Phone = ada) -> bool:
        payload = await by.do("submitReview", REVIEW, productId=of["id"], rating=4)
        return bool(payload["review"]["verifiedPurchase"])

    order = await placed(services, ada, product["variant"])
    assert not await verified(product)
    order = await went(services, order, OrderStatus.PROCESSING)
    assert await verified(product)
    assert not await verified(other)
    assert not await verified(product, by=eve)
    await went(services, order, OrderStatus.CANCELLED)
    assert not await verified(product)


async def test_favorites_and_the_scanner_learn_what_was_bought(
    services: Services, shop: Phone, new_phone: NewPhone
) -> None:
    ada = await new_phone("Ada")
    first, second, unpaid = await products(services, shop, "€10.00", "€5.00", "€1.00")
    for product in (first, second):
        await went(services, await placed(services, ada, product["variant"]), OrderStatus.PROCESSING)
    await placed(services, ada, unpaid["variant"])
    told = await history(Context(services), ada.user_id, FavoriteKindName("PRODUCT"))
    assert told == [[second["id"], first["id"]]]
    waiting = await services.db.find(queue.name, {"_id": f"barcode.rebuild_warmup:{ada.user_id}"})
    assert len(waiting) == 1


async def test_nobody_is_told_or_suggested_anything_of_an_order_that_is_nobodys(
    services: Services, shop: Phone, new_phone: NewPhone
) -> None:
    ada = await new_phone("Ada")
    [product] = await products(services, shop, "€10.00")
    order = await placed(services, ada, product["variant"])
    order = await went(services, order, OrderStatus.PROCESSING, OrderStatus.SHIPPED)
    await settle(services)
    await ERASERS["order"](services, ada.user_id)
    order = await order_now(services, order["_id"])
    await went(services, order, OrderStatus.DELIVERED)
    waiting = await services.db.find(queue.name, {"_id": {"$regex": order["user_id"]}})
    assert (waiting, order["user_id"] == ada.user_id) == ([], False)
    fans = await services.db.find(queue.name, {"task": "notification.fan_out"})
    assert [each for each in fans if order["user_id"] in each["arguments"]["user_ids"]] == []
