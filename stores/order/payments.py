"""Payments: what somebody pays for one thing, in one attempt or several."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypedDict

from core import ids
from core.storage.mongo import Database
from core.storage.moves import Moves
from core.storage.store import Row, Sealed, entity, index
from ports.order import PaymentFailureCode, PaymentMethodKind
from stores.order.kinds import CaptureTime, GatewayWish, PaymentStatus, RefundStatus


class PaidWith(TypedDict):
    """Payment method of a payment, as far as it may be shown."""

    kind: PaymentMethodKind
    brand: str | None
    last4: str | None


class PaymentRefund(TypedDict):
    """Refund, under the key of who asked for it."""

    key: str
    amount: int
    status: RefundStatus


class Payment(Row):
    """Amounts are in minor units of the currency."""

    owner_id: str
    subject_id: str
    """Thing that is paid for."""
    part: str
    """Name of the payment where there are several for a thing; empty for the only one."""
    status: PaymentStatus
    currency: str
    amount: int
    captured_amount: int
    refunded_amount: int
    disputed_amount: int
    capture: CaptureTime
    paid_with: PaidWith | None
    authorized_until: datetime | None
    failure_code: PaymentFailureCode | None
    attempt_count: int
    attempted_at: list[datetime]
    """Moments of the latest attempts."""
    key: str
    """Key of who asked for the current attempt: it resumes it."""
    sealed_source: str | None
    """Token or method that the current attempt is paid with, until the gateway has answered."""
    charge_ref: str | None
    """Gateway's id of the charge of the current attempt."""
    wish: GatewayWish | None
    refunds: list[PaymentRefund]


PAYMENT_MOVES = Moves(
    {
        PaymentStatus.PENDING: {
            PaymentStatus.REQUIRES_ACTION,
            PaymentStatus.AUTHORIZED,
            PaymentStatus.CAPTURED,
            PaymentStatus.FAILED,
            PaymentStatus.VOIDED,
        },
        PaymentStatus.REQUIRES_ACTION: {
            PaymentStatus.AUTHORIZED,
            PaymentStatus.CAPTURED,
            PaymentStatus.FAILED,
            PaymentStatus.VOIDED,
        },
        PaymentStatus.AUTHORIZED: {PaymentStatus.CAPTURED, PaymentStatus.FAILED, PaymentStatus.VOIDED},
        PaymentStatus.CAPTURED: {PaymentStatus.PARTIALLY_REFUNDED, PaymentStatus.REFUNDED},
        PaymentStatus.FAILED: {PaymentStatus.PENDING},
        PaymentStatus.VOIDED: (),
        PaymentStatus.PARTIALLY_REFUNDED: {PaymentStatus.REFUNDED},
        PaymentStatus.REFUNDED: (),
    }
)
OPEN = (PaymentStatus.PENDING, PaymentStatus.REQUIRES_ACTION)
"""Statuses in which the gateway has yet to say what comes of the payment."""
ENDED = (PaymentStatus.FAILED, PaymentStatus.VOIDED)
"""Statuses in which the gateway must hold no money."""
PAID = (PaymentStatus.AUTHORIZED, PaymentStatus.CAPTURED)
"""Statuses in which the thing may be handed over."""

payments = entity(
    "payments",
    Payment,
    prefix="payment",
    owner="owner_id",
    sealed=[Sealed("sealed_source", "payments/{_id}/source")],
    indexes=[index("owner_id", "updated_at")],
    moves=PAYMENT_MOVES,
)


def payment_id(subject_id: str, part: str = "") -> str:
    """Id of the payment for a thing: made of the thing's, so that two at once make the same one."""
    return ids.derived("payment", subject_id, *filter(None, [part]))


async def payment_of(db: Database, subject_id: str, part: str = "") -> Payment | None:
    """The payment for a thing; None while there is none."""
    return await payments.by_id(db, payment_id(subject_id, part))


def source_place(id: str) -> str:
    return f"payments/{id}/source"


def gateway_key(payment: Mapping[str, Any]) -> str:
    """Idempotency key of the current attempt at the gateway."""
    return ":".join(filter(None, [payment["subject_id"], payment["part"], str(payment["attempt_count"])]))


def refundable(payment: Payment) -> int:
    """Amount that may still be given back, with what is on its way taken off."""
    on_its_way = sum(each["amount"] for each in payment["refunds"] if each["status"] == RefundStatus.PENDING)
    return payment["captured_amount"] - payment["refunded_amount"] - payment["disputed_amount"] - on_its_way
