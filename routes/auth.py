"""HTTP routes of authentication beside GraphQL: keys that check its tokens, and exports by mailed links."""

from aiohttp import web

from core.context import Services
from core.routes import route
from resolvers.auth import exports
from resolvers.auth.tokens import Tokens

HEADERS = {
    "Content-Type": "application/zip",
    "Content-Disposition": 'attachment; filename="landfall-data.zip"',
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


@route("GET", "/.well-known/jwks.json")
async def jwks(services: Services, request: web.Request) -> web.Response:
    keys = services.get(Tokens).jwks()
    return web.json_response(keys, headers={"Cache-Control": "public, max-age=3600"})


@route("GET", "/exports/{id}/{secret}")
async def give(services: Services, request: web.Request) -> web.StreamResponse:
    """A person's export, for who holds the link that was mailed."""
    key = await exports.opened(services, request.match_info["id"], request.match_info["secret"])
    if key is None:
        raise web.HTTPNotFound(text="This link is not, or no longer, good.\n")
    file = services.objects.file(key)
    if file is not None:
        return web.FileResponse(file, headers=HEADERS)
    found = await services.objects.stat(key)
    if found is None:
        raise web.HTTPNotFound(text="This link is no longer good.\n")
    response = web.StreamResponse(headers=HEADERS)
    response.content_length = found.size
    await response.prepare(request)
    if request.method != "HEAD":
        async for piece in services.objects.read(key):
            await response.write(piece)
    return response
