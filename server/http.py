"""GraphQL over HTTP: media types and status codes of the draft, and our headers."""

import math
from collections.abc import Mapping
from typing import Any

from core.context import Context
from core.values.weights import accepts, weights
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


def media_type(accept: str | None) -> str | None:
    """Best media type the client accepts: ours by preference, None when it takes neither."""
    found = weights(accept or PLAIN_JSON)
    for name, weight in found.items():
        chosen = ACCEPTED.get(name)
        # What a wildcard takes may be refused by its name.
        if chosen and weight > 0 and found.get(chosen, weight) > 0:
            return chosen
    return None


def streams(accept: str | None) -> bool:
    """True if the client asks for a stream of answers."""
    return accepts(accept, *STREAMS)


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
