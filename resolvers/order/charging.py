"""Charging for orders: the payment is asked for, and the order is shown as that left it."""

from functools import partial
from typing import Any, TypedDict

from core import nodes
from core.context import Context
from core.errors import ErrorKind, UserError, below, error_codes
from core.ids import Id
from core.mutations.references import referenced_id
from core.ports import Permanent, Retryable
from core.security.limits import Rate
from ports.order import NextAction
from resolvers.catalog import renew_stock
from resolvers.order import methods
from resolvers.order.access import own_order
from resolvers.order.applying import now
from resolvers.order.paying import (
    MOST_ATTEMPTS,
    Paid,
    PaymentSource,
    attempts_exceeded,
    check_amount,
    check_attempt,
    check_source,
    declined,
    pay,
    reissued_action,
    resume,
    saved_source,
)
from resolvers.order.stock import holder_of
from resolvers.order.waits import UNPAID
from stores import order as store
from stores.order import BOUGHT, CaptureTime, Order, OrderStatus, OrderStepNote, Payment, PaymentStatus

error_codes(
    ErrorKind.INVALID,
    PAYMENT_METHOD_REQUIRED="There is nothing to pay the amount with: ask for a payment method.",
)
error_codes(
    ErrorKind.CONFLICT,
    OUT_OF_STOCK="Stock of a line is less than its quantity: nothing is charged.",
)

RETRY_RATE = Rate("payment_retries", 10, 60)
TAKES_PAYMENT = (OrderStatus.CREATED, *BOUGHT)
"""Statuses of an order that may be paid, after a lapse; of one whose parcel had left before it too."""


class PaidOrder(TypedDict):
    """Order as it is now, with its payment and the step that the customer has to take, if there are some."""

    order: Order
    payment: Payment | None
    next_action: NextAction | None


async def check_payable(ctx: Context, total: int, currency: str, source: PaymentSource | None) -> None:
    """Refuse, before anything is written, what nobody could be charged for."""
    if total == 0:
        return
    check_amount(total, currency)
    if source is None:
        raise UserError("PAYMENT_METHOD_REQUIRED", "Say what to pay with.", field=["source"])
    check_source(source)
    method_id = source.get("payment_method_id")
    if method_id is not None:
        with below("source"):
            await saved_source(ctx, ctx.viewer_id, method_id)


async def charge(
    ctx: Context, order: Order, source: PaymentSource | None, *, keep_source: bool = False
) -> PaidOrder:
    """Go on with the payment of an order where it stands, outside any unit of work.

    PAYMENT_DECLINED, and OUT_OF_STOCK where the hold had expired and the stock is gone: with the order.
    """
    payment = await store.payment_of(ctx.db, order["_id"])
    if payment is not None:
        return await _outcome(ctx, order, await _patient(ctx, order, partial(resume, ctx, payment)))
    if order["status"] != OrderStatus.CREATED or source is None:
        return {"order": order, "payment": None, "next_action": None}
    if keep_source:
        source = await methods.kept(ctx, source)
    return await _outcome(ctx, order, await _pay(ctx, order, source))


async def _pay(ctx: Context, order: Order, source: PaymentSource) -> Paid:
    wanted = partial(
        pay,
        ctx,
        subject_id=order["_id"],
        owner_id=order["user_id"],
        amount=order["total"],
        currency=order["currency"],
        source=source,
        capture=CaptureTime.LATER,
        key=ctx.idempotency_key,
    )
    return await _patient(ctx, order, wanted)


async def _patient(ctx: Context, order: Order, ask: Any) -> Paid:
    """The payment after asking for it, or as it is where the gateway does not say: jobs go on."""
    try:
        paid: Paid = await ask()
    except (Retryable, Permanent):
        return {"payment": await now(ctx, store.payment_id(order["_id"])), "next_action": None}
    return paid


async def _outcome(ctx: Context, order: Order, paid: Paid) -> PaidOrder:
    """The order as its payment left it."""
    payment = paid["payment"]
    current = await store.orders.by_id(ctx.db, order) or order
    if any(step["note"] == OrderStepNote.OUT_OF_STOCK for step in current["timeline"]):
        raise UserError("OUT_OF_STOCK", "Not all of it is in stock.", order=current, payment=payment)
    if payment["status"] == PaymentStatus.FAILED:
        raise declined(payment, order=current)
    return {"order": current, **paid}


async def retry_payment(ctx: Context, *, order_id: Id, source: PaymentSource) -> PaidOrder:
    """Pay for an order in another attempt, after one that FAILED."""
    await ctx.limit(RETRY_RATE)
    order = await own_order(ctx, order_id)
    payment = await store.payment_of(ctx.db, order_id)
    if payment is None or payment["key"] != ctx.idempotency_key:
        await check_payable(ctx, order["total"], order["currency"], source)
        order = await ctx.unit(partial(_ready, ctx, order))
    return await _outcome(ctx, order, await _pay(ctx, order, source))


async def _ready(ctx: Context, seen: Order) -> Order:
    """The order, which may be paid, with its stock held for another while."""
    order = await store.orders.by_id(ctx.db, seen) or seen
    payment = await store.payment_of(ctx.db, order["_id"])
    _check_time(ctx, order, payment)
    if order["status"] not in TAKES_PAYMENT or (payment is None and order["total"] == 0):
        raise store.ORDER_MOVES.refusal(order, order=order)
    check_attempt(ctx, payment, order=order)
    if order["status"] == OrderStatus.CREATED:
        await _renew(ctx, order)
    return order


def _check_time(ctx: Context, order: Order, payment: Payment | None) -> None:
    """EXPIRED for an order whose time is over, or PAYMENT_ATTEMPTS_EXCEEDED where that is why."""
    is_over = order["status"] == OrderStatus.CREATED and ctx.tx.now >= order["created_at"] + UNPAID
    if order["status"] != OrderStatus.FAILED and not is_over:
        return
    if payment is not None and payment["attempt_count"] >= MOST_ATTEMPTS:
        raise attempts_exceeded(order=order, payment=payment)
    raise UserError("EXPIRED", "The order was not paid in time.", field=["order_id"], order=order)


async def _renew(ctx: Context, order: Order) -> None:
    held = await renew_stock(ctx, holder_of(order["_id"]))
    if held.reservation is None:
        raise UserError("OUT_OF_STOCK", "Not all of it is in stock.", order=order)


async def reissued(ctx: Context, stored: dict[str, Any], first_at: object) -> dict[str, Any]:
    """The next step again, for a replay, with the order as asking for it left it (`reissue` of mutations)."""
    action = await reissued_action(ctx, stored, first_at)
    named = {field: id for field in ("order", "payment") if (id := referenced_id(stored.get(field)))}
    found = await nodes.visible(ctx, list(named.values()))
    return {**action, **{field: found.get(id) for field, id in named.items()}}
