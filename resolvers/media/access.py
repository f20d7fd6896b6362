"""Access guards of media: uploads are their owner's; media are seen by their owner and through records."""

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

from core import ids, nodes, paging
from core.context import Context
from core.errors import UserError
from core.nodes import guard
from core.paging import NEWEST, PageArgs
from loaders.media import MediaById, OwnUploadById, RecordsByMedia
from resolvers.media.media_urls import PUBLIC
from stores import media as store
from stores.media import Media, Upload, UploadStatus

Document = Mapping[str, Any]


@guard("media")
async def visible_media(ctx: Context, wanted: Sequence[str]) -> Sequence[Media | None]:
    """Access guard of media: public ones, one's own, and those that a visible record shows."""
    found = await ctx.load_many(MediaById, wanted)
    own = ctx.viewer_id_or_none
    guarded = [
        each["_id"]
        for each in found
        if each and not each["folder"].startswith(PUBLIC) and each["owner_id"] != own
    ]
    shown = await _shown(ctx, guarded) if guarded else set()
    return [each if each and (each["_id"] not in guarded or each["_id"] in shown) else None for each in found]


async def _shown(ctx: Context, media_ids: Sequence[str]) -> set[str]:
    """Media of a record that the viewer may see: the record's own access guard decides."""
    records = dict(zip(media_ids, await ctx.load_many(RecordsByMedia, media_ids), strict=True))
    seen = await nodes.visible(ctx, [each for listed in records.values() for each in listed])
    return {id for id, listed in records.items() if any(each in seen for each in listed)}


@guard("upload", sync="UPLOAD", owner="owner_id", collection="uploads")
async def own_uploads(ctx: Context, wanted: Sequence[str]) -> Sequence[Upload | None]:
    """Access guard of uploads: the owner's, without those given up."""
    found = await ctx.load_many(OwnUploadById, wanted)
    return [each if each and each["status"] != UploadStatus.CANCELED else None for each in found]


class UploadFilter(TypedDict, total=False):
    """Filter of a list of uploads."""

    statuses: list[UploadStatus] | None
    """Statuses that the uploads have one of; all but CANCELED when left out."""


async def viewer_uploads(
    ctx: Context, viewer: Document, *, filter: UploadFilter | None = None, args: PageArgs
) -> dict[str, Any]:
    """The viewer's uploads, latest first."""
    statuses = (filter or {}).get("statuses")
    chosen = paging.any_of(statuses) if statuses else {"$ne": UploadStatus.CANCELED}
    query = {"owner_id": ctx.viewer_id, "status": chosen}
    return await store.uploads.page(ctx.db, query, NEWEST, args)


def upload_edge(upload: Upload) -> dict[str, Any]:
    """The upload's place among all of its owner's, latest first."""
    query = {"owner_id": upload["owner_id"], "status": {"$ne": UploadStatus.CANCELED}}
    return store.uploads.edge(query, NEWEST, upload)


async def upload_for_update(ctx: Context, id: str) -> Upload:
    """The viewer's upload in any state; raises if there is none."""
    found = await ctx.load(OwnUploadById, ids.checked(id, "upload"))
    if found is None:
        raise UserError("NOT_FOUND", "You have no such upload.", field=["uploadId"])
    return found
