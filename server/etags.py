"""Conditional requests: `If-None-Match` on persisted GET queries.

The tag is of what is answered. A page of a ranked feed stays the same while its snapshot is shown and nothing
of it changes or is taken out, so a phone that opens its feed again mostly learns in a few bytes that it has
it.
"""

import hashlib
from collections.abc import Mapping
from typing import Any

import orjson
from aiohttp import web

from server.documents import NAMES

ASKED = web.ResponseKey("if-none-match", str)
"""ETag the client has, on responses that may be answered with 304."""
PRIVATE = {"Cache-Control": "private, no-cache", "Vary": "Authorization, Accept, Accept-Encoding"}


def asked(request: web.Request) -> str | None:
    """Return the ETag the client has; None where its request is no persisted GET query."""
    named = any(name in request.query or name in request.query.get("extensions", "") for name in NAMES)
    return request.headers.get("If-None-Match", "") if request.method == "GET" and named else None


def tag(response: web.Response, answer: Any) -> None:
    """Tag a private answer without errors; 304 and nothing more if the client has it."""
    whole = isinstance(answer, Mapping) and not answer.get("errors") and "data" in answer
    if ASKED not in response or "ETag" in response.headers or not whole:
        return
    body = orjson.dumps(answer["data"], default=str)
    etag = f'W/"{hashlib.blake2b(body, digest_size=16).hexdigest()}"'
    response.headers.update({"ETag": etag, **PRIVATE})
    known = {each.strip() for each in response[ASKED].split(",")}
    if etag in known or etag.removeprefix("W/") in known:
        response.set_status(304)
        response.body = None
