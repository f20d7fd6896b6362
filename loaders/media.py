"""Loaders of media, uploads and the records that show them."""

from collections import defaultdict

from core.storage.loader import Loader, by_id, in_order
from stores import media as store
from stores.media import AttachmentStatus, Media, Upload, UploadStatus

STATUS = {
    UploadStatus.PENDING: AttachmentStatus.PENDING,
    UploadStatus.UPLOADING: AttachmentStatus.PENDING,
    UploadStatus.UPLOADED: AttachmentStatus.PROCESSING,
    UploadStatus.SCANNING: AttachmentStatus.PROCESSING,
    UploadStatus.PROCESSING: AttachmentStatus.PROCESSING,
    UploadStatus.READY: AttachmentStatus.READY,
    UploadStatus.REJECTED: AttachmentStatus.REJECTED,
    UploadStatus.CANCELED: AttachmentStatus.EXPIRED,
    UploadStatus.EXPIRED: AttachmentStatus.EXPIRED,
}


MediaById = by_id(store.media)


class OwnUploadById(Loader[str, Upload | None]):
    """The viewer's own uploads alone."""

    async def batch_load_fn(self, keys: list[str]) -> list[Upload | None]:
        fields = (*self.fields, "owner_id") if self.fields else ()
        rows = await store.uploads.by_ids(self.db, keys, fields=fields)
        return in_order(keys, [row for row in rows if row["owner_id"] == self.viewer_id])


class MediaByUpload(Loader[str, Media | None]):
    """The medium made from an upload; None until there is one."""

    async def batch_load_fn(self, keys: list[str]) -> list[Media | None]:
        uploads = await store.uploads.by_ids(self.db, keys, fields=("media_id",))
        made = {upload["_id"]: upload["media_id"] for upload in uploads if upload.get("media_id")}
        if not made:
            return [None for _ in keys]
        rows = await store.media.by_ids(self.db, filter(None, made.values()), fields=self.fields)
        found = {row["_id"]: row for row in rows}
        return [found.get(made.get(key) or "") for key in keys]


class AttachmentStatusByUpload(Loader[str, AttachmentStatus]):
    """Status of an attachment; one whose upload is deleted will never arrive."""

    async def batch_load_fn(self, keys: list[str]) -> list[AttachmentStatus]:
        uploads = await store.uploads.by_ids(self.db, keys, fields=("status",))
        found = {upload["_id"]: STATUS[UploadStatus(upload["status"])] for upload in uploads}
        return [found.get(key, AttachmentStatus.EXPIRED) for key in keys]


class RecordsByMedia(Loader[str, list[str]]):
    """The latest records that show a medium."""

    async def batch_load_fn(self, keys: list[str]) -> list[list[str]]:
        sort = [("created_at", -1)]
        rows = await store.links.per_parent(self.db, "media_id", keys, sort=sort, limit=store.MOST_LINKS)
        found: dict[str, list[str]] = defaultdict(list)
        for key, links in rows.items():
            found[key] = [link["record_id"] for link in links]
        return [found[key] for key in keys]
