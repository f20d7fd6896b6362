"""Steps shared by the tests of media: uploads as a phone sends them, and files to send."""

import hashlib
import io
import random
import struct
import subprocess
import zipfile
import zlib
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from PIL import Image

from core import clock, ids, jobs
from core.context import Context, Services, Viewer
from core.uploads import release, use
from providers.media_processor import ffmpeg_found
from tests.phone import Phone

XYZ = tuple[float, float, float]
PART = 8 * 1024 * 1024
UPLOAD = """id purpose status method partSizeBytes partCount receivedBytes progressPercent failure keptUntil
  version parts { number url urlExpiresAt received etag headers { name value } }
  processedMedia { id kind mimeType sizeBytes width height durationMs url thumbnailUrl posterUrl hlsUrl
    placeholder dominantColor urlExpiresAt originalFileName animation
    renditions { width height format url sizeBytes } }"""
READ = f"query($id: ID!) {{ upload(id: $id) {{ {UPLOAD} }} }}"
PENDING = """query($id: ID!) { upload(id: $id) {
  status receivedBytes parts(filter: {pending: true}) { number url } } }"""


def picture(
    size: tuple[int, int] = (800, 600),
    format: str = "JPEG",
    *,
    mode: str = "RGB",
    seed: int = 1,
    **options: Any,
) -> bytes:
    """A picture with some detail; the same for the same seed."""
    rng = random.Random(seed)
    small = Image.new(mode, (16, 12))
    bands = len(small.getbands())
    small.putdata([tuple(rng.randrange(256) for _ in range(bands)) for _ in range(16 * 12)])
    out = io.BytesIO()
    small.resize(size).save(out, format, **options)
    return out.getvalue()


def noise(size: int, seed: int = 1) -> bytes:
    return random.Random(seed).randbytes(size)


def archive(**members: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in members.items():
            made.writestr(name, content)
    return out.getvalue()


def profile(*, red: XYZ, green: XYZ, blue: XYZ) -> bytes:
    """An ICC profile of a screen with these primaries (XYZ under D50) and sRGB's curve."""

    def number(value: float) -> bytes:
        return struct.pack(">i", round(value * 65536))

    def point(xyz: XYZ) -> bytes:
        return b"XYZ \0\0\0\0" + b"".join(map(number, xyz))

    text = "Made in a test".encode("utf-16-be")
    words = b"mluc\0\0\0\0" + struct.pack(">II2s2sII", 1, 12, b"en", b"US", len(text), 28) + text
    parts = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
    curve = b"para\0\0\0\0\0\3\0\0" + b"".join(map(number, parts))
    white = (0.9642, 1.0, 0.8249)
    tags = {b"desc": words, b"cprt": words, b"wtpt": point(white)}
    tags |= {b"rXYZ": point(red), b"gXYZ": point(green), b"bXYZ": point(blue)}
    tags |= dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve)
    table, body, start = struct.pack(">I", len(tags)), b"", 128 + 4 + 12 * len(tags)
    for name, content in tags.items():
        padded = content + bytes(-len(content) % 4)
        table += struct.pack(">4sII", name, start + len(body), len(content))
        body += padded
    head = struct.pack(">I4xI", start + len(body), 0x04300000) + b"mntrRGB XYZ " + bytes(12) + b"acsp"
    return head + bytes(68 - len(head)) + b"".join(map(number, white)) + bytes(48) + table + body


DISPLAY_P3 = profile(
    red=(0.51512, 0.24120, -0.00105), green=(0.29198, 0.69225, 0.04189), blue=(0.15710, 0.06657, 0.78407)
)


PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
EICAR = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR" + b"-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"


def mp3(version: str = "1", frames: int = 3) -> bytes:
    """Silence in frames of MPEG audio, layer III."""
    heads = {
        "1": (b"\xff\xfb\x90\x00", 417),
        "2": (b"\xff\xf3\x80\x00", 208),
        "2.5": (b"\xff\xe3\x80\x00", 417),
    }
    head, size = heads[version]
    return (head + bytes(size - 4)) * frames


async def put(http: aiohttp.ClientSession, part: dict[str, Any], body: bytes) -> str:
    """Send a part by its upload instructions; its ETag."""
    headers = {each["name"]: each["value"] for each in part["headers"]}
    async with http.put(part["url"], data=io.BytesIO(body), headers=headers) as response:
        assert response.status == 200, (response.status, await response.text())
        return response.headers["ETag"]


async def create(phone: Phone, body: bytes | int, mime: str = "image/jpeg", **fields: Any) -> dict[str, Any]:
    """The payload of `createUpload`."""
    names = {"image/jpeg": "photo.jpg", "image/png": "photo.png", "image/webp": "photo.webp"}
    given = {
        "purpose": "CHAT_ATTACHMENT",
        "fileName": names.get(mime, "file"),
        "mimeType": mime,
        "sizeBytes": body if isinstance(body, int) else len(body),
        **fields,
    }
    made: dict[str, Any] = await phone.do("createUpload", f"upload {{ {UPLOAD} }}", **given)
    return made


async def created(phone: Phone, body: bytes | int, mime: str = "image/jpeg", **fields: Any) -> dict[str, Any]:
    made = await create(phone, body, mime, **fields)
    assert made["errors"] == []
    upload: dict[str, Any] = made["upload"]
    return upload


async def send(
    http: aiohttp.ClientSession, upload: dict[str, Any], body: bytes, numbers: Iterable[int] | None = None
) -> list[dict[str, Any]]:
    """Send parts; what `completeUpload` wants to know of them."""
    wanted = set(numbers or range(1, upload["partCount"] + 1))
    sent = []
    for part in upload["parts"]:
        if part["number"] in wanted:
            start = (part["number"] - 1) * upload["partSizeBytes"]
            etag = await put(http, part, body[start : start + upload["partSizeBytes"]])
            sent.append({"number": part["number"], "etag": etag})
    return sent


async def complete(phone: Phone, upload: dict[str, Any], sent: Any = (), **fields: Any) -> dict[str, Any]:
    selection = f"missingParts upload {{ {UPLOAD} }}"
    done: dict[str, Any] = await phone.do(
        "completeUpload", selection, uploadId=upload["id"], parts=list(sent), **fields
    )
    return done


async def read(phone: Phone, id: str) -> dict[str, Any]:
    found: dict[str, Any] = (await phone.run(READ, id=id))["upload"]
    return found


async def read_directly(services: Services, id: str) -> dict[str, Any]:
    """As it is kept: a phone whose clock was moved would have to sign in again."""
    [row] = await services.db.find("uploads", {"_id": id})
    return row


async def uploaded(
    phone: Phone, services: Services, body: bytes, mime: str = "image/jpeg", **fields: Any
) -> dict[str, Any]:
    """All the way: the upload as it is when the workers have done with it."""
    upload = await created(phone, body, mime, **fields)
    done = await complete(phone, upload, await send(phone.http, upload, body))
    assert done["errors"] == []
    await jobs.run_due(services)
    return await read(phone, upload["id"])


async def fetched(http: aiohttp.ClientSession, url: str, **options: Any) -> tuple[int, Any, bytes]:
    async with http.get(url, **options) as response:
        return response.status, response.headers, await response.read()


def sha256(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


async def used(services: Services, upload_id: str, owner: Phone, record_id: str, purpose: str) -> Any:
    """Bind an upload to a record, as the system that owns the record does."""
    ctx = acting(services, owner)

    async def work() -> Any:
        return await use(ctx, [upload_id], purpose=purpose, record_id=record_id)

    return await ctx.unit(work)


async def released(services: Services, record_id: str, **what: Any) -> None:
    ctx = Context(services)

    async def work() -> None:
        await release(ctx, record_id, **what)

    await ctx.unit(work)


def acting(services: Services, phone: Phone) -> Context:
    return Context(services, viewer=Viewer(phone.user_id, phone.session_id, phone.device_id))


async def stored(services: Services, folder: str) -> list[str]:
    """Keys of what the store holds in a folder."""
    return sorted(each.key for each in await services.objects.under(folder))


async def medium(services: Services, owner: str, **fields: Any) -> str:
    """A picture without files, for systems that only show it."""
    id = ids.new_id("media")
    row = {
        "_id": id,
        "owner_id": owner,
        "purpose": "POST_MEDIA",
        "kind": "IMAGE",
        "mime": "image/webp",
        "size_bytes": 1,
        "folder": f"public/{id.removeprefix('media_')}",
        "main": "640.webp",
        "thumb": "320.webp",
        "width": 640,
        "height": 480,
        "ref_count": 1,
        "touched_at": clock.now(),
        "created_at": clock.now(),
        **fields,
    }
    await services.db.write({"insert": "media", "documents": [row]})
    return id


@cache
def film(seconds: int = 6, size: str = "640x360", suffix: str = "mp4") -> bytes:
    """A film with sound, and with a place in its metadata, as phones write it."""
    path = Path("/tmp") / f"landfall-film-{ids.new_id('film')}.{suffix}"
    codecs = {
        "mp4": ["-c:v", "libx264", "-preset", "ultrafast", "-c:a", "aac"],
        "webm": ["-c:v", "libvpx", "-an"],
    }
    command = [
        *["ffmpeg", "-v", "error", "-f", "lavfi", "-i", f"testsrc=duration={seconds}:size={size}:rate=15"],
        *["-f", "lavfi", "-i", f"sine=duration={seconds}"],
        *codecs[suffix],
        *[
            "-pix_fmt",
            "yuv420p",
            "-metadata",
            "location=+54.6800+013.4300/",
            "-metadata",
            "title=Secret",
            str(path),
        ],
    ]
    subprocess.run(command, check=True, timeout=120)
    try:
        return path.read_bytes()
    finally:
        path.unlink()


def png_claiming(width: int, height: int) -> bytes:
    """A small PNG that says it is enormous."""
    body = bytearray(picture((8, 8), "PNG"))
    body[16:24] = struct.pack(">II", width, height)
    body[29:33] = struct.pack(">I", zlib.crc32(body[12:29]))
    return bytes(body)


def need_ffmpeg() -> None:
    if not ffmpeg_found():
        pytest.skip("ffmpeg is not installed: films are not tested.")
