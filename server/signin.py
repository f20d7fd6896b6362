"""Authentication of requests and sockets."""

import random
import re
from ipaddress import ip_address

from aiohttp import web

from core import bearer_tokens
from core.context import Context, Services
from core.errors import Unauthenticated
from core.sessions import Sessions

ID = web.RequestKey("id", str)
"""Where a request keeps its id."""
REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")


def context_of(services: Services, request: web.Request) -> Context:
    """An anonymous context for the request."""
    return Context(
        services,
        request_id=request[ID],
        address=address_of(services, request),
        origin=f"{request.scheme}://{request.host}",
        accept_language=request.headers.get("Accept-Language", ""),
        user_agent=request.headers.get("User-Agent", ""),
        bearers=bearer_tokens.of_headers(request.headers),
    )


def request_id(request: web.Request) -> str:
    """The caller's id for this request, if it is sound; else a new one."""
    given = request.headers.get("X-Request-Id")
    return given if given and REQUEST_ID.fullmatch(given) else f"{random.getrandbits(64):016x}"


def address_of(services: Services, request: web.Request) -> str:
    """Client address as the outermost of our own proxies saw it: anybody may forge the ones before that."""
    proxies = services.settings.trust_proxy
    if not proxies:
        return request.remote or ""
    told = [
        each.strip() for line in request.headers.getall("X-Forwarded-For", ()) for each in line.split(",")
    ]
    if len(told) >= proxies and is_address(told[-proxies]):
        return told[-proxies]
    return request.remote or ""


def is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def sign_in(ctx: Context, authorization: str | None) -> None:
    """Sets the context's viewer; a bad token is only refused where a viewer is needed.

    So a phone may send its expired token along when it refreshes, signs out, or reads what is public.
    """
    if not authorization:
        return
    scheme, _, token = authorization.partition(" ")
    try:
        if scheme.lower() != "bearer":
            raise Unauthenticated("TOKEN_INVALID")
        ctx.viewer = ctx.services.get(Sessions).viewer(token.strip())
    except Unauthenticated as refusal:
        ctx.refusal = refusal.reason
