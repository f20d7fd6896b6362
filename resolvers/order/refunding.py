"""Refunds of orders: asked for by support, and told to the order by its payment."""

from typing import TypedDict

from core import nodes
from core.cards import check_no_card
from core.context import Context
from core.errors import UserError
from core.hooks import on
from core.ids import Id, new_id, prefix_of
from core.values.bounds import check_length
from core.values.money import Money, checked_money, payment_step
from resolvers.order.hooks import payment_changed
from resolvers.order.returning import move_return
from resolvers.order.settling import give_back_soon
from resolvers.order.stock import take_unshipped_back
from resolvers.order.writing import move_order, record_act
from stores import order as store
from stores.order import (
    Order,
    OrderActor,
    OrderReturn,
    OrderReturnStatus,
    OrderStatus,
    Payment,
    PaymentStatus,
    RefundStatus,
)

LONGEST_REASON = 500


class Refunded(TypedDict):
    order: Order
    payment: Payment
    order_return: OrderReturn | None


async def refund_order(
    ctx: Context, *, order_id: Id, amount: Money, reason: str, order_return_id: Id | None = None
) -> Refunded:
    """Give back a part of what an order cost, or all: the gateway is asked by a job."""
    check_length(reason, least=1, most=LONGEST_REASON, field="reason")
    check_no_card(reason, field="reason")
    order = await nodes.for_update(ctx, store.orders, order_id)
    minor = checked_money(amount, order["currency"], "amount")
    step = payment_step(order["currency"])
    if minor % step:
        raise UserError("OUT_OF_RANGE", "An amount goes in steps of {limit}.", field=["amount"], limit=step)
    payment = await store.payment_of(ctx.db, order["_id"])
    if payment is None:
        raise UserError("REFUND_EXCEEDS_PAID", "Nothing was paid.", order=order)
    back = await _return_of(ctx, order, payment, order_return_id, minor) if order_return_id else None
    key = _refund_key(order_return_id)
    reserved = await give_back_soon(ctx, payment, minor, key)
    said = {"amount": minor, "currency": order["currency"], "return": order_return_id}
    await record_act(ctx, order, "refund_requested", sensitive={"reason": reason}, **said)
    return {"order": order, "payment": reserved, "order_return": back}


def _refund_key(order_return_id: str | None) -> str:
    """Key of a new refund; of one for a return it begins with the return's id."""
    return ":".join(filter(None, [order_return_id, new_id("refund")]))


def _return_in(refund_key: str) -> str:
    """Id of the return that a refund is for; of one for none, the key's own beginning."""
    return refund_key.partition(":")[0]


async def _return_of(
    ctx: Context, order: Order, payment: Payment, order_return_id: Id, amount: int
) -> OrderReturn:
    """The return that a refund is for: received, not refunded yet, and worth as much."""
    back: OrderReturn = await nodes.for_update(ctx, store.order_returns, order_return_id)
    if back["order_id"] != order["_id"]:
        raise UserError("NOT_FOUND", nodes.GONE, field=["order_return_id"])
    if back["status"] != OrderReturnStatus.RECEIVED:
        raise store.RETURN_MOVES.refusal(back, order_return=back)
    asked = [each for each in payment["refunds"] if _return_in(each["key"]) == order_return_id]
    if any(each["status"] != RefundStatus.REFUSED for each in asked):
        raise UserError("ALREADY_DONE", "The refund is under way.", order_return=back)
    most = back["refund_amount"] or 0
    if amount > most:
        raise UserError(
            "REFUND_EXCEEDS_PAID",
            "So much was not agreed on.",
            field=["amount"],
            limit=most,
            order_return=back,
        )
    return back


@on(payment_changed)
async def refunds_told(ctx: Context, payment: Payment, before: Payment | None) -> None:
    """Show in the order what was given back; REFUNDED when nothing is left, returns when theirs is done."""
    if before is None or prefix_of(payment["subject_id"]) != store.orders.prefix:
        return
    if payment["refunded_amount"] != before["refunded_amount"]:
        await _show(ctx, payment)
    known = {each["key"]: each["status"] for each in before["refunds"]}
    for refund in payment["refunds"]:
        if refund["status"] == RefundStatus.DONE != known.get(refund["key"]):
            await _end_return(ctx, _return_in(refund["key"]))


async def _show(ctx: Context, payment: Payment) -> None:
    order = await store.orders.by_id(ctx.db, payment["subject_id"])
    if order is None:
        return
    order = await ctx.tx.edit(store.orders, order, {"refunded_total": payment["refunded_amount"]})
    movable = OrderStatus.REFUNDED in store.ORDER_MOVES.table[order["status"]]
    if payment["status"] == PaymentStatus.REFUNDED and movable:
        order = await move_order(ctx, order, OrderStatus.REFUNDED, OrderActor.STAFF)
        await take_unshipped_back(ctx, order)
        for order_return_id in order["return_ids"]:
            await _end_return(ctx, order_return_id)


async def _end_return(ctx: Context, order_return_id: str) -> None:
    if prefix_of(order_return_id) != store.order_returns.prefix:
        return
    back = await store.order_returns.by_id(ctx.db, order_return_id)
    if back is not None and back["status"] == OrderReturnStatus.RECEIVED:
        await move_return(ctx, back, OrderReturnStatus.REFUNDED)
