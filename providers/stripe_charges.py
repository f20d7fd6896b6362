"""Stripe's objects in the words of the payment port."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from core.values.charges import from_gateway_units
from ports.order import (
    Charge,
    ChargeStatus,
    GatewayRefund,
    Instrument,
    NextAction,
    NextActionKind,
    PaymentFailureCode,
    PaymentMethodKind,
)

Object = Mapping[str, Any]

STATUSES = {
    "requires_payment_method": ChargeStatus.PENDING,
    "requires_confirmation": ChargeStatus.PENDING,
    "processing": ChargeStatus.PENDING,
    "requires_action": ChargeStatus.REQUIRES_ACTION,
    "requires_capture": ChargeStatus.AUTHORIZED,
    "succeeded": ChargeStatus.CAPTURED,
    "canceled": ChargeStatus.VOIDED,
}
LAPSED = frozenset({"automatic", "expired"})
"""Reasons for which Stripe itself gives up an authorization."""
CODES = {
    "insufficient_funds": PaymentFailureCode.INSUFFICIENT_FUNDS,
    "withdrawal_count_limit_exceeded": PaymentFailureCode.INSUFFICIENT_FUNDS,
    "expired_card": PaymentFailureCode.EXPIRED_CARD,
    **dict.fromkeys(
        ("incorrect_cvc", "incorrect_number", "invalid_cvc", "invalid_number", "incorrect_zip"),
        PaymentFailureCode.INCORRECT_DETAILS,
    ),
    **dict.fromkeys(("invalid_expiry_month", "invalid_expiry_year"), PaymentFailureCode.INCORRECT_DETAILS),
    "payment_intent_authentication_failure": PaymentFailureCode.AUTHENTICATION_FAILED,
    "setup_intent_authentication_failure": PaymentFailureCode.AUTHENTICATION_FAILED,
    "authentication_required": PaymentFailureCode.AUTHENTICATION_FAILED,
    "resource_missing": PaymentFailureCode.METHOD_INVALID,
    "token_already_used": PaymentFailureCode.METHOD_INVALID,
    "payment_method_unexpected_state": PaymentFailureCode.METHOD_INVALID,
}
CLOSED = frozenset({"won", "warning_needs_response", "warning_under_review", "warning_closed", "prevented"})
"""Statuses of disputes for which no money is taken away, or in which it came back."""


def charge(intent: Object, refunds: Iterable[Object] = (), disputes: Iterable[Object] = ()) -> Charge:
    """Charge of a PaymentIntent, whose latest charge is expanded."""
    currency = intent["currency"].upper()
    latest = intent.get("latest_charge") or {}
    if isinstance(latest, str):
        latest = {}
    metadata = intent.get("metadata") or {}

    def minor(units: int | None) -> int:
        return from_gateway_units(units or 0, currency)

    return Charge(
        ref=intent["id"],
        status=status(intent),
        amount=minor(intent["amount"]),
        currency=currency,
        subject_id=metadata.get("subject", ""),
        part=metadata.get("part", ""),
        attempt=_number(metadata.get("attempt", "")),
        captured=minor(intent.get("amount_received")),
        refunded=minor(latest.get("amount_refunded")),
        disputed=sum(minor(each["amount"]) for each in disputes if each["status"] not in CLOSED),
        failure=failure(intent.get("last_payment_error") or {}) if intent.get("last_payment_error") else None,
        capture_before=_capture_before(latest),
        paid_with=instrument(latest.get("payment_method_details") or {}),
        refunds=tuple(_refund(each, currency) for each in refunds),
        next_action=next_action(intent),
    )


def status(intent: Object) -> ChargeStatus:
    """Status of a PaymentIntent; PENDING for one that Stripe has added since."""
    said = intent["status"]
    if said == "requires_payment_method" and intent.get("last_payment_error"):
        return ChargeStatus.FAILED
    if said == "canceled" and intent.get("cancellation_reason") in LAPSED:
        return ChargeStatus.LAPSED
    return STATUSES.get(said, ChargeStatus.PENDING)


def failure(error: Object) -> PaymentFailureCode:
    """Reason that may be told: banks decline stolen cards, and must not say so."""
    for name in ("decline_code", "code"):
        if (found := CODES.get(error.get(name) or "")) is not None:
            return found
    return PaymentFailureCode.DECLINED


def instrument(method: Object) -> Instrument | None:
    """Instrument of a PaymentMethod, or of a charge's details of one."""
    kind = method.get("type")
    if not kind:
        return None
    card = method.get("card")
    if kind != "card" or not card:
        return Instrument(PaymentMethodKind.OTHER)
    return Instrument(
        PaymentMethodKind.WALLET if card.get("wallet") else PaymentMethodKind.CARD,
        card.get("brand"),
        card.get("last4"),
        card.get("exp_month"),
        card.get("exp_year"),
    )


def next_action(intent: Object) -> NextAction | None:
    """Step that a PaymentIntent or SetupIntent waits for."""
    if intent["status"] != "requires_action":
        return None
    redirect = (intent.get("next_action") or {}).get("redirect_to_url")
    if redirect:
        return {"kind": NextActionKind.REDIRECT, "url": redirect["url"], "client_secret": None}
    return {"kind": NextActionKind.SDK, "url": None, "client_secret": intent.get("client_secret")}


def _capture_before(latest: Object) -> datetime | None:
    card = (latest.get("payment_method_details") or {}).get("card") or {}
    moment = card.get("capture_before")
    return datetime.fromtimestamp(moment, UTC) if moment else None


def _refund(found: Object, currency: str) -> GatewayRefund:
    name = (found.get("metadata") or {}).get("name", "")
    amount = from_gateway_units(found["amount"], currency)
    return GatewayRefund(name, amount, failed=found.get("status") in ("failed", "canceled"))


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0
