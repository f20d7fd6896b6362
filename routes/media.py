"""Files in and out of our own store: parts of uploads by signed PUTs, media by public or signed addresses."""

import asyncio
import re
from collections.abc import AsyncIterator, Mapping

from aiohttp import web

from core import clock
from core.context import Context, Services
from core.routes import ANY_PAGE, route
from resolvers.media.media_urls import opened
from resolvers.media.processing import disposition
from resolvers.media.receiving import part_received
from stores import media as store

PIECE = 256 * 1024
SILENCE_SECONDS = 20.0
"""A sender may pause so long between two pieces."""
PART_SECONDS = 15 * 60.0
"""A part may take so long in all: as long as its URL lives."""
MOST_AT_ONCE = 100
"""Parts taken at once by this process; who comes on top tries again."""
BUSY_SECONDS = "2"
YEAR = 31_536_000
UPLOAD_KEY = re.compile(r"incoming/(upload_[0-9a-z]{26})/([1-9][0-9]{0,4})")
RANGE = re.compile(r"bytes=(\d{0,15})-(\d{0,15})")
POLICY = "default-src 'none'; sandbox; frame-ancestors 'none'"
TYPES = {
    **{
        "webp": "image/webp",
        "jpg": "image/jpeg",
        "png": "image/png",
        "mp4": "video/mp4",
        "webm": "video/webm",
    },
    **{"m3u8": "application/vnd.apple.mpegurl", "ts": "video/mp2t"},
}
"""Of files we made; those that people gave are of no type a browser would show."""

_taking = 0


class SlowSender(Exception):
    """Nothing came for too long."""


@route("PUT", "/uploads/{key:.+}", any_page=True)
async def take(services: Services, request: web.Request) -> web.StreamResponse:
    """A part of an upload, at the address that `UploadPart.url` gave."""
    global _taking
    key, size = _signed(request, services)
    match = UPLOAD_KEY.fullmatch(key)
    if match is None:
        raise web.HTTPForbidden(text="This is not an address of ours.\n")
    if request.content_length is None:
        raise web.HTTPLengthRequired(text="Send Content-Length.\n")
    if request.content_length != size or "Content-Encoding" in request.headers:
        raise web.HTTPBadRequest(text=f"This part has exactly {size} bytes.\n")
    if _taking >= MOST_AT_ONCE:
        raise web.HTTPServiceUnavailable(text="Too busy.\n", headers={"Retry-After": BUSY_SECONDS})
    _taking += 1
    try:
        etag = await _take(request, services, match[1], key)
    finally:
        _taking -= 1
    return web.Response(status=200, headers={"ETag": f'"{etag}"'})


def _signed(request: web.Request, services: Services) -> tuple[str, int]:
    """The object's key and size, if we signed them and the address still lives."""
    key = request.match_info["key"]
    values = [request.query.get(name, "") for name in ("size", "expires", "signature")]
    size, expires, signature = values
    if not (size.isdecimal() and expires.isdecimal() and len(size) < 13 and len(expires) < 13):
        raise web.HTTPForbidden(text="This address was not signed.\n")
    if not services.signer.linked(signature, "put", key, size, expires):
        raise web.HTTPForbidden(text="This address was not signed by this server.\n")
    if int(expires) <= clock.timestamp():
        raise web.HTTPForbidden(text="This address has expired: ask requestUploadPartUrls for another.\n")
    return key, int(size)


async def _take(request: web.Request, services: Services, upload_id: str, key: str) -> str:
    upload = await store.uploads.by_id(services.db, upload_id)
    if upload is None or upload["status"] not in store.SENDING:
        raise web.HTTPConflict(text="This upload takes no parts any more.\n")
    try:
        async with asyncio.timeout(PART_SECONDS):
            pieces = _pieces(request)
            etag = await services.objects.put(key, pieces, mime="application/octet-stream")
    except (SlowSender, TimeoutError):
        raise web.HTTPRequestTimeout(text="The part came too slowly.\n") from None
    if upload["status"] == store.UploadStatus.PENDING:
        await part_received(Context(services), upload_id)
    return etag


async def _pieces(request: web.Request) -> AsyncIterator[bytes]:
    """The body as it comes; less than was announced, or silence, and nothing of it is kept."""
    left = request.content_length or 0
    while left > 0:
        try:
            async with asyncio.timeout(SILENCE_SECONDS):
                piece = await request.content.readany()
        except TimeoutError:
            raise SlowSender from None
        if not piece:
            raise ConnectionResetError("The part was cut off.")
        left -= len(piece)
        yield piece


@route("GET", "/media/{path:.+}", any_page=True)
async def give(services: Services, request: web.Request) -> web.StreamResponse:
    """A file of a medium."""
    found = opened(Context(services), request.match_info["path"])
    if found is None:
        raise web.HTTPNotFound
    key, ends = found
    headers = _headers(key, ends)
    file = services.objects.file(key)
    if file is not None:
        return web.FileResponse(file, headers=headers, chunk_size=PIECE)
    if services.objects.local:
        raise web.HTTPNotFound
    return await _relay(request, services, key, headers)


def _headers(key: str, ends: int | None) -> dict[str, str]:
    _, _, name = key.split("/", 2)
    given = name.startswith("file/")
    kept = (
        f"public, max-age={YEAR}, immutable"
        if ends is None
        else f"private, max-age={max(0, ends - int(clock.timestamp()))}"
    )
    headers = {
        "Cache-Control": kept,
        "Content-Type": "application/octet-stream"
        if given
        else TYPES.get(name.rpartition(".")[2], "application/octet-stream"),
        "Content-Security-Policy": POLICY,
        "X-Content-Type-Options": "nosniff",
        "Cross-Origin-Resource-Policy": "cross-origin",
        "Referrer-Policy": "no-referrer",
    }
    if given:
        headers["Content-Disposition"] = disposition(name.removeprefix("file/"))
    return headers


async def _relay(
    request: web.Request, services: Services, key: str, headers: Mapping[str, str]
) -> web.StreamResponse:
    """From a store that is not on our disk; with ranges and validators, as from disk."""
    found = await services.objects.stat(key)
    if found is None:
        raise web.HTTPNotFound
    etag = f'"{found.etag}"'
    answer = {**headers, "ETag": etag, "Accept-Ranges": "bytes"}
    if etag in [each.strip() for each in request.headers.get("If-None-Match", "").split(",")]:
        return web.Response(status=304, headers=answer)
    start, end, status = 0, found.size, 200
    if "Range" in request.headers and request.headers.get("If-Range", etag) == etag:
        part = _range(request.headers["Range"], found.size)
        if part is None:
            answer["Content-Range"] = f"bytes */{found.size}"
            return web.Response(status=416, headers=answer)
        start, end = part
        status = 206
        answer["Content-Range"] = f"bytes {start}-{end - 1}/{found.size}"
    response = web.StreamResponse(status=status, headers={**answer, **ANY_PAGE})
    response.content_length = end - start
    await response.prepare(request)
    if request.method != "HEAD" and end > start:
        async for piece in services.objects.read(key, start=start, end=end):
            await response.write(piece)
    return response


def _range(text: str, size: int) -> tuple[int, int] | None:
    """The one range asked for, as start and end; None when it cannot be given."""
    match = RANGE.fullmatch(text.strip())
    if match is None or not (match[1] or match[2]):
        return None
    if not match[1]:
        start, end = max(0, size - int(match[2])), size
    else:
        start, end = int(match[1]), min(size, int(match[2]) + 1 if match[2] else size)
    return (start, end) if start < end else None
