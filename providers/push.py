"""Push messages by Firebase Cloud Messaging (HTTP v1), which reaches Android, iOS and the web."""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import orjson
from aiohttp import ClientSession
from jose import jwt

from core import clock
from core.ports import FailureCode, Permanent, PushPriority, Retryable, Sent
from providers.posting import post
from providers.push_platforms import Look, message_of

SCOPE = "https://www.googleapis.com/auth/firebase.messaging"
GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
HOUR = 3600
GONE = frozenset({"UNREGISTERED", "SENDER_ID_MISMATCH"})


class Fcm:
    """Implements `core.ports.Pusher` for the project of a service account file."""

    def __init__(self, http: ClientSession, base: str, account_file: Path) -> None:
        account = orjson.loads(account_file.read_bytes())
        self._http = http
        self._url = f"{base.rstrip('/')}/v1/projects/{account['project_id']}/messages:send"
        self._account = account
        self._access: tuple[str, float] = ("", 0.0)

    async def send(
        self,
        *,
        token: str,
        title: str,
        text: str,
        data: Mapping[str, str],
        collapse: str = "",
        ttl: timedelta | None = None,
        silent: bool = False,
        category: str = "",
        priority: PushPriority = PushPriority.MEDIUM,
    ) -> Sent:
        look = Look(collapse, ttl, silent, category, priority)
        message = {"token": token, **message_of(title, text, data, look)}
        access = await self._access_token()
        status, answer = await post(
            self._http,
            "FCM",
            self._url,
            json={"message": message},
            headers={"Authorization": f"Bearer {access}"},
        )
        if status == 200:
            return Sent(str(answer.get("name", "")).rpartition("/")[2])
        error = answer.get("error") or {}
        codes = {each.get("errorCode") for each in error.get("details") or ()}
        said = f"FCM answered {status} {error.get('status', '')}."
        if codes & GONE:
            raise Permanent(FailureCode.UNREGISTERED, said)
        if status == 400 and error:
            raise Permanent(FailureCode.REFUSED, said)
        raise Retryable(said)

    async def _access_token(self) -> str:
        """A bearer token for the API, good for an hour, asked for with a signed assertion."""
        token, until = self._access
        now = clock.timestamp()
        if now < until - 60:
            return token
        claims = {
            "iss": self._account["client_email"],
            "scope": SCOPE,
            "aud": self._account["token_uri"],
            "iat": int(now),
            "exp": int(now) + HOUR,
        }
        assertion = jwt.encode(claims, self._account["private_key"], "RS256")
        form = {"grant_type": GRANT, "assertion": assertion}
        status, answer = await post(self._http, "Google", self._account["token_uri"], data=form)
        if status != 200 or "access_token" not in answer:
            raise Retryable(f"The token endpoint answered {status}.")
        self._access = (answer["access_token"], now + int(answer.get("expires_in", HOUR)))
        return self._access[0]
