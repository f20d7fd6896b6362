"""Webhook of Stripe: the signature over the raw body, and which charge an event is about."""

import hmac
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

import orjson

from core import clock
from core.callbacks import Callback, EventKind, Forged, ProviderEvent, Told, event

TOLERANCE = 300
"""Seconds by which a signed time may differ from ours, included."""
SCHEME = "v1"
MOST_PARTS = 20
"""Of a signature header: a secret that is rolled signs twice."""
AMOUNTS = ("amount", "amount_capturable", "amount_received", "amount_refunded")


def stripe_signature(secret: str, at: str, body: bytes) -> str:
    """Signature of Stripe, version 1."""
    return hmac.digest(secret.encode(), at.encode(errors="replace") + b"." + body, sha256).hex()


class StripeWebhook:
    """Implements `core.callbacks.Webhook`: objects of Stripe that changed, each by the charge it is about."""

    def __init__(self, secrets: Sequence[str]) -> None:
        self._secrets = secrets

    def read(self, callback: Callback) -> Told:
        self._verify(callback.headers.get("Stripe-Signature", ""), callback.body)
        try:
            told = _event(orjson.loads(callback.body))
        except (ValueError, KeyError, TypeError, AttributeError):
            told = None
        return Told([told] if told else [])

    def _verify(self, header: str, body: bytes) -> None:
        """Raise `Forged` unless one signature of a present time is right."""
        parts = [part.partition("=") for part in header.split(",", MOST_PARTS)]
        at = next((value for name, _, value in parts if name.strip() == "t"), "")
        given = [value.encode(errors="replace") for name, _, value in parts if name.strip() == SCHEME]
        if not (at.isascii() and at.isdigit() and len(at) < 12):
            raise Forged
        if abs(int(clock.timestamp()) - int(at)) > TOLERANCE:
            raise Forged
        good = [stripe_signature(secret, at, body).encode() for secret in self._secrets]
        if not any(hmac.compare_digest(each, right) for each in given for right in good):
            raise Forged


def _event(said: Mapping[str, Any]) -> ProviderEvent | None:
    """The event, by the PaymentIntent that it is about; None for one that is about no charge."""
    changed = said["data"]["object"]
    intent = changed["id"] if changed["object"] == "payment_intent" else changed.get("payment_intent")
    if not isinstance(intent, str):
        return None
    amounts = "/".join(str(changed.get(name, "")) for name in AMOUNTS)
    fingerprint = f"{changed['id']}:{said['type']}:{changed.get('status', '')}:{amounts}"
    return event(EventKind.CHANGED, said["id"], intent, fingerprint=fingerprint)
