"""Fulfillments: parcels are packed of what is paid, and the order goes on by them."""

from datetime import timedelta
from typing import Any

import pytest

from core import clock, ids
from resolvers.order.carriers import tracking_url
from stores.catalog import SUPPORT
from stores.order import Carrier
from tests.audit.steps import on_record
from tests.conftest import NewPhone
from tests.notification.steps import titles
from tests.order.desk import PARCEL, Desk, codes, statuses
from tests.phone import granted

READ = """query ($id: ID!) { node(id: $id) { ... on Order {
  status shippingAddress { city } orderLines { shippedQuantity }
  fulfillments { fulfillmentId status carrier trackingNumber trackingUrl
    lines { lineId quantity } steps { status place } } } } }"""


async def test_two_parcels_one_sent(desk: Desk) -> None:
    """Row "Two parcels, one sent": PARTIALLY_SHIPPED, and the whole amount is captured."""
    order = await desk.paid("€10.00", "€5.00")
    first, second = await desk.packed(order, 2, 1), await desk.packed(order, 0, 1)
    await desk.step(first, "PACKED")
    assert (await desk.now(order))["status"] == "PROCESSING"
    assert (await desk.step(first, "IN_TRANSIT"))["order"]["status"] == "PARTIALLY_SHIPPED"
    await desk.till.settle()
    payment = await desk.till.payment(order["_id"])
    assert (payment["status"], payment["captured_amount"]) == ("CAPTURED", order["total"])
    assert [line["shipped_quantity"] for line in (await desk.now(order))["lines"]] == [2, 1]
    assert (await desk.step(second, "IN_TRANSIT"))["order"]["status"] == "SHIPPED"
    assert (await desk.step(second, "DELIVERED"))["order"]["status"] == "SHIPPED"
    assert (await desk.step(first, "DELIVERED"))["order"]["status"] == "DELIVERED"
    await desk.till.settle()
    assert desk.till.money == [("HOLD", order["total"]), ("TAKE", order["total"])]
    assert statuses(await desk.now(order)) == [
        *("CREATED", "PROCESSING", "PARTIALLY_SHIPPED", "SHIPPED", "DELIVERED")
    ]
    entries = await on_record(desk.services, resource_id=order["_id"], actor_id=desk.packer.user_id)
    assert [each["action"] for each in entries].count("order.fulfillment_updated") == 5


async def test_a_lapse_of_a_packed_order_is_the_supports(desk: Desk, new_phone: NewPhone) -> None:
    """Nobody cancels what is packed: of the goods on the table a person decides."""
    sue = await new_phone("Sue")
    await granted(desk.services, sue, SUPPORT)
    order = await desk.paid()
    await desk.step(await desk.packed(order), "PACKED")
    desk.till.gateway.ledger.lapse(str((await desk.till.payment(order["_id"]))["charge_ref"]))
    await desk.till.told()
    await desk.till.later(days=3)
    assert (await desk.now(order))["status"] == "PROCESSING"
    sue = await new_phone(user_id=sue.user_id)
    assert await titles(sue) == ["A packed order is not paid"]


async def test_the_customer_sees_where_it_is(desk: Desk) -> None:
    order = await desk.paid()
    parcel = await desk.packed(order, 2, trackingNumber="0034 1")
    await desk.step(parcel, "IN_TRANSIT")
    shown = (await desk.ada.run(READ, id=order["_id"]))["node"]
    assert shown["orderLines"] == [{"shippedQuantity": 2}]
    assert shown["fulfillments"] == [
        {
            "fulfillmentId": parcel,
            "status": "IN_TRANSIT",
            "carrier": "DHL",
            "trackingNumber": "0034 1",
            "trackingUrl": "https://www.dhl.de/en/privatkunden/pakete-empfangen/verfolgen.html"
            "?piececode=0034%201",
            "lines": [{"lineId": order["lines"][0]["line_id"], "quantity": 2}],
            "steps": [{"status": "IN_TRANSIT", "place": None}],
        }
    ]


async def test_no_more_is_packed_than_was_ordered(desk: Desk) -> None:
    order = await desk.paid("€10.00", "€5.00")
    await desk.packed(order, 1, 2)
    before = await desk.now(order)
    refused = await desk.pack(order, 2)
    assert (codes(refused), refused["errors"][0]["limit"]) == (["LINES_EXCEEDED"], 1)
    assert codes(await desk.pack(order, 0, 1)) == ["LINES_EXCEEDED"]
    twice = [{"lineId": order["lines"][0]["line_id"], "quantity": 1}] * 2
    assert codes(await desk.pack(order, lines=twice)) == ["LINES_EXCEEDED"]
    strange = [{"lineId": ids.new_id("cart_line"), "quantity": 1}]
    for lines, code in (
        (strange, "NOT_FOUND"),
        ([], "REQUIRED"),
        ([{**twice[0], "quantity": 0}], "OUT_OF_RANGE"),
    ):
        assert codes(await desk.pack(order, lines=lines)) == [code]
    assert await desk.now(order) == before
    await desk.packed(order, 1)


async def test_an_unpaid_order_is_not_packed(desk: Desk) -> None:
    order = await desk.order()
    refused = await desk.pack(order)
    assert (codes(refused), refused["order"]["fulfillments"]) == (["NOT_PAID"], [])


async def test_authorization_lapsed_leaves_an_order_that_is_not_shippable(desk: Desk) -> None:
    """Row "Authorization lapsed": payment FAILED, order PROCESSING and not shippable."""
    order = await desk.paid()
    parcel = await desk.packed(order, 1)
    ref = (await desk.till.payment(order["_id"]))["charge_ref"]
    desk.till.gateway.ledger.lapse(str(ref))
    await desk.till.told()
    before = await desk.now(order)
    assert (before["status"], (await desk.till.payment(order["_id"]))["status"]) == ("PROCESSING", "FAILED")
    assert codes(await desk.pack(order, 1)) == ["NOT_PAID"]
    assert codes(await desk.step(parcel, "IN_TRANSIT")) == ["NOT_PAID"]
    assert codes(await desk.step(parcel, "PACKED")) == ["NOT_PAID"]
    assert await desk.now(order) == before


async def test_an_order_that_has_ended_is_not_packed(desk: Desk) -> None:
    order = await desk.paid()
    await desk.cancel(order)
    assert codes(await desk.pack(order)) == ["WRONG_STATUS"]


async def test_what_is_older_moves_nothing_back(desk: Desk) -> None:
    order = await desk.paid()
    parcel = await desk.packed(order)
    await desk.step(parcel, "OUT_FOR_DELIVERY")
    early = (clock.now() - timedelta(hours=2)).isoformat()
    late = await desk.step(parcel, "IN_TRANSIT", occurredAt=early)
    assert (codes(late), late["order"]["fulfillments"][0]["status"]) == ([], "OUT_FOR_DELIVERY")
    [kept] = (await desk.now(order))["fulfillments"]
    assert [each["status"] for each in kept["events"]] == ["IN_TRANSIT", "OUT_FOR_DELIVERY"]
    refused = await desk.step(parcel, "PACKED")
    assert codes(refused) == ["WRONG_STATUS"]
    assert (await desk.now(order))["fulfillments"] == [kept]


async def test_a_packing_station_whose_clock_is_ahead(desk: Desk) -> None:
    order = await desk.paid()
    parcel = await desk.packed(order)
    ahead = (clock.now() + timedelta(hours=1)).isoformat()
    assert codes(await desk.step(parcel, "IN_TRANSIT", occurredAt=ahead)) == []
    clock.shift(timedelta(minutes=1))
    assert codes(await desk.step(parcel, "DELIVERED")) == []
    assert (await desk.now(order))["status"] == "DELIVERED"


async def test_a_read_of_a_customers_payment_is_on_record(desk: Desk) -> None:
    """It leads to the order, and its addresses."""
    order = await desk.paid()
    payment = await desk.till.payment(order["_id"])
    query = "query ($id: ID!) { payment(id: $id) { subject { ... on Order { shippingAddress { name } } } } }"
    for phone, recorded in ((desk.ada, []), (desk.helper, ["payment.read"]), (desk.packer, ["payment.read"])):
        found = await phone.run(query, id=payment["_id"])
        assert found["payment"]["subject"]["shippingAddress"]["name"]
        acts = await on_record(desk.services, actor_id=phone.user_id, resource_id=payment["_id"])
        assert [each["action"] for each in acts if each["action"].endswith(".read")] == recorded


async def test_a_parcel_that_nobody_took_keeps_the_order_shipped(desk: Desk) -> None:
    order = await desk.paid()
    parcel = await desk.packed(order)
    for status in ("IN_TRANSIT", "EXCEPTION", "IN_TRANSIT", "RETURNED"):
        assert codes(await desk.step(parcel, status)) == []
    assert (await desk.now(order))["status"] == "SHIPPED"
    assert codes(await desk.step(parcel, "DELIVERED")) == ["WRONG_STATUS"]


async def test_carrier_and_number_are_corrected_of_the_version_that_was_seen(desk: Desk) -> None:
    order = await desk.paid()
    parcel = await desk.packed(order)

    async def update(**given: Any) -> Any:
        return await desk.packer.do("updateFulfillment", PARCEL, fulfillmentId=parcel, **given)

    done = await update(carrier="UPS", trackingNumber="1Z 9", expectedVersion=1)
    assert done["order"]["fulfillments"] == [{"fulfillmentId": parcel, "version": 2, "status": "PENDING"}]
    late = await update(trackingNumber="other", expectedVersion=1)
    assert codes(late) == ["CONFLICT"]
    assert codes(await update(trackingNumber="9" * 51)) == ["TOO_LONG"]
    [kept] = (await desk.now(order))["fulfillments"]
    assert (kept["carrier"], kept["tracking_number"], kept["version"]) == ("UPS", "1Z 9", 2)
    await update(trackingNumber=None)
    assert (await desk.now(order))["fulfillments"][0]["tracking_number"] is None


async def test_a_parcels_id_is_taken_once(desk: Desk) -> None:
    order, id = await desk.paid(), ids.new_id("fulfillment")
    assert await desk.packed(order, 1, id=id) == id
    assert codes(await desk.pack(order, 1, id=id)) == ["ID_TAKEN"]
    assert len((await desk.now(order))["fulfillments"]) == 1


async def test_only_those_who_pack_keep_parcels(desk: Desk, new_phone: NewPhone) -> None:
    order = await desk.paid()
    parcel = await desk.packed(order)
    before = await desk.now(order)
    for phone in (desk.ada, desk.helper, await new_phone("Eve")):
        done = await phone.do("recordFulfillmentStep", PARCEL, fulfillmentId=parcel, status="PACKED")
        assert (codes(done), done["order"]) == (["FORBIDDEN"], None)
    assert await desk.now(order) == before
    assert codes(await desk.step(ids.new_id("fulfillment"), "PACKED")) == ["NOT_FOUND"]


async def test_staff_read_an_order_by_its_id_on_record(desk: Desk) -> None:
    order = await desk.paid()
    for phone in (desk.packer, desk.helper):
        assert (await phone.run(READ, id=order["_id"]))["node"]["shippingAddress"] == {"city": "Berlin"}
        [entry] = await on_record(desk.services, actor_id=phone.user_id, action="order.read")
        assert (entry["resource_id"], entry["subject_id"]) == (order["_id"], desk.ada.user_id)
    assert (await desk.shop.run(READ, id=order["_id"]))["node"] is None
    await desk.ada.run(READ, id=order["_id"])
    assert await on_record(desk.services, actor_id=desk.ada.user_id, action="order.read") == []


async def test_unshipped_it_is_captured_a_day_before_the_authorization_lapses(desk: Desk) -> None:
    """Golden case O10, of an order."""
    order = await desk.paid()
    until = (await desk.till.payment(order["_id"]))["authorized_until"]
    assert until is not None
    await desk.till.later(seconds=(until - clock.now()).total_seconds() - 86_460)
    assert (await desk.till.payment(order["_id"]))["status"] == "AUTHORIZED"
    await desk.till.later(minutes=1)
    assert (await desk.till.payment(order["_id"]))["status"] == "CAPTURED"
    assert (await desk.now(order))["status"] == "PROCESSING"


@pytest.mark.parametrize("carrier", list(Carrier))
def test_every_carrier_but_others_has_a_page(carrier: Carrier) -> None:
    parcel: dict[str, Any] = {"carrier": carrier, "tracking_number": "a/b"}
    url = tracking_url(parcel)
    assert (url is None) is (carrier == Carrier.OTHER)
    assert url is None or (url.startswith("https://") and "a%2Fb" in url)
    assert tracking_url({**parcel, "tracking_number": None}) is None


async def test_staff_order_and_pay_nothing_in_a_customers_name(desk: Desk) -> None:
    """They see the order, and its customer's payment methods are not theirs to charge."""
    order = await desk.order()
    retried: dict[str, Any] = {"source": {"token": "tok_visa"}}
    for phone in (desk.packer, desk.helper):
        for mutation, given in (("retryPayment", retried), ("reorderItems", {"outOfStock": "SKIP"})):
            done = await phone.do(mutation, "idempotencyKey", orderId=order["_id"], **given)
            assert [(each["code"], each["field"]) for each in done["errors"]] == [("NOT_FOUND", ["orderId"])]
    assert (await desk.now(order), desk.till.money) == (order, [])
