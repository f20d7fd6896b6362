"""The aiohttp application."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable

import structlog
from aiohttp import hdrs, web, web_response
from aiohttp.typedefs import Handler, Middleware

from core import logs, request_notes
from core.context import Services
from core.graphql.build import Schema
from core.request_notes import Notes
from core.routes import ROUTES
from core.routes import Handler as Answer
from core.settings import Settings
from server import cors, hooks, pages, requests, signin
from server.connections import Connections
from server.graphql import GraphQLView
from server.http_metrics import OPERATIONS, REQUESTS
from server.sockets import drain

logger = structlog.get_logger(__name__)

HUNG_UP = 499
"""The status of a request whose sender went away, as nginx counts it."""
VIEW = web.AppKey("view", GraphQLView)
CONNECTIONS = web.AppKey("connections", Connections)
STRICT_TRANSPORT = "max-age=31536000; includeSubDomains"
# A malformed request is refused by the library itself, which names its version and Python's.
web_response.SERVER_SOFTWARE = "Landfall"  # type: ignore[attr-defined]
NOT_THE_BODY = "The body is not what Content-Encoding or Content-Length says it is.\n"


def make_app(services: Services, schema: Schema) -> web.Application:
    connections = Connections(services.settings)
    app = web.Application(
        middlewares=[observing(services.settings, connections)],
        client_max_size=services.settings.max_body_bytes,
    )
    app[CONNECTIONS] = connections
    app.on_response_prepare.append(_safe(services.settings))
    view = GraphQLView(services, schema)
    app[pages.SERVICES] = services
    app[VIEW] = view

    elsewhere = cors.Pages(services.settings.allowed_origins)
    elsewhere.install(app)

    async def graphql(request: web.Request) -> web.StreamResponse:
        if (leave := elsewhere.preflight(request)) is not None:
            return leave
        if pages.wants_page(request):
            return await pages.graphiql(services, schema)
        return await view(request)

    app.router.add_route("*", "/graphql", graphql)
    app.router.add_get("/", _to_graphql)
    app.router.add_get("/app", pages.app)
    app.router.add_get("/app/{path:.+}", pages.app_asset)
    app.router.add_get("/assets/graphiql/{path:.+}", pages.asset)
    app.router.add_get("/healthz", pages.healthz)
    app.router.add_get("/readyz", pages.readyz)
    app.router.add_get("/metrics", pages.metrics)
    app.router.add_get(pages.OUTBOX, pages.outbox)
    app.router.add_post(hooks.PATH, _handler(services, hooks.receive))
    for route in ROUTES.values():
        for method in route.methods:
            app.router.add_route(method, route.path, _handler(services, route.handler, route.any_page))
    app.on_shutdown.append(_drain)
    return app


def _handler(services: Services, answer: Answer, any_page: bool = False) -> Handler:
    """A system's answer to a route of its own."""

    async def handle(request: web.Request) -> web.StreamResponse:
        return await answer(services, request)

    return cors.for_any_page(handle) if any_page else handle


async def _to_graphql(request: web.Request) -> web.StreamResponse:
    if not request.app[pages.SERVICES].settings.shows_graphiql:
        raise web.HTTPNotFound
    raise web.HTTPFound("/graphql")


async def _drain(app: web.Application) -> None:
    for stream in list(app[VIEW].streams):
        stream.cancel()
    await drain(app[VIEW].sockets)


def _safe(settings: Settings) -> Callable[[web.Request, web.StreamResponse], Awaitable[None]]:
    """Return the hook that sets security headers on every answer and removes the server's name."""
    encrypted = settings.public_url.startswith("https://")

    async def say(request: web.Request, response: web.StreamResponse) -> None:
        headers = response.headers
        headers.popall(hdrs.SERVER, None)
        headers["X-Content-Type-Options"] = "nosniff"
        if encrypted:
            headers["Strict-Transport-Security"] = STRICT_TRANSPORT

    return say


def observing(settings: Settings, connections: Connections) -> Middleware:
    """Gives every request an id, and counts, times and logs it."""
    logged = logging.getLevelName(settings.log_level.upper()) <= logging.INFO

    def record(request: web.Request, status: int, took: float, notes: Notes) -> None:
        resource = request.match_info.route.resource
        route = resource.canonical if resource else "unknown"
        REQUESTS.record(route, status, took)
        line = _line(notes)
        OPERATIONS.timed(notes, took)
        OPERATIONS.refused(notes)
        if logged:
            milliseconds = round(took * 1000, 1)
            logger.info(
                "request",
                method=request.method,
                route=route,
                status=status,
                milliseconds=milliseconds,
                **line,
            )

    @web.middleware
    async def observed(request: web.Request, handler: Handler) -> web.StreamResponse:
        id = request[signin.ID] = signin.request_id(request)
        # Never taken back: every request is a task with a context of its own.
        logs.REQUEST_ID.set(id)
        notes = request_notes.begin()
        started = time.perf_counter()
        connections.arrived(request)
        status = 500
        try:
            response = await handler(request)
            status = response.status
            if not response.prepared:
                response.headers["X-Request-Id"] = id
            return response
        except web.HTTPException as answer:
            status = answer.status
            answer.headers["X-Request-Id"] = id
            raise
        except web.RequestPayloadError:
            status = 400
            raise web.HTTPBadRequest(text=NOT_THE_BODY, headers={"X-Request-Id": id}) from None
        except (ConnectionError, asyncio.CancelledError) as error:
            # The phone hung up: no error, and nobody to answer.
            if requests.hung_up(request):
                status = HUNG_UP
            if status != HUNG_UP or isinstance(error, asyncio.CancelledError):
                raise
            return web.Response(status=HUNG_UP)
        finally:
            record(request, status, time.perf_counter() - started, notes)

    return observed


def _line(notes: Notes) -> dict[str, str]:
    """The operations by name and the codes, each once, as a request's line has them."""
    told = {"operation": notes.operations, "error": notes.codes}
    return {name: ",".join(dict.fromkeys(found)) for name, found in told.items() if found}
