"""Photos of submissions: uploads in use, what becomes of them, and the codes that are seen in them."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from core import jobs, uploads
from core.context import Context, Services
from core.errors import UserError
from core.hooks import on
from core.uploads import MIB, finished, purpose
from ports.barcode import CodeReader
from resolvers.barcode import carriers
from resolvers.media import nearest
from stores import barcode as store
from stores.barcode import BarcodeSubmission, BarcodeSubmissionStatus, Photo
from stores.media import media

BARCODE_PHOTO = purpose(
    "BARCODE_PHOTO",
    "A photo of a package and its barcode, as JPEG or PNG, or HEIC where the server takes that.",
    image=10 * MIB,
    mimes=("image/jpeg", "image/png", "image/heic", "image/heif"),
    url_seconds=240,
)
MOST_PHOTOS = 3
MOST_CODES = 20
"""Codes of a case's photos that are kept."""
ARRIVING = ("PENDING", "UPLOADING")

Document = Mapping[str, Any]


async def used(
    ctx: Context, submission_id: str, upload_ids: Sequence[str], before: Sequence[Photo] = ()
) -> list[Photo]:
    """Photos of a submission with further uploads; UPLOAD_NOT_READY for one that has not arrived."""
    known = {each["upload_id"] for each in before}
    added = [each for each in dict.fromkeys(upload_ids) if each not in known]
    if len(before) + len(added) > MOST_PHOTOS:
        raise UserError("TOO_MANY", "At most {limit} at once.", field=["uploadIds"], limit=MOST_PHOTOS)
    taken = await uploads.use(
        ctx, added, purpose=BARCODE_PHOTO.name, record_id=submission_id, field=["uploadIds"]
    )
    if any(each["status"] in ARRIVING for each in taken):
        raise UserError("UPLOAD_NOT_READY", "Complete the upload first.", field=["uploadIds"])
    for each in taken:
        if each["media_id"] is not None:
            await _plan_reading(ctx, submission_id, ctx.viewer_id, each["media_id"])
    fresh: list[Photo] = [{"upload_id": each["_id"], "media_id": each["media_id"]} for each in taken]
    return [*before, *fresh]


async def exchanged(ctx: Context, row: BarcodeSubmission, upload_ids: Sequence[str]) -> list[Photo]:
    """Just these photos of a submission; the others are released."""
    kept = [each for each in row["photos"] if each["upload_id"] in upload_ids]
    if gone := [each for each in row["photos"] if each not in kept]:
        await uploads.release(
            ctx,
            row["_id"],
            media_ids=[each["media_id"] for each in gone if each["media_id"] is not None],
            upload_ids=[each["upload_id"] for each in gone],
        )
    return await used(ctx, row["_id"], upload_ids, kept)


async def _plan_reading(ctx: Context, submission_id: str, user_id: str, media_id: str) -> None:
    named: dict[str, Any] = {"submission_id": submission_id, "user_id": user_id, "media_id": media_id}
    await jobs.enqueue(ctx.tx, "barcode.read_photo", **named)


@on(finished(BARCODE_PHOTO.name))
async def photo_finished(ctx: Context, upload: Document) -> None:
    """Show a photo that is READY; one that could not be taken is dropped, and another one is asked for."""
    named = {"_id": upload["record_id"], "user_id": upload["owner_id"]}
    row = await store.submissions.by_id(ctx.db, named)
    if row is None:
        return
    if upload["status"] == "READY":
        ready: Photo = {"upload_id": upload["_id"], "media_id": upload["media_id"]}
        photos = [ready if each["upload_id"] == upload["_id"] else each for each in row["photos"]]
        await ctx.tx.edit(store.submissions, row, {"photos": photos})
        await _plan_reading(ctx, row["_id"], row["user_id"], upload["media_id"])
        return
    left = [each for each in row["photos"] if each["upload_id"] != upload["_id"]]
    change: dict[str, Any] = {"photos": left}
    if row["status"] in (BarcodeSubmissionStatus.PENDING, BarcodeSubmissionStatus.REVIEWED):
        change["status"] = BarcodeSubmissionStatus.NEEDS_INFO
    await ctx.tx.edit(store.submissions, row, change)


async def read_codes(services: Services, *, submission_id: str, user_id: str, media_id: str) -> None:
    """Read the codes in a photo for the reviewer, who sees which differ from what was submitted."""
    row = await store.submissions.by_id(services.db, {"_id": submission_id, "user_id": user_id})
    [medium, *_] = [*await media.by_ids(services.db, [media_id]), None]
    if row is None or medium is None:
        return
    widest = nearest(medium["variants"], None, None)
    picture = b"".join([part async for part in services.objects.read(f"{medium['folder']}/{widest['name']}")])
    codes = await services.get(CodeReader).codes(picture)
    ctx = Context(services)
    await ctx.unit(partial(_add_codes, ctx, row["gtin"], [_shown(each) for each in codes]))


def _shown(code: str) -> str:
    """A code as reviewers compare it: its number where it has one."""
    found = carriers.read(code[: carriers.LONGEST_CODE])
    return found.gtin.digits if found.gtin is not None else found.text


async def _add_codes(ctx: Context, gtin: str, codes: Sequence[str]) -> None:
    case = await store.cases.first(ctx.db, {"gtin": gtin})
    if case is None:
        return
    every = list(dict.fromkeys([*case["photo_codes"], *codes]))[:MOST_CODES]
    if every != case["photo_codes"]:
        await ctx.tx.update(store.cases, case, set={"photo_codes": every}, version=False)
