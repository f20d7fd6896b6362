"""A person's export, for who holds the link that was mailed."""

from aiohttp import web

from resolvers.auth import exports
from server.pages import SERVICES

HEADERS = {
    "Content-Type": "application/zip",
    "Content-Disposition": 'attachment; filename="landfall-data.zip"',
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


async def give(request: web.Request) -> web.StreamResponse:
    services = request.app[SERVICES]
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
