"""Stores of orders and payments."""

from stores.order.kinds import CaptureTime, GatewayWish, PaymentMethodKind, PaymentStatus, RefundStatus
from stores.order.methods import Payer, PaymentMethod, method_place, payer_place, payers, payment_methods
from stores.order.payments import (
    ENDED,
    MOVES,
    OPEN,
    PAID,
    PaidWith,
    Payment,
    PaymentRefund,
    gateway_key,
    payment_id,
    payments,
    refundable,
    source_place,
)

__all__ = [
    "ENDED",
    "MOVES",
    "OPEN",
    "PAID",
    "CaptureTime",
    "GatewayWish",
    "PaidWith",
    "Payer",
    "Payment",
    "PaymentMethod",
    "PaymentMethodKind",
    "PaymentRefund",
    "PaymentStatus",
    "RefundStatus",
    "gateway_key",
    "method_place",
    "payer_place",
    "payers",
    "payment_id",
    "payment_methods",
    "payments",
    "refundable",
    "source_place",
]
