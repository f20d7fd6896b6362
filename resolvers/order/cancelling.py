"""Cancellation of orders, while nothing is packed: stock, promotions and money go back."""

from collections.abc import Mapping
from typing import TypedDict

from core import grants, nodes
from core.context import Context
from core.errors import ErrorKind, UserError, check_version, error_codes
from core.ids import Id
from core.security.access import NOT_ALLOWED
from core.security.limits import Rate
from resolvers.cart import give_back_uses, reopen
from resolvers.catalog import release_stock, restock, stock_holder
from resolvers.order.reading import can_cancel
from resolvers.order.settling import let_go_soon
from resolvers.order.writing import move_order, record_act
from stores import order as store
from stores.cart import Cart
from stores.catalog import SUPPORT, HolderType, StockLine
from stores.order import CancelReason, Order, OrderActor, OrderStatus

error_codes(
    ErrorKind.WRONG_STATUS,
    NOT_CANCELLABLE="A parcel of the order is packed or on its way, or the order has ended: read it.",
)

CANCEL_RATE = Rate("order_cancellations", 20, 60)


class Cancelled(TypedDict):
    order: Order
    cart: Cart | None


async def cancel_order(
    ctx: Context, *, order_id: Id, reason: CancelReason, expected_version: int | None = None
) -> Cancelled:
    """Cancel an order of one's own, or as support; one that is cancelled stays as it is."""
    await ctx.limit(CANCEL_RATE)
    order = await nodes.for_update(ctx, store.orders, order_id)
    own = order["user_id"] == ctx.viewer_id
    if not own and not await grants.holds(ctx, SUPPORT):
        raise UserError("FORBIDDEN", NOT_ALLOWED, field=["order_id"])
    if order["status"] == OrderStatus.CANCELLED:
        return {"order": order, "cart": None}
    if not can_cancel(order):
        raise UserError("NOT_CANCELLABLE", "It cannot be cancelled any more.", order=order)
    check_version(expected_version, order["version"], order=order)
    order, cart = await cancel(ctx, order, reason, OrderActor.CUSTOMER if own else OrderActor.STAFF)
    return {"order": order, "cart": cart if own else None}


async def cancel(
    ctx: Context, order: Order, reason: CancelReason, actor: OrderActor
) -> tuple[Order, Cart | None]:
    """Cancel an order with the running unit; the order, and the cart that is open again by it.

    Whatever was paid is voided or given back by jobs, which ask the gateway.
    """
    noted = await ctx.tx.edit(store.orders, order, {"cancel_reason": reason})
    order = await move_order(ctx, noted, OrderStatus.CANCELLED, actor)
    await record_act(ctx, order, "cancelled", reason=reason)
    await take_stock_back(ctx, order)
    await give_back_uses(ctx, order["_id"])
    cart = await reopen(ctx, order["user_id"], order["_id"])
    payment = await store.payment_of(ctx.db, order["_id"])
    if payment is not None:
        await let_go_soon(ctx, payment, "cancelled")
    return order, cart


async def take_stock_back(ctx: Context, order: Order) -> None:
    """Release what is held for an order, and restock what was sold to it, once."""
    await release_stock(ctx, stock_holder(HolderType.ORDER, order["_id"]))
    await _restock(ctx, order, {each["line_id"]: each["quantity"] for each in order["lines"]}, "cancelled")


async def take_unshipped_back(ctx: Context, order: Order) -> None:
    """Restock what was sold to an order and has not left the shop, once: nothing of it is sent any more."""
    left = {each["line_id"]: each["quantity"] - each["shipped_quantity"] for each in order["lines"]}
    await _restock(ctx, order, left, "refunded")


async def _restock(ctx: Context, order: Order, quantities: Mapping[str, int], key: str) -> None:
    lines: list[StockLine] = [
        {"variant_id": each["variant_id"], "quantity": quantity}
        for each in order["lines"]
        if (quantity := quantities[each["line_id"]])
    ]
    if lines:
        await restock(ctx, stock_holder(HolderType.ORDER, order["_id"]), lines, key)
