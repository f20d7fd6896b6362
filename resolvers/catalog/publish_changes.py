"""Publishing of prices and stock: search entries, public hints and events, once a second at most.

Whoever changes a price or a stock marks the row `dirty` in the same write; the mark is the outbox. A job
takes the marks, so that a thousand changes of one item become one event, and none is lost.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import structlog

from core import clock, outages
from core.context import Context
from core.hooks import Hook
from resolvers.catalog.entries import beginnings, entry, spellings
from stores.catalog import entries, products, stock
from stores.catalog.kinds import AvailabilityStatus, ProductStatus
from stores.catalog.products import Availability, Product, Variant
from stores.catalog.stock import InventoryLevel

logger = structlog.get_logger(__name__)

LOW = 5
"""Stock up to which the exact number is public."""
BATCH = 200
UNTOLD_PRICE = 0
"""Price never published: a draft's first price is no news."""

published = Hook[[Context, Product, Product], None]("catalog.published")
"""Called with a product as it was told of last and as it is told of now, in the unit of work that does it."""


async def tell(ctx: Context, limit: int = BATCH) -> int:
    """Publish the marked products; return how many there were."""
    marked = await stock.dirty_levels(ctx.db, limit)
    ids = {level["product_id"] for level in marked}
    ids |= {product["_id"] for product in await products.dirty(ctx.db, limit)}
    changed = [await _told(ctx, id) for id in sorted(ids)]
    if any(changed):
        await entries.next_generation(ctx.services.db)
    return len(ids)


async def _told(ctx: Context, product_id: str) -> bool:
    """Publish one product; a failure keeps its mark and holds up no other."""
    try:
        return await tell_of(ctx, product_id)
    except Exception as error:
        outages.log(logger, "product not told", error, product=product_id)
        return False


async def tell_of(ctx: Context, product_id: str) -> bool:
    """Update one product's hints, search entry and events; True if its entry changed."""

    async def work() -> tuple[bool, list[InventoryLevel]]:
        found = await products.by_ids(ctx.db, [product_id])
        levels = await stock.levels_of(ctx.db, [product_id])
        return bool(found) and await _refresh(ctx, found[0], levels), levels

    changed, levels = await ctx.unit(work)
    await stock.told(ctx.services.db, [level for level in levels if level["dirty"]])
    return changed


async def _refresh(ctx: Context, product: Product, levels: Sequence[InventoryLevel]) -> bool:
    by_variant = {level["variant_id"]: level for level in levels}
    now = ctx.tx.now
    for variant in product["variants"]:
        hint = availability(product, variant, by_variant.get(variant["_id"]), now)
        _log(ctx, product, variant, hint)
    variants: list[Variant] = [
        {
            **variant,
            "availability": availability(product, variant, by_variant.get(variant["_id"]), now),
            "told_price": variant["price"],
        }
        for variant in product["variants"]
    ]
    [category] = await products.categories.by_ids(ctx.db, [product["category_id"]])
    change = {
        "variants": variants,
        "availability": overall(variants, now),
        **price_range(variants),
        "prefixes": beginnings(product, category),
        "dirty": False,
    }
    updated = await ctx.tx.update(products.products, product["_id"], set=change, version=False)
    assert updated is not None
    ctx.tx.skip_log(updated)
    await published(ctx, _as_told(product), updated)
    on_sale = product["status"] == ProductStatus.ACTIVE
    if on_sale:
        await entries.spell(ctx.db, spellings(updated, category))
    return await entries.put_entry(ctx.db, product["_id"], entry(updated, category) if on_sale else None)


def _as_told(product: Product) -> Product:
    """The product with the prices that were told of last."""
    variants: list[Variant] = [{**each, "price": each["told_price"]} for each in product["variants"]]
    return {**product, "variants": variants}


def _log(ctx: Context, product: Product, variant: Variant, hint: Availability) -> None:
    """Log entries for those who watch the product; none before it is on sale."""
    if product["status"] == ProductStatus.HIDDEN:
        return
    scopes = [products.product_scope(product["_id"])]
    if variant["told_price"] not in (variant["price"], UNTOLD_PRICE):
        detail = {"old": variant["told_price"], "new": variant["price"], "currency": variant["currency"]}
        ctx.tx.changed(variant, aspect="price", scopes=scopes, detail=detail)
    before = variant["availability"]
    if (before["status"], before["remaining"]) != (hint["status"], hint["remaining"]):
        ctx.tx.changed(variant, aspect="availability", scopes=scopes, detail={"availability": hint})


def availability(
    product: Mapping[str, Any], variant: Mapping[str, Any], level: InventoryLevel | None, at: datetime
) -> Availability:
    """Public availability of a variant, from its stock level."""
    left = level["available"] if level else 0
    restock_at = level["restock_at"] if level else None
    if product["status"] == ProductStatus.DISCONTINUED or not variant["active"]:
        status = AvailabilityStatus.DISCONTINUED
    elif left > LOW:
        status = AvailabilityStatus.IN_STOCK
    elif left > 0:
        status = AvailabilityStatus.LOW_STOCK
    else:
        status = AvailabilityStatus.BACKORDERED if restock_at else AvailabilityStatus.OUT_OF_STOCK
    low = status == AvailabilityStatus.LOW_STOCK
    return {
        "status": status,
        "remaining": left if low else None,
        "restock_at": None if left > 0 else restock_at,
        "checked_at": at,
    }


def overall(variants: Sequence[Variant], at: datetime | None = None) -> Availability:
    """Availability of a product: the best of its variants'."""
    hints = [variant["availability"] for variant in variants if variant["active"]]
    by_status = {hint["status"]: hint for hint in hints}
    left = sum(hint["remaining"] or 0 for hint in hints)
    checked_at = at or clock.now()
    if AvailabilityStatus.IN_STOCK in by_status or left > LOW:
        return _hint(AvailabilityStatus.IN_STOCK, checked_at)
    if left:
        return _hint(AvailabilityStatus.LOW_STOCK, checked_at, remaining=left)
    for status in (AvailabilityStatus.BACKORDERED, AvailabilityStatus.OUT_OF_STOCK):
        if status in by_status:
            return _hint(status, checked_at, restock_at=by_status[status]["restock_at"])
    return _hint(AvailabilityStatus.DISCONTINUED, checked_at)


def _hint(
    status: AvailabilityStatus,
    checked_at: datetime,
    *,
    remaining: int | None = None,
    restock_at: datetime | None = None,
) -> Availability:
    return {"status": status, "remaining": remaining, "restock_at": restock_at, "checked_at": checked_at}


def price_range(variants: Sequence[Variant]) -> dict[str, Any]:
    """Lowest and highest price among the variants that can be bought."""
    sold = [variant for variant in variants if variant["active"]] or list(variants)
    prices = [variant["price"] for variant in sold]
    return {"min_price": min(prices), "max_price": max(prices), "currency": sold[0]["currency"]}
