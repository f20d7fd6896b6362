"""Carriers tell of parcels: signed, once, in any order."""

from datetime import timedelta
from itertools import permutations

import pytest

from core import clock
from devstack.carrier import tell
from devstack.gateway import GatewayFault
from tests.notification.steps import titles
from tests.order.desk import Desk, statuses
from tests.order.placing import retry

NUMBER = "00340434161094042557"


async def test_a_carrier_ships_and_delivers_the_order(desk: Desk) -> None:
    order = await desk.paid()
    await desk.packed(order, trackingNumber=NUMBER)
    for status, place in (("in_transit", "Leipzig, DE"), ("delivered", "")):
        assert await desk.tell(NUMBER, status, place=place) == 200
        await desk.till.settle()
    now = await desk.now(order)
    assert [(step["status"], step["actor"]) for step in now["timeline"][2:]] == [
        ("SHIPPED", "CARRIER"),
        ("DELIVERED", "CARRIER"),
    ]
    assert [each["place"] for each in now["fulfillments"][0]["events"]] == ["Leipzig, DE", None]
    assert desk.till.money == [("HOLD", order["total"]), ("TAKE", order["total"])]


async def test_delivered_that_overtakes_in_transit_passes_through_shipped(desk: Desk) -> None:
    order = await desk.paid()
    await desk.packed(order, trackingNumber=NUMBER)
    sent_at = clock.now() - timedelta(hours=3)
    await desk.tell(NUMBER, "delivered")
    await desk.till.settle()
    assert statuses(await desk.now(order))[2:] == ["SHIPPED", "DELIVERED"]
    assert desk.till.money[-1] == ("TAKE", order["total"])
    await desk.tell(NUMBER, "in_transit", at=sent_at)
    await desk.till.settle()
    now = await desk.now(order)
    assert statuses(now)[2:] == ["SHIPPED", "DELIVERED"]
    [parcel] = now["fulfillments"]
    assert (parcel["status"], [each["status"] for each in parcel["events"]]) == (
        *("DELIVERED", ["IN_TRANSIT", "DELIVERED"]),
    )


@pytest.mark.parametrize("order_told", list(permutations(range(3)))[1:4])
async def test_webhook_out_of_order_ends_alike(desk: Desk, order_told: tuple[int, ...]) -> None:
    """Row "Webhook bad signature / repeated / out of order", of carriers."""
    order = await desk.paid()
    await desk.packed(order, trackingNumber=NUMBER)
    steps = [
        (status, clock.now() - timedelta(hours=9 - hour))
        for hour, status in enumerate(("in_transit", "out_for_delivery", "delivered"))
    ]
    for place in order_told:
        status, at = steps[place]
        await desk.tell(NUMBER, status, at=at)
        await desk.till.settle()
    now = await desk.now(order)
    assert now["status"] == "DELIVERED"
    assert [each["status"] for each in now["fulfillments"][0]["events"]] == [
        *("IN_TRANSIT", "OUT_FOR_DELIVERY", "DELIVERED")
    ]


async def test_webhook_with_a_bad_signature(desk: Desk) -> None:
    order = await desk.paid()
    await desk.packed(order, trackingNumber=NUMBER)
    before, stamp = await desk.now(order), int(clock.timestamp())
    assert await desk.tell(NUMBER, "delivered", secret="whsec_bm90IG91cnM=") == 401
    for signed_at, answer in ((stamp - 301, 401), (stamp - 300, 200)):
        assert await desk.tell("other", "delivered", signed_at=signed_at) == answer
    await desk.till.settle()
    assert await desk.now(order) == before


async def test_webhook_repeated_is_without_effect(desk: Desk) -> None:
    order = await desk.paid()
    await desk.packed(order, trackingNumber=NUMBER)
    at = clock.now()
    for id in ("evt_1", "evt_1", "evt_2"):
        assert await desk.tell(NUMBER, "in_transit", id=id, at=at) == 200
        await desk.till.settle()
    [parcel] = (await desk.now(order))["fulfillments"]
    assert (len(parcel["events"]), parcel["version"]) == (1, 2)


async def test_a_parcel_that_nobody_knows_is_dropped(desk: Desk) -> None:
    order = await desk.paid()
    await desk.packed(order, trackingNumber=NUMBER)
    before = await desk.now(order)
    assert await desk.tell("00000", "delivered") == 200
    assert await desk.tell(NUMBER, "delivered", "UPS") == 200
    assert await desk.tell(NUMBER, "pre_transit") == 200
    await desk.till.settle()
    assert await desk.now(order) == before


async def test_a_number_that_is_used_again_is_of_the_latest_order(desk: Desk) -> None:
    old = await desk.paid()
    await desk.packed(old, trackingNumber=NUMBER)
    clock.shift(timedelta(minutes=5))
    new = await desk.paid()
    await desk.packed(new, trackingNumber=NUMBER)
    await desk.tell(NUMBER, "in_transit")
    await desk.till.settle()
    assert ((await desk.now(old))["status"], (await desk.now(new))["status"]) == ("PROCESSING", "SHIPPED")


async def test_a_parcel_that_left_unpaid_is_told_to_support(desk: Desk) -> None:
    order = await desk.paid()
    await desk.packed(order, trackingNumber=NUMBER)
    ref = (await desk.till.payment(order["_id"]))["charge_ref"]
    desk.till.gateway.ledger.lapse(str(ref))
    await desk.till.told()
    await desk.tell(NUMBER, "in_transit")
    await desk.till.settle()
    assert (await desk.now(order))["status"] == "SHIPPED"
    assert await titles(desk.helper) == ["A parcel left unpaid"]


async def test_a_silent_gateway_is_asked_again_to_capture_what_was_shipped(desk: Desk) -> None:
    order = await desk.paid()
    await desk.packed(order, trackingNumber=NUMBER)
    desk.till.gateway.faults.plan([GatewayFault.LOSE])
    await desk.tell(NUMBER, "in_transit")
    await desk.till.settle()
    assert (await desk.till.payment(order["_id"]))["status"] == "AUTHORIZED"
    await desk.till.later(minutes=1)
    assert (await desk.till.payment(order["_id"]))["status"] == "CAPTURED"
    assert desk.till.money == [("HOLD", order["total"]), ("TAKE", order["total"])]


async def test_the_carrier_that_pretends_tells_as_a_program(desk: Desk) -> None:
    order = await desk.paid()
    await desk.packed(order, trackingNumber=NUMBER)
    hook = desk.ada.url.replace("/graphql", "/hooks/carrier")
    assert await tell(hook, "DHL", NUMBER, "in_transit") == 200
    await desk.till.settle()
    assert (await desk.now(order))["status"] == "SHIPPED"


async def test_a_carrier_whose_clock_is_ahead(desk: Desk) -> None:
    """Later words of it are not taken for something older."""
    order = await desk.paid()
    await desk.packed(order, trackingNumber=NUMBER)
    await desk.tell(NUMBER, "in_transit", at=clock.now() + timedelta(days=30))
    await desk.till.settle()
    clock.shift(timedelta(minutes=1))
    await desk.tell(NUMBER, "delivered")
    await desk.till.settle()
    assert (await desk.now(order))["status"] == "DELIVERED"


async def test_parcels_of_one_number_move_together(desk: Desk) -> None:
    order = await desk.paid()
    for _ in range(2):
        await desk.packed(order, 1, trackingNumber=NUMBER)
    await desk.tell(NUMBER, "delivered")
    await desk.till.settle()
    now = await desk.now(order)
    assert (now["status"], [each["version"] for each in now["fulfillments"]]) == ("DELIVERED", [2, 2])


async def test_a_payment_that_lapses_when_the_parcel_leaves(desk: Desk) -> None:
    """Support is told, the customer is asked to pay again, and what they pay is taken at once."""
    order = await desk.paid()
    parcel = await desk.packed(order)
    desk.till.gateway.ledger.lapse(str((await desk.till.payment(order["_id"]))["charge_ref"]))
    await desk.step(parcel, "IN_TRANSIT")
    await desk.till.settle()
    assert (await desk.now(order))["status"] == "SHIPPED"
    assert (await desk.till.payment(order["_id"]))["status"] == "FAILED"
    assert await titles(desk.helper) == ["A parcel left unpaid"]
    assert f"Order #{order['number']} has to be paid again" in await titles(desk.ada)
    paid = await retry(desk.ada, order["_id"])
    assert (paid["errors"], paid["order"]["status"]) == ([], "SHIPPED")
    await desk.till.settle()
    assert desk.till.money[-2:] == [("HOLD", order["total"]), ("TAKE", order["total"])]
    assert (await desk.now(order))["timeline"][-1]["note"] == "PAID_AGAIN"
