"""Reorders: what of an old order comes into the cart again, and what is told of the rest."""

from typing import Any

import pytest

from core.context import Services
from stores.catalog.roles import CATALOG_ADMIN, INVENTORY_ADMIN
from stores.order import Order
from tests.cart.steps import added, codes, only, priced, set_stock, ships, shown, variants
from tests.catalog.steps import staff
from tests.conftest import Commands, NewPhone
from tests.order.placing import placed
from tests.phone import Phone

MONEY = "amount currencyCode"
ADJUSTMENT = f"""lineId kind requestedQuantity grantedQuantity significant oldUnitPrice {{ {MONEY} }}
  newUnitPrice {{ {MONEY} }} alternatives {{ id }}"""
DONE = f"""outcome cart {{ id version lines {{ id quantity unitPrice {{ amount }} options {{ value }} }} }}
  adjustments {{ {ADJUSTMENT} }}"""
STATUS = "query ($by: OrderByInput!) { order(by: $by) { canReorder orderLines { lineId currentStatus } } }"


@pytest.fixture
async def shop(new_phone: NewPhone, services: Services, monkeypatch: pytest.MonkeyPatch) -> Phone:
    await only(services, "promotions", "shipping_rates", "tax_rates")
    admin = await staff(new_phone, services, CATALOG_ADMIN, INVENTORY_ADMIN)
    await ships(admin)
    monkeypatch.setattr(services.limits, "scale", 1000.0)
    return admin


async def reordered(phone: Phone, order: Order, **given: Any) -> Any:
    """The payload of a reorder."""
    return await phone.do("reorderItems", DONE, orderId=order["_id"], **given)


def told(payload: Any) -> list[tuple[str, int]]:
    """Kinds of the adjustments, each with the quantity that is granted."""
    return [(each["kind"], each["grantedQuantity"]) for each in payload["adjustments"]]


def quantities(payload: Any) -> list[int]:
    return [line["quantity"] for line in payload["cart"]["lines"]]


async def test_a_reorder_puts_the_exact_quantities_into_the_cart_at_prices_of_now(
    services: Services, shop: Phone, new_phone: NewPhone
) -> None:
    ada = await new_phone("Ada")
    one, two = await variants(services, shop, "€10.00", "€5.00")
    order = await placed(services, ada, one, two)
    await priced(shop, one, "12.00")
    await priced(shop, two, "4.00")
    done = await reordered(ada, order)
    assert (done["errors"], done["outcome"]) == ([], "CART_REPOPULATED")
    assert sorted((line["quantity"], line["unitPrice"]["amount"]) for line in done["cart"]["lines"]) == [
        (2, "12.00"),
        (2, "4.00"),
    ]
    assert {option["value"] for line in done["cart"]["lines"] for option in line["options"]} == {"For Grace"}
    first, second = done["adjustments"]
    assert (first["kind"], first["significant"], first["lineId"]) == (
        *("PRICE_INCREASED", True, order["lines"][0]["line_id"]),
    )
    assert (first["oldUnitPrice"], first["newUnitPrice"]) == (
        {"amount": "10.00", "currencyCode": "EUR"},
        {"amount": "12.00", "currencyCode": "EUR"},
    )
    assert (second["kind"], second["significant"]) == ("PRICE_DECREASED", False)


async def test_reorder_all_lines_gone(services: Services, shop: Phone, new_phone: NewPhone) -> None:
    ada = await new_phone("Ada")
    other, gone = await variants(services, shop, "€1.00", "€10.00")
    order = await placed(services, ada, gone)
    await added(ada, other, 3)
    before = await shown(ada)
    await set_stock(services, gone, 0)
    for behavior in ("MERGE", "REPLACE"):
        done = await reordered(ada, order, cartBehavior=behavior)
        assert (done["errors"], done["outcome"], told(done)) == ([], "REJECTED", [("UNAVAILABLE", 0)])
        assert done["adjustments"][0]["alternatives"]
        assert await shown(ada) == before


async def test_reorder_3_wanted_1_left(services: Services, shop: Phone, new_phone: NewPhone) -> None:
    ada = await new_phone("Ada")
    [variant] = await variants(services, shop, "€10.00")
    order = await placed(services, ada, variant, variant)
    assert [line["quantity"] for line in order["lines"]] == [4]
    await set_stock(services, variant, 1)
    done = await reordered(ada, order)
    assert (done["outcome"], told(done), quantities(done)) == (
        *("CART_REPOPULATED", [("QUANTITY_REDUCED", 1)], [1]),
    )
    assert done["adjustments"][0]["requestedQuantity"] == 4


async def test_reorder_replayed_after_stock_changed(
    services: Services, shop: Phone, new_phone: NewPhone
) -> None:
    ada = await new_phone("Ada")
    [variant] = await variants(services, shop, "€10.00")
    order = await placed(services, ada, variant)
    await set_stock(services, variant, 1)
    first = await reordered(ada, order, idempotencyKey="again-and-again")
    await set_stock(services, variant, 0)
    again = await reordered(ada, order, idempotencyKey="again-and-again")
    assert again == {**first, "replayed": True}
    validated = await ada.do("validateCart", "cart { lines { cartIssues { code } } }")
    assert validated["cart"]["lines"] == [{"cartIssues": [{"code": "OUT_OF_STOCK"}]}]


async def test_what_the_cart_has_already_is_merged_or_replaced(
    services: Services, shop: Phone, new_phone: NewPhone
) -> None:
    ada = await new_phone("Ada")
    other, variant = await variants(services, shop, "€1.00", "€10.00", stock=5)
    order = await placed(services, ada, variant)
    await added(ada, other)
    await added(ada, variant, 4, options=[{"name": "engraving", "value": "For Grace"}])
    done = await reordered(ada, order)
    # Five are left, and the cart has four of them.
    assert (told(done), sorted(quantities(done))) == ([("QUANTITY_REDUCED", 1)], [1, 5])
    done = await reordered(ada, order, cartBehavior="REPLACE")
    assert (told(done), quantities(done)) == ([], [2])


async def test_skip_leaves_out_what_is_missing_and_suggests_nothing(
    services: Services, shop: Phone, new_phone: NewPhone
) -> None:
    ada = await new_phone("Ada")
    one, gone = await variants(services, shop, "€1.00", "€10.00")
    order = await placed(services, ada, one, gone)
    await set_stock(services, gone, 0)
    done = await reordered(ada, order, outOfStock="SKIP")
    assert (done["outcome"], told(done), quantities(done)) == (
        *("CART_REPOPULATED", [("UNAVAILABLE", 0)], [2]),
    )
    assert done["adjustments"][0]["alternatives"] == []
    suggested = await reordered(ada, order, cartBehavior="REPLACE")
    assert suggested["adjustments"][0]["alternatives"]


async def test_fail_changes_nothing_if_any_line_falls_short(
    services: Services, shop: Phone, new_phone: NewPhone
) -> None:
    ada = await new_phone("Ada")
    other, one, short = await variants(services, shop, "€2.00", "€1.00", "€10.00")
    order = await placed(services, ada, one, short)
    await added(ada, other)
    before = await shown(ada)
    await set_stock(services, short, 1)
    refused = await reordered(ada, order, outOfStock="FAIL", cartBehavior="REPLACE")
    assert codes(refused) == [("REORDER_UNAVAILABLE", None)]
    assert (refused["outcome"], told(refused)) == ("REJECTED", [("QUANTITY_REDUCED", 1)])
    assert await shown(ada) == before


async def test_lines_are_chosen_and_others_are_not_found(
    services: Services, shop: Phone, new_phone: NewPhone
) -> None:
    ada = await new_phone("Ada")
    one, two = await variants(services, shop, "€1.00", "€10.00")
    order = await placed(services, ada, one, two)
    first = order["lines"][0]["line_id"]
    for line_ids, code in (([], "REQUIRED"), ([first, order["_id"]], "NOT_FOUND")):
        assert codes(await reordered(ada, order, lineIds=line_ids)) == [(code, ["lineIds"])]
    done = await reordered(ada, order, lineIds=[first])
    assert (done["adjustments"], [line["unitPrice"]["amount"] for line in done["cart"]["lines"]]) == (
        *([], ["1.00"]),
    )


async def test_foreign_order_id_of_a_reorder(services: Services, shop: Phone, new_phone: NewPhone) -> None:
    ada, eve = await new_phone("Ada"), await new_phone("Eve")
    order = await placed(services, ada, *await variants(services, shop, "€1.00"))
    refused = await reordered(eve, order)
    assert codes(refused) == [("NOT_FOUND", ["orderId"])]
    assert (refused["outcome"], (await shown(eve))["lines"]) == (None, [])


async def test_a_cart_in_another_currency_is_kept_unless_it_is_replaced(
    services: Services, shop: Phone, new_phone: NewPhone
) -> None:
    ada = await new_phone("Ada")
    [variant] = await variants(services, shop, "€1.00")
    [dollars] = await variants(services, shop, "US$7.00")
    order = await placed(services, ada, variant)
    await added(ada, dollars)
    before = await shown(ada)
    assert codes(await reordered(ada, order)) == [("CURRENCY_MISMATCH", ["cartBehavior"])]
    assert await shown(ada) == before
    assert quantities(await reordered(ada, order, cartBehavior="REPLACE")) == [2]


async def test_lines_say_if_they_can_be_had_now(services: Services, shop: Phone, new_phone: NewPhone) -> None:
    ada = await new_phone("Ada")
    one, two = await variants(services, shop, "€1.00", "€10.00")
    order = await placed(services, ada, one, two)

    async def read() -> tuple[bool, list[str]]:
        found = (await ada.run(STATUS, by={"id": order["_id"]}))["order"]
        return found["canReorder"], [line["currentStatus"] for line in found["orderLines"]]

    assert await read() == (True, ["AVAILABLE", "AVAILABLE"])
    await set_stock(services, two, 0)
    assert await read() == (True, ["AVAILABLE", "UNAVAILABLE"])
    await set_stock(services, one, 0)
    assert await read() == (False, ["UNAVAILABLE", "UNAVAILABLE"])


async def test_reorders_are_counted(services: Services, new_phone: NewPhone, shop: Phone) -> None:
    ada = await new_phone("Ada")
    order = await placed(services, ada, *await variants(services, shop, "€1.00"))
    services.limits.scale = 1.0
    for _ in range(20):
        assert codes(await reordered(ada, order)) == []
    assert codes(await reordered(ada, order)) == [("RATE_LIMITED", None)]


async def test_a_reorder_costs_the_same_however_many_lines_there_are(
    services: Services, shop: Phone, new_phone: NewPhone, commands: Commands, compiled: None
) -> None:
    ada = await new_phone("Ada")
    few = await placed(services, ada, *await variants(services, shop, "€1.00"))
    many = await placed(services, ada, *await variants(services, shop, *["€1.00"] * 12))
    await reordered(ada, few)
    sent = []
    for order in (few, many):
        await ada.do("clearCart", "cart { id }")
        commands.reset()
        await ada.do("reorderItems", "outcome cart { id }", orderId=order["_id"])
        sent.append(commands.sent)
    assert sent[0] == sent[1]
    assert sent[0] <= 12
