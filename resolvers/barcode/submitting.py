"""Submissions of codes that nobody knows, with photos; submissions of one number converge on one case."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import Any, TypedDict, Unpack

from pymongo.errors import PyMongoError

from core import ids, jobs, uploads
from core.context import Context
from core.errors import UserError, check_version
from core.ids import Id
from core.nodes import for_update
from core.paging import PageArgs, any_of
from core.security.limits import Rate
from core.storage import mongo
from core.values.bounds import check_count, check_length
from core.values.text import Opaque
from ports.barcode import BarcodeSettings
from resolvers.barcode import photos
from resolvers.barcode.looking_up import Lookup, checked, number_of, resolve
from resolvers.barcode.sealing import gtin_index, opened_submission, submission_place
from stores import barcode as store
from stores.barcode import (
    BarcodeFormat,
    BarcodeLookupStatus,
    BarcodeSubmission,
    BarcodeSubmissionStatus,
    ReviewCase,
)

SUBMISSION_RATE = Rate("barcode-submissions", 60, 3600)
DAY = timedelta(days=1)
MOST_A_DAY = 20
LONGEST_CONTEXT = 500

Document = Mapping[str, Any]


class SubmissionFilter(TypedDict, total=False):
    """Filter of the submissions."""

    statuses: list[BarcodeSubmissionStatus] | None
    """Statuses that the submissions have one of."""


class SubmissionChanges(TypedDict, total=False):
    upload_ids: list[Id]
    context: str | None


class Submitted(TypedDict):
    barcode_submission: dict[str, Any]
    barcode_submission_edge: dict[str, Any]
    lookup: Lookup


class Changed(TypedDict):
    barcode_submission: dict[str, Any]


class Deleted(TypedDict):
    deleted_barcode_submission_id: Id


async def viewer_submissions(
    ctx: Context, area: Document, *, filter: SubmissionFilter | None = None, args: PageArgs
) -> dict[str, Any]:
    """The viewer's submissions, latest first."""
    query: dict[str, Any] = {"user_id": ctx.viewer_id}
    if statuses := (filter or {}).get("statuses"):
        query["status"] = any_of(statuses)
    return await store.submissions.page(
        ctx.db, query, store.LATEST_SUBMITTED, args, shown=partial(opened_submission, ctx.services.crypto)
    )


async def submit_barcode(
    ctx: Context,
    *,
    id: Id | None = None,
    code: Opaque,
    format: BarcodeFormat | None = None,
    upload_ids: Sequence[Id] = (),
    context: str | None = None,
    scan_record_id: Id | None = None,
) -> Submitted:
    """Submit a code; the viewer's open submission of the number takes what is new in this one."""
    await ctx.limit(SUBMISSION_RATE)
    barcode = checked(code, format)
    if barcode.gtin is not None and barcode.gtin.restricted:
        raise UserError("BARCODE_RESTRICTED", "The number is one of a single shop.", field=["code"])
    _check(upload_ids, context)
    gtin = number_of(barcode)
    [lookup] = await resolve(ctx, [barcode], chosen=False)
    scan: Any = await for_update(ctx, store.scans, scan_record_id) if scan_record_id else None
    if scan is not None and scan["gtin"] != gtin:
        raise UserError("NOT_FOUND", "That scan is of another code.", field=["scanRecordId"])
    known = await store.submissions.first(ctx.db, {"user_id": ctx.viewer_id, "open_gtin": gtin})
    if known is not None:
        row = await _added_to(ctx, known, upload_ids, context)
        return _payload(ctx, row, lookup)
    await _check_quota(ctx)
    new = ids.minted(id, "barcode_submission")
    values = {"code": code, "context": context}
    case, outcome = await _outcome(ctx, gtin, lookup)
    made: dict[str, Any] = {
        "_id": new,
        "user_id": ctx.viewer_id,
        "gtin": gtin,
        "format": lookup["format"],
        "sealed": ctx.services.crypto.seal_values(values, place=submission_place(new)),
        "scan_record_id": scan_record_id,
        # What is decided at once needs no photos.
        "photos": await photos.used(ctx, new, upload_ids) if case is not None else [],
        "submitted_at": ctx.tx.now,
        "case_id": case and case["_id"],
        **outcome,
    }
    row = await ctx.tx.insert(store.submissions, made)
    if case is not None:
        await plan_external(ctx, gtin)
        shown = {"status": BarcodeLookupStatus.PENDING_REVIEW, "viewer_submission": _clear(ctx, row)}
        lookup = {**lookup, **shown}
    return _payload(ctx, row, lookup)


def _check(upload_ids: Sequence[str], context: str | None) -> None:
    check_count(upload_ids, most=photos.MOST_PHOTOS, field="upload_ids")
    check_length(context or "", most=LONGEST_CONTEXT, field="context")


async def _check_quota(ctx: Context) -> None:
    """SUBMISSION_LIMIT for the 21st of a day: another day cures it, and the key stays good."""
    query = {"user_id": ctx.viewer_id, "submitted_at": {"$gt": ctx.tx.now - DAY}}
    today = await store.submissions.find(
        ctx.db, query, sort=store.LATEST_SUBMITTED, limit=MOST_A_DAY, fields=("submitted_at",)
    )
    if len(today) >= MOST_A_DAY:
        wait = today[-1]["submitted_at"] + DAY - ctx.tx.now
        raise UserError(
            "SUBMISSION_LIMIT",
            "At most {limit} codes a day.",
            limit=MOST_A_DAY,
            retry_after_seconds=max(60, int(wait.total_seconds())),
        )


async def _outcome(ctx: Context, gtin: str, lookup: Lookup) -> tuple[ReviewCase | None, dict[str, Any]]:
    """The case that a new submission joins, and its first fields; without a case it is decided at once."""
    now = ctx.tx.now
    if lookup["status"] in (BarcodeLookupStatus.MATCHED, BarcodeLookupStatus.AMBIGUOUS):
        several = lookup["candidates"]
        variant = several[0]["variant"] if several else lookup["variant"]
        return None, decided(BarcodeSubmissionStatus.MATCHED, variant, None, now)
    case = await store.cases.first(ctx.db, {"gtin": gtin})
    if case is not None and _rejected_lately(case, now):
        reason = case["decision_reason"]
        return None, decided(BarcodeSubmissionStatus.REJECTED, None, reason, now)
    joined = await _joined(ctx, case, gtin)
    status = BarcodeSubmissionStatus.PENDING
    if joined["status"] == BarcodeSubmissionStatus.REVIEWED:
        status = BarcodeSubmissionStatus.REVIEWED
    none = {"decision_reason": None, "product_id": None, "variant_id": None, "decided_at": None}
    return joined, {"status": status, "open_gtin": gtin, **none}


def _rejected_lately(case: ReviewCase, now: Any) -> bool:
    rejected = case["status"] == BarcodeSubmissionStatus.REJECTED
    return rejected and case["decided_at"] is not None and case["decided_at"] > now - store.AGAIN_AFTER


def decided(
    status: BarcodeSubmissionStatus, variant: Document | None, reason: str | None, at: Any
) -> dict[str, Any]:
    """Fields of a submission on which there is a final decision."""
    return {
        "status": status,
        "open_gtin": None,
        "decision_reason": reason,
        "product_id": variant and variant["product_id"],
        "variant_id": variant and variant["_id"],
        "decided_at": at,
    }


async def _joined(ctx: Context, case: ReviewCase | None, gtin: str) -> ReviewCase:
    """The number's case with one submission more; begun anew where it was decided."""
    if case is None:
        fresh = _fresh_case(ctx, gtin)
        return await ctx.tx.insert(store.cases, fresh, taken=_begun_by_another)
    inc = {"submission_count": 1}
    if case["status"] not in store.FINAL:
        joined = await ctx.tx.update(store.cases, case, inc=inc, version=False)
    else:
        # Its life begins anew: that is no move of the one that ended.
        await ctx.tx.delete(store.cases, case)
        joined = await ctx.tx.insert(store.cases, {**_fresh_case(ctx, gtin), "_id": case["_id"]})
    assert joined is not None
    return joined


def _begun_by_another(error: PyMongoError) -> PyMongoError:
    """Two people submitted the number at once: the later one joins the case of the first."""
    return mongo.run_again(error)


def _fresh_case(ctx: Context, gtin: str) -> dict[str, Any]:
    none = dict.fromkeys(("assignee_id", "leased_until", "product_id", "variant_id"))
    return {
        "_id": ids.new_id("review_case"),
        "gtin": gtin,
        "gtin_index": gtin_index(ctx.services.crypto, gtin),
        "status": BarcodeSubmissionStatus.PENDING,
        "submission_count": 1,
        "scan_count": 0,
        "photo_codes": [],
        **none,
        "decision_reason": None,
        "decided_at": None,
        "created_at": ctx.tx.now,
        "updated_at": ctx.tx.now,
    }


async def _added_to(
    ctx: Context, row: BarcodeSubmission, upload_ids: Sequence[str], context: str | None
) -> BarcodeSubmission:
    """The viewer's open submission with the photos and remarks that are new."""
    shown = await photos.used(ctx, row["_id"], upload_ids, row["photos"])
    change: dict[str, Any] = {"photos": shown} if shown != row["photos"] else {}
    if context is not None:
        change["sealed"] = _resealed(ctx, row, context)
    if change:
        change |= await answered(ctx, row)
    return await ctx.tx.edit(store.submissions, row, change)


def _resealed(ctx: Context, row: Document, context: str | None) -> str:
    code = opened_submission(ctx.services.crypto, row)["code"]
    values = {"code": code, "context": context}
    return ctx.services.crypto.seal_values(values, place=submission_place(row["_id"]))


async def answered(ctx: Context, row: BarcodeSubmission) -> dict[str, Any]:
    """Changes of a submission that got what a reviewer asked for: it and its case are PENDING again."""
    if row["status"] != BarcodeSubmissionStatus.NEEDS_INFO:
        return {}
    case = await store.cases.first(ctx.db, {"gtin": row["gtin"]})
    if case is not None and case["status"] == BarcodeSubmissionStatus.NEEDS_INFO:
        await ctx.tx.edit(store.cases, case, {"status": BarcodeSubmissionStatus.PENDING})
    return {"status": BarcodeSubmissionStatus.PENDING}


def _payload(ctx: Context, row: BarcodeSubmission, lookup: Lookup) -> Submitted:
    clear = opened_submission(ctx.services.crypto, row)
    edge = store.submissions.edge({"user_id": ctx.viewer_id}, store.LATEST_SUBMITTED, clear)  # type: ignore[arg-type]
    return {"barcode_submission": clear, "barcode_submission_edge": edge, "lookup": lookup}


async def update_barcode_submission(
    ctx: Context,
    *,
    barcode_submission_id: Id,
    expected_version: int | None = None,
    **changes: Unpack[SubmissionChanges],
) -> Changed:
    """Change photos and remarks of a submission that waits for a reviewer or for its person."""
    await ctx.limit(SUBMISSION_RATE)
    row = await _own(ctx, barcode_submission_id)
    check_version(expected_version, row["version"], barcode_submission=_clear(ctx, row))
    if row["status"] not in (BarcodeSubmissionStatus.PENDING, BarcodeSubmissionStatus.NEEDS_INFO):
        raise UserError(
            "WRONG_STATUS",
            "It is {status}.",
            values={"status": row["status"]},
            barcode_submission=_clear(ctx, row),
        )
    _check(changes.get("upload_ids", ()), changes.get("context"))
    change: dict[str, Any] = {}
    if "upload_ids" in changes:
        change["photos"] = await photos.exchanged(ctx, row, changes["upload_ids"])
    if "context" in changes:
        change["sealed"] = _resealed(ctx, row, changes["context"])
    if change:
        change |= await answered(ctx, row)
    changed = await ctx.tx.edit(store.submissions, row, change)
    return {"barcode_submission": _clear(ctx, changed)}


async def delete_barcode_submission(ctx: Context, *, barcode_submission_id: Id) -> Deleted:
    """Withdraw a submission, with its photos."""
    await ctx.limit(SUBMISSION_RATE)
    row = await _own(ctx, barcode_submission_id)
    await forget(ctx, row)
    return {"deleted_barcode_submission_id": barcode_submission_id}


async def forget(ctx: Context, row: BarcodeSubmission) -> None:
    """Delete a submission with its photos; a case that has none left is nobody's question any more."""
    await uploads.release(ctx, row["_id"])
    await ctx.tx.delete(store.submissions, row)
    if row["open_gtin"] is None:
        return
    case = await store.cases.first(ctx.db, {"gtin": row["gtin"]})
    if case is None:
        return
    left = await ctx.tx.update(store.cases, case, inc={"submission_count": -1}, version=False)
    if left is not None and left["submission_count"] <= 0 and left["status"] not in store.FINAL:
        await ctx.tx.delete(store.cases, left)


async def _own(ctx: Context, id: str) -> BarcodeSubmission:
    """The viewer's submission as it is stored; reviewers see others', and change none."""
    clear: Any = await for_update(ctx, store.submissions, id)
    row = await store.submissions.by_id(ctx.db, {"_id": id, "user_id": ctx.viewer_id})
    if row is None or clear is None:
        raise UserError("NOT_FOUND", "It is another's.", field=["barcodeSubmissionId"])
    return row


def _clear(ctx: Context, row: BarcodeSubmission) -> dict[str, Any]:
    return opened_submission(ctx.services.crypto, row)


async def plan_external(ctx: Context, gtin: str) -> None:
    """Have the source outside of the shop asked for a number that nobody knows, where there is one."""
    if ctx.services.get(BarcodeSettings).names_url:
        await jobs.enqueue(ctx.tx, "barcode.ask_outside", key=gtin, gtin=gtin)
