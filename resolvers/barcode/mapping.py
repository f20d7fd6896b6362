"""Mappings: what the staff sets and withdraws, and what follows from a change."""

from datetime import timedelta
from typing import Any, TypedDict

from core import ids, jobs
from core.audit import Act, record
from core.context import Context
from core.errors import UserError, check_version
from core.ids import Id
from core.nodes import for_update
from core.paging import PageArgs, Sort
from core.values.text import Opaque
from resolvers.barcode.looking_up import EXACT, checked, number_of
from resolvers.barcode.sealing import gtin_index
from resolvers.catalog import visible_products, visible_variants
from stores import barcode as store
from stores.barcode import BarcodeFormat, BarcodeMapping, BarcodeMappingStatus, BarcodeSource
from stores.catalog import Product, Variant

LATE = timedelta(minutes=2)
"""Time after which scans are looked through again: some were being stored when the mapping changed."""
LATEST_SEEN: Sort = (("rejected_at", -1), ("_id", -1))


class Changed(TypedDict):
    barcode_mapping: BarcodeMapping


class Mapped(Changed):
    product: Product | None


async def set_barcode_mapping(
    ctx: Context,
    *,
    code: Opaque,
    format: BarcodeFormat | None = None,
    product_variant_id: Id,
    allow_multiple: bool = False,
    expected_version: int | None = None,
) -> Mapped:
    """Map a code to a variant; one that was withdrawn is active again."""
    barcode = checked(code, format)
    if barcode.gtin is not None and barcode.gtin.restricted:
        raise UserError("BARCODE_RESTRICTED", "The number is one of a single shop.", field=["code"])
    variant = await need_variant(ctx, product_variant_id)
    gtin = number_of(barcode)
    known = await store.mappings.by_id(ctx.db, named(ctx, gtin, variant["_id"]))
    check_version(expected_version, known["version"] if known else 0, barcode_mapping=known)
    mapping = await put(
        ctx, gtin, variant, source=BarcodeSource.REVIEW, by_staff=True, allow_multiple=allow_multiple
    )
    after = {"gtin": gtin, "variant_id": variant["_id"], "status": mapping["status"]}
    await _record(ctx, "barcode.mapping_set", mapping["_id"], {"after": after})
    return {"barcode_mapping": mapping, "product": None}


async def withdraw_barcode_mapping(
    ctx: Context, *, barcode_mapping_id: Id, expected_version: int | None = None
) -> Changed:
    """Withdraw a mapping: devices forget it, and scans that it matched are unmatched again."""
    mapping = await for_update(ctx, store.mappings, barcode_mapping_id)
    check_version(expected_version, mapping["version"], barcode_mapping=mapping)
    if mapping["status"] == BarcodeMappingStatus.ACTIVE:
        mapping = await withdraw(ctx, mapping, by_staff=True)
        await _record(ctx, "barcode.mapping_withdrawn", mapping["_id"], {"before": {"gtin": mapping["gtin"]}})
    return {"barcode_mapping": mapping}


async def _record(ctx: Context, action: str, id: str, details: dict[str, Any]) -> None:
    await record(ctx, Act(action, "DATA_MODIFIED", "CATALOG", id, details=details))


async def need_variant(ctx: Context, id: str) -> Variant:
    """A variant to map a code to; NOT_FOUND for one that is hidden or gone."""
    [variant] = await visible_variants(ctx, [ids.checked(id, "variant")])
    if variant is None:
        raise UserError("NOT_FOUND", "There is no such variant.", field=["productVariantId"])
    return variant


def named(ctx: Context, gtin: str, variant_id: str) -> dict[str, Any]:
    """Name of the mapping of a number to a variant, with its shard key."""
    index = gtin_index(ctx.services.crypto, gtin)
    return {"_id": store.mapping_id(variant_id, gtin), "gtin_index": index}


async def others(ctx: Context, gtin: str, variant_id: str) -> list[BarcodeMapping]:
    """Active mappings of the number to other variants."""
    index = gtin_index(ctx.services.crypto, gtin)
    found = (await store.active(ctx.db, [index]))[index]
    return [each for each in found if each["variant_id"] != variant_id]


async def put(
    ctx: Context,
    gtin: str,
    variant: Variant,
    *,
    source: BarcodeSource,
    by_staff: bool,
    allow_multiple: bool = False,
) -> BarcodeMapping:
    """Make the mapping of a number to a variant active; BARCODE_ALREADY_MAPPED where another one is."""
    other = await others(ctx, gtin, variant["_id"])
    if other and not allow_multiple:
        [product] = await visible_products(ctx, [other[0]["product_id"]])
        raise UserError(
            "BARCODE_ALREADY_MAPPED", "Another product has this code.", field=["code"], product=product
        )
    if len(other) >= store.MOST_VARIANTS:
        raise UserError(
            "LIMIT_REACHED", "A code has at most {limit}.", field=["code"], limit=store.MOST_VARIANTS
        )
    name = named(ctx, gtin, variant["_id"])
    change = {
        "mapping_source": source,
        "status": BarcodeMappingStatus.ACTIVE,
        "confidence": EXACT,
        "set_by_staff": by_staff,
    }
    known = await store.mappings.by_id(ctx.db, name)
    if known is not None and all(known[key] == value for key, value in change.items()):  # type: ignore[literal-required]
        return known
    await claim(ctx, gtin)
    if known is not None:
        mapping = await ctx.tx.edit(store.mappings, known, change)
    else:
        made = {**name, "gtin": gtin, "variant_id": variant["_id"], "product_id": variant["product_id"]}
        mapping = await ctx.tx.insert(store.mappings, {**made, **change})
    await changed(ctx, gtin)
    return mapping


async def claim(ctx: Context, gtin: str) -> None:
    """Of two at once who map one number to different variants, one sees the other."""
    await ctx.tx.update(store.claims, gtin, inc={"claims": 1}, initial={}, touch=False)


async def withdraw(ctx: Context, mapping: BarcodeMapping, *, by_staff: bool) -> BarcodeMapping:
    change = {"status": BarcodeMappingStatus.WITHDRAWN, "set_by_staff": by_staff}
    withdrawn = await ctx.tx.edit(store.mappings, mapping, change)
    await changed(ctx, mapping["gtin"])
    return withdrawn


async def changed(ctx: Context, gtin: str) -> None:
    """Scans and submissions of the number follow, now and once those under way are stored."""
    await jobs.enqueue(ctx.tx, "barcode.fan_out", key=gtin, gtin=gtin)
    await jobs.enqueue(ctx.tx, "barcode.fan_out_late", key=gtin, due_at=ctx.tx.now + LATE, gtin=gtin)


async def barcode_rejects(ctx: Context, *, args: PageArgs) -> dict[str, Any]:
    """Codes of the catalog that became no mapping, latest seen first."""
    return await store.rejects.page(ctx.db, {}, LATEST_SEEN, args)
