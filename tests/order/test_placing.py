"""Orders placed of a quote: one order and one charge for a key, whatever happens on the way."""

import asyncio
from typing import Any

import pytest

from core import ids
from core.context import Services
from devstack.gateway import GatewayFault
from resolvers.order import gateway as calls
from tests.audit.steps import on_record
from tests.cart.steps import (
    add,
    added,
    codes,
    only,
    priced,
    promotion,
    quoted,
    set_stock,
    ships,
    shown,
    variants,
)
from tests.conftest import NewPhone
from tests.order.placing import (
    CREATED,
    HISTORY,
    PAID,
    PLACED,
    history,
    hold_state,
    level,
    order_now,
    ordered,
    place,
    retry,
    steps,
)
from tests.order.steps import Till
from tests.phone import Phone, key


async def test_an_order_is_placed_and_paid(till: Till, services: Services, ada: Phone, variant: str) -> None:
    await added(ada, variant, 2)
    cart = await shown(ada)
    done = await place(ada, note="Ring twice")
    order, payment = done["order"], done["payment"]
    assert (done["errors"], order["status"], steps(order)) == ([], "PROCESSING", [CREATED, PAID])
    assert order["total"] == {"amount": "24.90", "currencyCode": "EUR"}
    assert (order["note"], done["nextAction"], done["checkoutQuote"]) == ("Ring twice", None, None)
    assert (payment["status"], payment["amount"]["amount"]) == ("AUTHORIZED", "24.90")
    assert (done["cart"]["status"], done["cart"]["itemCount"]) == ("ACTIVE", 0)
    assert done["cart"]["id"] != cart["id"]
    edges = (await ada.run(HISTORY))["viewer"]["orders"]["edges"]
    assert edges == [{"cursor": done["orderEdge"]["cursor"], "node": {"id": order["id"]}}]
    assert await level(services, variant) == (38, 38, 2)
    assert till.money == [("HOLD", 2_490)]
    assert [each["action"] for each in await on_record(services, resource_id=order["id"])] == [
        *("order.placed", "order.moved")
    ]
    await till.later(hours=1)
    assert (await order_now(services, order["id"]))["version"] == order["version"]


async def test_place_order_sent_twice_same_key_also_concurrently(
    till: Till, services: Services, ada: Phone, variant: str
) -> None:
    """Row "placeOrder sent twice, same key, also concurrently": one order, one charge, same payload."""
    await added(ada, variant, 2)
    given = {"quoteToken": (await quoted(ada))["token"], "idempotencyKey": key()}
    both = await asyncio.gather(*(place(ada, **given) for _ in range(3)))
    again = await place(ada, **given)
    assert [each["errors"] for each in both] == [[]] * 3
    assert sorted(each["replayed"] for each in both) == [False, True, True]
    for each in (*both, again):
        assert {**each, "replayed": True} == again
    assert await history(ada) == [again["order"]["id"]]
    assert till.money == [("HOLD", 2_490)]
    assert await level(services, variant) == (38, 38, 2)


async def test_new_key_same_quote_token(till: Till, ada: Phone, variant: str) -> None:
    """Row "New key, same quote token": ORDER_EXISTS with the first order; a quote is used once."""
    await added(ada, variant, 2)
    token = (await quoted(ada))["token"]
    first = await place(ada, quoteToken=token)
    for given in ({}, {"id": ids.new_id("order")}):
        again = await place(ada, quoteToken=token, **given)
        assert codes(again) == [("ORDER_EXISTS", ["quoteToken"])]
        assert again["order"] == first["order"]
    assert till.money == [("HOLD", 2_490)]


async def test_two_devices_with_one_quote_place_one_order(till: Till, ada: Phone, variant: str) -> None:
    await added(ada, variant, 2)
    token = (await quoted(ada))["token"]
    both = await asyncio.gather(*(place(ada, quoteToken=token) for _ in range(3)))
    assert sorted(code for each in both for code, _ in codes(each)) == ["ORDER_EXISTS", "ORDER_EXISTS"]
    assert len({each["order"]["id"] for each in both}) == 1
    assert till.money == [("HOLD", 2_490)]


async def test_declined_card(till: Till, services: Services, ada: Phone, variant: str) -> None:
    """Row "Declined card": PAYMENT_DECLINED, cart intact, retry allowed."""
    await added(ada, variant, 2)
    sent = {"quoteToken": (await quoted(ada, reserve=True))["token"], "idempotencyKey": key()}
    no = await place(ada, "tok_declined", **sent)
    assert codes(no) == [("PAYMENT_DECLINED", None)]
    assert (no["order"]["status"], steps(no["order"])) == ("CREATED", [CREATED])
    assert (no["payment"]["status"], no["payment"]["failureCode"]) == ("FAILED", "DECLINED")
    assert (no["cart"]["status"], no["cart"]["itemCount"]) == ("ACTIVE", 2)
    assert (await hold_state(services, no["order"]["id"]), till.money) == ("HELD", [])
    replay = await place(ada, "tok_declined", **sent)
    assert replay == {**no, "replayed": True}
    yes = await retry(ada, no["order"]["id"])
    assert (yes["errors"], yes["order"]["status"], yes["payment"]["attemptCount"]) == ([], "PROCESSING", 2)
    assert (await shown(ada))["itemCount"] == 0
    assert await level(services, variant) == (38, 38, 2)
    assert till.money == [("HOLD", 2_490)]


async def test_gateway_silent_for_5_s(
    till: Till, services: Services, ada: Phone, variant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Row "Gateway silent for 5 s": order CREATED, payment PENDING; jobs go on."""
    monkeypatch.setattr(calls, "ANSWER_SECONDS", 0.2)
    await added(ada, variant, 2)
    till.gateway.faults.plan([GatewayFault.HANG])
    done = await place(ada)
    assert (done["errors"], done["order"]["status"], done["payment"]["status"]) == ([], "CREATED", "PENDING")
    assert done["cart"]["status"] == "CHECKING_OUT"
    refused = await add(ada, variant)
    assert codes(refused) == [("CHECKOUT_IN_PROGRESS", None)]
    other = await ada.do("placeOrder", PLACED, quoteToken="x", source={"token": "tok_visa"})
    assert codes(other) == [("QUOTE_INVALID", ["quoteToken"])]
    await till.later(seconds=1)
    assert (await order_now(services, done["order"]["id"]))["status"] == "PROCESSING"
    assert (await shown(ada))["itemCount"] == 0
    assert till.money == [("HOLD", 2_490)]


async def test_app_restarted_during_step_up(till: Till, services: Services, ada: Phone, variant: str) -> None:
    """Row "App restarted during step-up": replay or `confirmPayment` gives `nextAction` anew."""
    await added(ada, variant, 2)
    sent = {"quoteToken": (await quoted(ada))["token"], "idempotencyKey": key()}
    asked = await place(ada, "tok_3ds", **sent)
    assert (asked["order"]["status"], asked["payment"]["status"]) == ("CREATED", "REQUIRES_ACTION")
    assert asked["nextAction"]["url"]
    assert (await place(ada, "tok_3ds", **sent)) == {**asked, "replayed": True}
    selection = "payment { id subject { id ... on Order { status } } } nextAction { url }"
    open_still = await ada.do("confirmPayment", selection, paymentId=asked["payment"]["id"])
    assert open_still["nextAction"]["url"] == asked["nextAction"]["url"]
    [intent] = till.gateway.ledger.of("payment_intent")
    till.gateway.ledger.authenticate(intent["id"], proved=True)
    proved = await ada.do("confirmPayment", selection, paymentId=asked["payment"]["id"])
    assert proved["payment"]["subject"] == {"id": asked["order"]["id"], "status": "PROCESSING"}
    replay = await place(ada, "tok_3ds", **sent)
    assert (replay["order"]["status"], replay["nextAction"]) == ("PROCESSING", None)
    assert till.money == [("HOLD", 2_490)]


@pytest.mark.parametrize(
    ("price", "total", "code", "money"),
    [
        ("0.49", "0.49", "AMOUNT_TOO_SMALL", []),
        ("0.50", "0.50", None, [("HOLD", 50)]),
        ("9.00", "0.00", None, []),
    ],
)
async def test_total_049_and_0(
    till: Till,
    services: Services,
    shop: Phone,
    ada: Phone,
    price: str,
    total: str,
    code: str | None,
    money: list[Any],
) -> None:
    """Golden case O2, row "Total 0.49 USD / 0": AMOUNT_TOO_SMALL / order without payment."""
    await only(services, "shipping_rates")
    await ships(shop, "0.00")
    [variant] = await variants(services, shop, f"€{price}")
    if total == "0.00":
        await promotion(shop, percentOff="100")
    await added(ada, variant)
    quote = await quoted(ada)
    assert quote["total"]["amount"] == total
    done = await place(ada, "tok_visa" if total != "0.00" else None, quoteToken=quote["token"])
    assert codes(done) == ([(code, None)] if code else [])
    assert (till.money, await history(ada)) == (money, [done["order"]["id"]] if not code else [])
    if code:
        assert (done["errors"][0]["limit"], till.gateway.asked) == (50, [])
        return
    actor = "GATEWAY" if money else "SYSTEM"
    assert steps(done["order"]) == [CREATED, ("PROCESSING", actor, None)]
    assert (done["payment"] is None, done["cart"]["itemCount"]) == (not money, 0)
    assert await level(services, variant) == (39, 39, 1)


async def test_words_of_the_cart_go_into_the_order(till: Till, ada: Phone, variant: str) -> None:
    await added(ada, variant)
    await ada.do("updateCart", "cart { id }", note="Ring twice", giftMessage="For you")
    order = (await place(ada, note=""))["order"]
    assert (order["note"], order["giftMessage"]) == (None, "For you")


async def test_amounts_go_to_the_gateway_in_its_steps(
    till: Till, services: Services, shop: Phone, ada: Phone
) -> None:
    """Golden case O2: 5.124 dinars are charged as 5.120, the order's total."""
    [variant] = await variants(services, shop, "5.124 KWD")
    rate = {"name": "Parcel", "minDays": 2, "maxDays": 4, "countryCodes": ["DE"]}
    free = {"amount": "0.000", "currencyCode": "KWD"}
    made = await shop.do("createShippingRate", "shippingRate { id }", price=free, **rate)
    assert made["errors"] == []
    await added(ada, variant)
    done = await place(ada)
    assert done["order"]["total"] == {"amount": "5.120", "currencyCode": "KWD"}
    assert till.money == [("HOLD", 5_120)]


async def test_a_token_is_kept_as_a_method_on_demand(till: Till, ada: Phone, variant: str) -> None:
    methods = "{ viewer { paymentMethods { edges { node { id last4 } } } } }"
    for token, kept in (("tok_visa", ["4242"]), ("tok_3ds", ["4242"])):
        await added(ada, variant)
        done = await place(ada, token, savePaymentMethod=True)
        assert done["errors"] == []
        found = (await ada.run(methods))["viewer"]["paymentMethods"]["edges"]
        assert [each["node"]["last4"] for each in found] == kept
    assert done["payment"]["status"] == "REQUIRES_ACTION"
    assert [kind for kind, _ in till.money] == ["HOLD"]


async def test_a_saved_method_pays(till: Till, ada: Phone, variant: str) -> None:
    await added(ada, variant)
    made = await ada.do("addPaymentMethod", "paymentMethod { id }", gatewayToken="tok_amex")
    done = await place(ada, None, source={"paymentMethodId": made["paymentMethod"]["id"]})
    assert (done["order"]["status"], done["payment"]["paidWith"]["last4"]) == ("PROCESSING", "8431")


async def test_uses_of_promotions_are_counted_and_given_back(
    till: Till, services: Services, shop: Phone, new_phone: NewPhone, ada: Phone, variant: str
) -> None:
    await promotion(shop, usageLimit=1)
    grace = await new_phone("Grace")
    for phone in (ada, grace):
        await added(phone, variant)
    first, second = (await quoted(ada))["token"], (await quoted(grace))["token"]
    asked = await place(ada, "tok_3ds", quoteToken=first)
    assert asked["order"]["total"]["amount"] == "13.90"
    late = await place(grace, quoteToken=second)
    assert codes(late) == [("QUOTE_STALE", ["quoteToken"])]
    assert late["checkoutQuote"]["total"]["amount"] == "14.90"
    assert await history(grace) == []
    await till.later(minutes=30)
    grace = await new_phone(user_id=grace.user_id)
    assert (await place(grace))["order"]["total"]["amount"] == "13.90"


async def test_another_order_of_the_same_cart_takes_the_place_of_an_unpaid_one(
    till: Till, services: Services, ada: Phone, variant: str
) -> None:
    await set_stock(services, variant, 4)
    await added(ada, variant, 2)
    first = await place(ada, "tok_declined")
    second = await place(ada)
    assert (second["errors"], second["order"]["status"]) == ([], "PROCESSING")
    replaced = await order_now(services, first["order"]["id"])
    assert steps(replaced) == [CREATED, ("CANCELLED", "CUSTOMER", "REPLACED")]
    assert await hold_state(services, first["order"]["id"]) == "RELEASED"
    await till.settle()
    assert (await level(services, variant), till.money) == ((2, 2, 2), [("HOLD", 2_490)])
    late = await retry(ada, first["order"]["id"])
    assert codes(late) == [("WRONG_STATUS", ["status"])]


async def test_an_id_that_the_app_minted(till: Till, services: Services, ada: Phone, variant: str) -> None:
    mine = ids.new_id("order")
    made = await ordered(services, ada, variant, id=mine)
    assert made["_id"] == mine
    await added(ada, variant)
    taken = await place(ada, id=mine)
    assert codes(taken) == [("ID_TAKEN", ["id"])]
    assert taken["order"]["id"] == mine
    assert (await shown(ada))["status"] == "ACTIVE"


async def test_a_price_that_rises_after_the_quote_is_not_charged(
    till: Till, shop: Phone, ada: Phone, variant: str
) -> None:
    await added(ada, variant, 2)
    token = (await quoted(ada))["token"]
    await priced(shop, variant, "99.00")
    done = await place(ada, quoteToken=token)
    assert (done["order"]["total"]["amount"], till.money) == ("24.90", [("HOLD", 2_490)])
