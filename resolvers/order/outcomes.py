"""Outcomes of orders: what a payment makes of its order, and how an order ends that is not paid.

A payment tells of itself by `payment_changed`, so a request, a job, a callback and reconciliation all take
the same way, each in the unit of work that changes the payment.
"""

from core import jobs
from core.context import Context
from core.hooks import on
from core.ids import prefix_of
from resolvers.cart import convert, reopen
from resolvers.catalog import commit_stock
from resolvers.order import recording
from resolvers.order.following import ask_to_pay_again
from resolvers.order.hooks import charge_released, payment_changed
from resolvers.order.paying import MOST_ATTEMPTS
from resolvers.order.settling import take_soon
from resolvers.order.shipping import sent_of
from resolvers.order.stock import holder_of, undo
from resolvers.order.waits import CALL_OFF, CART_WAITS, END_LAPSED, EXPIRE, LAPSED, REOPEN_CART, UNPAID
from resolvers.order.writing import move_order, note_step
from stores import order as store
from stores.order import CancelReason, Order, OrderActor, OrderStatus, OrderStepNote, Payment, PaymentStatus

CALLED_OFF = (OrderStatus.FAILED, OrderStatus.CANCELLED)
"""Statuses of an order for which nothing may stay charged."""
REASONS: dict[OrderStepNote | None, CancelReason] = {
    OrderStepNote.REPLACED: CancelReason.REPLACED,
    OrderStepNote.NOT_PAID: CancelReason.NOT_PAID,
}
"""Reasons of cancellations, by the note on them."""


@on(payment_changed)
async def follow_payment(ctx: Context, payment: Payment, before: Payment | None) -> None:
    """Let an order follow its payment to another status."""
    if before is None or before["status"] == payment["status"]:
        return
    order = await _order_of(ctx, payment)
    if order is None:
        return
    if payment["status"] in store.PAID:
        await _paid(ctx, order, payment, before)
    elif payment["status"] in store.ENDED:
        await _unpaid(ctx, order, payment, before)


@on(charge_released)
async def note_release(ctx: Context, payment: Payment) -> None:
    """Note that an order was charged which had ended."""
    order = await _order_of(ctx, payment)
    if order is not None and order["status"] in CALLED_OFF:
        await note_step(ctx, order, OrderStepNote.PAID_TOO_LATE, OrderActor.GATEWAY)


async def _order_of(ctx: Context, payment: Payment) -> Order | None:
    """The order that a payment is for; None for another thing."""
    id = payment["subject_id"]
    if prefix_of(id) != store.orders.prefix:
        return None
    named: dict[str, str] = {"_id": id, "user_id": payment["owner_id"]}
    # While an account is erased, its payment may have another owner already.
    return await store.orders.by_id(ctx.db, named) or await store.orders.by_id(ctx.db, id)


async def _paid(ctx: Context, order: Order, payment: Payment, before: Payment) -> None:
    is_first = before["status"] not in store.PAID
    if order["status"] in CALLED_OFF:
        if is_first:
            await note_step(ctx, order, OrderStepNote.PAID_TOO_LATE, OrderActor.GATEWAY)
        await _call_off(ctx, order)
    elif order["status"] == OrderStatus.CREATED:
        await complete(ctx, order, OrderActor.GATEWAY)
    elif is_first:
        await jobs.cancel(ctx.tx, END_LAPSED, key=order["_id"])
        await note_step(ctx, order, OrderStepNote.PAID_AGAIN, OrderActor.GATEWAY)
        if sent_of(order["fulfillments"]):
            await take_soon(ctx, payment)


async def _unpaid(ctx: Context, order: Order, payment: Payment, before: Payment) -> None:
    """An attempt came to nothing: the order waits for another, for a while."""
    is_over = payment["status"] == PaymentStatus.VOIDED
    if order["status"] == OrderStatus.CREATED:
        await reopen(ctx, order["user_id"], order["_id"])
        if is_over or payment["attempt_count"] >= MOST_ATTEMPTS:
            await jobs.enqueue(ctx.tx, EXPIRE, key=order["_id"], order_id=order["_id"])
    elif order["status"] not in CALLED_OFF and before["status"] == PaymentStatus.AUTHORIZED:
        await note_step(ctx, order, OrderStepNote.PAYMENT_LAPSED, OrderActor.GATEWAY)
        due_at = ctx.tx.now if is_over else ctx.tx.now + LAPSED
        await jobs.enqueue(ctx.tx, END_LAPSED, due_at=due_at, key=order["_id"], order_id=order["_id"])
        is_sent = bool(sent_of(order["fulfillments"]))
        if not is_over:
            await ask_to_pay_again(ctx, order, payment, is_sent=is_sent)
        if is_sent:
            await recording.tell_support(ctx, payment, recording.SHIPPED_UNPAID, order["_id"])


async def wait_for_payment(ctx: Context, order: Order) -> None:
    """Bound the time for which the cart, and the order itself, wait to be paid."""
    id = order["_id"]
    for task, wait in ((REOPEN_CART, CART_WAITS), (EXPIRE, UNPAID)):
        await jobs.enqueue(ctx.tx, task, due_at=order["created_at"] + wait, key=id, order_id=id)


async def complete(ctx: Context, order: Order, actor: OrderActor) -> Order:
    """Sell what is paid, and be done with the cart; the order has FAILED where the stock is gone."""
    held = await commit_stock(ctx, holder_of(order["_id"]))
    if held.reservation is None:
        return await end_order(ctx, order, OrderStatus.FAILED, OrderActor.SYSTEM, OrderStepNote.OUT_OF_STOCK)
    await _wait_no_more(ctx, order)
    moved = await move_order(ctx, order, OrderStatus.PROCESSING, actor)
    if order["cart_id"] is not None:
        await convert(ctx, order["user_id"], order["cart_id"], order["_id"], order["lines"])
    return moved


async def end_order(
    ctx: Context, order: Order, status: OrderStatus, actor: OrderActor, note: OrderStepNote | None = None
) -> Order:
    """End an order as FAILED or CANCELLED: stock, promotions and cart are as they were before it.

    What is charged for it is called off by a job.
    """
    if status == OrderStatus.CANCELLED:
        order = await ctx.tx.edit(
            store.orders, order, {"cancel_reason": REASONS.get(note, CancelReason.OTHER)}
        )
    ended = await move_order(ctx, order, status, actor, note)
    await undo(ctx, order)
    await _wait_no_more(ctx, order)
    await _call_off(ctx, order)
    return ended


async def _wait_no_more(ctx: Context, order: Order) -> None:
    for task in (REOPEN_CART, EXPIRE, END_LAPSED):
        await jobs.cancel(ctx.tx, task, key=order["_id"])


async def _call_off(ctx: Context, order: Order) -> None:
    await jobs.enqueue(ctx.tx, CALL_OFF, key=order["_id"], order_id=order["_id"])
