"""Text messages by a provider's HTTP API, for production.

A provider is one URL: `twilio://SID:TOKEN@api.twilio.com/+15550100` or `vonage://KEY:SECRET@rest.nexmo.com/Landfall`,
the last part being the sender. `+http` after the name speaks plain HTTP, for a gateway on the same machine.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

from aiohttp import ClientError, ClientSession, ClientTimeout, encode_basic_auth

from core.ports import DeliveryFailed, SmsSender

TIMEOUT = ClientTimeout(total=8.0)


class Twilio:
    """Implements `core.ports.SmsSender` with Twilio's Messages resource."""

    def __init__(self, http: ClientSession, base: str, sid: str, token: str, sender: str) -> None:
        self._http = http
        self._url = f"{base}/2010-04-01/Accounts/{sid}/Messages.json"
        self._headers = {"Authorization": encode_basic_auth(sid, token)}
        self._sender = sender

    async def send(self, *, to: str, text: str) -> None:
        form = {"To": to, "From": self._sender, "Body": text}
        answer = await _post(self._http, self._url, form, headers=self._headers)
        if answer.get("status") in ("failed", "undelivered"):
            raise DeliveryFailed(f"Twilio: error {answer.get('error_code')}.")


class Vonage:
    """Implements `core.ports.SmsSender` with Vonage's SMS API."""

    def __init__(self, http: ClientSession, base: str, key: str, secret: str, sender: str) -> None:
        self._http = http
        self._url = f"{base}/sms/json"
        self._login = {"api_key": key, "api_secret": secret}
        self._sender = sender

    async def send(self, *, to: str, text: str) -> None:
        form = {**self._login, "to": to.lstrip("+"), "from": self._sender, "text": text, "type": "unicode"}
        answer = await _post(self._http, self._url, form)
        # It answers 200 whatever comes of it.
        statuses = [str(part.get("status")) for part in answer.get("messages") or ()]
        if not statuses or set(statuses) != {"0"}:
            raise DeliveryFailed(f"Vonage: status {', '.join(statuses) or 'missing'}.")


async def _post(http: ClientSession, url: str, form: Mapping[str, str], **how: Any) -> dict[str, Any]:
    try:
        async with http.post(url, data=form, timeout=TIMEOUT, allow_redirects=False, **how) as response:
            if response.status >= 300:
                raise DeliveryFailed(f"The SMS provider answered {response.status}.")
            answer = await response.json(content_type=None)
    except (ClientError, TimeoutError, OSError, ValueError) as error:
        raise DeliveryFailed(f"The SMS provider did not answer: {type(error).__name__}.") from None
    return answer if isinstance(answer, dict) else {}


KINDS: dict[str, Any] = {"twilio": Twilio, "vonage": Vonage}


def sms_sender(url: str, http: ClientSession) -> SmsSender:
    """The provider that a URL describes; ValueError when it describes none."""
    parts = urlsplit(url)
    name, _, transport = parts.scheme.partition("+")
    if name not in KINDS or transport not in ("", "http") or not parts.hostname or not parts.path.strip("/"):
        raise ValueError(
            "an SMS provider is twilio://SID:TOKEN@host/sender or vonage://KEY:SECRET@host/sender"
        )
    port = f":{parts.port}" if parts.port else ""
    base = f"{transport or 'https'}://{parts.hostname}{port}"
    login = unquote(parts.username or ""), unquote(parts.password or "")
    made: SmsSender = KINDS[name](http, base, *login, unquote(parts.path.strip("/")))
    return made
