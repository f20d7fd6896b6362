"""Files of the audit log out of our own store, by signed addresses: evidence, and what was exported."""

from pathlib import PurePath

from aiohttp import web

from core.context import Context, Services
from core.routes import route
from resolvers.audit.files import opened, store_of
from resolvers.media import disposition

PIECE = 256 * 1024
HEADERS = {
    "Cache-Control": "private, no-store",
    "Content-Type": "application/octet-stream",
    "Content-Security-Policy": "default-src 'none'; sandbox; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


@route("GET", "/audit-files/{path:.+}", any_page=True)
async def give(services: Services, request: web.Request) -> web.StreamResponse:
    """A file under the address that the API gave for it."""
    ctx = Context(services)
    key = opened(ctx, request.match_info["path"])
    file = store_of(ctx, key).file(key) if key is not None else None
    if key is None or file is None:
        raise web.HTTPNotFound
    named = {"Content-Disposition": disposition(PurePath(key).name)}
    return web.FileResponse(file, headers={**HEADERS, **named}, chunk_size=PIECE)
