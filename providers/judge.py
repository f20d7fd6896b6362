"""Remote moderation: a service of the deployment's own judges text and pictures, after the plain rules."""

import base64
from collections.abc import Sequence
from typing import Any

import orjson
from aiohttp import ClientError, ClientSession, ClientTimeout

from core.ports import Retryable
from ports.feed import Classifier, Shown, Verdict

TIMEOUT = ClientTimeout(total=20.0)
LARGEST_ANSWER = 64 * 1024
LABELS = ("SENSITIVE", "MISLEADING")


class Elsewhere:
    """Asks by POST: `{"text", "media": [{"id", "mime", "data"}]}`, pictures in base64.

    The answer is `{"refuse", "limit", "label", "reason"}`, each of which may be missing. What `first` objects
    to is not asked about.
    """

    def __init__(self, http: ClientSession, url: str, token: str, first: Classifier) -> None:
        self._http, self._url, self._first = http, url, first
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}

    async def judge(self, text: str, shown: Sequence[Shown]) -> Verdict:
        verdict = await self._first.judge(text, shown)
        if verdict != Verdict() or not (text or shown):
            return verdict
        media = [
            {"id": each.id, "mime": each.mime, "data": base64.b64encode(await each.read()).decode()}
            for each in shown
        ]
        return _verdict(await self._asked({"text": text, "media": media}))

    async def _asked(self, question: dict[str, Any]) -> Any:
        try:
            async with self._http.post(
                self._url, json=question, headers=self._headers, timeout=TIMEOUT, allow_redirects=False
            ) as response:
                if response.status != 200:
                    raise Retryable(f"The classifier answered {response.status}.")
                body = await response.content.read(LARGEST_ANSWER)
            return orjson.loads(body)
        except (ClientError, TimeoutError, OSError, ValueError) as error:
            raise Retryable(f"The classifier did not answer: {type(error).__name__}.") from None


def _verdict(answer: Any) -> Verdict:
    if not isinstance(answer, dict):
        raise Retryable("The classifier's answer is no verdict.")
    label, reason = answer.get("label"), answer.get("reason")
    return Verdict(
        refuse=answer.get("refuse") is True,
        limit=answer.get("limit") is True,
        label=label if label in LABELS else None,
        reason=reason if isinstance(reason, str) else None,
    )
