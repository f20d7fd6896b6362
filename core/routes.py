"""Routes: what systems answer over plain HTTP, beside GraphQL.

# routes/auth.py
@route("GET", "/exports/{id}/{secret}")
async def give(services: Services, request: web.Request) -> web.StreamResponse: ...
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp import hdrs, web

from core.context import Services

Handler = Callable[[Services, web.Request], Awaitable[web.StreamResponse]]

EXPOSED = "ETag, Content-Range, Accept-Ranges, Retry-After, RateLimit, RateLimit-Policy, X-Request-Id"
ANY_PAGE: dict[str, str] = {
    hdrs.ACCESS_CONTROL_ALLOW_ORIGIN: "*",
    hdrs.ACCESS_CONTROL_EXPOSE_HEADERS: EXPOSED,
}
"""CORS headers of answers that pages of every origin may read (Fetch standard)."""


@dataclass(frozen=True, slots=True)
class Route:
    """A method of a path (aiohttp's: `/media/{path:.+}`), and who answers it."""

    method: str
    path: str
    handler: Handler
    any_page: bool
    """True if pages of every origin may call it from a browser."""

    @property
    def folder(self) -> str:
        """The first name of the path."""
        return self.path[1:].partition("/")[0]

    @property
    def methods(self) -> list[str]:
        """All that is answered: who answers GET answers HEAD."""
        return [self.method, *([hdrs.METH_HEAD] if self.method == hdrs.METH_GET else [])]


ROUTES: dict[tuple[str, str], Route] = {}
"""By method and path."""


def route(method: str, path: str, *, any_page: bool = False) -> Callable[[Handler], Handler]:
    """Decorator: the function answers the method of the path."""

    def declare(handler: Handler) -> Handler:
        if (method, path) in ROUTES:
            raise ValueError(f"{method} {path} is answered twice.")
        ROUTES[method, path] = Route(method, path, handler, any_page)
        return handler

    return declare
