"""Refunds of orders: in parts, never more than was paid, and the order shows them."""

import asyncio

import pytest

from devstack.gateway import GatewayFault
from stores import order as store
from stores.order import Order
from tests.audit.steps import on_record, sensitive
from tests.order.desk import Desk, codes, statuses

SHIPPING = 490
READ = "query ($id: ID!) { node(id: $id) { ... on Order { status refundedTotal { amount } } } }"


async def hundred(desk: Desk) -> Order:
    """An order of 100.00 that was shipped, and captured."""
    order = await desk.delivered("€47.55")
    assert order["total"] == 10_000
    return order


async def given_back(desk: Desk, order: Order) -> tuple[str, int]:
    await desk.till.settle()
    now, payment = await desk.now(order), await desk.till.payment(order["_id"])
    assert now["refunded_total"] == payment["refunded_amount"] <= payment["captured_amount"]
    return payment["status"], now["refunded_total"]


async def test_refund_above_what_is_left_and_two_at_once(desk: Desk) -> None:
    """Golden case O8, and the row "Refund above what is left; two at once"."""
    order = await hundred(desk)
    assert codes(await desk.refund(order, "30.00")) == []
    assert await given_back(desk, order) == ("PARTIALLY_REFUNDED", 3_000)
    assert (await desk.ada.run(READ, id=order["_id"]))["node"] == {
        **{"status": "DELIVERED", "refundedTotal": {"amount": "30.00"}}
    }
    both = await asyncio.gather(desk.refund(order, "30.00"), desk.refund(order, "50.00"))
    assert sorted(map(codes, both)) == [[], ["REFUND_EXCEEDS_PAID"]]
    _, back = await given_back(desk, order)
    assert back in (6_000, 8_000)
    assert codes(await desk.refund(order, "41.00")) == ["REFUND_EXCEEDS_PAID"]
    assert codes(await desk.refund(order, f"{(10_000 - back) // 100}.00")) == []
    assert await given_back(desk, order) == ("REFUNDED", 10_000)
    assert statuses(await desk.now(order))[-1] == "REFUNDED"


async def test_all_at_once(desk: Desk) -> None:
    """Golden case O8: straight from CAPTURED to REFUNDED."""
    order = await hundred(desk)
    await desk.refund(order, "100.00")
    assert await given_back(desk, order) == ("REFUNDED", 10_000)
    assert (await desk.now(order))["status"] == "REFUNDED"
    [entry] = await on_record(desk.services, action="order.refund_requested", resource_id=order["_id"])
    assert (entry["actor_id"], await sensitive(desk.services, entry)) == (
        *(desk.helper.user_id, {"reason": "As agreed"}),
    )


async def test_what_is_only_held_is_not_refunded(desk: Desk) -> None:
    order = await desk.paid()
    refused = await desk.refund(order, "1.00")
    assert (codes(refused), refused["payment"]["status"]) == (["REFUND_EXCEEDS_PAID"], "AUTHORIZED")
    unpaid = await desk.order()
    assert codes(await desk.refund(unpaid, "1.00")) == ["REFUND_EXCEEDS_PAID"]


@pytest.mark.parametrize("fault", [GatewayFault.REFUSE, GatewayFault.LOSE])
async def test_a_silent_gateway_is_asked_again(desk: Desk, fault: GatewayFault) -> None:
    order = await hundred(desk)
    desk.till.gateway.faults.plan([fault])
    await desk.refund(order, "40.00")
    assert await given_back(desk, order) == ("CAPTURED", 0)
    assert codes(await desk.refund(order, "60.01")) == ["REFUND_EXCEEDS_PAID"]
    await desk.till.later(minutes=1)
    assert await given_back(desk, order) == ("PARTIALLY_REFUNDED", 4_000)


async def test_a_refund_in_the_gateways_own_pages_shows_in_the_order(desk: Desk) -> None:
    order = await hundred(desk)
    ref = (await desk.till.payment(order["_id"]))["charge_ref"]
    desk.till.gateway.ledger.refund({"payment_intent": ref, "amount": "10000"})
    await desk.till.told()
    now = await desk.now(order)
    assert (now["status"], now["refunded_total"]) == ("REFUNDED", 10_000)


async def test_only_support_refunds_and_says_why(desk: Desk) -> None:
    order = await hundred(desk)
    for phone in (desk.ada, desk.packer):
        money = {"amount": "1.00", "currencyCode": "EUR"}
        done = await phone.do("refundOrder", "order { id }", orderId=order["_id"], amount=money, reason="So")
        assert codes(done) == ["FORBIDDEN"]
    for given, code in (
        ({"reason": ""}, "REQUIRED"),
        ({"reason": "x" * 501}, "TOO_LONG"),
        ({"reason": "4242 4242 4242 4242"}, "CARD_DATA_REFUSED"),
        ({"currency": "USD"}, "INVALID_INPUT"),
    ):
        assert codes(await desk.refund(order, "1.00", **given)) == [code]
    assert await desk.now(order) == order
    assert (await store.payments.by_id(desk.services.db, store.payment_id(order["_id"]))) is not None
    assert (await desk.till.payment(order["_id"]))["refunds"] == []


async def test_what_never_left_the_shop_is_in_the_stock_again(desk: Desk) -> None:
    """Nothing of a refunded order is sent any more: what was packed stays there."""
    order = await desk.paid("€10.00", "€5.00")
    first = await desk.packed(order, 1)
    await desk.packed(order, 1, 2)
    await desk.step(first, "IN_TRANSIT")
    await desk.till.settle()
    assert [await desk.stock(order, line) for line in (0, 1)] == [(8, 8, 0, 2)] * 2
    await desk.refund(order, "34.90")
    assert await given_back(desk, order) == ("REFUNDED", 3_490)
    assert (await desk.now(order))["status"] == "REFUNDED"
    assert [await desk.stock(order, line) for line in (0, 1)] == [(9, 9, 0, 1), (10, 10, 0, 0)]
