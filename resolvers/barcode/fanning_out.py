"""Fan-out of what a number is now: its scans, its case and its submissions follow, some to a unit of work.

Each batch asks for what is still to be done, so a job that died goes on where it stopped.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from core.context import Context, Services
from core.messages import gettext_noop
from core.storage.batches import batches_in_unit
from resolvers.barcode.history import matched, resealed
from resolvers.barcode.recording import match_of
from resolvers.barcode.sealing import gtin_index, opened_scan
from resolvers.barcode.submitting import decided
from resolvers.catalog import products_by_ids
from resolvers.notification import code_template, notification_source, notify
from stores import barcode as store
from stores.barcode import (
    BarcodeMapping,
    BarcodeSubmission,
    BarcodeSubmissionStatus,
    ReviewCase,
    ScanRecord,
    ScanStatus,
)

BATCH = 500
BARCODE = notification_source("BARCODE", "The barcode scanner, about codes that you submitted.")
MATCHED = code_template(
    "barcode.matched",
    title=gettext_noop("The product of your barcode was found"),
    message=gettext_noop("The code {gtin} is known now: open your scans to see its product."),
)
REJECTED = code_template(
    "barcode.rejected",
    title=gettext_noop("Your barcode leads to no product"),
    message=gettext_noop("The code {gtin} is of no product that we have: {reason}"),
)
NEEDS_INFO = code_template(
    "barcode.needs_info",
    title=gettext_noop("We need more about your barcode"),
    message=gettext_noop("Add a photo or a remark to your submission of {gtin}: {reason}"),
)
TEMPLATES: Mapping[BarcodeSubmissionStatus, str] = {
    BarcodeSubmissionStatus.MATCHED: MATCHED,
    BarcodeSubmissionStatus.REJECTED: REJECTED,
    BarcodeSubmissionStatus.NEEDS_INFO: NEEDS_INFO,
}
"""Texts of what people are told; that somebody looks into the code is no news."""
FOLLOWING: Mapping[BarcodeSubmissionStatus, Sequence[BarcodeSubmissionStatus]] = {
    BarcodeSubmissionStatus.PENDING: (),
    BarcodeSubmissionStatus.NEEDS_INFO: (BarcodeSubmissionStatus.PENDING, BarcodeSubmissionStatus.REVIEWED),
    BarcodeSubmissionStatus.REVIEWED: (BarcodeSubmissionStatus.PENDING,),
    BarcodeSubmissionStatus.MATCHED: store.OPEN,
    BarcodeSubmissionStatus.REJECTED: store.OPEN,
}
"""By the status of a case, the statuses of its submissions that follow."""

Document = Mapping[str, Any]


async def fan_out(services: Services, *, gtin: str) -> None:
    """Bring the scans and submissions of a number up to its mappings."""
    index = gtin_index(services.crypto, gtin)
    active = (await store.active(services.db, [index]))[index]
    await _unmatch(services, index, active)
    if active:
        await _match(services, index, active)
        await _close(services, gtin, active[0])
    await tell_decision(services, gtin=gtin)


async def _unmatch(services: Services, index: str, active: Sequence[BarcodeMapping]) -> None:
    """Scans whose mapping is withdrawn are unmatched, and those of whom nothing is left to choose."""
    variants = {each["variant_id"] for each in active}

    async def work(ctx: Context, rows: list[ScanRecord]) -> None:
        for row in rows:
            clear = opened_scan(ctx.services.crypto, row)
            if clear["variant_id"] not in variants and (row["status"] == ScanStatus.MATCHED or not active):
                await _change(ctx, row, clear, ScanStatus.UNMATCHED)

    for status in (ScanStatus.MATCHED, ScanStatus.AMBIGUOUS):
        query = {"gtin_index": index, "status": status}
        await batches_in_unit(services, store.scans, query, work, size=BATCH)


async def _change(ctx: Context, row: ScanRecord, clear: Document, status: ScanStatus) -> None:
    if await _is_case_choice(ctx, row, clear):
        return
    change = {"status": status, "matched_at": None, "sealed": resealed(ctx, clear, match_of(None, None))}
    await ctx.tx.edit(store.scans, row, change)


async def _is_case_choice(ctx: Context, row: ScanRecord, clear: Document) -> bool:
    """True for a case whose content the person chose: no mapping of the case itself stands behind it."""
    if row["status"] != ScanStatus.MATCHED or clear["gtin"][0] in "09":
        return False
    return await store.choices.by_id(ctx.db, store.choice_id(row["user_id"], row["gtin_index"])) is not None


async def _match(services: Services, index: str, active: Sequence[BarcodeMapping]) -> None:
    """Scans that waited are matched, where one product is left to choose."""
    if len(active) > 1:
        return
    [mapping] = active
    [product, *_] = [*await products_by_ids(services.db, [mapping["product_id"]]), None]
    if product is None:
        return
    variant = next((each for each in product["variants"] if each["_id"] == mapping["variant_id"]), None)
    lookup = {"product": product, "variant": variant}

    async def work(ctx: Context, rows: list[ScanRecord]) -> None:
        for row in rows:
            clear = opened_scan(ctx.services.crypto, row)
            await ctx.tx.edit(store.scans, row, matched(ctx, clear, lookup))

    for status in (ScanStatus.UNMATCHED, ScanStatus.AMBIGUOUS):
        query = {"gtin_index": index, "status": status}
        await batches_in_unit(services, store.scans, query, work, size=BATCH)


async def _close(services: Services, gtin: str, mapping: BarcodeMapping) -> None:
    """The case of a number that is mapped otherwise needs no decision any more."""
    ctx = Context(services)

    async def work() -> None:
        case = await store.cases.first(ctx.db, {"gtin": gtin})
        if case is None or case["status"] in store.FINAL:
            return
        match = {name: mapping[name] for name in ("variant_id", "product_id")}
        outcome = {"status": BarcodeSubmissionStatus.MATCHED, "decided_at": ctx.tx.now}
        await ctx.tx.edit(store.cases, case, {**outcome, **match})

    await ctx.unit(work)


async def tell_decision(services: Services, *, gtin: str) -> None:
    """Let the open submissions of a number follow the decision on its case, and tell their people."""
    case = await store.cases.first(services.db, {"gtin": gtin})
    if case is None:
        return
    for status in FOLLOWING[case["status"]]:
        query = {"gtin": gtin, "status": status}
        await batches_in_unit(services, store.submissions, query, partial(_follow, case=case), size=BATCH)


async def _follow(ctx: Context, rows: list[BarcodeSubmission], *, case: ReviewCase) -> None:
    status, reason = case["status"], case["decision_reason"]
    change: dict[str, Any] = {"status": status, "decision_reason": reason}
    if status in store.FINAL:
        variant = {"_id": case["variant_id"], "product_id": case["product_id"]}
        change = decided(status, variant, reason, ctx.tx.now)
    for row in rows:
        await ctx.tx.edit(store.submissions, row, change)
    if (template := TEMPLATES.get(status)) is not None:
        await notify(
            ctx,
            source=BARCODE,
            dedupe_key=f"{case['_id']}:{case['version']}",
            user_ids=[row["user_id"] for row in rows],
            template_key=template,
            variables={"gtin": case["gtin"], "reason": reason or ""},
            transactional=True,
        )
