"""Webhook of Vonage: what became of a text message, and replies (SMS API, signed webhooks)."""

import hmac
from collections.abc import Mapping
from hashlib import sha256
from urllib.parse import parse_qs

from core.callbacks import Callback, EventKind, Forged, ProviderEvent, Told, event
from core.ports import FailureCode
from providers.webhooks import MOST_FIELDS, json_object, recent

STATUSES = {
    "accepted": EventKind.SENT,
    "delivered": EventKind.DELIVERED,
    **dict.fromkeys(("expired", "failed", "rejected"), EventKind.FAILED),
}
CODES = {
    # Absent for good, illegal number, no route, out of reach.
    **dict.fromkeys(("3", "9", "11", "12"), FailureCode.UNREACHABLE),
    # Barred by the person, taken for spam, malformed, under age, blocked by the carrier.
    **dict.fromkeys(("4", "6", "10", "13", "14"), FailureCode.REFUSED),
}


def vonage_signature(secret: str, form: Mapping[str, str]) -> str:
    """HMAC-SHA256 of the sorted parameters but `sig`, in whose values `&` and `=` count as `_`."""
    signed = "".join(
        f"&{name}={form[name].replace('&', '_').replace('=', '_')}" for name in sorted(form) if name != "sig"
    )
    return hmac.digest(secret.encode(), signed.encode(errors="replace"), sha256).hex()


class VonageWebhook:
    """Implements `core.callbacks.Webhook`: delivery receipts and replies, as a form or JSON."""

    def __init__(self, secret: str) -> None:
        self._secret = secret

    def read(self, callback: Callback) -> Told:
        said = _fields(callback.body)
        given = said.get("sig", "").lower().encode(errors="replace")
        good = vonage_signature(self._secret, said).encode()
        if not hmac.compare_digest(given, good) or not recent(said.get("timestamp", "")):
            raise Forged
        told = _event(said)
        return Told([told] if told else [])


def _fields(body: bytes) -> dict[str, str]:
    if found := json_object(body):
        return {str(name): str(value) for name, value in found.items()}
    try:
        form = parse_qs(body.decode(errors="replace"), keep_blank_values=True, max_num_fields=MOST_FIELDS)
    except ValueError:
        return {}
    return {name: values[0] for name, values in form.items()}


def _event(said: Mapping[str, str]) -> ProviderEvent | None:
    ref, status = said.get("messageId", ""), said.get("status", "")
    if not ref:
        return None
    if "text" in said and not status:
        return event(EventKind.REPLY, ref, ref, sender=f"+{said.get('msisdn', '')}", text=said["text"])
    if status not in STATUSES:
        return None
    code = CODES.get(said.get("err-code", ""), "") if STATUSES[status] == EventKind.FAILED else ""
    return event(STATUSES[status], f"{ref}:{status}", ref, code=code)
