"""Codes of the catalog: each barcode of a variant becomes a mapping, or is listed with what is wrong."""

from collections.abc import Iterable, Mapping
from typing import Any

from core import jobs
from core.context import Context, Services
from core.hooks import on
from core.storage.unit import Unit
from resolvers import catalog
from resolvers.barcode import mapping, normal_form
from resolvers.barcode.normal_form import NoGtin
from stores import barcode as store
from stores.barcode import (
    BarcodeMapping,
    BarcodeMappingStatus,
    BarcodeReject,
    BarcodeRejectReason,
    BarcodeSource,
)
from stores.catalog import Variant

Document = Mapping[str, Any]


@on(catalog.barcodes_saved)
async def follow(tx: Unit, product_id: str) -> None:
    await jobs.enqueue(tx, "barcode.map_product", key=product_id, product_id=product_id)


async def map_product(ctx: Context, product: Document) -> None:
    """Bring the mappings and rejects of a product's variants up to its barcodes, in the unit of work."""
    known = await store.of_products(ctx.db, [product["_id"]])
    wanted: set[str] = set()
    rejects: dict[str, BarcodeReject] = {}
    for variant in product["variants"]:
        for code in dict.fromkeys(variant["barcodes"]):
            gtin, reason = await _mapped(ctx, variant, code, known)
            if gtin is not None:
                wanted.add(store.mapping_id(variant["_id"], gtin))
            if reason is not None:
                row = _reject(ctx, variant, code, reason)
                rejects[row["_id"]] = row
    for each in known:
        if _is_listed_no_more(each, wanted):
            await mapping.withdraw(ctx, each, by_staff=False)
    await _list(ctx, [each["_id"] for each in product["variants"]], rejects)


async def needs_mapping(services: Services, product: Document) -> bool:
    """True if a product has barcodes, or had some."""
    if any(variant["barcodes"] for variant in product["variants"]):
        return True
    return bool(await store.of_products(services.db, [product["_id"]], limit=1))


async def _mapped(
    ctx: Context, variant: Variant, code: str, known: Iterable[BarcodeMapping]
) -> tuple[str | None, BarcodeRejectReason | None]:
    """The number of a code, and why it is no mapping; a mapping on which the staff decided stays as it is."""
    try:
        gtin = normal_form.read(code)
    except NoGtin as none:
        return None, none.reason
    if gtin.restricted:
        return None, BarcodeRejectReason.RESTRICTED
    id = store.mapping_id(variant["_id"], gtin.digits)
    there = next((each for each in known if each["_id"] == id), None)
    if there is not None and (there["set_by_staff"] or there["status"] == BarcodeMappingStatus.ACTIVE):
        return gtin.digits, None
    if await mapping.others(ctx, gtin.digits, variant["_id"]):
        return gtin.digits, BarcodeRejectReason.TAKEN
    await mapping.put(ctx, gtin.digits, variant, source=BarcodeSource.CATALOG, by_staff=False)
    return gtin.digits, None


def _is_listed_no_more(each: BarcodeMapping, wanted: set[str]) -> bool:
    from_catalog = each["mapping_source"] == BarcodeSource.CATALOG and not each["set_by_staff"]
    return from_catalog and each["status"] == BarcodeMappingStatus.ACTIVE and each["_id"] not in wanted


def _reject(ctx: Context, variant: Variant, code: str, reason: BarcodeRejectReason) -> BarcodeReject:
    return {
        "_id": store.reject_id(variant["_id"], code),
        "variant_id": variant["_id"],
        "code": code,
        "reject_reason": reason,
        "rejected_at": ctx.tx.now,
    }


async def _list(ctx: Context, variant_ids: list[str], found: Mapping[str, BarcodeReject]) -> None:
    """List what is rejected now, and no longer what is not; what was listed before keeps its time."""
    rows = await store.rejects.find(ctx.db, {"variant_id": {"$in": variant_ids}}, limit=1_000)
    listed = {row["_id"]: row for row in rows}
    for id, row in listed.items():
        if id not in found or found[id]["reject_reason"] != row["reject_reason"]:
            await ctx.tx.delete(store.rejects, row)
    for id, fresh in found.items():
        before = listed.get(id)
        if before is None or before["reject_reason"] != fresh["reject_reason"]:
            await ctx.tx.insert(store.rejects, fresh)
