"""GraphQL over HTTP: media types and status codes of the draft, and our headers."""

import math
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from core.context import Context
from server import errors

RESPONSE_JSON = "application/graphql-response+json"
PLAIN_JSON = "application/json"
ACCEPTED = {
    RESPONSE_JSON: RESPONSE_JSON,
    "application/*": RESPONSE_JSON,
    "*/*": PLAIN_JSON,
    PLAIN_JSON: PLAIN_JSON,
}
TELL_COST = "Landfall-Cost"
"""The header of a request that wants to know its cost."""
NEVER_RAN = {**errors.STATUS, "FORBIDDEN": 403, "PERSISTED_QUERY_NOT_FOUND": 200}
"""HTTP status of an operation that was not begun for one of these reasons.

Apollo's mobile clients read an answer, and send the document that it asks for, only with a status of 200.
"""
STREAMS = ("text/event-stream", "multipart/mixed")


@lru_cache(maxsize=256)
def media_type(accept: str | None) -> str | None:
    """Best media type the client accepts: ours by preference, None when it takes neither."""
    best: tuple[float, str] | None = None
    for part in (accept or PLAIN_JSON).split(","):
        name, *parameters = (piece.strip().lower() for piece in part.split(";"))
        chosen = ACCEPTED.get(name)
        weight = _weight(parameters)
        if chosen and weight > 0 and (best is None or weight > best[0]):
            best = (weight, chosen)
    return best[1] if best else None


def _weight(parameters: list[str]) -> float:
    for parameter in parameters:
        if parameter.startswith("q="):
            try:
                return float(parameter[2:])
            except ValueError:
                return 0.0
    return 1.0


def streams(accept: str | None) -> bool:
    """True if the client asks for a stream of answers."""
    return accept is not None and any(name in accept.lower() for name in STREAMS)


def status(response: Any, chosen: str) -> int:
    """The status code of an answer in the chosen media type."""
    if isinstance(response, list) or not response.get("errors"):
        return 200
    if response.get("data") is not None:
        return 200
    code = response["errors"][0].get("extensions", {}).get("code")
    if "data" not in response:
        return NEVER_RAN.get(code, 400) if chosen == RESPONSE_JSON else 200
    return errors.STATUS.get(code, 200)


def limit_headers(ctx: Context) -> Mapping[str, str]:
    """`RateLimit` fields (IETF draft) of the tightest limit that was counted."""
    if not ctx.verdicts:
        return {}
    tightest = min(ctx.verdicts, key=lambda verdict: verdict.remaining / verdict.rate.count)
    headers = {"RateLimit": tightest.header, "RateLimit-Policy": tightest.rate.policy}
    if not tightest.allowed:
        headers["Retry-After"] = str(math.ceil(tightest.retry_after))
    return headers
