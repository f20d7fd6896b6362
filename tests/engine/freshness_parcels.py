"""More acts that change what synced nodes are made of: parcels, refunds and returns of orders."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from stores.catalog import CATALOG_ADMIN, FULFILLMENT, SUPPORT
from tests.cart.steps import ships
from tests.catalog.steps import staff
from tests.engine.freshness_acts import act
from tests.engine.freshness_world import World, done
from tests.order.desk import Desk
from tests.order.steps import till

RETURN = "orderReturn { id }"


@asynccontextmanager
async def desk(w: World) -> AsyncIterator[Desk]:
    """A desk of which Ada is the customer."""
    shop = await staff(w.new_phone, w.services, CATALOG_ADMIN)
    await ships(shop)
    packer = await staff(w.new_phone, w.services, FULFILLMENT)
    helper = await staff(w.new_phone, w.services, SUPPORT)
    async with till(w.services, w.ada.http, w.ada.url) as made:
        yield Desk(made, shop, packer, helper, w.ada)


@act("orders", "order_returns", "payments")
async def adas_order_comes_and_goes_back(w: World) -> None:
    async with desk(w) as at:
        order = await at.paid("€10.00", "€5.00")
        await w.check("paid")
        first = await at.packed(order, 2, 1, trackingNumber="0034")
        second = await at.packed(order, 0, 1)
        await w.check("packed")
        for parcel, status in ((first, "IN_TRANSIT"), (second, "IN_TRANSIT"), (first, "DELIVERED")):
            assert (await at.step(parcel, status))["errors"] == []
            await w.check(status)
        await at.step(second, "DELIVERED")
        lines = [{"lineId": order["lines"][0]["line_id"], "quantity": 1, "reason": "DAMAGED"}]
        named = {"orderId": order["_id"], "lines": lines, "note": "Too bitter"}
        made = await done(w.ada, "requestReturn", RETURN, **named)
        await w.check("requested")
        id = made["orderReturn"]["id"]
        await done(at.helper, "decideReturn", RETURN, orderReturnId=id, decision="APPROVE", reason="Sorry")
        await w.check("approved")
        came = [{"lineId": lines[0]["lineId"], "quantity": 1, "restock": True}]
        await done(at.packer, "receiveReturn", RETURN, orderReturnId=id, lines=came)
        await w.check("received")
        await at.refund(order, "10.00", orderReturnId=id)
        await w.check("refunded")
        other = await done(w.ada, "requestReturn", RETURN, **named)
        await w.check("requested again")
        await done(w.ada, "cancelReturn", RETURN, orderReturnId=other["orderReturn"]["id"])


@act("orders", "carts", "payments")
async def ada_cancels_an_order(w: World) -> None:
    async with desk(w) as at:
        order = await at.paid("€10.00")
        await w.check("paid")
        assert (await at.cancel(order))["errors"] == []
        await w.check("cancelled")
