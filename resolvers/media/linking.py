"""Links between records and uploads: reference counts of media, and callbacks when an upload ends."""

from collections.abc import Mapping, Sequence
from typing import Any

from core import ids, jobs
from core.context import Context
from core.errors import UserError
from core.uploads import PURPOSES, finished, use
from core.values.text import line
from loaders.media import OwnUploadById
from resolvers.media.kinds import kind_under
from resolvers.media.media_urls import PUBLIC
from resolvers.media.receiving import quarantine_key
from stores import media as store
from stores.media import Attachment, Upload, UploadFailure, UploadStatus

Document = Mapping[str, Any]

LOST = (UploadStatus.REJECTED, UploadStatus.CANCELED, UploadStatus.EXPIRED)
KEPT_FAILURES = (UploadFailure.CHECKSUM_MISMATCH, UploadFailure.MALWARE)
MOST_ATTACHMENTS = 10
LONGEST_ALT = 1_000


class MediaUploads:
    """Implements `core.uploads.UploadService`."""

    async def use(
        self, ctx: Context, upload_ids: Sequence[str], *, purpose: str, record_id: str, field: Sequence[str]
    ) -> list[Upload]:
        for id in upload_ids:
            ids.checked(id, "upload")
        found = await ctx.load_many(OwnUploadById, list(upload_ids))
        taken: set[str] = set()
        used = []
        for upload in found:
            if upload is None or upload["purpose"] != purpose or upload["_id"] in taken:
                raise UserError("NOT_FOUND", "You have no such upload for this.", field=field)
            taken.add(upload["_id"])
            used.append(await self._take(ctx, upload, record_id, field))
        return used

    async def _take(self, ctx: Context, upload: Upload, record_id: str, field: Sequence[str]) -> Upload:
        if upload["status"] in LOST and not _is_kept(upload):
            raise UserError("UPLOAD_REJECTED", "The file was not taken: upload it again.", field=field)
        kept = {"expires_at": None} if upload["status"] in store.FINAL else {}
        mine = await ctx.tx.update(
            store.uploads,
            upload["_id"],
            set={"record_id": record_id, **kept},
            where={"record_id": None, "status": upload["status"]},
        )
        if mine is None:
            raise UserError("NOT_FOUND", "This upload is in use already.", field=field)
        if mine["media_id"] is not None:
            await link(ctx, mine["media_id"], record_id)
        return mine

    async def release(
        self, ctx: Context, record_id: str, media_ids: Sequence[str], upload_ids: Sequence[str]
    ) -> None:
        """Release a record's media; uploads that never became media are given up with it."""
        every = not media_ids and not upload_ids
        named = {"$or": [{"_id": {"$in": list(upload_ids)}}, {"media_id": {"$in": list(media_ids)}}]}
        query = {"record_id": record_id, **({} if every else named)}
        gone = set(media_ids)
        for upload in await store.uploads.find(ctx.db, query):
            await ctx.tx.delete(store.uploads, upload["_id"])
            gone.add(upload["media_id"] or "")
            await jobs.enqueue(ctx.tx, "media.clear_parts", upload_id=upload["_id"])
        # The same file may have been sent twice for one record.
        left = await store.uploads.find(ctx.db, {"record_id": record_id, "media_id": {"$ne": None}})
        kept = {upload["media_id"] for upload in left} - set(media_ids)
        for row in await store.links.find(ctx.db, {"record_id": record_id}):
            if row["media_id"] not in kept and (every or row["media_id"] in gone):
                await unlink(ctx, row["media_id"], record_id)

    async def file_key(self, ctx: Context, upload: Document) -> str | None:
        if upload["media_id"] is None:
            return quarantine_key(upload["_id"]) if _is_kept(upload) else None
        medium = await store.media.by_id(ctx.db, upload["media_id"])
        return f"{medium['folder']}/{medium['main']}" if medium is not None else None

    async def show(self, ctx: Context, record_id: str, media_ids: Sequence[str], *, public: bool) -> None:
        named = [store.link_id(each, record_id) for each in media_ids]
        rows = await store.links.find(ctx.db, {"_id": {"$in": named}, "media_id": {"$in": list(media_ids)}})
        for row in rows:
            if row.get("public") != public:
                await ctx.tx.update(store.links, row, set={"public": public}, touch=False)
                # Of two records that change at once, one sees the other.
                await ctx.tx.lock_document(store.media, row["media_id"])
                await _place(ctx, await store.media.by_id(ctx.db, row["media_id"]))


def _is_kept(upload: Document) -> bool:
    """True if the file was rejected, and is kept all the same."""
    return PURPOSES[upload["purpose"]].keeps_rejected and upload["failure"] in KEPT_FAILURES


async def _place(ctx: Context, medium: Document | None) -> None:
    """Move a medium to where the records that show it want it: one that is for everybody decides."""
    if medium is None:
        return
    before = wanted_public(medium)
    query = {"media_id": medium["_id"], "public": {"$ne": False}}
    rows = await store.links.find(ctx.db, query, limit=store.MOST_LINKS)
    # What was linked before this was kept stays where it is.
    public = any(row.get("public", before) for row in rows)
    if public != before:
        # The latest wish counts, in whatever order the jobs run.
        await ctx.tx.update(store.media, medium["_id"], set={"public_wanted": public})
        await jobs.enqueue(ctx.tx, "media.move", media_id=medium["_id"], public=public)


def wanted_public(medium: Document) -> bool:
    """True if it is to have public URLs: as last requested, else as it was created."""
    return bool(medium.get("public_wanted", medium["folder"].startswith(PUBLIC)))


async def link(ctx: Context, media_id: str, record_id: str, *, public: bool | None = None) -> None:
    """Count one record more that shows the medium; `public` if everybody may see it, else by its purpose."""
    own = {"_id": store.link_id(media_id, record_id), "media_id": media_id}
    if await store.links.by_id(ctx.db, own) is not None:
        return
    touched = {"touched_at": ctx.tx.now}
    medium = await ctx.tx.update(store.media, media_id, inc={"ref_count": 1}, set=touched)
    if public is None:
        declared = PURPOSES.get(medium["purpose"]) if medium is not None else None
        public = declared is not None and declared.public
    row = {**own, "record_id": record_id, "public": public, "created_at": ctx.tx.now}
    await ctx.tx.insert(store.links, row)


async def unlink(ctx: Context, media_id: str, record_id: str) -> None:
    """Count one record less; a medium that no record shows is erased."""
    shown = {"_id": store.link_id(media_id, record_id), "media_id": media_id}
    if await ctx.tx.delete(store.links, shown) is None:
        return
    touched = {"touched_at": ctx.tx.now}
    medium = await ctx.tx.update(store.media, media_id, inc={"ref_count": -1}, set=touched)
    if medium is not None and medium["ref_count"] <= 0:
        await jobs.enqueue(ctx.tx, "media.purge", media_id=media_id, touched_at=ctx.tx.now.isoformat())
    else:
        await _place(ctx, medium)


async def finish(ctx: Context, upload: Upload) -> None:
    """Finish an upload: link the medium made from it, and call the system that uses it."""
    if upload["record_id"] is None:
        return
    if upload["media_id"] is not None:
        await link(ctx, upload["media_id"], upload["record_id"])
    await finished(upload["purpose"])(ctx, upload)


async def attach(
    ctx: Context,
    wanted: Sequence[Mapping[str, Any]],
    *,
    purpose: str,
    record_id: str,
    most: int = MOST_ATTACHMENTS,
    field: str = "attachments",
) -> list[Attachment]:
    """Attachments to embed in a record, from `{upload_id, alt_text?}`; uploads may be unfinished."""
    if len(wanted) > most:
        raise UserError("TOO_MANY", "At most {limit} attachments.", field=[field], limit=most)
    used = await use(
        ctx, [each["upload_id"] for each in wanted], purpose=purpose, record_id=record_id, field=[field]
    )
    return [attachment(each, upload) for each, upload in zip(wanted, used, strict=True)]


def attachment(args: Mapping[str, Any], upload: Document) -> Attachment:
    alt_text = line(args.get("alt_text") or "")[:LONGEST_ALT] or None
    kind = kind_under(PURPOSES[upload["purpose"]], upload["mime"])
    assert kind is not None
    return {
        "upload_id": upload["_id"],
        "kind": kind,
        "file_name": upload["file_name"],
        "alt_text": alt_text,
    }
