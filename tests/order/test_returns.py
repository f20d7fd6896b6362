"""Returns: requested, decided, received into the stock or not, refunded once."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from core import clock, ids
from core.erasure import ERASERS, EXPORTERS
from jobs.order import personal
from stores import order as store
from stores.order import Order
from tests.audit.steps import on_record
from tests.cart.steps import only, promotion, ships
from tests.conftest import NewPhone
from tests.notification.steps import titles
from tests.order.desk import Desk, codes
from tests.phone import Phone

RETURN = """orderReturn { id version status note decisionReason refundAmount { amount } order { id }
  returnLines { lineId quantity reason receivedQuantity restocked } }
  order { id canReturn returns { id } orderLines { returnedQuantity } }"""
READ = "query ($id: ID!) { orderReturn(id: $id) { id status note } }"
QUEUE = "query ($filter: OrderReturnFilterInput) { returnQueue(filter: $filter) { edges { node { id } } } }"
OF_CUSTOMER = (
    "query ($id: ID!) { customerOrders(id: $id) { edges { node { id canReturn returnableUntil } } } }"
)


async def ask(desk: Desk, order: Order, quantity: int = 1, phone: Phone | None = None, **given: Any) -> Any:
    lines = [{"lineId": order["lines"][0]["line_id"], "quantity": quantity, "reason": "DAMAGED"}]
    named = {"orderId": order["_id"], "lines": lines, **given}
    return await (phone or desk.ada).do("requestReturn", RETURN, **named)


async def asked(desk: Desk, order: Order, quantity: int = 1, **given: Any) -> str:
    done = await ask(desk, order, quantity, **given)
    assert done["errors"] == [], done["errors"]
    return str(done["orderReturn"]["id"])


async def decide(desk: Desk, id: str, decision: str = "APPROVE", **given: Any) -> Any:
    return await desk.helper.do("decideReturn", RETURN, orderReturnId=id, decision=decision, **given)


async def receive(desk: Desk, order: Order, id: str, quantity: int, *, restock: bool) -> Any:
    lines = [{"lineId": order["lines"][0]["line_id"], "quantity": quantity, "restock": restock}]
    return await desk.packer.do("receiveReturn", RETURN, orderReturnId=id, lines=lines)


async def test_goods_go_back_and_the_money_too(desk: Desk) -> None:
    order = await desk.delivered("€10.00")
    assert await desk.stock(order) == (8, 8, 0, 2)
    done = await ask(desk, order, 1, note="Too bitter")
    id = done["orderReturn"]["id"]
    line = {"lineId": order["lines"][0]["line_id"], "quantity": 1, "reason": "DAMAGED"}
    assert (done["orderReturn"], done["order"]["returns"]) == (
        {
            **{"id": id, "version": 1, "status": "REQUESTED", "note": "Too bitter", "decisionReason": None},
            **{"refundAmount": None, "order": {"id": order["_id"]}},
            "returnLines": [{**line, "receivedQuantity": None, "restocked": None}],
        },
        [{"id": id}],
    )
    approved = (await decide(desk, id, reason="Sorry"))["orderReturn"]
    assert (approved["status"], approved["refundAmount"], approved["decisionReason"]) == (
        *("APPROVED", {"amount": "10.00"}, "Sorry"),
    )
    await desk.till.settle()
    assert (await titles(desk.ada))[0] == f"Your return of order #{order['number']} is approved"
    received = await receive(desk, order, id, 1, restock=True)
    assert received["orderReturn"]["returnLines"] == [{**line, "receivedQuantity": 1, "restocked": True}]
    assert received["order"]["orderLines"] == [{"returnedQuantity": 1}]
    assert await desk.stock(order) == (9, 9, 0, 1)
    assert codes(await desk.refund(order, "10.01", orderReturnId=id)) == ["REFUND_EXCEEDS_PAID"]
    assert codes(await desk.refund(order, "10.00", orderReturnId=id)) == []
    assert codes(await desk.refund(order, "1.00", orderReturnId=id)) == ["ALREADY_DONE"]
    await desk.till.settle()
    now = await desk.now(order)
    assert ((await desk.back(id))["status"], now["status"], now["refunded_total"]) == (
        *("REFUNDED", "DELIVERED", 1_000),
    )
    assert codes(await desk.refund(order, "1.00", orderReturnId=id)) == ["WRONG_STATUS"]
    entries = await on_record(desk.services, resource_id=id)
    assert [each["action"] for each in entries] == [
        *("order_return.requested", "order_return.approved", "order_return.received", "order_return.refunded")
    ]


async def test_damaged_goods_returned(desk: Desk) -> None:
    """Row "Damaged goods returned": received with restock no, refund without stock."""
    order = await desk.delivered("€10.00")
    id = await asked(desk, order, 2)
    await decide(desk, id)
    await receive(desk, order, id, 2, restock=False)
    assert await desk.stock(order) == (8, 8, 0, 2)
    assert codes(await desk.refund(order, "20.00", orderReturnId=id)) == []
    await desk.till.settle()
    assert (await desk.back(id))["status"] == "REFUNDED"


async def test_no_more_is_returned_than_was_shipped(desk: Desk) -> None:
    order = await desk.delivered()
    first = await asked(desk, order, 1)
    refused = await ask(desk, order, 2)
    assert (codes(refused), refused["errors"][0]["limit"]) == (["RETURN_QUANTITY"], 1)
    second = await asked(desk, order, 1)
    assert codes(await ask(desk, order, 1)) == ["RETURN_QUANTITY"]
    shown = await desk.ada.do("cancelReturn", RETURN, orderReturnId=second)
    assert (shown["orderReturn"]["status"], shown["order"]["canReturn"]) == ("CANCELLED", True)
    again = await desk.ada.do("cancelReturn", RETURN, orderReturnId=second)
    assert (codes(again), again["orderReturn"]) == ([], shown["orderReturn"])
    await decide(desk, first)
    too_much = await receive(desk, order, first, 2, restock=True)
    assert (codes(too_much), too_much["errors"][0]["limit"]) == (["RETURN_QUANTITY"], 1)
    await receive(desk, order, first, 0, restock=True)
    [line] = (await desk.now(order))["lines"]
    assert (line["returning_quantity"], line["returned_quantity"]) == (0, 0)
    assert await desk.stock(order) == (8, 8, 0, 2)
    await asked(desk, order, 2)


async def test_two_at_once_do_not_return_the_same_unit(desk: Desk) -> None:
    order = await desk.delivered()
    both = await asyncio.gather(ask(desk, order, 2), ask(desk, order, 2))
    assert sorted(map(codes, both)) == [[], ["RETURN_QUANTITY"]]


async def test_the_window_is_30_days_after_delivery(desk: Desk) -> None:
    order = await desk.delivered()
    clock.shift(timedelta(days=30) - timedelta(seconds=2))
    await desk.sign_in()
    await asked(desk, order, 1)
    clock.shift(timedelta(seconds=2))
    refused = await ask(desk, order, 1)
    assert (codes(refused), refused["order"]["canReturn"]) == (["RETURN_WINDOW_CLOSED"], False)


async def test_what_has_not_arrived_is_not_returned(desk: Desk) -> None:
    order = await desk.paid()
    assert codes(await ask(desk, order)) == ["WRONG_STATUS"]
    assert await store.order_returns.find(desk.services.db, {"order_id": order["_id"]}) == []


async def test_a_rejected_return_has_its_reason_and_frees_its_units(desk: Desk) -> None:
    order = await desk.delivered()
    id = await asked(desk, order, 2)
    assert codes(await decide(desk, id, "REJECT")) == ["REQUIRED"]
    rejected = await decide(desk, id, "REJECT", reason="Opened")
    assert (rejected["orderReturn"]["status"], rejected["orderReturn"]["decisionReason"]) == (
        *("REJECTED", "Opened"),
    )
    assert rejected["order"]["canReturn"] is True
    await desk.till.settle()
    assert (await titles(desk.ada))[0] == f"Your return of order #{order['number']} is not accepted"
    assert codes(await decide(desk, id)) == ["WRONG_STATUS"]
    assert codes(await receive(desk, order, id, 1, restock=True)) == ["WRONG_STATUS"]
    assert codes(await desk.refund(order, "1.00", orderReturnId=id)) == ["WRONG_STATUS"]


async def test_goods_that_do_not_come_within_30_days(desk: Desk) -> None:
    order = await desk.delivered()
    id = await asked(desk, order)
    await decide(desk, id)
    await desk.till.later(days=30, seconds=-1)
    assert (await desk.back(id))["status"] == "APPROVED"
    await desk.till.later(seconds=1)
    assert (await desk.back(id))["status"] == "CANCELLED"
    assert (await desk.now(order))["lines"][0]["returning_quantity"] == 0


async def test_support_names_the_amount_up_to_the_total(desk: Desk) -> None:
    order = await desk.delivered("€10.00")
    id = await asked(desk, order)

    def euros(amount: str) -> dict[str, str]:
        return {"amount": amount, "currencyCode": "EUR"}

    assert codes(await decide(desk, id, refundAmount=euros("24.91"))) == ["OUT_OF_RANGE"]
    done = await decide(desk, id, refundAmount=euros("7.50"))
    assert done["orderReturn"]["refundAmount"] == {"amount": "7.50"}


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"lines": []}, "REQUIRED"),
        ({"note": "x" * 501}, "TOO_LONG"),
        ({"note": "4242 4242 4242 4242"}, "CARD_DATA_REFUSED"),
        ({"quantity": 0}, "OUT_OF_RANGE"),
    ],
)
async def test_a_request_is_checked(desk: Desk, given: dict[str, Any], code: str) -> None:
    order = await desk.delivered()
    assert codes(await ask(desk, order, **given)) == [code]
    assert (await desk.now(order))["return_ids"] == []


async def test_a_foreign_order_and_return(desk: Desk, new_phone: NewPhone) -> None:
    order = await desk.delivered()
    id, eve = await asked(desk, order, note="Too bitter"), await new_phone("Eve")
    assert codes(await ask(desk, order, phone=eve)) == ["NOT_FOUND"]
    assert codes(await ask(desk, order, phone=desk.helper)) == ["NOT_FOUND"]
    assert (await eve.run(READ, id=id))["orderReturn"] is None
    for phone, code in ((eve, "NOT_FOUND"), (desk.helper, "FORBIDDEN")):
        assert codes(await phone.do("cancelReturn", RETURN, orderReturnId=id)) == [code]
    for phone in (desk.ada, eve, desk.packer):
        done = await phone.do("decideReturn", RETURN, orderReturnId=id, decision="APPROVE")
        assert codes(done) == ["FORBIDDEN"]
    assert (await desk.back(id))["status"] == "REQUESTED"
    assert "bitter" not in str(await desk.back(id))


async def test_support_works_through_the_queue_on_record(desk: Desk) -> None:
    order = await desk.delivered()
    id = await asked(desk, order, note="Too bitter")
    [edge] = (await desk.helper.run(QUEUE))["returnQueue"]["edges"]
    assert edge["node"] == {"id": id}
    assert (await desk.helper.run(QUEUE, filter={"statuses": ["APPROVED"]}))["returnQueue"]["edges"] == []
    assert (await desk.helper.run(READ, id=id))["orderReturn"]["note"] == "Too bitter"
    [shown] = (await desk.helper.run(OF_CUSTOMER, id=desk.ada.user_id))["customerOrders"]["edges"]
    assert (shown["node"]["id"], shown["node"]["canReturn"]) == (order["_id"], True)
    entries = await on_record(desk.services, actor_id=desk.helper.user_id, resource_type="ORDER")
    assert [each["action"] for each in entries] == [
        *("order_return.read", "order_return.read", "order.read", "order.read")
    ]
    for query, given in ((QUEUE, {}), (OF_CUSTOMER, {"id": desk.ada.user_id})):
        assert (await desk.ada.ask(query, **given)).code == "FORBIDDEN"


async def test_twenty_returns_are_the_most_of_an_order(desk: Desk) -> None:
    order = await desk.delivered()
    for _ in range(20):
        ctx, id = desk.ctx, ids.new_id("order_return")

        async def add(ctx: Any = ctx, id: str = id) -> None:
            current = await desk.now(order)
            await ctx.tx.edit(store.orders, current, {"return_ids": [*current["return_ids"], id]})

        await ctx.unit(add)
    refused = await ask(desk, order)
    assert (codes(refused), refused["errors"][0]["limit"]) == (["LIMIT_REACHED"], 20)


async def test_erasure_keeps_what_came_back_without_whose(desk: Desk) -> None:
    order = await desk.delivered()
    parcel = (await desk.now(order))["fulfillments"][0]
    id = await asked(desk, order, note="Too bitter")
    exported = {file: rows async for file, rows in EXPORTERS["order"](desk.services, desk.ada.user_id)}
    [row] = exported["order_returns"]
    assert (row["id"], row["note"]) == (id, "Too bitter")
    await ERASERS["order"](desk.services, desk.ada.user_id)
    kept, left = await desk.back(id), await desk.now(order)
    assert (kept["sealed_note"], kept["user_id"] == left["user_id"] != desk.ada.user_id) == (None, True)
    assert left["fulfillments"][0]["tracking_number"] is None
    assert left["fulfillments"][0]["status"] == parcel["status"]


async def test_a_return_of_what_cost_nothing_ends_when_it_is_there(desk: Desk) -> None:
    await only(desk.services, "shipping_rates")
    await ships(desk.shop, "0.00")
    await promotion(desk.shop, percentOff="100")
    order = await desk.begun(await desk.order())
    assert order["total"] == 0
    await desk.step(await desk.packed(order), "DELIVERED")
    id = await asked(desk, order)
    await decide(desk, id)
    done = await receive(desk, order, id, 1, restock=True)
    assert (codes(done), done["orderReturn"]["status"]) == ([], "REFUNDED")


async def test_returns_of_an_order_that_is_refunded_end(desk: Desk) -> None:
    """Nothing is left to give back for them."""
    order = await desk.delivered()
    first, second = await asked(desk, order), await asked(desk, order)
    for id in (first, second):
        await decide(desk, id)
    await receive(desk, order, first, 1, restock=True)
    await desk.refund(order, "24.90")
    await desk.till.settle()
    assert (await desk.now(order))["status"] == "REFUNDED"
    assert (await desk.back(first))["status"] == "REFUNDED"
    await receive(desk, order, second, 1, restock=True)
    assert (await desk.back(second))["status"] == "REFUNDED"


async def test_an_erasure_that_died_between_orders_and_returns(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = await desk.delivered()
    id = await asked(desk, order)
    erase, whole = ERASERS["order"], personal._anonymize_return

    async def dies(*_: object) -> None:
        raise ConnectionResetError("killed")

    monkeypatch.setattr(personal, "_anonymize_return", dies)
    with pytest.raises(ConnectionResetError):
        await erase(desk.services, desk.ada.user_id)
    monkeypatch.setattr(personal, "_anonymize_return", whole)
    await erase(desk.services, desk.ada.user_id)
    assert (await desk.back(id))["user_id"] != desk.ada.user_id
    done = await decide(desk, id, "REJECT", reason="Worn")
    assert (codes(done), done["orderReturn"]["status"]) == ([], "REJECTED")
