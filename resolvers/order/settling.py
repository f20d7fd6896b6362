"""Capture, void and refund: the wish is written down, then the gateway is asked until it has done it."""

from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from typing import Any

import structlog

from core import jobs
from core.context import Context, Services
from core.errors import ErrorKind, UserError, error_codes
from core.ports import Permanent, Retryable
from core.values.money import payment_step
from ports.order import Charge, ChargeStatus, PaymentFailureCode
from resolvers.order import recording
from resolvers.order.applying import LET_GO, follow, is_stray, now, settle
from resolvers.order.gateway import again, answered, enqueue, gateway
from resolvers.order.waits import (
    CARRY_OUT,
    CARRY_OUT_WAITS,
    FIRST_TRY,
    GIVE_BACK,
    RECONCILE,
    RECONCILE_WAITS,
    RELEASE,
    RELEASE_WAITS,
    reconcile_key,
)
from stores import order as store
from stores.order import GatewayWish, Payment, PaymentRefund, PaymentStatus, RefundStatus

logger = structlog.get_logger(__name__)

error_codes(
    ErrorKind.LIMIT,
    REFUND_EXCEEDS_PAID="More is to be given back than was taken, and was not given back or disputed since.",
)

MOST_REFUNDS = 100
VOIDABLE = (PaymentStatus.PENDING, PaymentStatus.REQUIRES_ACTION, PaymentStatus.AUTHORIZED)
TAKEN = (PaymentStatus.CAPTURED, PaymentStatus.PARTIALLY_REFUNDED, PaymentStatus.REFUNDED)


async def capture(ctx: Context, payment: Payment) -> Payment:
    """Take what is AUTHORIZED, outside any unit of work; while the gateway is silent, jobs go on.

    WRONG_STATUS where there is nothing to take, or it is being voided.
    """
    return await _carry_out(ctx, await ctx.unit(partial(_wish, ctx, payment["_id"], GatewayWish.CAPTURE)))


async def void(ctx: Context, payment: Payment) -> Payment:
    """Call off a payment of which nothing was taken, outside any unit of work.

    WRONG_STATUS where something was taken, or is being: refund it.
    """
    return await _carry_out(ctx, await ctx.unit(partial(_wish, ctx, payment["_id"], GatewayWish.VOID)))


async def give_up(ctx: Context, payment: Payment) -> Payment:
    """End an attempt that was not completed in time: it FAILED, and another may follow."""
    return await _carry_out(ctx, await ctx.unit(partial(_wish, ctx, payment["_id"], GatewayWish.GIVE_UP)))


async def take_soon(ctx: Context, payment: Payment) -> None:
    """Have what is AUTHORIZED taken, with the running unit: a job asks the gateway. Else nothing."""
    if payment["status"] == PaymentStatus.AUTHORIZED and payment["wish"] is None:
        await _wish(ctx, payment["_id"], GatewayWish.CAPTURE)
        await _at_once(ctx, CARRY_OUT, payment["_id"], payment_id=payment["_id"])


async def let_go_soon(ctx: Context, payment: Payment, key: str) -> None:
    """Have a payment voided, or all that is left of it given back, with the running unit: a job asks.

    PAYMENT_IN_PROGRESS while it is being taken: then it can be given back.
    """
    id = payment["_id"]
    if payment["status"] in store.ENDED or payment["wish"] in LET_GO:
        return
    if payment["status"] in TAKEN:
        if left := store.refundable(payment):
            await give_back_soon(ctx, payment, left, key)
        return
    if payment["wish"] is not None:
        raise UserError("PAYMENT_IN_PROGRESS", "It is being paid.", retry_after_seconds=5)
    if (await _wish(ctx, id, GatewayWish.VOID))["wish"] is not None:
        await _at_once(ctx, CARRY_OUT, id, payment_id=id)


async def give_back_soon(ctx: Context, payment: Payment, amount: int, key: str) -> Payment:
    """Give an amount back, once for the key, with the running unit: a job asks the gateway.

    REFUND_EXCEEDS_PAID where so much is not left.
    """
    id = payment["_id"]
    reserved = await _reserve(ctx, id, amount, key)
    await _at_once(ctx, GIVE_BACK, f"{id}:{key}", payment_id=id, refund_key=key)
    return reserved


async def _at_once(ctx: Context, task: str, key: str, **named: Any) -> None:
    """Have a task's first try made by a job, as soon as the running unit is done."""
    await jobs.enqueue(ctx.tx, task, key=key, round=FIRST_TRY, **named)


async def _wish(ctx: Context, id: str, wish: GatewayWish) -> Payment:
    """Write down what the gateway is to do; of two who wish otherwise the later one is refused."""
    payment = await now(ctx, id)
    if payment["wish"] == wish or payment["status"] in (store.ENDED if wish in LET_GO else TAKEN):
        return payment
    possible = VOIDABLE if wish in LET_GO else (PaymentStatus.AUTHORIZED,)
    if payment["wish"] is not None or payment["status"] not in possible:
        raise store.PAYMENT_MOVES.refusal(payment, payment=payment)
    if payment["charge_ref"] is None:
        return await _end_unseen(ctx, payment, wish)
    await enqueue(ctx, CARRY_OUT, CARRY_OUT_WAITS, 0, key=id, payment_id=id)
    return await _unseen(ctx, payment, {"wish": wish})


async def _unseen(ctx: Context, payment: Payment, changes: dict[str, object]) -> Payment:
    """A change that shows to nobody."""
    changed = await ctx.tx.update(store.payments, payment, set=changes, touch=False)
    assert changed is not None
    ctx.tx.skip_log(changed)
    return changed


async def _end_unseen(ctx: Context, payment: Payment, wish: GatewayWish) -> Payment:
    """End a payment of which the gateway has told nothing; reconciliation voids what it finds there."""
    failed = wish == GatewayWish.GIVE_UP
    changes = {
        "status": PaymentStatus.FAILED if failed else PaymentStatus.VOIDED,
        "failure_code": PaymentFailureCode.NOT_CHARGED if failed else None,
        "sealed_source": None,
    }
    ended = await ctx.tx.edit(store.payments, payment, changes)
    key = reconcile_key(payment["_id"])
    await enqueue(ctx, RECONCILE, RECONCILE_WAITS, 0, key=key, payment_id=payment["_id"])
    await follow(ctx, payment, ended)
    return ended


async def _carry_out(ctx: Context, payment: Payment) -> Payment:
    """Ask the gateway for what is wished of a payment; the job that waits asks again."""
    if payment["wish"] is None or payment["charge_ref"] is None:
        return payment
    try:
        return await settle(ctx, payment, await _asked(ctx, payment))
    except (Retryable, Permanent):
        return payment


async def _asked(ctx: Context, payment: Payment) -> Charge:
    taking = payment["wish"] == GatewayWish.CAPTURE
    call = gateway(ctx).capture if taking else gateway(ctx).void
    name = "capture" if taking else "void"
    asked = call(str(payment["charge_ref"]), key=f"{store.gateway_key(payment)}:{name}")
    return await answered(name, asked)


async def carry_out(services: Services, *, payment_id: str, round: int) -> None:
    """Ask again for what is wished of a payment, until it is done; from the fifth try on somebody has to
    look."""
    ctx = Context(services)
    payment = await _carry_out(ctx, await now(ctx, payment_id))
    if payment["wish"] is not None:
        await _next(ctx, payment, CARRY_OUT, round, key=payment_id, payment_id=payment_id)


async def _next(
    ctx: Context,
    payment: Payment | None,
    task: str,
    round: int,
    *,
    waits: Sequence[timedelta] = CARRY_OUT_WAITS,
    key: str,
    **named: str,
) -> None:
    """Enqueue the next try; after the last one it goes on at that pace, and who supports the shop is told."""
    last = len(waits) - 1
    if round >= last:
        about = f"{task}:{key}:{payment['attempt_count'] if payment else ''}"
        await ctx.unit(partial(recording.tell_support, ctx, payment, recording.STUCK, about))
    await again(ctx, task, waits, min(round + 1, last), key=key, **named)


async def capture_due(services: Services, *, payment_id: str) -> None:
    """Take what nobody has captured, before the authorization lapses."""
    ctx = Context(services)
    payment = await now(ctx, payment_id)
    if payment["status"] == PaymentStatus.AUTHORIZED and payment["wish"] is None:
        await capture(ctx, payment)


async def refund(ctx: Context, payment: Payment, amount: int, key: str) -> Payment:
    """Give an amount back, once for the key, outside any unit of work.

    REFUND_EXCEEDS_PAID where so much is not left, or the gateway refuses. While it is silent, jobs go on.
    """
    reserved = await ctx.unit(partial(_reserve, ctx, payment["_id"], amount, key))
    try:
        return await _give_back(ctx, reserved, key)
    except Retryable:
        return reserved


def refund_of(payment: Payment, key: str) -> PaymentRefund | None:
    """The refund that was asked for under a key."""
    return next((each for each in payment["refunds"] if each["key"] == key), None)


async def _reserve(ctx: Context, id: str, amount: int, key: str) -> Payment:
    """Write down a refund, so that no other gives the same money back."""
    payment = await now(ctx, id)
    known = refund_of(payment, key)
    if known is not None and known["status"] != RefundStatus.REFUSED:
        return payment
    if amount < 1 or amount % payment_step(payment["currency"]):
        raise ValueError(f"{amount} minor units of {payment['currency']} cannot be given back.")
    if known is not None or amount > store.refundable(payment) or len(payment["refunds"]) >= MOST_REFUNDS:
        raise _exceeds(payment)
    made: PaymentRefund = {"key": key, "amount": amount, "status": RefundStatus.PENDING}
    named = {"payment_id": id, "refund_key": key}
    await enqueue(ctx, GIVE_BACK, CARRY_OUT_WAITS, 0, key=f"{id}:{key}", **named)
    return await _unseen(ctx, payment, {"refunds": [*payment["refunds"], made]})


def _exceeds(payment: Payment) -> UserError:
    return UserError("REFUND_EXCEEDS_PAID", "So much is not left to give back.", payment=payment)


async def _give_back(ctx: Context, payment: Payment, key: str) -> Payment:
    found = refund_of(payment, key)
    if found is None or found["status"] != RefundStatus.PENDING:
        return payment
    asked = gateway(ctx).refund(
        str(payment["charge_ref"]),
        amount=found["amount"],
        currency=payment["currency"],
        name=key,
        key=f"{payment['_id']}:{key}",
    )
    try:
        charge = await answered("refund", asked)
    except Permanent:
        raise _exceeds(await ctx.unit(partial(_refused, ctx, payment["_id"], key))) from None
    return await settle(ctx, payment, charge)


async def _refused(ctx: Context, id: str, key: str) -> Payment:
    """The gateway does not give it back: what was reserved for it is free again."""
    payment = await now(ctx, id)
    refunds: list[PaymentRefund] = [
        {**each, "status": RefundStatus.REFUSED}
        if each["key"] == key and each["status"] == RefundStatus.PENDING
        else each
        for each in payment["refunds"]
    ]
    await jobs.cancel(ctx.tx, GIVE_BACK, key=f"{id}:{key}")
    return await _unseen(ctx, payment, {"refunds": refunds})


async def give_back(services: Services, *, payment_id: str, refund_key: str, round: int) -> None:
    """Ask again for a refund, until it is done; where it is refused, or after the fifth try, somebody has to
    look."""
    ctx = Context(services)
    payment = await now(ctx, payment_id)
    try:
        # It may be done, and its idempotency key forgotten: the charge says so by the refund's name.
        charge = await answered("find", gateway(ctx).find(str(payment["charge_ref"])))
        await _give_back(ctx, await settle(ctx, payment, charge), refund_key)
    except Retryable:
        named: dict[str, Any] = {"payment_id": payment_id, "refund_key": refund_key}
        await _next(ctx, payment, GIVE_BACK, round, key=f"{payment_id}:{refund_key}", **named)
    except (UserError, Permanent):
        about = f"{GIVE_BACK}:{payment_id}:{refund_key}"
        await ctx.unit(partial(recording.tell_support, ctx, payment, recording.STUCK, about))


async def release_charge(services: Services, *, charge_ref: str, round: int) -> None:
    """Void a charge that nobody wants, or give it back: asked for until it is done."""
    ctx = Context(services)
    try:
        charge = await answered("find", gateway(ctx).find(charge_ref))
        payment = await store.payment_of(ctx.db, charge.subject_id, charge.part)
        if payment is None or is_stray(payment, charge):
            await _release(ctx, charge)
            await ctx.unit(partial(recording.released, ctx, payment, charge))
    except Permanent as problem:
        logger.warning("charge not released", charge=charge_ref, problem=str(problem))
        await ctx.unit(partial(recording.tell_support, ctx, None, recording.STUCK, charge_ref))
    except Retryable:
        await _next(ctx, None, RELEASE, round, waits=RELEASE_WAITS, key=charge_ref, charge_ref=charge_ref)


async def _release(ctx: Context, charge: Charge) -> None:
    port, ref = gateway(ctx), charge.ref
    if charge.status != ChargeStatus.CAPTURED:
        charge = await answered("void", port.void(ref, key=f"{ref}:release"))
    left = charge.captured - charge.refunded - charge.disputed
    if charge.status == ChargeStatus.CAPTURED and left > 0:
        given = {"amount": left, "currency": charge.currency, "name": "released"}
        await answered("refund", port.refund(ref, key=f"{ref}:release:{left}", **given))  # type: ignore[arg-type]
    if charge.may_hold_money:
        raise Retryable("The bank is still at work on it.")
