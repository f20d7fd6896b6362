"""Everything that is not GraphQL: GraphiQL, the demo app, health, keys, the outbox."""

import asyncio
import contextlib
import hmac
import html
import math
import mimetypes
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import orjson
from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, Gauge, generate_latest
from pymongo.errors import PyMongoError
from redis.exceptions import RedisError

from core import jobs
from core.context import Services
from core.graphql.build import Schema
from core.values.weights import accepts
from devstack import examples
from providers.outbox import Outbox

STATIC = Path(__file__).parent / "static"
OUTBOX = "/dev/outbox"
PLACEHOLDER = '<script type="application/json" id="landfall-config">{}</script>'
POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; worker-src 'self' blob:; "
    "img-src 'self' data:; font-src 'self' data:; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'"
)
PATIENCE = 1.0
"""Seconds a server may take to answer before we are not ready."""
DUE = Gauge("landfall_jobs_due", "Jobs that are due and wait for a worker, up to 10,000.")
DEAD = Gauge("landfall_jobs_dead", "Jobs that failed for good, up to 10,000.")
REDIS_UP = Gauge("landfall_redis_up", "1 while Redis answers this process, else 0.")
SERVICES = web.AppKey("services", Services)

# Not in every system's table, and modules with a wrong type do not run.
mimetypes.add_type("text/javascript", ".js")
mimetypes.add_type("font/ttf", ".ttf")


async def graphiql(services: Services, schema: Schema) -> web.Response:
    return await _page(services, "graphiql", areas=schema.areas())


async def app(request: web.Request) -> web.Response:
    """The demo app: development's, where there are demo people to sign in as."""
    services = request.app[SERVICES]
    if services.settings.production:
        raise web.HTTPNotFound
    return await _page(services, "app")


async def _page(services: Services, name: str, **more: Any) -> web.Response:
    """A built page, with demo sign-ins in development."""
    page = (STATIC / name / "index.html").read_text()
    development = not services.settings.production
    demo_users, operations = await _demo(services) if development else ([], examples.OPERATIONS)
    config = {
        "demoUsers": demo_users,
        "examples": operations,
        "outbox": OUTBOX if development else "",
        **more,
    }
    body = orjson.dumps(config).decode().replace("<", "\\u003c")
    filled = page.replace(PLACEHOLDER, PLACEHOLDER.replace("{}", body))
    headers = {"Content-Security-Policy": POLICY, "Cache-Control": "no-cache"}
    return web.Response(text=filled, content_type="text/html", headers=headers)


async def _demo(services: Services) -> tuple[list[dict[str, str]], list[dict[str, Any]]]:
    """Demo users, and examples with ids of theirs; the page is shown without a database too."""
    try:
        async with asyncio.timeout(PATIENCE):
            return await examples.demo_users(services.db), await examples.operations(services.db)
    except (PyMongoError, TimeoutError):
        return [], examples.OPERATIONS


def wants_page(request: web.Request) -> bool:
    """A browser looking at the endpoint, not a client asking it, where there is something to look at."""
    return (
        request.method == "GET"
        and request.app[SERVICES].settings.shows_graphiql
        and "query" not in request.query
        and accepts(request.headers.get("Accept"), "text/html")
    )


async def asset(request: web.Request) -> web.StreamResponse:
    """A file of the GraphiQL page."""
    if not request.app[SERVICES].settings.shows_graphiql:
        raise web.HTTPNotFound
    return _asset("graphiql", request.match_info["path"])


async def app_asset(request: web.Request) -> web.StreamResponse:
    """A file of the demo app."""
    if request.app[SERVICES].settings.production:
        raise web.HTTPNotFound
    return _asset("app", request.match_info["path"])


def _asset(page: str, name: str) -> web.StreamResponse:
    """A file of a page; hashed names may be cached for ever."""
    file = _file(STATIC / page, name)
    hashed = file.parent.name == "assets" and file.suffix != ".md"
    kept = "public, max-age=31536000, immutable" if hashed else "no-cache"
    response = web.FileResponse(
        file,
        headers={"Cache-Control": kept, "Content-Type": _type(file), "X-Content-Type-Options": "nosniff"},
    )
    response.enable_compression()
    return response


def _file(folder: Path, name: str) -> Path:
    """The file of that name inside the folder, or 404."""
    inside = folder.resolve()
    try:
        file = (inside / name).resolve()
        found = file.is_relative_to(inside) and file.is_file()
    except (ValueError, OSError):
        # A null byte, or a name longer than any.
        found = False
    if not found:
        raise web.HTTPNotFound
    return file


def _type(file: Path) -> str:
    return mimetypes.guess_type(file.name)[0] or "application/octet-stream"


async def healthz(request: web.Request) -> web.Response:
    """The process is up."""
    return web.json_response({"status": "ok"})


async def readyz(request: web.Request) -> web.Response:
    """MongoDB answers; without Redis everything works, but slower: the process stays ready."""
    services = request.app[SERVICES]
    checks: dict[str, str] = {}
    try:
        async with asyncio.timeout(PATIENCE):
            await services.db.command({"ping": 1})
        checks["mongodb"] = "ok"
    except (PyMongoError, TimeoutError):
        checks["mongodb"] = "unreachable"
    checks["redis"] = "ok" if await _redis_answers(services) else "unreachable"
    ready = checks["mongodb"] == "ok"
    status = ("ready" if checks["redis"] == "ok" else "degraded") if ready else "unavailable"
    return web.json_response({"status": status, **checks}, status=200 if ready else 503)


async def _redis_answers(services: Services) -> bool:
    try:
        async with asyncio.timeout(PATIENCE):
            await services.redis.ping()
    except (RedisError, OSError, TimeoutError):
        return False
    return True


async def metrics(request: web.Request) -> web.Response:
    """For Prometheus: by a token where there is one, else in production from this machine alone."""
    settings = request.app[SERVICES].settings
    token = settings.metrics_token.get_secret_value()
    if token:
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not hmac.compare_digest(given.strip().encode(), token.encode()):
            raise web.HTTPUnauthorized(headers={"WWW-Authenticate": "Bearer"})
    elif settings.production and not _from_here(request):
        raise web.HTTPForbidden(text="Set LANDFALL_METRICS_TOKEN to read this from elsewhere.")
    await _count_jobs(request.app[SERVICES])
    REDIS_UP.set(await _redis_answers(request.app[SERVICES]))
    return web.Response(body=generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})


async def _count_jobs(services: Services) -> None:
    """Nobody knows how many there are while MongoDB does not answer."""
    due: float = math.nan
    dead: float = math.nan
    with contextlib.suppress(PyMongoError, TimeoutError):
        async with asyncio.timeout(PATIENCE):
            due, dead = await jobs.sizes(services.db)
    DUE.set(due)
    DEAD.set(dead)


def _from_here(request: web.Request) -> bool:
    """True if the request comes from this machine, and not through a proxy on it."""
    forwarded = any(name in request.headers for name in ("X-Forwarded-For", "Forwarded", "X-Real-IP"))
    try:
        return not forwarded and ip_address(request.remote or "").is_loopback
    except ValueError:
        return False


async def outbox(request: web.Request) -> web.Response:
    """Codes and messages that would have been sent; not in production."""
    services = request.app[SERVICES]
    kept: Outbox | None = services.get(Outbox)
    if kept is None:
        raise web.HTTPNotFound
    letters = await kept.letters()
    if not accepts(request.headers.get("Accept"), "text/html"):
        return web.json_response({"letters": letters})
    return web.Response(text=_outbox_page(list(letters)), content_type="text/html")


def _outbox_page(letters: list[Any]) -> str:
    rows = "".join(
        f"<article><b>{html.escape(each['subject'])}</b> to {html.escape(each['to'])}"
        f" by {each['channel']} <time>{html.escape(each['at'])}</time>"
        f"<p>{html.escape(each['text'])}</p></article>"
        for each in letters
    )
    style = (
        "body{font:16px system-ui;margin:2rem auto;max-width:40rem}article{margin:1rem 0}"
        "p{white-space:pre-wrap}time{color:#667}"
    )
    return (
        f"<!doctype html><meta charset=utf-8><title>Outbox</title><style>{style}</style><h1>Outbox</h1>"
        f"{rows or '<p>Nothing was sent.</p>'}"
    )
