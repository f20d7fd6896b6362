"""Cancellation of orders, while nothing is packed: stock, promotions and money go back."""

from typing import TypedDict

from core import grants, nodes
from core.context import Context
from core.errors import ErrorKind, UserError, check_version, error_codes
from core.ids import Id
from core.security.access import NOT_ALLOWED
from core.security.limits import Rate
from resolvers.order.reading import can_cancel
from resolvers.order.settling import let_go_soon
from resolvers.order.stock import undo
from resolvers.order.writing import move_order, record_act
from stores import order as store
from stores.cart import Cart
from stores.catalog import SUPPORT
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
    cart = await undo(ctx, order)
    payment = await store.payment_of(ctx.db, order["_id"])
    if payment is not None:
        await let_go_soon(ctx, payment, "cancelled")
    return order, cart
