"""HTTP request checks that run before the operations are looked at."""

from collections.abc import Mapping
from typing import Any

import orjson
from aiohttp import web
from cross_web import AiohttpHTTPRequestAdapter, HTTPException

from core.errors import BadUserInput, Busy, QueryTooComplex, RequestError
from server import http
from server.documents import NAMES


class RequestRefused(Exception):
    """The request is answered with this status and fault."""

    def __init__(self, status: int, fault: RequestError) -> None:
        super().__init__(fault.message)
        self.status = status
        self.fault = fault


class Adapter(AiohttpHTTPRequestAdapter):
    """The request as Strawberry's view reads it: media types have no case (RFC 9110)."""

    @property
    def content_type(self) -> str:
        return self.request.content_type


def hung_up(request: web.Request) -> bool:
    """True if nobody waits for an answer: the connection is gone."""
    return request.transport is None or request.transport.is_closing()


def too_large(most: int) -> RequestRefused:
    message = f"A request has at most {most:,} bytes."
    return RequestRefused(413, QueryTooComplex(message, limit="bytes", allowed=most))


def not_the_body() -> RequestRefused:
    return refused(400, "The body is not what Content-Encoding or Content-Length says it is.")


def of_fault(fault: RequestError) -> "RequestRefused | None":
    """The refusal of a whole request, whatever its media type, because of one operation."""
    return RequestRefused(503, fault) if isinstance(fault, Busy) else None


def too_slow() -> RequestRefused:
    return refused(408, "The request came too slowly.")


def parsed(data: str | bytes) -> Any:
    try:
        return orjson.loads(data)
    except ValueError:
        raise refused(400, "The request is not JSON.") from None


def refused(status: int, message: str) -> RequestRefused:
    return RequestRefused(status, BadUserInput(message))


def check(request: web.Request) -> None:
    """Refuse what we cannot read or answer; a form's content type never gets through (CSRF)."""
    if request.method not in ("GET", "POST"):
        raise refused(405, "GraphQL is served by GET and POST.")
    if request.method == "POST" and request.content_type != http.PLAIN_JSON:
        raise refused(415, "Send JSON as application/json.")
    charset = request.charset
    if charset is not None and charset.lower() not in ("utf-8", "utf8"):
        raise refused(415, "Send JSON in UTF-8.")
    accept = request.headers.get("Accept")
    upgrade = request.headers.get("Upgrade", "").lower() == "websocket"
    if not http.streams(accept) and not upgrade and http.media_type(accept) is None:
        raise refused(406, f"Accept {http.RESPONSE_JSON} or {http.PLAIN_JSON}.")


def check_body(body: Any, *, most: int) -> None:
    """One operation, or a batch of at most so many."""
    if not isinstance(body, list):
        _check_operation(body)
        return
    if not body:
        raise refused(400, "A batch has at least one operation.")
    if len(body) > most:
        message = f"A batch has at most {most:,} operations."
        raise RequestRefused(400, QueryTooComplex(message, limit="operations", allowed=most, found=len(body)))
    for each in body:
        _check_operation(each)


def _check_operation(body: Any) -> None:
    if problem := misshapen(body):
        raise refused(400, problem)


def misshapen(body: Any) -> str | None:
    """Problem with the shape of an operation's request, on any transport; None if there is none."""
    if not isinstance(body, Mapping):
        return "The request must be an object, or a list of objects."
    for name, kind, kinds in (
        ("query", str, "a string"),
        ("operationName", str, "a string"),
        ("variables", dict, "an object"),
        ("extensions", dict, "an object"),
    ):
        if not isinstance(body.get(name), kind | None):
            return f"`{name}` must be {kinds}."
    names = {*body, *(body.get("extensions") or ())}
    if not body.get("query") and names.isdisjoint(NAMES):
        return "The request must have a `query`, or name a document."
    return None


def of_library(error: HTTPException) -> RequestRefused:
    """Convert an HTTP error of the view that ours is built on."""
    return refused(error.status_code, str(error.reason))
