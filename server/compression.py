"""Response compression: large answers are compressed, as the client accepts it.

Text of a hundred posts becomes a third. The levels are the quickest that each method has worth using: most
phones are on networks where what is saved outweighs a tenth of a millisecond here. Compressing secrets beside
what an attacker chose (BREACH) needs somebody's browser to send the attacker's requests with their sign-in;
ours is a header that no page elsewhere can set.
"""

import asyncio
import zlib
from collections.abc import Callable
from typing import TypeGuard

import brotli
from aiohttp import web

from core.values.weights import weights

SLOW = 200_000
"""Bytes from which on it is done beside the event loop: milliseconds."""
GZIP = 31
"""zlib's window bits for a gzip frame."""

METHODS: dict[str, Callable[[bytes], bytes]] = {
    "br": lambda body: bytes(brotli.compress(body, quality=2, lgwin=18)),
    "gzip": lambda body: zlib.compress(body, 1, GZIP),
    "deflate": lambda body: zlib.compress(body, 1),
}
"""By preference among those that a client takes alike."""


def method(accepted: str | None) -> str | None:
    """The best method that an `Accept-Encoding` names; None: the answer goes as it is."""
    found = weights(accepted)
    known = {name: found.get(name, found.get("*", 0.0)) for name in METHODS}
    best = max(known, key=lambda name: known[name])
    return best if known[best] > 0 and known[best] >= found.get("identity", 0.0) else None


def large(response: web.StreamResponse, above: int) -> TypeGuard[web.Response]:
    """True for a finished answer, no stream, with more bytes than that."""
    body = response.body if isinstance(response, web.Response) else None
    return isinstance(body, bytes) and 0 < above < len(body)


async def pack(request: web.Request, response: web.Response) -> None:
    """Compress the body, if the client takes it so."""
    body = response.body
    assert isinstance(body, bytes)
    response.headers.setdefault("Vary", "Accept-Encoding")
    name = method(request.headers.get("Accept-Encoding"))
    if name is None:
        return
    compress = METHODS[name]
    response.body = compress(body) if len(body) < SLOW else await asyncio.to_thread(compress, body)
    response.headers["Content-Encoding"] = name
    tag = response.headers.get("ETag")
    if tag is not None and not tag.startswith("W/"):
        # A strong tag promises the same bytes.
        response.headers["ETag"] = f"W/{tag}"
