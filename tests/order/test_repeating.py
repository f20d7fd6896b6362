"""Orders that are placed again at once: charged as agreed, or asked about first."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from core import clock
from core.context import Services
from stores import order as store
from stores.catalog import CATALOG_ADMIN
from stores.catalog.roles import INVENTORY_ADMIN
from stores.order import Order
from tests.cart.steps import ADDRESS, added, codes, only, priced, set_stock, ships, shown, variants
from tests.catalog.steps import staff
from tests.conftest import NewPhone
from tests.order.placing import OPTIONS, history, hold_state, ordered
from tests.order.steps import PAYMENT, Till
from tests.phone import Phone, sign_in_directly

DONE = f"""outcome confirmationToken cart {{ id }} orderEdge {{ cursor node {{ id }} }}
  order {{ id status orderSource sourceOrder {{ id }} total {{ amount }} shippingAddress {{ city }}
    orderLines {{ quantity options {{ name value }} }} }}
  payment {{ {PAYMENT} }} nextAction {{ kind url clientSecret }}
  adjustments {{ kind significant grantedQuantity alternatives {{ id }} }}"""


@pytest.fixture
async def shop(new_phone: NewPhone, services: Services, monkeypatch: pytest.MonkeyPatch) -> Phone:
    await only(services, "promotions", "shipping_rates", "tax_rates", "orders")
    admin = await staff(new_phone, services, CATALOG_ADMIN, INVENTORY_ADMIN)
    await ships(admin)
    monkeypatch.setattr(services.limits, "scale", 1000.0)
    return admin


async def again(phone: Phone, order: Order, token: str | None = "tok_visa", **given: Any) -> Any:
    """The payload of an order that is placed again."""
    source = {"source": {"token": token}} if token else {}
    return await phone.do("reorderItems", DONE, orderId=order["_id"], kind="PLACE_ORDER", **source, **given)


async def bought(till: Till, phone: Phone, *variant_ids: str) -> Order:
    """An order that is paid."""
    return await ordered(till.services, phone, *variant_ids)


def charged(till: Till, payload: Any) -> list[tuple[str, int]]:
    """Movements of money at the gateway for the order of a payload."""
    subject = payload["order"]["id"]
    return [(each.kind, each.amount) for each in till.gateway.ledger.entries if each.subject_id == subject]


async def test_it_is_ordered_and_charged_once_to_the_old_address_and_touches_no_cart(
    till: Till, shop: Phone, new_phone: NewPhone
) -> None:
    ada = await new_phone("Ada")
    one, two, other = await variants(till.services, shop, "€10.00", "€5.00", "€1.00")
    order = await bought(till, ada, one, two)
    await added(ada, other)
    before, money = await shown(ada), len(till.money)
    await priced(shop, two, "4.00")
    done = await again(ada, order, idempotencyKey="tap")
    assert (done["errors"], done["outcome"], done["cart"]) == ([], "ORDER_PLACED", None)
    # Of a lower price nobody needs to be asked.
    assert [(each["kind"], each["significant"]) for each in done["adjustments"]] == [
        ("PRICE_DECREASED", False)
    ]
    made = done["order"]
    assert (made["status"], made["orderSource"], made["sourceOrder"]) == (
        *("PROCESSING", "REORDER", {"id": order["_id"]}),
    )
    assert (made["total"], made["shippingAddress"]) == ({"amount": "32.90"}, {"city": "Berlin"})
    assert made["orderLines"] == [{"quantity": 2, "options": OPTIONS}] * 2
    assert done["payment"]["status"] == "AUTHORIZED"
    assert done["orderEdge"]["node"] == {"id": made["id"]}
    # At one moment, in no order.
    assert set(await history(ada)) == {made["id"], order["_id"]}
    assert await shown(ada) == before
    replayed = await again(ada, order, idempotencyKey="tap")
    assert replayed == {**done, "replayed": True}
    assert len(till.money) == money + 1
    assert await hold_state(till.services, made["id"]) == "COMMITTED"


@pytest.mark.parametrize("change", ["price up", "fewer", "missing", "dearer shipping"])
async def test_anything_significant_is_asked_about_before_anybody_is_charged(
    till: Till, shop: Phone, new_phone: NewPhone, change: str
) -> None:
    ada = await new_phone("Ada")
    one, two = await variants(till.services, shop, "€10.00", "€5.00")
    order, money = await bought(till, ada, one, two), len(till.money)
    if change == "price up":
        await priced(shop, two, "5.50")
    elif change == "dearer shipping":
        await only(till.services, "shipping_rates")
        await ships(shop, "5.90")
    else:
        await set_stock(till.services, two, 1 if change == "fewer" else 0)
    asked = await again(ada, order)
    assert (asked["errors"], asked["outcome"], asked["order"]) == ([], "NEEDS_CONFIRMATION", None)
    kinds = {"price up": ["PRICE_INCREASED"], "fewer": ["QUANTITY_REDUCED"], "missing": ["UNAVAILABLE"]}
    assert [each["kind"] for each in asked["adjustments"]] == kinds.get(change, [])
    assert (await history(ada), len(till.money)) == ([order["_id"]], money)
    # The answer is no order, however often it is sent without the customer's word.
    for token in (None, "1.x", f"{asked['confirmationToken']}x"):
        given = {"confirmationToken": token} if token else {}
        assert (await again(ada, order, **given))["outcome"] == "NEEDS_CONFIRMATION"
    done = await again(ada, order, confirmationToken=asked["confirmationToken"])
    assert (done["errors"], done["outcome"], done["order"]["status"]) == ([], "ORDER_PLACED", "PROCESSING")
    total = {"price up": "35.90", "fewer": "29.90", "missing": "24.90", "dearer shipping": "35.90"}[change]
    assert done["order"]["total"] == {"amount": total}
    assert len(till.money) == money + 1


async def test_a_word_is_bound_to_the_totals_of_its_question_and_to_ten_minutes(
    till: Till, shop: Phone, new_phone: NewPhone
) -> None:
    ada, eve = await new_phone("Ada"), await new_phone("Eve")
    [variant] = await variants(till.services, shop, "€10.00")
    order, theirs = await bought(till, ada, variant), await bought(till, eve, variant)
    money = len(till.money)
    await priced(shop, variant, "11.00")
    token = (await again(ada, order))["confirmationToken"]
    assert (await again(eve, theirs, confirmationToken=token))["outcome"] == "NEEDS_CONFIRMATION"
    await priced(shop, variant, "12.00")
    anew = await again(ada, order, confirmationToken=token)
    assert anew["outcome"] == "NEEDS_CONFIRMATION"
    clock.shift(timedelta(minutes=10, seconds=1))
    await sign_in_directly(till.services, ada, ada.user_id)
    late = await again(ada, order, confirmationToken=anew["confirmationToken"])
    assert late["outcome"] == "NEEDS_CONFIRMATION"
    assert len(till.money) == money
    done = await again(ada, order, confirmationToken=late["confirmationToken"])
    assert done["outcome"] == "ORDER_PLACED"


async def test_a_word_is_good_for_one_order(till: Till, shop: Phone, new_phone: NewPhone) -> None:
    ada = await new_phone("Ada")
    [variant] = await variants(till.services, shop, "€10.00")
    order, money = await bought(till, ada, variant), len(till.money)
    await priced(shop, variant, "11.00")
    given = {"confirmationToken": (await again(ada, order))["confirmationToken"]}
    both = await asyncio.gather(again(ada, order, **given), again(ada, order, **given))
    [second] = [each for each in both if each["errors"]]
    [first] = [each for each in both if not each["errors"]]
    assert codes(second) == [("ORDER_EXISTS", ["confirmationToken"])]
    assert second["order"]["id"] == first["order"]["id"]
    assert len(till.money) == money + 1


async def test_a_request_from_a_queue_is_never_charged(till: Till, shop: Phone, new_phone: NewPhone) -> None:
    ada = await new_phone("Ada")
    order = await bought(till, ada, *await variants(till.services, shop, "€10.00"))
    money = len(till.money)
    for minutes, outcome in ((11, "NEEDS_CONFIRMATION"), (9, "ORDER_PLACED")):
        at = (clock.now() - timedelta(minutes=minutes)).isoformat()
        done = await again(ada, order, requestedAt=at)
        assert (done["errors"], done["outcome"], done["adjustments"]) == ([], outcome, [])
    assert len(till.money) == money + 1


async def test_without_a_payment_method_nothing_is_ordered(
    till: Till, shop: Phone, new_phone: NewPhone
) -> None:
    ada = await new_phone("Ada")
    order = await bought(till, ada, *await variants(till.services, shop, "€10.00"))
    assert codes(await again(ada, order, None)) == [("PAYMENT_METHOD_REQUIRED", ["source"])]
    assert await history(ada) == [order["_id"]]


async def test_a_declined_card_leaves_an_order_that_can_be_paid_again(
    till: Till, shop: Phone, new_phone: NewPhone
) -> None:
    ada = await new_phone("Ada")
    order = await bought(till, ada, *await variants(till.services, shop, "€10.00"))
    refused = await again(ada, order, "tok_declined")
    assert codes(refused) == [("PAYMENT_DECLINED", None)]
    assert (refused["order"]["status"], refused["payment"]["status"]) == ("CREATED", "FAILED")
    waits = await again(ada, order, "tok_3ds", idempotencyKey="step")
    assert (waits["outcome"], waits["order"]["status"]) == ("ORDER_PLACED", "CREATED")
    assert waits["nextAction"]["kind"] == "REDIRECT"
    assert await again(ada, order, "tok_3ds", idempotencyKey="step") == {**waits, "replayed": True}


async def test_all_gone_or_all_or_nothing(till: Till, shop: Phone, new_phone: NewPhone) -> None:
    ada = await new_phone("Ada")
    one, two = await variants(till.services, shop, "€10.00", "€5.00")
    order, money = await bought(till, ada, one, two), len(till.money)
    await set_stock(till.services, two, 0)
    assert codes(await again(ada, order, outOfStock="FAIL")) == [("REORDER_UNAVAILABLE", None)]
    await set_stock(till.services, one, 0)
    done = await again(ada, order)
    assert (done["errors"], done["outcome"], done["confirmationToken"]) == ([], "REJECTED", None)
    assert (len(done["adjustments"]), await history(ada), len(till.money)) == (2, [order["_id"]], money)


async def test_another_address_and_some_of_the_lines(till: Till, shop: Phone, new_phone: NewPhone) -> None:
    ada = await new_phone("Ada")
    one, two = await variants(till.services, shop, "€10.00", "€5.00")
    order = await bought(till, ada, one, two)
    for address, refusal in (
        ({**ADDRESS, "countryCode": "US"}, ("NO_SHIPPING", ["shippingAddress"])),
        ({**ADDRESS, "city": "4242 4242 4242 4242"}, ("CARD_DATA_REFUSED", ["shippingAddress", "city"])),
    ):
        assert codes(await again(ada, order, shippingAddress=address)) == [refusal]
    given = {"shippingAddress": {**ADDRESS, "city": "Leipzig"}, "lineIds": [order["lines"][1]["line_id"]]}
    done = await again(ada, order, **given)
    assert done["errors"] == []
    assert (done["order"]["total"], done["order"]["shippingAddress"]) == (
        *({"amount": "14.90"}, {"city": "Leipzig"}),
    )


async def test_lines_that_differ_in_their_options_alone_go_by_the_cart(
    till: Till, shop: Phone, new_phone: NewPhone
) -> None:
    ada = await new_phone("Ada")
    [variant] = await variants(till.services, shop, "€10.00")
    await added(ada, variant)
    order = await bought(till, ada, variant)
    assert len(order["lines"]) == 2
    assert codes(await again(ada, order)) == [("INVALID_INPUT", ["kind"])]


async def test_an_order_whose_answer_was_lost_with_its_receipt_goes_on(
    till: Till, shop: Phone, new_phone: NewPhone
) -> None:
    ada = await new_phone("Ada")
    order = await bought(till, ada, *await variants(till.services, shop, "€10.00"))
    done = await again(ada, order, idempotencyKey="tap")
    money = len(till.money)
    # The process died before it kept the answer, and the lease is over.
    key = f"{ada.user_id}:tap"
    await till.services.db.write({"delete": "receipts", "deletes": [{"q": {"_id": key}, "limit": 1}]})
    resumed = await again(ada, order, idempotencyKey="tap")
    assert (resumed["outcome"], resumed["order"]["id"]) == ("ORDER_PLACED", done["order"]["id"])
    assert (len(await history(ada)), len(till.money)) == (2, money)
    [kept] = await store.orders.find(till.services.db, {"_id": done["order"]["id"]})
    assert kept["source_order_id"] == order["_id"]
