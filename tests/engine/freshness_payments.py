"""More acts that change what synced nodes are made of: orders, payments, and the methods that people keep."""

from core.context import Context
from resolvers.order import capture, refund
from resolvers.order.writing import move_order
from stores.catalog import CATALOG_ADMIN
from stores.order import CaptureTime, Order, OrderActor, OrderStatus
from tests.cart.steps import ships
from tests.catalog.steps import on_sale, row, staff
from tests.engine.freshness_acts import act
from tests.engine.freshness_evidence import ACTS as ACTS
from tests.engine.freshness_world import World, done
from tests.engine.steps import post
from tests.order.placing import ordered, placed, retry
from tests.order.steps import till


@act("payments")
async def ada_pays_for_something_and_gets_it_back(w: World) -> None:
    """For a post of hers, which stands for whatever is sold."""
    subject, owner = await post(w.ada), w.ada.user_id
    async with till(w.services, w.ada.http, w.ada.url) as at:
        await at.pay(subject, owner, "tok_insufficient")
        await w.check("declined")
        other = {"amount": 9_000, "currency": "USD", "capture": CaptureTime.LATER}
        paid = (await at.pay(subject, owner, "tok_wallet", **other))["payment"]
        await w.check("authorized")
        await capture(at.ctx, paid)
        await w.check("captured")
        await refund(at.ctx, paid, 1_000, "first")
        await w.check("given back in part")
        at.gateway.ledger.dispute(str(paid["charge_ref"]), 2_000)
        await refund(at.ctx, paid, 1_000, "second")
        await w.check("disputed")


@act("payment_methods")
async def ada_keeps_payment_methods_and_lets_them_go(w: World) -> None:
    async with till(w.services, w.ada.http, w.ada.url):
        kept = []
        for token in ("tok_visa", "tok_amex"):
            made = await done(w.ada, "addPaymentMethod", "paymentMethod { id }", gatewayToken=token)
            kept.append({"paymentMethodId": made["paymentMethod"]["id"]})
            await w.check("added")
        await done(w.ada, "setDefaultPaymentMethod", **kept[1])
        await w.check("another default")
        for each in reversed(kept):
            await done(w.ada, "removePaymentMethod", **each)
            await w.check("removed")


@act("orders", "order_counters", "carts", "checkout_quotes")
async def ada_orders_and_her_order_goes_on(w: World) -> None:
    shop = await staff(w.new_phone, w.services, CATALOG_ADMIN)
    await ships(shop)
    [product] = await on_sale(w.services, shop, row(price="€10.00"))
    order = await placed(w.services, w.ada, product["variants"][0]["id"], note="Ring twice")
    await w.check("created")
    for status in (OrderStatus.PROCESSING, OrderStatus.SHIPPED, OrderStatus.DELIVERED):
        ctx, before = Context(w.services), order

        async def move(ctx: Context = ctx, before: Order = before, status: OrderStatus = status) -> Order:
            return await move_order(ctx, before, status, OrderActor.SYSTEM)

        order = await ctx.unit(move)
        await w.check(status)


@act("orders", "order_counters", "carts", "checkout_quotes", "payments")
async def ada_pays_for_an_order_in_a_second_attempt(w: World) -> None:
    shop = await staff(w.new_phone, w.services, CATALOG_ADMIN)
    [product] = await on_sale(w.services, shop, row(price="€10.00"))
    async with till(w.services, w.ada.http, w.ada.url.removesuffix("/graphql")) as at:
        order = await ordered(w.services, w.ada, product["variants"][0]["id"], paid=False)
        await w.check("waits")
        asked = str((await at.payment(order["_id"]))["charge_ref"])
        at.gateway.ledger.authenticate(asked, proved=False)
        await at.told()
        await w.check("declined")
        assert (await retry(w.ada, order["_id"]))["errors"] == []
        await w.check("paid")
        at.gateway.ledger.lapse(str((await at.payment(order["_id"]))["charge_ref"]))
        await at.told()
        await w.check("lapsed")
