"""Orders as their owners, the shop's staff and nobody else read them."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from core import clock
from core.context import Context, Services
from core.erasure import ERASERS, EXPORTERS
from core.errors import UserError
from resolvers.order.writing import move_order
from stores import order as store
from stores.catalog import FULFILLMENT
from stores.order import Order, OrderActor, OrderStatus
from tests.audit.steps import on_record
from tests.cart.steps import products
from tests.catalog.steps import staff
from tests.conftest import NewPhone
from tests.order.placing import placed
from tests.phone import Phone

ORDER = """id version number status orderSource summary itemCount currencyCode note giftMessage cartId
  subtotal { amount } shippingCost { amount } total { amount currencyCode } payment { id }
  orderLines { lineId title brand quantity unitPrice { amount } lineTotal { amount } product { id }
    options { name } }
  shippingOption { label } shippingAddress { name city } billingAddress { city } timeline { status actor }"""
LIST = f"""query ($filter: OrderFilterInput, $first: Int) {{
  viewer {{ orders(filter: $filter, first: $first) {{ edges {{ node {{ {ORDER} }} }} }} }} }}"""
BY = f"query ($by: OrderByInput!) {{ order(by: $by) {{ {ORDER} }} }}"
SHOWN = "edges { node { id shippingAddress { city } } }"
TO_PACK = f"{{ ordersForFulfillment {{ {SHOWN} }} }}"


async def moved(services: Services, order: Order, status: OrderStatus) -> Order:
    ctx = Context(services)
    done: Order = await ctx.unit(lambda: move_order(ctx, order, status, OrderActor.SYSTEM))
    return done


async def listed(phone: Phone, **filter: Any) -> list[Any]:
    found = (await phone.run(LIST, filter=filter))["viewer"]["orders"]["edges"]
    return [edge["node"] for edge in found]


async def variants_of(services: Services, shop: Phone, *prices: str) -> list[str]:
    return [each["variant"] for each in await products(services, shop, *prices)]


async def test_an_order_is_a_snapshot_of_its_quote(
    services: Services, shop: Phone, new_phone: NewPhone
) -> None:
    ada = await new_phone("Ada")
    variants = await variants_of(services, shop, "€10.00", "€5.00", "€1.00")
    made = await placed(services, ada, *variants, note="Ring twice", gift_message="For you")
    [order] = await listed(ada)
    assert (order["id"], order["status"], order["orderSource"]) == (made["_id"], "CREATED", "CART")
    assert (order["itemCount"], order["subtotal"]["amount"], order["shippingCost"]["amount"]) == (
        *(6, "32.00", "4.90"),
    )
    assert order["total"] == {"amount": "36.90", "currencyCode": "EUR"}
    assert [line["lineTotal"]["amount"] for line in order["orderLines"]] == ["20.00", "10.00", "2.00"]
    assert all(line["product"] for line in order["orderLines"])
    assert order["orderLines"][0]["options"] == [{"name": "engraving"}]
    names = [line["title"] for line in order["orderLines"]]
    assert order["summary"] == f"{names[0]}, {names[1]} and 1 more"
    assert (order["note"], order["giftMessage"], order["payment"]) == ("Ring twice", "For you", None)
    assert order["shippingAddress"] == {"name": "Ada Lovelace", "city": "Berlin"}
    assert (order["billingAddress"]["city"], order["shippingOption"]["label"]) == ("Berlin", "Parcel")
    assert order["timeline"] == [{"status": "CREATED", "actor": "CUSTOMER"}]
    for by in ({"id": made["_id"]}, {"number": made["number"]}):
        assert (await ada.run(BY, by=by))["order"] == order


async def test_name_address_and_words_are_sealed(
    services: Services, shop: Phone, new_phone: NewPhone
) -> None:
    ada = await new_phone("Ada")
    made = await placed(services, ada, *await variants_of(services, shop, "€10.00"), note="Ring twice")
    kept = str(await store.orders.by_id(services.db, made))
    assert not [word for word in ("Lovelace", "Berlin", "Ring twice") if word in kept]


async def test_numbers_rise_and_are_given_once(services: Services) -> None:
    found = [await store.next_number(services.db) for _ in range(3)]
    assert found == [found[0], found[0] + 1, found[0] + 2]
    assert found[0] > store.FIRST_NUMBER


async def test_foreign_order_id(services: Services, shop: Phone, new_phone: NewPhone) -> None:
    ada, eve = await new_phone("Ada"), await new_phone("Eve")
    made = await placed(services, ada, *await variants_of(services, shop, "€10.00"))
    for by in ({"id": made["_id"]}, {"number": made["number"]}):
        assert (await eve.run(BY, by=by))["order"] is None
    assert (await eve.run("query ($id: ID!) { node(id: $id) { id } }", id=made["_id"]))["node"] is None
    assert await listed(eve) == []


async def test_history_is_newest_first_and_narrowed_by_its_filter(
    services: Services, shop: Phone, new_phone: NewPhone
) -> None:
    ada = await new_phone("Ada")
    [variant] = await variants_of(services, shop, "€10.00")
    clock.stop()
    first = await placed(services, ada, variant)
    clock.shift(timedelta(minutes=1))
    second = await placed(services, ada, variant)
    await moved(services, first, OrderStatus.PROCESSING)
    assert _ids(await listed(ada)) == [second["_id"], first["_id"]]
    assert _ids(await listed(ada, statuses=["PROCESSING"])) == [first["_id"]]
    at = second["created_at"].isoformat()
    assert _ids(await listed(ada, **{"from": at})) == [second["_id"]]
    assert _ids(await listed(ada, to=at)) == [first["_id"]]
    assert _ids(await listed(ada, searchText=str(second["number"]))) == [second["_id"]]
    name = second["lines"][0]["name"].split()[0]
    assert len(await listed(ada, searchText=name[:3].upper())) == 2


async def test_search_finds_nothing(services: Services, shop: Phone, new_phone: NewPhone) -> None:
    ada = await new_phone("Ada")
    await placed(services, ada, *await variants_of(services, shop, "€10.00"))
    assert await listed(ada, searchText="unheard-of") == []


@pytest.mark.parametrize(
    ("filter", "said"),
    [
        ({"searchText": "a"}, "2 to 100"),
        ({"searchText": "a" * 101}, "2 to 100"),
        ({"searchText": "??"}, "1 to 10 words"),
        ({"from": "2020-01-01T00:00:00Z", "to": "2026-01-01T00:00:00Z"}, "5 years"),
    ],
)
async def test_filters_are_bounded(new_phone: NewPhone, filter: Mapping[str, Any], said: str) -> None:
    ada = await new_phone("Ada")
    answer = await ada.ask(LIST, filter=filter)
    [error] = answer.errors
    assert (answer.code, said in error["message"]) == ("BAD_USER_INPUT", True)


async def test_a_final_status_is_left_for_no_other(
    services: Services, shop: Phone, new_phone: NewPhone
) -> None:
    ada = await new_phone("Ada")
    made = await placed(services, ada, *await variants_of(services, shop, "€10.00"))
    failed = await moved(services, made, OrderStatus.FAILED)
    with pytest.raises(UserError) as refused:
        await moved(services, failed, OrderStatus.PROCESSING)
    assert refused.value.code == "WRONG_STATUS"
    [order] = await listed(ada)
    assert [step["status"] for step in order["timeline"]] == ["CREATED", "FAILED"]
    entries = await on_record(services, resource_id=made["_id"])
    assert [each["action"] for each in entries] == ["order.placed", "order.moved"]


async def test_staff_read_orders_on_record_and_nobody_else(
    services: Services, shop: Phone, new_phone: NewPhone
) -> None:
    ada = await new_phone("Ada")
    made = await placed(services, ada, *await variants_of(services, shop, "€10.00"))
    packer = await staff(new_phone, services, FULFILLMENT)
    assert (await packer.run(TO_PACK))["ordersForFulfillment"]["edges"] == []
    await moved(services, made, OrderStatus.PROCESSING)
    [edge] = (await packer.run(TO_PACK))["ordersForFulfillment"]["edges"]
    assert edge["node"] == {"id": made["_id"], "shippingAddress": {"city": "Berlin"}}
    assert (await ada.ask(TO_PACK)).code == "FORBIDDEN"
    assert len(await on_record(services, actor_id=packer.user_id, action="order.read")) == 2


async def test_erasure_keeps_what_was_sold_without_whom_to(
    services: Services, shop: Phone, new_phone: NewPhone
) -> None:
    ada = await new_phone("Ada")
    made = await placed(services, ada, *await variants_of(services, shop, "€10.00"), note="Ring twice")
    exported = {file: rows async for file, rows in EXPORTERS["order"](services, ada.user_id)}
    [row] = exported["orders"]
    assert (row["number"], row["note"], row["shipping_address"]["name"]) == (
        *(made["number"], "Ring twice", "Ada Lovelace"),
    )
    await ERASERS["order"](services, ada.user_id)
    [kept] = await store.orders.find(services.db, {"_id": made["_id"]})
    assert (kept["total"], kept["sealed"]) == (made["total"], None)
    assert "Grace" not in str(kept)
    assert kept["user_id"] != ada.user_id
    assert await listed(ada) == []


def _ids(orders: list[Any]) -> list[str]:
    return [order["id"] for order in orders]
