"""Review of submitted codes: the staff's queue, the lease of a case, and the decision on it."""

from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from typing import Any, TypedDict

from core import jobs
from core.audit import Act, record
from core.context import Context
from core.errors import UserError, check_version
from core.ids import Id
from core.nodes import for_update
from core.paging import PageArgs, any_of
from core.values.bounds import check_length
from resolvers.barcode import mapping, metrics
from resolvers.barcode.sealing import opened_submission
from stores import barcode as store
from stores.barcode import (
    BarcodeSource,
    BarcodeSubmissionStatus,
    ReviewCase,
    ReviewCaseDecision,
)

LONGEST_REASON = 500
DEFAULT_STATUSES = (BarcodeSubmissionStatus.PENDING,)
OUTCOMES: Mapping[ReviewCaseDecision, BarcodeSubmissionStatus] = {
    ReviewCaseDecision.MATCH: BarcodeSubmissionStatus.MATCHED,
    ReviewCaseDecision.REJECT: BarcodeSubmissionStatus.REJECTED,
    ReviewCaseDecision.NEEDS_INFO: BarcodeSubmissionStatus.NEEDS_INFO,
    ReviewCaseDecision.REVIEWED: BarcodeSubmissionStatus.REVIEWED,
}
REASONED = (ReviewCaseDecision.REJECT, ReviewCaseDecision.NEEDS_INFO)
"""Decisions that those who submitted the code are told the reason of."""

Document = Mapping[str, Any]


class ReviewCaseFilter(TypedDict, total=False):
    """Filter of the review queue."""

    statuses: list[BarcodeSubmissionStatus] | None
    """Statuses that the cases have one of; PENDING when left out."""
    assigned_to_me: bool | None
    """True to list only those that you claimed last."""


class Claimed(TypedDict):
    review_case: ReviewCase


async def review_queue(
    ctx: Context, *, filter: ReviewCaseFilter | None = None, args: PageArgs
) -> dict[str, Any]:
    """Cases of submitted codes, those first that most people submitted."""
    narrowed = filter or {}
    query: dict[str, Any] = {"status": any_of(narrowed.get("statuses") or DEFAULT_STATUSES)}
    if narrowed.get("assigned_to_me"):
        query["assignee_id"] = ctx.viewer_id
    return await store.cases.page(ctx.db, query, store.BY_DEMAND, args)


async def case_submissions(ctx: Context, case: Document, *, args: PageArgs) -> dict[str, Any]:
    """Submissions of a case, latest first; who submitted them is not told."""
    return await store.submissions.page(
        ctx.db,
        {"case_id": case["_id"]},
        store.LATEST_SUBMITTED,
        args,
        shown=partial(opened_submission, ctx.services.crypto),
    )


async def claim_review_case(ctx: Context, *, review_case_id: Id) -> Claimed:
    """Have a case for oneself for half an hour; who claims it again has it longer."""
    case = await for_update(ctx, store.cases, review_case_id)
    _need_open(case)
    _need_free(ctx, case)
    lease = {"assignee_id": ctx.viewer_id, "leased_until": ctx.tx.now + store.LEASE}
    claimed = await ctx.tx.edit(store.cases, case, lease)
    await record(ctx, Act("barcode.case_claimed", "DECISION_MADE", "CATALOG", case["_id"]))
    return {"review_case": claimed}


def _need_open(case: ReviewCase) -> None:
    """CONFLICT for a case that another reviewer has decided."""
    if case["status"] in store.FINAL:
        raise UserError("CONFLICT", "Another reviewer decided it.", review_case=case)


def _need_free(ctx: Context, case: ReviewCase) -> None:
    until = case["leased_until"]
    if until is None or until <= ctx.tx.now or case["assignee_id"] == ctx.viewer_id:
        return
    wait = max(1, int((until - ctx.tx.now).total_seconds()))
    raise UserError(
        "CASE_CLAIMED", "Another reviewer works on it.", retry_after_seconds=wait, review_case=case
    )


async def decide_review_case(
    ctx: Context,
    *,
    review_case_id: Id,
    decision: ReviewCaseDecision,
    product_variant_id: Id | None = None,
    reason: str | None = None,
    allow_multiple: bool = False,
    expected_version: int | None = None,
) -> dict[str, Any]:
    """Decide on a case; its submissions and the scans of its code follow by a job."""
    case = await for_update(ctx, store.cases, review_case_id)
    _need_open(case)
    check_version(expected_version, case["version"], review_case=case)
    _need_free(ctx, case)
    check_length(reason or "", least=decision in REASONED, most=LONGEST_REASON, field="reason")
    change: dict[str, Any] = {
        "status": OUTCOMES[decision],
        "decision_reason": reason or None,
        "leased_until": None,
    }
    if decision is ReviewCaseDecision.MATCH:
        change |= await _match(ctx, case, product_variant_id, allow_multiple)
    if change["status"] in store.FINAL:
        change["decided_at"] = ctx.tx.now
        metrics.REVIEW_AGE.observe((ctx.tx.now - case["created_at"]) / timedelta(hours=1))
    decided = await ctx.tx.edit(store.cases, case, change)
    await jobs.enqueue(ctx.tx, "barcode.tell_decision", key=case["_id"], gtin=case["gtin"])
    details = {"after": {"status": change["status"], "variant_id": change.get("variant_id")}}
    await record(ctx, Act("barcode.case_decided", "DECISION_MADE", "CATALOG", case["_id"], details=details))
    return {"review_case": decided}


async def _match(
    ctx: Context, case: ReviewCase, variant_id: str | None, allow_multiple: bool
) -> dict[str, Any]:
    """Map the code of a case to the variant."""
    if variant_id is None:
        raise UserError("REQUIRED", "Name the variant.", field=["productVariantId"])
    variant = await mapping.need_variant(ctx, variant_id)
    await mapping.put(
        ctx,
        case["gtin"],
        variant,
        source=BarcodeSource.REVIEW,
        by_staff=True,
        allow_multiple=allow_multiple,
    )
    return {"variant_id": variant["_id"], "product_id": variant["product_id"]}


def photo_codes_differ(case: Document) -> bool:
    """True if a photo shows another code than the one that was submitted."""
    return any(code != case["gtin"] for code in case["photo_codes"])
