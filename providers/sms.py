"""Text messages by a provider's HTTP API, for production.

A provider is one URL: `twilio://SID:TOKEN@api.twilio.com/+15550100` or `vonage://KEY:SECRET@rest.nexmo.com/Landfall`,
the last part being the sender. `+http` after the name speaks plain HTTP, for a gateway on the same machine.
"""

from typing import Protocol

from aiohttp import ClientSession, encode_basic_auth

from core.ports import DeliveryFailed, FailureCode, Permanent, Retryable, Sent, SmsSender
from core.values.gsm import GSM
from providers import twilio
from providers.account_url import Account, account
from providers.posting import post

VONAGE_CODES = {
    "6": FailureCode.REFUSED,
    "7": FailureCode.UNREACHABLE,
    "33": FailureCode.UNREACHABLE,
}
"""Vonage's statuses after which no later try succeeds: rejected by the carrier, barred, out of use."""


class Twilio:
    """Implements `core.ports.SmsSender` with Twilio's Messages resource.

    It calls back at `callback` as the message goes on its way; empty: never.
    """

    def __init__(self, http: ClientSession, given: Account, callback: str = "") -> None:
        self._http = http
        self._url = f"{given.base}/2010-04-01/Accounts/{given.login}/Messages.json"
        self._headers = {"Authorization": encode_basic_auth(given.login, given.secret)}
        self._form = {"From": given.sender} | ({"StatusCallback": callback} if callback else {})

    async def send(self, *, to: str, text: str) -> Sent:
        form = {**self._form, "To": to, "Body": text}
        status, answer = await post(self._http, "Twilio", self._url, data=form, headers=self._headers)
        if status >= 300 or answer.get("status") in ("failed", "undelivered"):
            raise twilio.failure(status, answer)
        return Sent(str(answer.get("sid", "")))


class Vonage:
    """Implements `core.ports.SmsSender` with Vonage's SMS API.

    It calls back at `callback` as the message goes on its way; empty: never.
    """

    def __init__(self, http: ClientSession, given: Account, callback: str = "") -> None:
        self._http = http
        self._url = f"{given.base}/sms/json"
        self._form = {"api_key": given.login, "api_secret": given.secret, "from": given.sender}
        if callback:
            self._form["callback"] = callback

    async def send(self, *, to: str, text: str) -> Sent:
        # Half the characters, and so twice the segments, if plain text were sent as Unicode.
        kind = "text" if GSM.issuperset(text) else "unicode"
        form = {**self._form, "to": to.lstrip("+"), "text": text, "type": kind}
        status, answer = await post(self._http, "Vonage", self._url, data=form)
        if status >= 300:
            raise Retryable(f"Vonage answered {status}.")
        # It answers 200 whatever comes of it, for each part of the message.
        parts = list(answer.get("messages") or ())
        statuses = [str(part.get("status")) for part in parts]
        if not statuses or set(statuses) != {"0"}:
            raise _vonage_failure(statuses)
        return Sent(str(parts[0].get("message-id", "")))


def _vonage_failure(statuses: list[str]) -> DeliveryFailed:
    text = f"Vonage: status {', '.join(statuses) or 'missing'}."
    reason = next((VONAGE_CODES[each] for each in statuses if each in VONAGE_CODES), None)
    return Retryable(text) if reason is None else Permanent(reason, text)


class Kind(Protocol):
    def __call__(self, http: ClientSession, given: Account, callback: str = "") -> SmsSender: ...


KINDS: dict[str, Kind] = {"twilio": Twilio, "vonage": Vonage}
FORM = "an SMS provider is twilio://SID:TOKEN@host/sender or vonage://KEY:SECRET@host/sender"


def sms_sender(url: str, http: ClientSession, callbacks: str = "") -> SmsSender:
    """The provider that a URL describes, which calls back under `callbacks`; ValueError."""
    found = account(url, KINDS, FORM)
    return KINDS[found.kind](http, found, f"{callbacks}/{found.kind}" if callbacks else "")
