"""Orders that are refused: nothing is written, and nothing is charged."""

from datetime import timedelta

import pytest

from core import clock
from core.context import Services
from tests.cart.steps import (
    added,
    codes,
    quoted,
    set_stock,
    shown,
)
from tests.conftest import NewPhone
from tests.order.placing import history, level, ordered, place, retry
from tests.order.steps import Till
from tests.phone import Phone, key


async def test_a_quote_is_honored_for_ten_minutes(till: Till, ada: Phone, variant: str) -> None:
    await added(ada, variant, 2)
    token = (await quoted(ada))["token"]
    clock.shift(timedelta(minutes=10, seconds=1))
    done = await place(ada, quoteToken=token)
    assert codes(done) == [("QUOTE_EXPIRED", ["quoteToken"])]
    assert (done["order"], done["checkoutQuote"]["total"]["amount"]) == (None, "24.90")
    assert (till.gateway.asked, await history(ada)) == ([], [])
    anew = await place(ada, quoteToken=done["checkoutQuote"]["token"])
    assert anew["order"]["status"] == "PROCESSING"


async def test_a_quote_of_another_cart_than_there_is_now(till: Till, ada: Phone, variant: str) -> None:
    await added(ada, variant, 2)
    token = (await quoted(ada))["token"]
    await added(ada, variant, 1)
    done = await place(ada, quoteToken=token)
    assert codes(done) == [("QUOTE_STALE", ["quoteToken"])]
    assert (done["order"], done["checkoutQuote"]["total"]["amount"]) == (None, "34.90")
    assert (till.gateway.asked, await history(ada)) == ([], [])


async def test_a_quote_of_somebody_else_is_none(
    till: Till, new_phone: NewPhone, ada: Phone, variant: str
) -> None:
    eve = await new_phone("Eve")
    await added(ada, variant, 2)
    token = (await quoted(ada))["token"]
    for given in (token, token[:-1] + ("A" if token[-1] != "A" else "B"), "nothing", ""):
        phone = eve if given == token else ada
        done = await place(phone, quoteToken=given)
        assert codes(done) == [("QUOTE_INVALID", ["quoteToken"])]
        assert (done["checkoutQuote"] is None) == (phone is eve)
    assert (till.gateway.asked, await history(ada), await history(eve)) == ([], [], [])


async def test_stock_gone_before_the_order(till: Till, services: Services, ada: Phone, variant: str) -> None:
    await added(ada, variant, 2)
    token = (await quoted(ada))["token"]
    await set_stock(services, variant, 1)
    done = await place(ada, quoteToken=token)
    assert codes(done) == [("OUT_OF_STOCK", ["quoteToken"])]
    assert (done["order"], done["cart"]["status"]) == (None, "ACTIVE")
    [issue] = done["checkoutQuote"]["cartIssues"]
    assert issue == {"code": "INSUFFICIENT_STOCK", "availableQuantity": 1}
    assert (till.gateway.asked, await level(services, variant)) == ([], (1, 1, 0))


async def test_a_payment_method_is_needed_and_is_ones_own(
    till: Till, new_phone: NewPhone, ada: Phone, variant: str
) -> None:
    await added(ada, variant, 2)
    token = (await quoted(ada))["token"]
    eve = await new_phone("Eve")
    theirs = await eve.do("addPaymentMethod", "paymentMethod { id }", gatewayToken="tok_visa")
    foreign = {"paymentMethodId": theirs["paymentMethod"]["id"]}
    for source, code, field in (
        (None, "PAYMENT_METHOD_REQUIRED", ["source"]),
        ({"token": "4242424242424242"}, "INVALID_FORMAT", ["source", "token"]),
        ({"token": ""}, "REQUIRED", ["source", "token"]),
        ({"token": "tok_" + "x" * 300}, "TOO_LONG", ["source", "token"]),
        (foreign, "NOT_FOUND", ["source", "paymentMethodId"]),
    ):
        done = await place(ada, None, quoteToken=token, **({"source": source} if source else {}))
        assert codes(done) == [(code, field)]
    assert (await history(ada), (await shown(ada))["status"]) == ([], "ACTIVE")


@pytest.mark.parametrize(
    ("field", "text", "code"),
    [
        ("note", "4242 4242 4242 4242", "CARD_DATA_REFUSED"),
        ("giftMessage", "6011 1111 1111 1117 please", "CARD_DATA_REFUSED"),
        ("note", "x" * 501, "TOO_LONG"),
        ("giftMessage", "x" * 301, "TOO_LONG"),
    ],
)
async def test_words_of_an_order_are_bounded_and_have_no_card(
    till: Till, ada: Phone, variant: str, field: str, text: str, code: str
) -> None:
    await added(ada, variant)
    done = await place(ada, **{field: text})
    assert codes(done) == [(code, [field])]
    assert (await history(ada), till.gateway.asked) == ([], [])


async def test_while_it_is_paid_a_cart_is_not_ordered_again(till: Till, ada: Phone, variant: str) -> None:
    await added(ada, variant, 2)
    quotes = [(await quoted(ada))["token"] for _ in range(2)]
    await place(ada, "tok_3ds", quoteToken=quotes[0])
    sent = key()
    wait = await place(ada, quoteToken=quotes[1], idempotencyKey=sent)
    assert codes(wait) == [("CHECKOUT_IN_PROGRESS", None)]
    assert wait["errors"][0]["retryable"] is True
    till.gateway.ledger.authenticate(till.gateway.ledger.of("payment_intent")[0]["id"], proved=False)
    await till.told()
    later = await place(ada, quoteToken=quotes[1], idempotencyKey=sent)
    assert codes(later) == [("QUOTE_STALE", ["quoteToken"])]


async def test_orders_are_placed_ten_times_a_minute(
    services: Services, ada: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services.limits, "scale", 1.0)
    done = [await place(ada, quoteToken="none") for _ in range(11)]
    assert [codes(each)[0][0] for each in done] == [*["QUOTE_INVALID"] * 10, "RATE_LIMITED"]


async def test_foreign_order_id(
    till: Till, services: Services, new_phone: NewPhone, ada: Phone, variant: str
) -> None:
    made = await ordered(services, ada, variant, paid=False)
    eve = await new_phone("Eve")
    assert codes(await retry(eve, made["_id"])) == [("NOT_FOUND", ["orderId"])]
    assert (await till.payment(made["_id"]))["attempt_count"] == 1
