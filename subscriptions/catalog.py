"""Subscriptions to products, and to signals of new predictions for them."""

from collections.abc import AsyncGenerator
from typing import Any

from core.context import Context
from core.errors import BadUserInput
from core.ids import Id, checked, well_formed
from core.sync.changes import Entry, aspect_of, user_scope
from core.sync.topics import follow, for_all
from core.values import money
from loaders.catalog import ProductById, ProductOfVariant
from resolvers.catalog.access import shown_to_all, variant_of, visible_products
from resolvers.catalog.predictions import product_of_note
from stores.catalog.products import product_scope

Event = dict[str, Any]

MOST_WATCHED = 50


async def product_events(
    ctx: Context, *, product_ids: list[Id], after: str | None = None
) -> AsyncGenerator[Event, None]:
    """News, prices and availability of some products; open to everybody."""
    if not 1 <= len(product_ids) <= MOST_WATCHED:
        raise BadUserInput(f"Watch 1 to {MOST_WATCHED} products.")
    known = [id for id in dict.fromkeys(product_ids) if well_formed(id, "product")]
    if not known:
        checked(product_ids[0], "product")

    async def to_event(entry: Entry) -> Event | None:
        return await for_all(ctx, entry, "product event", _of_product)

    async for told in follow(ctx, [product_scope(id) for id in known], after, to_event):
        yield told


async def prediction_events(ctx: Context, *, after: str | None = None) -> AsyncGenerator[Event, None]:
    """Signals that predictions for products of the viewer changed."""

    async def to_event(entry: Entry) -> Event | None:
        product_id = product_of_note(entry)
        [product] = await visible_products(ctx, [product_id]) if product_id else [None]
        return {"_type": "ProductPredictionUpdated", "product": product} if product else None

    async for told in follow(ctx, [user_scope(ctx.viewer_id)], after, to_event):
        yield told


async def _of_product(ctx: Context, entry: Entry) -> Event | None:
    """Event of a product as everybody gets it; None for a hidden one."""
    aspect, detail = aspect_of(entry), entry.get("detail") or {}
    if aspect in ("price", "availability"):
        product = shown_to_all(await ctx.load(ProductOfVariant, entry["node"]))
        if product is None:
            return None
        variant = variant_of(product, entry["node"])
        if aspect == "availability":
            return {"_type": "ProductAvailabilityChanged", "variant": variant}
        previous = money.shown(detail["old"], detail["currency"])
        return {"_type": "ProductPriceChanged", "variant": variant, "previous_price": previous}
    product = shown_to_all(await ctx.load(ProductById, entry["node"]))
    return {"_type": "ProductUpdated", "product": product} if product else None
