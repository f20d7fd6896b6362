"""CORS: the pages of other origins that may use us from a browser (Fetch standard).

Files belong to whoever has their address, so every page may send and fetch them; GraphQL is for the origins
of `LANDFALL_ALLOWED_ORIGINS`. Cookies are no part of either.
"""

from collections.abc import Sequence

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler
from strawberry.http.websocket_origin import normalize_allowed_origins, normalize_origin

from core.routes import ANY_PAGE, ROUTES

MAX_AGE_SECONDS = "7200"
GRAPHQL = "graphql"


class Pages:
    """Allowed origins."""

    def __init__(self, allowed_origins: Sequence[str]) -> None:
        self._allowed = normalize_allowed_origins(allowed_origins)
        self._files = [route for route in ROUTES.values() if route.any_page]
        self._methods = {GRAPHQL: "GET, POST"} | {
            route.folder: ", ".join(route.methods) for route in self._files
        }

    def install(self, app: web.Application) -> None:
        """Answer preflights of files, and say on every answer of GraphQL who may read it."""
        for route in self._files:
            app.router.add_route(hdrs.METH_OPTIONS, route.path, for_any_page(self._of_files))
        if self._allowed:
            # It costs every answer something, so only where there is something to say.
            app.on_response_prepare.append(self._say)

    def preflight(self, request: web.Request) -> web.Response | None:
        """Leave to go on; None when the page has none."""
        if request.method != hdrs.METH_OPTIONS or self._reader(request) is None:
            return None
        headers = {
            hdrs.ACCESS_CONTROL_ALLOW_METHODS: self._methods[_place(request)],
            hdrs.ACCESS_CONTROL_MAX_AGE: MAX_AGE_SECONDS,
        }
        # Clients of GraphQL have headers of their own, and nothing hangs on them being there.
        if asked := request.headers.get(hdrs.ACCESS_CONTROL_REQUEST_HEADERS):
            headers[hdrs.ACCESS_CONTROL_ALLOW_HEADERS] = asked
        return web.Response(status=204, headers=headers)

    async def _of_files(self, request: web.Request) -> web.StreamResponse:
        return self.preflight(request) or web.Response(status=405)

    async def _say(self, request: web.Request, response: web.StreamResponse) -> None:
        if _place(request) != GRAPHQL:
            return
        vary = response.headers.get(hdrs.VARY)
        response.headers[hdrs.VARY] = f"{vary}, Origin" if vary else "Origin"
        origin = self._reader(request)
        if origin is not None:
            response.headers[hdrs.ACCESS_CONTROL_ALLOW_ORIGIN] = origin
            response.headers[hdrs.ACCESS_CONTROL_EXPOSE_HEADERS] = ANY_PAGE[
                hdrs.ACCESS_CONTROL_EXPOSE_HEADERS
            ]

    def _reader(self, request: web.Request) -> str | None:
        """The origin that may read the answer; None where the page's may not."""
        if _place(request) != GRAPHQL:
            return "*"
        origin = request.headers.get(hdrs.ORIGIN, "")
        return origin if origin and normalize_origin(origin) in self._allowed else None


def for_any_page(handler: Handler) -> Handler:
    """The handler of files, with answers that every page may read; what it begins to send itself says so."""

    async def handled(request: web.Request) -> web.StreamResponse:
        try:
            response = await handler(request)
        except web.HTTPException as answer:
            answer.headers.update(ANY_PAGE)
            raise
        if not response.prepared:
            response.headers.update(ANY_PAGE)
        return response

    return handled


def _place(request: web.Request) -> str:
    return request.path[1:].partition("/")[0]
