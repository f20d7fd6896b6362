"""Media processing: a file that has arrived is assembled, checked, scanned and transcoded.

A client may go on writing where it was sent to, as long as its URLs live: so a file is copied once, and what
is checked, kept and shown is the copy.
"""

import asyncio
import base64
import hashlib
import re
import secrets
import tempfile
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import structlog
from prometheus_client import Counter

from core import clock, ids, jobs, outages
from core.audit import Act, AuditOutcome, record
from core.context import Context
from core.uploads import PURPOSES
from ports.media import MediaProcessor, Scanner, TooLarge, Unreadable
from resolvers.media import sniffing
from resolvers.media.kinds import EXTENSIONS, kind_under
from resolvers.media.linking import finish
from resolvers.media.media_urls import PRIVATE, PUBLIC, nearest
from resolvers.media.receiving import part_key, part_size, quarantine_key
from resolvers.media.uploading import UNUSED
from stores import media as store
from stores.media import MediaKind, Upload, UploadFailure, UploadStatus

logger = structlog.get_logger(__name__)

DONE = Counter("landfall_uploads_total", "Uploads that came to an end, by how.", ["outcome"])

Document = Mapping[str, Any]

TRIES = 5
FIRST_RETRY = timedelta(seconds=5)
BUSY = timedelta(seconds=5)
WORD = re.compile(r"[^\w.\- ]+")
LONGEST_STEM = 80
UNKNOWN = ("bin",)
"""File name extension of types that only opaque purposes take."""
TYPES = {
    **{".webp": "image/webp", ".jpg": "image/jpeg", ".png": "image/png"},
    **{".m3u8": "application/vnd.apple.mpegurl", ".ts": "video/mp2t"},
    **{".mp4": "video/mp4", ".webm": "video/webm"},
}


class Rejected(Exception):
    """Raised if the file will not be accepted; a retry is no use."""

    def __init__(self, failure: UploadFailure) -> None:
        super().__init__(failure)
        self.failure = failure


async def process(ctx: Context, upload_id: str) -> None:
    """Process the upload to READY or REJECTED; any other failure is retried, five times in all."""
    if await _postponed(ctx, upload_id):
        return
    upload = await _begin(ctx, upload_id)
    if upload is None:
        return
    try:
        with tempfile.TemporaryDirectory(prefix="landfall-") as folder:
            await _work(ctx, upload, Path(folder))
    except Rejected as rejected:
        await reject(ctx, upload_id, rejected.failure)
    except Unreadable:
        await reject(ctx, upload_id, UploadFailure.UNREADABLE)
    except TooLarge:
        await reject(ctx, upload_id, UploadFailure.TOO_LARGE)
    except Exception as error:
        outages.log(logger, "upload not processed", error, upload=upload_id, tries=upload["tries"])
        await _again(ctx, upload, error)


async def _postponed(ctx: Context, upload_id: str) -> bool:
    """Put off a video that would wait for another, so that videos do not occupy all workers."""
    if not ctx.services.get(MediaProcessor).full:
        return False
    upload = await store.uploads.by_id(ctx.db, upload_id)
    if upload is None or kind_under(PURPOSES[upload["purpose"]], upload["mime"]) is not MediaKind.VIDEO:
        return False
    due_at = clock.now() + BUSY
    await ctx.unit(lambda: jobs.enqueue(ctx.tx, "media.process", due_at=due_at, upload_id=upload_id))
    return True


async def _begin(ctx: Context, upload_id: str) -> Upload | None:
    async def begin() -> Upload | None:
        scanning = {"status": UploadStatus.SCANNING}
        where = {"status": {"$in": list(store.WORKING)}}
        return await ctx.tx.update(store.uploads, upload_id, set=scanning, inc={"tries": 1}, where=where)

    upload = await ctx.unit(begin)
    if upload is not None and upload["tries"] > TRIES:
        # Every worker that took it died of it.
        await reject(ctx, upload_id, UploadFailure.UNREADABLE)
        return None
    if upload is not None and upload["folder"]:
        await ctx.services.objects.erase(upload["folder"])
    return upload


async def _again(ctx: Context, upload: Upload, error: Exception) -> None:
    if upload["tries"] >= TRIES:
        await reject(ctx, upload["_id"], UploadFailure.UNREADABLE)
        return
    due_at = clock.now() + FIRST_RETRY * 3 ** (upload["tries"] - 1)

    async def again() -> None:
        await jobs.enqueue(ctx.tx, "media.process", due_at=due_at, upload_id=upload["_id"])

    await ctx.unit(again)


async def _work(ctx: Context, upload: Upload, folder: Path) -> None:
    source = folder / "source"
    digest = await _assemble(ctx, upload, source)
    await _check(ctx, upload, source, digest)
    ours = await _step(ctx, upload)
    if ours is None:
        return
    made = folder / "made"
    made.mkdir()
    fields = {**await _develop(ctx, ours, source, made), "sha256": digest}
    await _keep(ctx, ours, fields, made)


async def _check(ctx: Context, upload: Upload, source: Path, digest: str) -> None:
    """Raise Rejected for a file that was damaged, holds malware, or is not of the type it is said to be."""
    args = PURPOSES[upload["purpose"]]
    if upload["sha256"] not in (None, digest):
        if args.keeps_rejected:
            await _quarantine(ctx, upload, source)
        raise Rejected(UploadFailure.CHECKSUM_MISMATCH)
    threat = await ctx.services.get(Scanner).threat(source)
    if threat is not None:
        logger.warning("malware found", upload=upload["_id"], threat=threat)
        await _quarantine(ctx, upload, source)
        raise Rejected(UploadFailure.MALWARE)
    if not args.opaque and not await asyncio.to_thread(sniffing.fits, source, upload["mime"]):
        raise Rejected(UploadFailure.TYPE_MISMATCH)


async def _quarantine(ctx: Context, upload: Upload, source: Path) -> None:
    await ctx.services.objects.put(quarantine_key(upload["_id"]), source, mime="application/octet-stream")


async def _assemble(ctx: Context, upload: Upload, source: Path) -> str:
    """Assemble all parts into one file on the local disk; return its SHA-256."""
    digest, objects = hashlib.sha256(), ctx.services.objects
    with source.open("wb") as file:
        for number in range(1, upload["part_count"] + 1):
            expected, seen = part_size(upload, number), 0
            async for piece in objects.read(part_key(upload["_id"], number)):
                seen += len(piece)
                if seen > expected:
                    raise Rejected(UploadFailure.TOO_LARGE)
                await asyncio.to_thread(_append, file, digest, piece)
            if seen < expected:
                raise Rejected(UploadFailure.UNREADABLE)
    return digest.hexdigest()


def _append(file: Any, digest: Any, piece: bytes) -> None:
    digest.update(piece)
    file.write(piece)


async def _step(ctx: Context, upload: Upload) -> Upload | None:
    """The upload in PROCESSING, with the folder of its files; None if another worker owns it."""
    folder = new_folder(public=PURPOSES[upload["purpose"]].public)

    async def step() -> Upload | None:
        where = {"tries": upload["tries"]}
        change = {"status": UploadStatus.PROCESSING, "folder": folder}
        return await ctx.tx.update(store.uploads, upload["_id"], set=change, where=where)

    return await ctx.unit(step)


async def _develop(ctx: Context, upload: Upload, source: Path, made: Path) -> dict[str, Any]:
    """Make the variants that clients will see, written into `made`; return the medium's fields."""
    args, mime = PURPOSES[upload["purpose"]], upload["mime"]
    kind = kind_under(args, mime)
    if kind is MediaKind.IMAGE:
        told = await ctx.services.get(MediaProcessor).picture(source, made, args.widths, mime)
        return picture_fields(told, args.thumb)
    if kind is MediaKind.VIDEO:
        film = await ctx.services.get(MediaProcessor).film(source, made, mime)
        poster = made / film.pop("poster").name
        told = await ctx.services.get(MediaProcessor).picture(poster, made, args.widths, "image/png")
        poster.unlink()
        fields = {**picture_fields(_as_poster(told, made), args.thumb), **film}
        return {
            **fields,
            "mime": TYPES[Path(film["main"]).suffix],
            "size_bytes": (made / film["main"]).stat().st_size,
        }
    name = f"file/{safe_name(upload['file_name'], mime)}"
    (made / "file").mkdir()
    await asyncio.to_thread(source.rename, made / name)
    return {"main": name, "mime": mime, "size_bytes": upload["size_bytes"]}


def picture_fields(told: Document, thumb: int) -> dict[str, Any]:
    """Fields of a processed picture as a medium: `url` gives the widest WebP."""
    main = nearest(told["variants"], None, None)
    return {
        "main": main["name"],
        "thumb": nearest(told["variants"], thumb, None)["name"],
        "mime": "image/webp",
        "size_bytes": main["size_bytes"],
        "width": main["width"],
        "height": main["height"],
        "variants": told["variants"],
        "animation": told.get("animation"),
        "placeholder": told["placeholder"],
        "dominant_color": told["dominant_color"],
    }


def _as_poster(told: Document, made: Path) -> dict[str, Any]:
    variants = []
    for each in told["variants"]:
        name = f"poster-{each['name']}"
        (made / each["name"]).rename(made / name)
        variants.append({**each, "name": name})
    return {**told, "variants": variants}


def safe_name(name: str, mime: str) -> str:
    """Safe file name: no path, no option, and of the right type on every system."""
    stem = WORD.sub("_", Path(name).stem).strip(". -_")[:LONGEST_STEM] or "file"
    suffix, known = Path(name).suffix[1:].lower(), EXTENSIONS.get(mime, UNKNOWN)
    return f"{stem}.{suffix if suffix in known else known[0]}"


def disposition(name: str) -> str:
    plain = re.sub(r"[^A-Za-z0-9._ -]", "_", name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name)}"


def new_folder(*, public: bool) -> str:
    """New folder with an unguessable name."""
    token = base64.b32encode(secrets.token_bytes(16)).decode().rstrip("=").lower()
    return f"{PUBLIC if public else PRIVATE}{token}"


def _files(folder: Path) -> list[Path]:
    return sorted(each for each in folder.rglob("*") if each.is_file())


async def store_files(ctx: Context, folder: str, made: Path) -> None:
    for path in await asyncio.to_thread(_files, made):
        name = path.relative_to(made).as_posix()
        kept = disposition(path.name) if name.startswith("file/") else None
        mime = (
            TYPES.get(path.suffix, "application/octet-stream") if kept is None else "application/octet-stream"
        )
        await ctx.services.objects.put(f"{folder}/{name}", path, mime=mime, disposition=kept)


async def _keep(ctx: Context, upload: Upload, fields: dict[str, Any], made: Path) -> None:
    """Store the files, then the medium: a crash between leaves files that the retry erases."""
    folder = upload["folder"] or ""
    await store_files(ctx, folder, made)

    async def ready() -> bool:
        where = {"status": UploadStatus.PROCESSING, "tries": upload["tries"]}
        media_id = ids.new_id("media")
        done = {"status": UploadStatus.READY, "media_id": media_id}
        current = await ctx.tx.update(store.uploads, upload["_id"], set=done, where=where)
        if current is None:
            return False
        lasting = None if current["record_id"] else ctx.tx.now + UNUSED
        final = await ctx.tx.update(store.uploads, upload["_id"], set={"expires_at": lasting}, version=False)
        assert final is not None
        await ctx.tx.insert(store.media, medium(media_id, final, folder, fields, ctx))
        await finish(ctx, final)
        await jobs.enqueue(ctx.tx, "media.clear_parts", upload_id=upload["_id"])
        return True

    if await ctx.unit(ready):
        DONE.labels("READY").inc()
    else:
        await ctx.services.objects.erase(folder)


def medium(id: str, upload: Document, folder: str, fields: Document, ctx: Context) -> dict[str, Any]:
    return {
        "_id": id,
        "owner_id": upload["owner_id"],
        "purpose": upload["purpose"],
        "kind": kind_under(PURPOSES.get(upload["purpose"]), upload["mime"]),
        "source_bytes": upload["size_bytes"],
        "width": None,
        "height": None,
        "duration_ms": None,
        "alt_text": upload["alt_text"],
        "file_name": upload["file_name"],
        "folder": folder,
        "thumb": None,
        "variants": [],
        "hls": None,
        "placeholder": None,
        "dominant_color": None,
        "ref_count": 0,
        "touched_at": ctx.tx.now,
        "created_at": ctx.tx.now,
        **fields,
    }


async def reject(ctx: Context, upload_id: str, failure: UploadFailure) -> None:
    async def rejected() -> None:
        done = {"status": UploadStatus.REJECTED, "failure": failure, "expires_at": ctx.tx.now + UNUSED}
        where = {"status": {"$in": list(store.WORKING)}}
        upload = await ctx.tx.update(store.uploads, upload_id, set=done, where=where)
        if upload is not None:
            await finish(ctx, upload)
            act = Act(
                "media.upload_rejected",
                "SYSTEM_EVENT",
                "CONTENT",
                resource_id=upload_id,
                subject_id=upload["owner_id"],
                outcome=AuditOutcome.FAILED,
                details={"failure": failure},
            )
            await record(ctx, act)
            await jobs.enqueue(ctx.tx, "media.clear_parts", upload_id=upload_id)
            if upload["folder"]:
                await jobs.enqueue(ctx.tx, "media.erase_folder", folder=upload["folder"])

    await ctx.unit(rejected)
    DONE.labels(failure).inc()
    logger.info("upload rejected", upload=upload_id, failure=failure)
