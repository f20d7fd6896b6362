"""Webhooks of Twilio, Slack and mail services: callbacks verified, and told in words that all share."""

import base64
import binascii
import hmac
from collections.abc import Mapping, Sequence
from hashlib import sha1, sha256
from typing import Any
from urllib.parse import parse_qs

import orjson

from core import clock
from core.callbacks import Callback, EventKind, Forged, ProviderEvent, Told, event
from providers import slack, twilio

MOST_FIELDS = 200
TOLERANCE = 300
"""Seconds by which a signed time may differ from ours."""

TWILIO_STATUSES = {
    "sent": EventKind.SENT,
    "delivered": EventKind.DELIVERED,
    "read": EventKind.OPENED,
    "completed": EventKind.DELIVERED,
    **dict.fromkeys(("undelivered", "failed", "busy", "no-answer", "canceled"), EventKind.FAILED),
}
MAIL_KINDS = {
    "email.sent": EventKind.SENT,
    "email.delivered": EventKind.DELIVERED,
    "email.opened": EventKind.OPENED,
    "email.bounced": EventKind.BOUNCED,
    "email.failed": EventKind.FAILED,
}


def twilio_signature(token: str, url: str, form: Mapping[str, Sequence[str]]) -> str:
    """HMAC-SHA1 of the URL and the sorted parameters, each once."""
    signed = url + "".join(name + value for name in sorted(form) for value in sorted(set(form[name])))
    return base64.b64encode(hmac.digest(token.encode(), signed.encode(), sha1)).decode()


class TwilioWebhook:
    """Implements `core.callbacks.Webhook`: states of texts and calls, replies, and keys."""

    def __init__(self, *tokens: str) -> None:
        self._tokens = tokens

    def read(self, callback: Callback) -> Told:
        try:
            text = callback.body.decode(errors="replace")
            form = parse_qs(text, keep_blank_values=True, max_num_fields=MOST_FIELDS)
        except ValueError:
            raise Forged from None
        given = callback.headers.get("X-Twilio-Signature", "").encode(errors="replace")
        good = [twilio_signature(token, callback.url, form).encode() for token in self._tokens]
        if not any(hmac.compare_digest(given, each) for each in good):
            raise Forged
        told = self._event({name: values[0] for name, values in form.items()})
        # A document that says nothing ends a call, and answers no text.
        return Told([told] if told else [], "<Response/>", "text/xml")

    def _event(self, said: Mapping[str, str]) -> ProviderEvent | None:
        ref = said.get("MessageSid") or said.get("CallSid") or ""
        status = said.get("MessageStatus") or said.get("CallStatus") or ""
        if not ref:
            return None
        if "Digits" in said:
            digits = said["Digits"]
            return event(EventKind.KEY, f"{ref}:key:{digits}", ref, digits=digits)
        if "Body" in said and "MessageStatus" not in said:
            return event(EventKind.REPLY, ref, ref, sender=said.get("From", ""), text=said["Body"])
        if status not in TWILIO_STATUSES:
            return None
        code, answered = twilio.permanent(said.get("ErrorCode")), said.get("AnsweredBy", "")
        return event(
            TWILIO_STATUSES[status],
            f"{ref}:{status}",
            ref,
            code=code or "",
            answered_by=_answered_by(answered),
        )


def _answered_by(said: str) -> str:
    """Machine or person; a detection that could not tell counts as a person, who is not called again."""
    if not said:
        return ""
    return "MACHINE" if said.startswith("machine") or said == "fax" else "HUMAN"


def standard_signature(secret: str, id: str, at: str, body: bytes) -> str:
    """Signature of Standard Webhooks, version 1."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    return (
        "v1,"
        + base64.b64encode(hmac.digest(key, f"{id}.{at}.".encode(errors="replace") + body, sha256)).decode()
    )


class StandardSigner:
    """Signer of callbacks by Standard Webhooks, in headers whose names begin with one of the prefixes."""

    def __init__(self, secret: str, *, prefixes: Sequence[str] = ("webhook",)) -> None:
        try:
            base64.b64decode(secret.removeprefix("whsec_"), validate=True)
        except binascii.Error:
            raise ValueError("a secret of Standard Webhooks is whsec_ and base64") from None
        self._secret = secret
        self._prefixes = prefixes

    def verified(self, callback: Callback) -> str:
        """Id of the event; `Forged` unless one signature of a present time is right."""
        id, at, given = (self._header(callback, name) for name in ("id", "timestamp", "signature"))
        good = standard_signature(self._secret, id, at, callback.body).encode()
        signatures = given.encode(errors="replace").split()
        if not recent(at) or not any(hmac.compare_digest(each, good) for each in signatures):
            raise Forged
        return id

    def _header(self, callback: Callback, name: str) -> str:
        found = (callback.headers.get(f"{prefix}-{name}") for prefix in self._prefixes)
        return next(filter(None, found), "")


class MailWebhook:
    """Implements `core.callbacks.Webhook` by Standard Webhooks, in Resend's words."""

    def __init__(self, secret: str) -> None:
        # Svix, whose scheme became the standard, still names headers its own way.
        self._signer = StandardSigner(secret, prefixes=("webhook", "svix"))

    def read(self, callback: Callback) -> Told:
        id = self._signer.verified(callback)
        said = json_object(callback.body)
        kind, data = MAIL_KINDS.get(str(said.get("type"))), said.get("data")
        ref = str(data.get("message_id") or data.get("email_id") or "") if isinstance(data, dict) else ""
        return Told([event(kind, id, ref.strip("<>"))] if kind and ref else [])


def slack_signature(secret: str, at: str, body: bytes) -> str:
    return "v0=" + hmac.digest(secret.encode(), f"v0:{at}:".encode(errors="replace") + body, sha256).hex()


class SlackWebhook:
    """Implements `core.callbacks.Webhook`: acknowledgments by button; and proves the address to Slack."""

    def __init__(self, secret: str) -> None:
        self._secret = secret

    def read(self, callback: Callback) -> Told:
        at = callback.headers.get("X-Slack-Request-Timestamp", "")
        given = callback.headers.get("X-Slack-Signature", "").encode(errors="replace")
        good = slack_signature(self._secret, at, callback.body).encode()
        if not recent(at) or not hmac.compare_digest(given, good):
            raise Forged
        said = json_object(callback.body)
        if said.get("type") == "url_verification":
            return Told(body=str(said.get("challenge", "")))
        return Told(tuple(_pressed(_interaction(callback.body))))


def _interaction(body: bytes) -> dict[str, Any]:
    """Interaction payload of Slack: JSON in a form's field, of what a person did with a message."""
    try:
        form = parse_qs(body.decode(errors="replace"), max_num_fields=MOST_FIELDS)
    except ValueError:
        return {}
    return json_object(form.get("payload", [""])[0].encode())


def _pressed(said: Mapping[str, Any]) -> list[ProviderEvent]:
    """Acknowledgments among the buttons that a person pressed."""
    if said.get("type") != "block_actions":
        return []
    place, user, actions = said.get("container"), said.get("user"), said.get("actions")
    if not (isinstance(place, dict) and isinstance(user, dict) and isinstance(actions, list)):
        return []
    ref = f"{place.get('channel_id')}:{place.get('message_ts')}"
    return [
        event(EventKind.ACKNOWLEDGED, f"{ref}:{each.get('action_ts')}", ref, sender=str(user.get("id", "")))
        for each in actions[:MOST_FIELDS]
        if isinstance(each, dict) and each.get("action_id") == slack.ACKNOWLEDGE
    ]


def recent(at: str) -> bool:
    """True if a signed time, in seconds since the epoch, is close to ours."""
    return at.isascii() and at.isdigit() and abs(int(clock.timestamp()) - int(at[:15])) <= TOLERANCE


def json_object(body: bytes) -> dict[str, Any]:
    """JSON object of a body; empty where it is none."""
    try:
        said = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    return said if isinstance(said, dict) else {}
