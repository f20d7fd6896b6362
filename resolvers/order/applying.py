"""Words of the gateway on a charge, applied to its payment: in any order, and never back."""

from functools import partial
from typing import Any

from core import jobs
from core.context import Context
from core.ports import Retryable
from ports.order import Charge, ChargeStatus, PaymentFailureCode
from resolvers.order import recording
from resolvers.order.gateway import answered, enqueue, gateway
from resolvers.order.hooks import payment_changed
from resolvers.order.waits import (
    CAPTURE_DUE,
    CARRY_OUT,
    GIVE_BACK,
    LAST_DAY,
    RECONCILE,
    RELEASE,
    RELEASE_WAITS,
    USUAL_HOLD,
    reconcile_key,
)
from stores import order as store
from stores.order import (
    CaptureTime,
    GatewayWish,
    PaidWith,
    Payment,
    PaymentRefund,
    PaymentStatus,
    RefundStatus,
)

TRIES = 5
CAPTURED = PaymentStatus.CAPTURED
GIVEN_BACK = (PaymentStatus.PARTIALLY_REFUNDED, PaymentStatus.REFUNDED)
LET_GO = (GatewayWish.VOID, GatewayWish.GIVE_UP)


async def settle(ctx: Context, payment: Payment, charge: Charge, *, certain: bool = False) -> Payment:
    """Apply the gateway's word on a payment that was read before it was asked; the payment as it is then.

    Somebody may have applied a later word meanwhile: then the gateway is asked anew. When the first call of
    the first attempt was answered it is `certain` that there is no other charge, and nobody looks for one.
    """
    for _ in range(TRIES):
        applied = await ctx.unit(partial(_apply, ctx, payment, charge, certain))
        if applied is not None:
            return applied
        payment = await now(ctx, payment["_id"])
        charge = await answered("find", gateway(ctx).find(charge.ref))
    raise Retryable("Others change the payment all the time.")


async def now(ctx: Context, id: str) -> Payment:
    """The payment as it is stored now."""
    found = await store.payments.by_id(ctx.db, id)
    if found is None:
        raise LookupError(f"There is no payment {id}.")
    return found


def is_stray(payment: Payment, charge: Charge) -> bool:
    """True if the charge holds money, or may still, that its payment does not want.

    It is of an earlier attempt, a second one of the same, or of a payment that has ended without it.
    """
    if not charge.holds_money and not charge.may_hold_money:
        return False
    return _is_another(payment, charge) or payment["status"] in store.ENDED


def _is_another(payment: Payment, charge: Charge) -> bool:
    """True unless it is the charge of the current attempt."""
    return charge.attempt != payment["attempt_count"] or payment["charge_ref"] not in (None, charge.ref)


async def _apply(ctx: Context, seen: Payment, charge: Charge, certain: bool) -> Payment | None:
    """Apply it in a unit of work; None if the payment has changed since it was seen."""
    payment = await now(ctx, seen["_id"])
    if payment["version"] != seen["version"]:
        return None
    for changes in _steps(payment, charge):
        payment = await _step(ctx, payment, changes)
    if is_stray(payment, charge):
        await let_go(ctx, charge)
    if certain and payment["status"] not in store.OPEN:
        await jobs.cancel(ctx.tx, RECONCILE, key=reconcile_key(payment["_id"]))
    return payment


async def let_go(ctx: Context, charge: Charge) -> None:
    """Have a charge voided or given back that nobody wants, with the running unit."""
    await enqueue(ctx, RELEASE, RELEASE_WAITS, 0, key=charge.ref, charge_ref=charge.ref)


def _steps(payment: Payment, charge: Charge) -> list[dict[str, Any]]:
    """Changes of the payment, a status after the other; none if it is beyond what the charge says."""
    if payment["status"] in store.ENDED or _is_another(payment, charge):
        return []
    status, target = payment["status"], target_of(payment, charge)
    following = store.PAYMENT_MOVES.table[status]
    if status in GIVEN_BACK and target in (CAPTURED, *GIVEN_BACK) and target not in following:
        # A refund has failed at the bank: the amount falls, the status does not go back.
        target = status
    fields = _fields(payment, charge, target)
    if target == status or target in following:
        return [{**fields, "status": target}]
    if target in GIVEN_BACK and CAPTURED in following:
        # The word of the capture was never heard.
        return [{**fields, "status": CAPTURED}, {"status": target}]
    return []


def target_of(payment: Payment, charge: Charge) -> PaymentStatus:
    """Status of a payment by what its charge says."""
    given_up = payment["wish"] == GatewayWish.GIVE_UP
    if charge.status == ChargeStatus.LAPSED:
        return PaymentStatus.FAILED
    if charge.status == ChargeStatus.VOIDED or (
        charge.status == ChargeStatus.CAPTURED and payment["wish"] in LET_GO
    ):
        return PaymentStatus.FAILED if given_up else PaymentStatus.VOIDED
    if charge.status != ChargeStatus.CAPTURED:
        return PaymentStatus(charge.status)
    refunded = _refunded(payment, charge)
    if not refunded:
        return CAPTURED
    return PaymentStatus.REFUNDED if refunded >= charge.captured else PaymentStatus.PARTIALLY_REFUNDED


def _fields(payment: Payment, charge: Charge, target: PaymentStatus) -> dict[str, Any]:
    ended = target in store.ENDED
    return {
        "charge_ref": charge.ref,
        "sealed_source": None,
        "paid_with": _paid_with(charge) or payment["paid_with"],
        "authorized_until": charge.capture_before or payment["authorized_until"],
        "failure_code": _failure(payment, charge, target),
        "captured_amount": 0 if ended else max(payment["captured_amount"], charge.captured),
        "refunded_amount": 0 if ended else _refunded(payment, charge),
        "disputed_amount": charge.disputed,
        "refunds": _refunds(payment, charge),
        "wish": payment["wish"] if target in (*store.OPEN, PaymentStatus.AUTHORIZED) else None,
    }


def _paid_with(charge: Charge) -> PaidWith | None:
    known = charge.paid_with
    return {"kind": known.kind, "brand": known.brand, "last4": known.last4} if known else None


def _failure(payment: Payment, charge: Charge, target: PaymentStatus) -> PaymentFailureCode | None:
    if target != PaymentStatus.FAILED:
        return None
    if charge.status == ChargeStatus.LAPSED and payment["status"] == PaymentStatus.AUTHORIZED:
        return PaymentFailureCode.AUTHORIZATION_LAPSED
    if charge.status == ChargeStatus.FAILED:
        return charge.failure or PaymentFailureCode.DECLINED
    return PaymentFailureCode.NOT_CHARGED


def _refunds(payment: Payment, charge: Charge) -> list[PaymentRefund]:
    """Refunds, those done which the gateway has, and those refused which failed at the bank."""
    told = {each.name: RefundStatus.REFUSED if each.failed else RefundStatus.DONE for each in charge.refunds}
    return [
        {**each, "status": told.get(each["key"], each["status"])}
        if each["status"] != RefundStatus.REFUSED
        else each
        for each in payment["refunds"]
    ]


def _refunded(payment: Payment, charge: Charge) -> int:
    """Amount given back: it never falls, but for a refund that failed at the bank."""
    if any(each.failed for each in charge.refunds):
        return charge.refunded
    return max(payment["refunded_amount"], charge.refunded)


async def _step(ctx: Context, payment: Payment, changes: dict[str, Any]) -> Payment:
    """One change of a payment with all that goes with it; nothing if it is none."""
    if all(payment[name] == value for name, value in changes.items()):  # type: ignore[literal-required]
        return payment
    changed = await ctx.tx.edit(store.payments, payment, changes)
    await follow(ctx, payment, changed)
    return changed


async def follow(ctx: Context, before: Payment, after: Payment) -> None:
    """Follow a change of a payment: with its jobs, the record, and the word to its subject's system."""
    id, status = after["_id"], after["status"]
    if status == PaymentStatus.AUTHORIZED != before["status"] and after["capture"] == CaptureTime.LATER:
        until = after["authorized_until"]
        due_at = until - LAST_DAY if until else ctx.tx.now + USUAL_HOLD
        await jobs.enqueue(ctx.tx, CAPTURE_DUE, key=id, due_at=due_at, payment_id=id)
    if before["status"] == PaymentStatus.AUTHORIZED != status:
        await jobs.cancel(ctx.tx, CAPTURE_DUE, key=id)
    if before["wish"] is not None and after["wish"] is None:
        await jobs.cancel(ctx.tx, CARRY_OUT, key=id)
    for was, each in zip(before["refunds"], after["refunds"], strict=False):
        if was["status"] == RefundStatus.PENDING != each["status"]:
            await jobs.cancel(ctx.tx, GIVE_BACK, key=f"{id}:{each['key']}")
    await recording.moved(ctx, before, after)
    await payment_changed(ctx, after, before)
