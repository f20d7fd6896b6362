"""Life cycle of media after processing: moves, erasure, malware removal, and sweeping of old uploads."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial

import structlog

from core import clock, jobs
from core.audit import Act, record
from core.context import Context
from core.uploads import relocated
from resolvers.media.linking import finish
from resolvers.media.media_urls import PUBLIC
from resolvers.media.processing import new_folder, reject
from resolvers.media.receiving import INCOMING, LIFE, QUARANTINE, quarantine_key
from resolvers.media.uploading import UNUSED, end
from stores import media as store
from stores.media import Media, Upload, UploadFailure, UploadStatus

logger = structlog.get_logger(__name__)

BATCH = 200
GRACE = timedelta(hours=1)
"""Time for which the old URL of a medium that became public still works."""
MOST_FORMER = 10


async def clear_parts(ctx: Context, upload_id: str) -> None:
    """Erase the received parts; once more after the last URL has expired, since until then more may come."""
    await ctx.services.objects.erase(f"{INCOMING}/{upload_id}")

    async def once_more() -> None:
        due_at = ctx.tx.now + LIFE + timedelta(minutes=1)
        await jobs.enqueue(ctx.tx, "media.erase_folder", due_at=due_at, folder=f"{INCOMING}/{upload_id}")

    await ctx.unit(once_more)


async def purge(ctx: Context, media_id: str, *, touched_before: datetime) -> None:
    """Erase a medium that nothing shows and nobody has touched since."""

    async def forget() -> None:
        unused = {"ref_count": {"$lte": 0}, "touched_at": {"$lte": touched_before}}
        medium = await ctx.tx.delete(store.media, media_id, where=unused)
        if medium is not None:
            await _forget_uploads(ctx, medium)
            for folder in _folders(medium):
                await jobs.enqueue(ctx.tx, "media.erase_folder", folder=folder)

    await ctx.unit(forget)


def _folders(medium: Media) -> list[str]:
    """Present folder of the medium's files, and the former ones."""
    return [medium["folder"], *medium.get("former_folders", ())]


async def _forget_uploads(ctx: Context, medium: Media) -> None:
    for upload in await store.uploads.find(ctx.db, {"media_id": medium["_id"]}, limit=BATCH):
        await ctx.tx.delete(store.uploads, upload["_id"])


async def move(ctx: Context, media_id: str, *, public: bool) -> None:
    """Move a medium to a public folder or back to a private one: copy, switch the record, erase the old.

    The medium's `public_wanted` decides: it may have changed since this job was enqueued for `public`.
    """
    medium = await store.media.by_id(ctx.db, media_id)
    if medium is None:
        return
    public = bool(medium.get("public_wanted", public))
    if medium["folder"].startswith(PUBLIC) == public:
        return
    old, new = medium["folder"], new_folder(public=public)
    objects = ctx.services.objects
    for each in await objects.under(old):
        await objects.copy(each.key, new + each.key.removeprefix(old))

    async def moved() -> bool:
        where = {"folder": old, "public_wanted": {"$in": [public, None]}}
        places = {"folder": new, "former_folders": [*medium.get("former_folders", ()), old][-MOST_FORMER:]}
        found = await ctx.tx.update(store.media, media_id, set=places, where=where)
        if found is not None:
            for row in await store.links.find(ctx.db, {"media_id": media_id}, limit=store.MOST_LINKS):
                await relocated(ctx, row["record_id"])
            wait = GRACE if public else timedelta()
            await jobs.enqueue(ctx.tx, "media.erase_folder", due_at=ctx.tx.now + wait, folder=old)
        return found is not None

    if not await ctx.unit(moved):
        await ctx.services.objects.erase(new)


async def condemn(ctx: Context, media_id: str) -> bool:
    """Hide a medium in which malware was found after it was shown, and notify the records that show it."""
    medium = await store.media.by_id(ctx.db, media_id)
    if medium is None:
        return False
    objects = ctx.services.objects
    for each in await objects.under(medium["folder"]):
        await objects.copy(each.key, f"{QUARANTINE}/{each.key.partition('/')[2]}")
    for folder in _folders(medium):
        await ctx.services.objects.erase(folder)

    async def condemned() -> None:
        if await ctx.tx.delete(store.media, media_id) is None:
            return
        for upload in await store.uploads.find(ctx.db, {"media_id": media_id}, limit=BATCH):
            found = await ctx.tx.update(
                store.uploads,
                upload["_id"],
                set={
                    "status": UploadStatus.REJECTED,
                    "failure": UploadFailure.MALWARE,
                    "media_id": None,
                    "expires_at": ctx.tx.now + UNUSED,
                },
            )
            if found is not None:
                await finish(ctx, found)
        for row in await store.links.find(ctx.db, {"media_id": media_id}):
            await ctx.tx.delete(store.links, row)
            await relocated(ctx, row["record_id"])
        act = Act("media.condemned", "SYSTEM_EVENT", "CONTENT", media_id, subject_id=medium["owner_id"])
        await record(ctx, act)

    await ctx.unit(condemned)
    logger.warning("medium condemned", media=media_id)
    return True


async def sweep(ctx: Context) -> None:
    """Sweep unfinished uploads, abandoned processing and unused media."""
    now = clock.now()
    async for uploads in store.uploads.batches(ctx.services.db, {"expires_at": {"$lte": now}}):
        for upload in uploads:
            await _expire(ctx, upload)
    unused = {"ref_count": {"$lte": 0}, "touched_at": {"$lte": now - UNUSED}}
    async for media in store.media.batches(ctx.services.db, unused):
        for medium in media:
            await purge(ctx, medium["_id"], touched_before=now - UNUSED)


async def _expire(ctx: Context, upload: Upload) -> None:
    if upload["status"] in store.WORKING:
        await reject(ctx, upload["_id"], UploadFailure.UNREADABLE)
        return

    async def expire() -> None:
        if upload["status"] in store.SENDING:
            await end(ctx, upload, UploadStatus.EXPIRED)
        elif upload["record_id"] is not None:
            # Its record still shows the upload's outcome.
            kept = await ctx.tx.update(store.uploads, upload["_id"], set={"expires_at": None}, version=False)
            if kept is not None:
                ctx.tx.skip_log(kept)
        else:
            await ctx.tx.delete(store.uploads, upload["_id"], where={"record_id": None})

    await ctx.unit(expire)


async def erase_person(ctx: Context, user_id: str) -> None:
    """Erase everything a deleted person uploaded, at once; jobs repeat it if this is interrupted."""
    theirs = {"owner_id": user_id}
    async for uploads in store.uploads.batches(ctx.services.db, theirs):
        for upload in uploads:
            await _erase_sent(ctx, upload)
        await ctx.unit(partial(_forget, ctx, uploads))
    async for media in store.media.batches(ctx.services.db, theirs):
        for folder in (folder for medium in media for folder in _folders(medium)):
            await ctx.services.objects.erase(folder)
        await ctx.unit(partial(_erase, ctx, media))


async def _forget(ctx: Context, uploads: Sequence[Upload]) -> None:
    for upload in uploads:
        await ctx.tx.delete(store.uploads, upload["_id"])
        await jobs.enqueue(ctx.tx, "media.clear_parts", upload_id=upload["_id"])


async def _erase(ctx: Context, media: Sequence[Media]) -> None:
    for medium in media:
        await ctx.tx.delete(store.media, medium["_id"])
        for folder in _folders(medium):
            await jobs.enqueue(ctx.tx, "media.erase_folder", folder=folder)
        for row in await store.links.find(ctx.db, {"media_id": medium["_id"]}):
            await ctx.tx.delete(store.links, row)


async def _erase_sent(ctx: Context, upload: Upload) -> None:
    """Erase the received parts, and the quarantined copy of a file in which malware was found."""
    objects = ctx.services.objects
    await objects.erase(f"{INCOMING}/{upload['_id']}")
    await objects.delete([quarantine_key(upload["_id"])])
    if upload["folder"]:
        await objects.erase(upload["folder"])
        await objects.erase(f"{QUARANTINE}/{upload['folder'].partition('/')[2]}")
