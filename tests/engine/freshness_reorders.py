"""More acts that change what synced nodes are made of: lists to order again, reviews of what was bought."""

from typing import Any

from core.context import Context
from resolvers.order.writing import move_order
from stores.catalog import CATALOG_ADMIN
from stores.order import OrderActor, OrderStatus
from tests.cart.steps import ships
from tests.catalog.steps import on_sale, row, staff
from tests.engine.freshness_acts import act
from tests.engine.freshness_payments import ACTS as ACTS
from tests.engine.freshness_world import World, done
from tests.order.placing import placed


async def _product(w: World) -> Any:
    shop = await staff(w.new_phone, w.services, CATALOG_ADMIN)
    await ships(shop)
    [product] = await on_sale(w.services, shop, row(price="€10.00"))
    return product


@act("quick_reorders", "carts")
async def ada_keeps_lists_and_orders_them_again(w: World) -> None:
    variant, other = [(await _product(w))["variants"][0]["id"] for _ in range(2)]
    order = await placed(w.services, w.ada, variant)
    contents = {"sourceOrderId": order["_id"]}
    made = await done(w.ada, "saveQuickReorder", "quickReorder { id }", name="Monthly", contents=contents)
    named = {"quickReorderId": made["quickReorder"]["id"]}
    await w.check("saved")
    await done(w.ada, "applyQuickReorder", **named)
    await w.check("applied")
    options = [{"name": "size", "value": "L"}]
    items = [{"productVariantId": other, "quantity": 3, "options": options}]
    changed = {"name": "Weekly", "items": items, "position": 4, "notifyWhenAvailable": True}
    await done(w.ada, "updateQuickReorder", **named, **changed)
    await w.check("updated")
    await done(w.ada, "reorderItems", orderId=order["_id"])
    await w.check("ordered again")
    await done(w.ada, "deleteQuickReorder", **named)
    await w.check("deleted")
    await done(w.ada, "clearCart")


@act("reviews", "orders")
async def ada_reviews_a_product_before_she_bought_it_and_after(w: World) -> None:
    product = await _product(w)
    said = {"productId": product["id"], "rating": 4}
    await done(w.ada, "submitReview", **said)
    await w.check("not bought")
    order, ctx = await placed(w.services, w.ada, product["variants"][0]["id"]), Context(w.services)
    await ctx.unit(lambda: move_order(ctx, order, OrderStatus.PROCESSING, OrderActor.GATEWAY))
    await done(w.ada, "submitReview", **said)
    await w.check("bought")
