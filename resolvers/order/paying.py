"""Paying for a thing: an attempt is written down, then the gateway is asked, then its word is applied."""

import re
from datetime import datetime, timedelta
from functools import partial
from typing import Any, TypedDict

import structlog

from core.context import Context, Services
from core.errors import ErrorKind, UserError, below, error_codes
from core.ids import Id
from core.mutations.references import referenced_id
from core.nodes import GONE
from core.one_of import one_of
from core.ports import Permanent, Retryable
from core.values.bounds import check_length
from core.values.charges import least_charge
from core.values.money import decimal, payment_step
from ports.order import Charge, Declined, NextAction, PaymentFailureCode, Source
from resolvers.order import recording
from resolvers.order.applying import follow, now, settle
from resolvers.order.gateway import again, answered, enqueue, gateway
from resolvers.order.hooks import payment_changed
from resolvers.order.waits import PAY_ON, PAY_ON_WAITS, RECONCILE, RECONCILE_WAITS, reconcile_key
from stores import order as store
from stores.order import CaptureTime, Payment, PaymentStatus

logger = structlog.get_logger(__name__)

error_codes(
    ErrorKind.INVALID,
    AMOUNT_TOO_SMALL="The amount is less than the least that is charged, which is `limit` in minor units.",
)
error_codes(
    ErrorKind.FORBIDDEN,
    PAYMENT_DECLINED="The bank declined the payment, and nothing is charged: offer another payment method.",
)
error_codes(
    ErrorKind.LIMIT,
    PAYMENT_ATTEMPTS_EXCEEDED="The payment was tried `limit` times within half an hour.",
)
error_codes(
    ErrorKind.TRANSIENT,
    PAYMENT_IN_PROGRESS="Another attempt to pay for it is under way: wait for the payment to change.",
)

MOST_ATTEMPTS = 5
ATTEMPTS_WITHIN = timedelta(minutes=30)
LONGEST_TOKEN = 255
TOKEN = re.compile(r"[a-z]{2,12}_[A-Za-z0-9_]{1,240}", re.ASCII)
"""A token of the SDK: a card's number is none."""


@one_of
class PaymentSource(TypedDict, total=False):
    """Source of the money: a token, or a saved payment method."""

    token: str | None
    """Token of the payment provider's SDK, for one payment."""
    payment_method_id: Id | None
    """Id of a payment method of yours."""


class Wanted(TypedDict):
    """Payment that is asked for."""

    subject_id: str
    part: str
    owner_id: str
    amount: int
    currency: str
    capture: CaptureTime
    key: str


class Paid(TypedDict):
    """Payment as it is now, with the step that its owner has to take, if there is one."""

    payment: Payment
    next_action: NextAction | None


async def pay(
    ctx: Context,
    *,
    subject_id: str,
    owner_id: str,
    amount: int,
    currency: str,
    source: PaymentSource,
    capture: CaptureTime,
    key: str,
    part: str = "",
) -> Paid:
    """Charge an amount in minor units for a thing, outside any unit of work.

    With the same key the attempt is resumed, and never charged twice; with another key a payment that FAILED
    is tried anew. PENDING: the gateway is silent, and jobs go on. Where a thing is paid in several payments,
    `part` names which.
    """
    wanted: Wanted = {
        "subject_id": subject_id,
        "part": part,
        "owner_id": owner_id,
        "amount": amount,
        "currency": currency,
        "capture": capture,
        "key": key,
    }
    payment, is_new = await ctx.unit(partial(_begin, ctx, wanted, source))
    if is_new:
        # An earlier attempt may have left a charge that nobody has found yet.
        return await _paid(ctx, payment, certain=payment["attempt_count"] == 1)
    return await resume(ctx, payment)


async def resume(ctx: Context, payment: Payment) -> Paid:
    """Go on with a payment where it stands: what is open is asked of the gateway."""
    if payment["status"] not in store.OPEN:
        return {"payment": payment, "next_action": None}
    if payment["charge_ref"] is None:
        return await _paid(ctx, payment, certain=False)
    try:
        charge = await answered("find", gateway(ctx).find(payment["charge_ref"]))
    except Retryable:
        return {"payment": payment, "next_action": None}
    return _shown(await settle(ctx, payment, charge), charge)


async def confirm(ctx: Context, payment: Payment) -> Paid:
    """Ask what came of a step that the person took; PAYMENT_DECLINED if the bank did not believe them."""
    paid = await resume(ctx, payment)
    if paid["payment"]["status"] == PaymentStatus.FAILED:
        raise declined(paid["payment"])
    return paid


def declined(payment: Payment, **entities: Any) -> UserError:
    return UserError("PAYMENT_DECLINED", "The payment was declined.", payment=payment, **entities)


async def reissued_action(
    ctx: Context, stored: dict[str, Any], first_at: object, *, field: str = "payment"
) -> dict[str, Any]:
    """The next step again, for a replay: it is never stored (`reissue` of mutations)."""
    id = referenced_id(stored.get(field))
    payment = await store.payments.by_id(ctx.db, id) if id else None
    if payment is None or payment["owner_id"] != ctx.viewer_id_or_none:
        return {"next_action": None}
    return {"next_action": (await resume(ctx, payment))["next_action"]}


def check_amount(amount: int, currency: str) -> None:
    """Refuse what no gateway charges, before any is asked."""
    least = least_charge(currency)
    if amount < least:
        raise UserError(
            "AMOUNT_TOO_SMALL",
            "The least amount is {least} {currency}.",
            limit=least,
            values={"least": decimal(least, currency), "currency": currency},
        )
    if amount % payment_step(currency):
        raise ValueError(f"{amount} minor units of {currency} cannot be charged: round them first.")


def check_source(source: PaymentSource) -> None:
    """Refuse what is no token of the SDK: nothing else is ever kept, or sent on."""
    token = source.get("token")
    if token is not None:
        with below("source"):
            check_token(token, field="token")


def check_token(token: str, *, field: str) -> None:
    check_length(token, least=1, most=LONGEST_TOKEN, field=field)
    if not TOKEN.fullmatch(token):
        raise UserError("INVALID_FORMAT", "This is not a token of the payment SDK.", field=[field])


async def _begin(ctx: Context, wanted: Wanted, source: PaymentSource) -> tuple[Payment, bool]:
    """The payment with an attempt under this key, and whether that is new."""
    id = store.payment_id(wanted["subject_id"], wanted["part"])
    current = await store.payments.by_id(ctx.db, id)
    if current is not None and current["key"] == wanted["key"]:
        return current, False
    check_source(source)
    check_amount(wanted["amount"], wanted["currency"])
    attempt = {
        **wanted,
        "status": PaymentStatus.PENDING,
        "sealed_source": await _sealed(ctx, id, wanted["owner_id"], source),
        "charge_ref": None,
        "failure_code": None,
        "authorized_until": None,
        "paid_with": None,
        "wish": None,
        "attempt_count": 1 + (current["attempt_count"] if current else 0),
        "attempted_at": _attempts(ctx, current),
    }
    if current is None:
        amounts = {"captured_amount": 0, "refunded_amount": 0, "disputed_amount": 0, "refunds": []}
        payment = await ctx.tx.insert(store.payments, {"_id": id, **amounts, **attempt})
    else:
        payment = await ctx.tx.edit(store.payments, current, attempt)
    await enqueue(ctx, RECONCILE, RECONCILE_WAITS, 0, key=reconcile_key(id), payment_id=id)
    await recording.attempted(ctx, payment)
    await payment_changed(ctx, payment, current)
    return payment, True


def _attempts(ctx: Context, current: Payment | None) -> list[Any]:
    """Moments of the latest attempts, with this one; refused where it is one too many, or not the time."""
    check_attempt(ctx, current)
    return [*_lately(ctx, current), ctx.tx.now] if current else [ctx.tx.now]


def check_attempt(ctx: Context, current: Payment | None, **entities: Any) -> None:
    """Refuse an attempt that is one too many, or comes while another is under way, or has succeeded."""
    if current is None:
        return
    shown = {"payment": current, **entities}
    if current["status"] in store.OPEN:
        raise UserError("PAYMENT_IN_PROGRESS", "It is being paid.", retry_after_seconds=5, **shown)
    if current["status"] != PaymentStatus.FAILED:
        raise store.PAYMENT_MOVES.refusal(current, **shown)
    if len(_lately(ctx, current)) >= MOST_ATTEMPTS:
        raise attempts_exceeded(**shown)


def attempts_exceeded(**entities: Any) -> UserError:
    return UserError(
        "PAYMENT_ATTEMPTS_EXCEEDED",
        "At most {limit} attempts within half an hour.",
        limit=MOST_ATTEMPTS,
        **entities,
    )


def _lately(ctx: Context, payment: Payment) -> list[datetime]:
    return [each for each in payment["attempted_at"] if each > ctx.tx.now - ATTEMPTS_WITHIN]


async def _sealed(ctx: Context, id: str, owner_id: str, given: PaymentSource) -> str:
    """Source of the money, encrypted until the gateway has answered."""
    found = await _source(ctx, owner_id, given)
    said = [found.token, found.customer]
    return ctx.services.crypto.seal_values(said, place=store.source_place(id))


async def _source(ctx: Context, owner_id: str, given: PaymentSource) -> Source:
    token, method_id = given.get("token"), given.get("payment_method_id")
    if token is not None:
        return Source(token)
    return await saved_source(ctx, owner_id, str(method_id))


async def saved_source(ctx: Context, owner_id: str, method_id: str) -> Source:
    """A saved method of a person, as the gateway knows it; NOT_FOUND for others'."""
    method = await store.payment_methods.by_id(ctx.db, {"_id": method_id, "user_id": owner_id})
    payer = await store.payers.by_id(ctx.db, owner_id)
    if method is None or payer is None:
        raise UserError("NOT_FOUND", GONE, field=["payment_method_id"])
    crypto = ctx.services.crypto
    return Source(
        crypto.open(method["sealed_ref"], place=store.method_place(method_id)),
        crypto.open(payer["sealed_ref"], place=store.payer_place(owner_id)),
    )


async def _paid(ctx: Context, payment: Payment, *, certain: bool, round: int = 0) -> Paid:
    """Ask the gateway for the current attempt; where it is silent, a job goes on."""
    if payment["sealed_source"] is None:
        # Its owner has left meanwhile, and with them what it was to be paid with.
        return {"payment": payment, "next_action": None}
    try:
        charge = await _authorized(ctx, payment)
    except Declined as no:
        return {"payment": await fail(ctx, payment, no.failure), "next_action": None}
    except Permanent as problem:
        logger.warning("payment refused by the gateway", payment=payment["_id"], problem=str(problem))
        return {"payment": await fail(ctx, payment, PaymentFailureCode.NOT_CHARGED), "next_action": None}
    except Retryable:
        named = {"payment_id": payment["_id"], "attempt": payment["attempt_count"]}
        await again(ctx, PAY_ON, PAY_ON_WAITS, round, key=payment["_id"], **named)
        return {"payment": payment, "next_action": None}
    return _shown(await settle(ctx, payment, charge, certain=certain), charge)


async def _authorized(ctx: Context, payment: Payment) -> Charge:
    place = store.source_place(payment["_id"])
    token, customer = ctx.services.crypto.open_values(str(payment["sealed_source"]), place=place)
    asked = gateway(ctx).authorize(
        Source(token, customer),
        amount=payment["amount"],
        currency=payment["currency"],
        subject_id=payment["subject_id"],
        part=payment["part"],
        attempt=payment["attempt_count"],
        capture=payment["capture"] == CaptureTime.AT_ONCE,
        key=store.gateway_key(payment),
    )
    return await answered("authorize", asked)


def _shown(payment: Payment, charge: Charge) -> Paid:
    waits = payment["status"] == PaymentStatus.REQUIRES_ACTION
    return {"payment": payment, "next_action": charge.next_action if waits else None}


async def fail(ctx: Context, payment: Payment, reason: PaymentFailureCode) -> Payment:
    """End the current attempt of which the gateway has no charge; the payment as it is then."""

    async def work() -> Payment:
        current = await now(ctx, payment["_id"])
        begun = (current["attempt_count"], current["charge_ref"]) == (payment["attempt_count"], None)
        if current["status"] != PaymentStatus.PENDING or not begun:
            return current
        ended = {"status": PaymentStatus.FAILED, "failure_code": reason, "sealed_source": None}
        failed = await ctx.tx.edit(store.payments, current, ended)
        await follow(ctx, current, failed)
        return failed

    return await ctx.unit(work)


async def pay_on(services: Services, *, payment_id: str, attempt: int, round: int) -> None:
    """Ask the gateway again for an attempt of which it has said nothing."""
    ctx = Context(services)
    payment = await now(ctx, payment_id)
    unanswered = (payment["status"], payment["charge_ref"]) == (PaymentStatus.PENDING, None)
    if unanswered and payment["attempt_count"] == attempt:
        await _paid(ctx, payment, certain=False, round=round + 1)
