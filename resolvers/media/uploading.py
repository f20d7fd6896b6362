"""Uploads: create, complete, abort."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from core import ids, jobs
from core.context import Context
from core.errors import ErrorKind, UserError, error_codes
from core.ids import Id
from core.ports import Stored
from core.security.access import need_roles
from core.security.limits import Rate
from core.uploads import PURPOSES, Purpose
from core.values.bounds import check_length
from core.values.digests import checked_sha256
from core.values.text import FileName
from ports.media import MediaProcessor, Scanner
from resolvers.media import kinds, receiving
from resolvers.media.access import upload_edge, upload_for_update
from resolvers.media.linking import finish
from resolvers.media.receiving import PART_BYTES
from stores import auth as accounts
from stores import media as store
from stores.media import MediaKind, Upload, UploadMethod, UploadStatus

error_codes(
    ErrorKind.LIMIT,
    retryable=True,
    QUOTA_EXCEEDED="You have uploaded as much as you may within a day: try again after `retryAfterSeconds`.",
)
error_codes(
    ErrorKind.WRONG_STATUS,
    retryable=True,
    UPLOAD_INCOMPLETE="Parts of the upload are missing: send what `missingParts` lists, then complete again.",
)
error_codes(ErrorKind.INVALID, CHECKSUM_MISMATCH="The SHA-256 differs from the one declared before.")
error_codes(ErrorKind.WRONG_STATUS, UPLOAD_CLOSED="The upload is over, or has gone too far for this.")

Document = Mapping[str, Any]

UPLOAD_RATE = Rate("uploads", 60, 3600)
PART_RATE = Rate("upload-parts", 600, 3600)
"""Rate of part queries: each asks the object store."""
DAY = timedelta(days=1)
MOST_BYTES_A_DAY = 5 * 1024**3
UNFINISHED = timedelta(hours=24)
UNUSED = timedelta(days=7)
LONGEST_WORK = timedelta(hours=6)
"""Age at which an upload still in processing counts as failed."""
MOST_NUMBERS = 100


async def create_upload(
    ctx: Context,
    *,
    id: Id | None = None,
    purpose: str,
    file_name: FileName,
    mime_type: str,
    size_bytes: int,
    sha256: str | None = None,
    width: int | None = None,
    height: int | None = None,
) -> dict[str, Any]:
    """Create an upload with URLs for its parts; READY at once if the owner has uploaded the file before."""
    await ctx.limit(UPLOAD_RATE)
    await _check_roles(ctx, PURPOSES[str(purpose)])
    mime = kinds.canonical(mime_type)
    check_length(file_name, least=1, most=kinds.LONGEST_NAME, field="fileName")
    if size_bytes < 1:
        raise UserError("OUT_OF_RANGE", "An empty file cannot be uploaded.", field=["sizeBytes"])
    processor, scanned = ctx.services.get(MediaProcessor), ctx.services.get(Scanner).largest
    args, kind = kinds.checked(
        str(purpose), mime, file_name, size_bytes, films=processor.films, heic=processor.heic, scanned=scanned
    )
    kinds.check_pixels(kind, width, height)
    upload = {
        **_sending(size_bytes),
        "_id": ids.minted(id, "upload"),
        "owner_id": ctx.viewer_id,
        "purpose": args.name,
        "file_name": file_name,
        "mime": mime,
        "size_bytes": size_bytes,
        "sha256": None if sha256 is None else checked_sha256(sha256, field="sha256"),
        "media_id": None,
        "record_id": None,
        "alt_text": None,
        "failure": None,
        "folder": None,
        "tries": 0,
        "expires_at": ctx.tx.now + UNFINISHED,
    }
    again = await _again(ctx, upload, args, kind)
    if again is None and args.counted:
        await _check_quota(ctx, size_bytes)
    made = await ctx.tx.insert(store.uploads, {**upload, **(again or {})})
    return {"upload": made, "upload_edge": upload_edge(made)}


async def _check_roles(ctx: Context, purpose: Purpose) -> None:
    """FORBIDDEN for a purpose of the staff's, unless the viewer has one of its roles."""
    if purpose.roles:
        await need_roles(ctx, purpose.roles)


def _sending(size: int) -> dict[str, Any]:
    single = size <= PART_BYTES
    return {
        "status": UploadStatus.PENDING,
        "method": UploadMethod.SINGLE if single else UploadMethod.MULTIPART,
        "part_size_bytes": PART_BYTES,
        "part_count": -(-size // PART_BYTES),
    }


async def _again(ctx: Context, upload: Document, args: Purpose, kind: MediaKind) -> dict[str, Any] | None:
    """Deduplication: fields that make the upload READY at once from an equal file for the same purpose."""
    if upload["sha256"] is None or not args.reuse:
        return None
    same = (args.name, kind, upload["sha256"], upload["size_bytes"])
    medium = await store.equal(ctx.db, ctx.viewer_id, *same)
    # Touched, so that it is not erased as unused meanwhile.
    if medium is None or not await ctx.tx.update(store.media, medium["_id"], set={"touched_at": ctx.tx.now}):
        return None
    return {
        "status": UploadStatus.READY,
        "media_id": medium["_id"],
        "part_count": 0,
        "expires_at": ctx.tx.now + UNUSED,
    }


async def _check_quota(ctx: Context, size: int) -> None:
    # Otherwise two devices that ask at once would each be granted what is left of the quota.
    await ctx.tx.lock_document(accounts.users, ctx.viewer_id)
    since = ctx.tx.now - DAY
    uncounted = [each.name for each in PURPOSES.values() if not each.counted]
    if await store.bytes_since(ctx.db, ctx.viewer_id, since, uncounted) + size <= MOST_BYTES_A_DAY:
        return
    latest = store.sent_since(ctx.viewer_id, since, uncounted)
    oldest = await store.uploads.first(ctx.db, latest, sort=[("created_at", 1)])
    wait = (oldest["created_at"] + DAY - ctx.tx.now) if oldest else DAY
    raise UserError(
        "QUOTA_EXCEEDED",
        "At most {limit} GiB a day.",
        field=["sizeBytes"],
        limit=MOST_BYTES_A_DAY // 1024**3,
        retry_after_seconds=max(60, int(wait.total_seconds())),
    )


async def request_upload_part_urls(
    ctx: Context, *, upload_id: Id, part_numbers: Sequence[int]
) -> dict[str, Any]:
    """Fresh URLs for these parts; those that arrived stay."""
    await ctx.limit(PART_RATE)
    upload = await upload_for_update(ctx, upload_id)
    if upload["status"] not in store.SENDING:
        raise UserError("UPLOAD_CLOSED", "This upload takes no parts any more.", upload=_shown(upload))
    if len(part_numbers) > MOST_NUMBERS:
        raise UserError(
            "TOO_MANY", "At most {limit} parts at a time.", field=["partNumbers"], limit=MOST_NUMBERS
        )
    signed = receiving.checked_numbers(upload, part_numbers)
    return {"upload": {**upload, "signed": signed}}


async def complete_upload(
    ctx: Context,
    *,
    upload_id: Id,
    parts: Sequence[Mapping[str, Any]] = (),
    sha256: str | None = None,
    prepared: Mapping[int, Stored],
) -> dict[str, Any]:
    """Complete the upload: all parts have been sent, and processing begins."""
    upload = await upload_for_update(ctx, upload_id)
    if upload["status"] in (*store.WORKING, UploadStatus.READY, UploadStatus.REJECTED):
        return {"upload": upload}
    if upload["status"] not in store.SENDING:
        raise UserError("UPLOAD_CLOSED", "This upload was given up or has expired.", upload=_shown(upload))
    digest = None if sha256 is None else checked_sha256(sha256, field="sha256")
    if digest and upload["sha256"] and digest != upload["sha256"]:
        raise UserError(
            "CHECKSUM_MISMATCH", "The checksum differs from the one declared before.", field=["sha256"]
        )
    missing = _missing(upload, parts, prepared)
    if missing:
        raise UserError(
            "UPLOAD_INCOMPLETE",
            "Missing parts: {parts}.",
            field=["parts"],
            values={"parts": ", ".join(map(str, missing))},
            upload=upload,
            missing_parts=missing,
        )
    change = {
        "status": UploadStatus.UPLOADED,
        "sha256": upload["sha256"] or digest,
        "expires_at": ctx.tx.now + LONGEST_WORK,
    }
    done = await ctx.tx.update(
        store.uploads, upload_id, set=change, where={"status": {"$in": list(store.SENDING)}}
    )
    if done is None:
        raise UserError("UPLOAD_CLOSED", "This upload was given up or has expired.")
    await jobs.enqueue(ctx.tx, "media.process", upload_id=upload_id)
    return {"upload": done}


async def arrived(ctx: Context, *, upload_id: Id, **_: Any) -> dict[int, Stored]:
    """Received parts of the upload, listed before the transaction to keep that short."""
    await ctx.limit(PART_RATE)
    return await receiving.received(ctx, await upload_for_update(ctx, upload_id))


def _missing(upload: Upload, parts: Sequence[Mapping[str, Any]], here: Mapping[int, Stored]) -> list[int]:
    """Parts that have not arrived, or differ from what the client sent."""
    receiving.checked_numbers(upload, [each["number"] for each in parts])
    sent = {each["number"]: each["etag"].strip().strip('"') for each in parts if each.get("etag")}
    every = range(1, upload["part_count"] + 1)
    return [n for n in every if n not in here or (n in sent and sent[n] != here[n].etag)]


async def cancel_upload(ctx: Context, *, upload_id: Id) -> dict[str, Any]:
    """Cancel the upload while it is being sent."""
    upload = await upload_for_update(ctx, upload_id)
    if upload["status"] != UploadStatus.CANCELED and await end(ctx, upload, UploadStatus.CANCELED) is None:
        raise UserError("UPLOAD_CLOSED", "All of it has been sent already.", field=["uploadId"])
    return {"deleted_upload_id": upload_id}


async def end(ctx: Context, upload: Upload, status: UploadStatus) -> Upload | None:
    """End an upload still being sent as CANCELED or EXPIRED; received parts are erased."""
    gone = await ctx.tx.update(
        store.uploads,
        upload["_id"],
        set={"status": status, "expires_at": ctx.tx.now + UNUSED},
        where={"status": {"$in": list(store.SENDING)}},
    )
    if gone is not None:
        await finish(ctx, gone)
        await jobs.enqueue(ctx.tx, "media.clear_parts", upload_id=gone["_id"])
    return gone


def _shown(upload: Upload) -> Upload | None:
    return None if upload["status"] == UploadStatus.CANCELED else upload
