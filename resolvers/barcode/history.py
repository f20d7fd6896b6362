"""Scan history of a person: the list, deletion, and the choice of a product for a scan."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any, TypedDict

from core import paging, viewers
from core.context import Context
from core.errors import UserError, check_version
from core.ids import Id
from core.nodes import for_update
from core.paging import PageArgs, any_of
from core.security.limits import Rate
from core.values.bounds import check_length
from core.values.words import key
from resolvers.barcode import carriers
from resolvers.barcode.looking_up import Lookup, choose, resolve
from resolvers.barcode.recording import keep_choice, match_of
from resolvers.barcode.sealing import gtin_index, opened_scan, scan_place
from stores import barcode as store
from stores.barcode import ScanRecord, ScanStatus

CHANGE_RATE = Rate("barcode-history", 120, 60)
CLEAR_RATE = Rate("barcode-history-clearing", 10, 3600)
CHUNK = 200
"""Scans of one unit of work, or of one read of a search."""
LONGEST_QUERY = 100

Document = Mapping[str, Any]

scanner = viewers.area("scanner")


class ScanFilter(TypedDict, total=False):
    """Filter of the scan history."""

    statuses: list[ScanStatus] | None
    """Statuses that the scans have one of."""
    from_: datetime | None
    """Time from which on the scans were made, included."""
    to: datetime | None
    """Time up to which the scans were made, excluded."""
    query: str | None
    """Part of a product's name or of a code, at most 100 characters."""


class Deleted(TypedDict):
    deleted_scan_record_id: Id


class Cleared(TypedDict):
    deleted_count: int


class Chosen(TypedDict):
    scan_record: dict[str, Any]
    lookup: Lookup


async def viewer_scans(
    ctx: Context, area: Document, *, filter: ScanFilter | None = None, args: PageArgs
) -> dict[str, Any]:
    """The viewer's scans, latest first."""
    narrowed = filter or {}
    conditions: dict[str, Any] = {"user_id": ctx.viewer_id}
    if statuses := narrowed.get("statuses"):
        conditions["status"] = any_of(statuses)
    span = {"$gte": narrowed.get("from_"), "$lt": narrowed.get("to")}
    if bounds := {name: moment for name, moment in span.items() if moment is not None}:
        conditions["scanned_at"] = bounds
    if wanted := narrowed.get("query"):
        check_length(wanted, most=LONGEST_QUERY, field="query")
        return await _found(ctx, conditions, key(wanted), args)
    return await store.scans.page(
        ctx.db, conditions, store.LATEST, args, shown=partial(opened_scan, ctx.services.crypto)
    )


async def _found(ctx: Context, conditions: Document, wanted: str, args: PageArgs) -> dict[str, Any]:
    """A page of the scans with these words: they are encrypted, so the history is read until it is full."""
    listing = paging.Listing(store.scans.name, query=conditions, wanted=wanted)
    page = paging.parse_page(listing, store.LATEST, args)
    order = paging.sort_order(store.LATEST, page)
    found: list[dict[str, Any]] = []
    beyond = paging.after_filter(store.LATEST, page)
    for _ in range(0, store.MOST_SCANS, CHUNK):
        where = {"$and": [conditions, beyond]} if beyond else conditions
        rows = await store.scans.find(ctx.db, where, sort=order, limit=CHUNK)
        clear = [opened_scan(ctx.services.crypto, row) for row in rows]
        found += [each for each in clear if _has(each, wanted)]
        if len(rows) < CHUNK or len(found) > page.size:
            break
        last = tuple(rows[-1][name] for name, _ in order)  # type: ignore[literal-required]
        beyond = paging.after_filter(store.LATEST, paging.KeysetPage(page.size, page.backward, last))
    return paging.connection(listing, store.LATEST, page, found[: page.size + 1])


def _has(scan: Document, wanted: str) -> bool:
    return any(wanted in key(text) for text in (scan["product_name"] or "", scan["code"], scan["gtin"]))


async def delete_scan_record(ctx: Context, *, scan_record_id: Id) -> Deleted:
    await ctx.limit(CHANGE_RATE)
    scan = await for_update(ctx, store.scans, scan_record_id)
    await ctx.tx.delete(store.scans, scan)
    return {"deleted_scan_record_id": scan_record_id}


async def delete_scan_history(ctx: Context, *, to: datetime | None = None) -> Cleared:
    """Delete the viewer's scans, some to a unit of work; a retry goes on with what is left."""
    await ctx.limit(CLEAR_RATE)
    query: dict[str, Any] = {"user_id": ctx.viewer_id}
    if to is not None:
        query["scanned_at"] = {"$lt": to}
    count = 0
    async for rows in store.scans.batches(ctx.services.db, query, size=CHUNK):
        await ctx.unit(partial(_delete, ctx, rows))
        count += len(rows)
    return {"deleted_count": count}


async def _delete(ctx: Context, rows: Sequence[ScanRecord]) -> None:
    for row in rows:
        await ctx.tx.delete(store.scans, row)


async def set_scan_product(
    ctx: Context, *, scan_record_id: Id, product_variant_id: Id, expected_version: int | None = None
) -> Chosen:
    """Choose the product of a scan, for oneself alone, among the candidates of its code."""
    await ctx.limit(CHANGE_RATE)
    scan: Any = await for_update(ctx, store.scans, scan_record_id)
    check_version(expected_version, scan["version"], scan_record=scan)
    [found] = await resolve(ctx, [carriers.read(scan["code"])], chosen=False)
    if not found["candidates"]:
        raise UserError("WRONG_STATUS", "The code has no products to choose from.", scan_record=scan)
    lookup = choose(found, product_variant_id)
    await keep_choice(ctx, gtin_index(ctx.services.crypto, scan["gtin"]), product_variant_id)
    changed = await ctx.tx.edit(store.scans, scan, matched(ctx, scan, lookup))
    return {"scan_record": opened_scan(ctx.services.crypto, changed), "lookup": lookup}


def matched(ctx: Context, scan: Document, lookup: Document) -> dict[str, Any]:
    """Changes of a scan whose product is known now; its code is sealed again with it."""
    return {
        "status": ScanStatus.MATCHED,
        "matched_at": ctx.tx.now,
        "sealed": resealed(ctx, scan, match_of(lookup["product"], lookup["variant"])),
    }


def resealed(ctx: Context, scan: Document, match: Document) -> str:
    values = {name: scan[name] for name in ("code", "gtin", "elements")}
    return ctx.services.crypto.seal_values({**values, **match}, place=scan_place(scan["_id"]))
