"""Ends of waiting: orders that nobody pays, and charges of orders that have ended."""

from collections.abc import Awaitable, Callable
from functools import partial

from core.context import Context, Services
from core.errors import UserError
from resolvers.cart import reopen
from resolvers.order import recording
from resolvers.order.applying import now
from resolvers.order.outcomes import end_order
from resolvers.order.reading import can_cancel
from resolvers.order.settling import VOIDABLE, refund, void
from stores import order as store
from stores.order import Order, OrderActor, OrderStatus, OrderStepNote

ENDED_ORDER = "order-ended"
"""Key of the refund of an order that has ended."""


async def reopen_cart(services: Services, *, order_id: str) -> None:
    """Let the cart be changed again whose order is not paid yet."""
    await _in_unit(services, order_id, OrderStatus.CREATED, _reopen)


async def expire(services: Services, *, order_id: str) -> None:
    """End an order that was not paid in time."""
    await _in_unit(services, order_id, OrderStatus.CREATED, _expire)


async def end_lapsed(services: Services, *, order_id: str) -> None:
    """End an order whose authorization lapsed, and that was not paid again."""
    await _in_unit(services, order_id, OrderStatus.PROCESSING, _end_lapsed)


async def _in_unit(
    services: Services,
    order_id: str,
    status: OrderStatus,
    work: Callable[[Context, Order], Awaitable[object]],
) -> None:
    """Do the work for an order that has the status still."""
    ctx = Context(services)

    async def unit() -> None:
        order = await store.orders.by_id(ctx.db, order_id)
        if order is not None and order["status"] == status:
            await work(ctx, order)

    await ctx.unit(unit)


async def _reopen(ctx: Context, order: Order) -> None:
    await reopen(ctx, order["user_id"], order["_id"])


async def _expire(ctx: Context, order: Order) -> None:
    await end_order(ctx, order, OrderStatus.FAILED, OrderActor.SYSTEM, OrderStepNote.NOT_PAID)


async def _end_lapsed(ctx: Context, order: Order) -> None:
    payment = await now(ctx, store.payment_id(order["_id"]))
    if payment["status"] in store.PAID:
        return
    if not can_cancel(order):
        await recording.tell_support(ctx, payment, recording.UNPAID_PARCEL, order["_id"])
    else:
        await end_order(ctx, order, OrderStatus.CANCELLED, OrderActor.SYSTEM, OrderStepNote.NOT_PAID)


async def call_off(services: Services, *, order_id: str) -> None:
    """Void what is charged for an order that has ended, or give it back."""
    ctx = Context(services)
    payment = await store.payment_of(ctx.db, order_id)
    if payment is None:
        return
    try:
        if payment["status"] in VOIDABLE:
            payment = await void(ctx, payment)
        if left := store.refundable(payment):
            await refund(ctx, payment, left, ENDED_ORDER)
    except UserError as refusal:
        # One that is being captured calls this again when it is.
        if refusal.code == "REFUND_EXCEEDS_PAID":
            await ctx.unit(partial(recording.tell_support, ctx, payment, recording.STUCK, order_id))
