"""Subscriptions to changes of products."""

from collections.abc import AsyncGenerator
from typing import Any

from core import nodes
from core.context import Context
from core.errors import BadUserInput
from core.ids import Id, checked, well_formed
from core.sync.changes import Entry, aspect_of, user_scope
from core.sync.topics import follow, for_all
from loaders.catalog import ProductById
from resolvers.catalog.predictions import ORDERED, prediction, product_of_note
from resolvers.catalog.prices import money
from stores.catalog.kinds import ProductStatus
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


async def viewer_product_events(ctx: Context, *, after: str | None = None) -> AsyncGenerator[Event, None]:
    """Changes of the viewer's own settings, predictions and orders."""

    async def to_event(entry: Entry) -> Event | None:
        return await _of_viewer(ctx, entry)

    async for told in follow(ctx, [user_scope(ctx.viewer_id)], after, to_event):
        yield told


async def _of_viewer(ctx: Context, entry: Entry) -> Event | None:
    if entry["type"] == "PRODUCT_SETTINGS":
        [settings] = await nodes.GUARDS["product_settings"](ctx, [entry["node"]])
        return {"_type": "ProductSettingsUpdated", "settings": settings} if settings else None
    if product_id := product_of_note(entry):
        [made] = await prediction(ctx, [{"_id": product_id}])
        return {"_type": "PredictionUpdated", "product_id": product_id, "prediction": made}
    if aspect_of(entry).startswith(ORDERED):
        return {"_type": "ProductOrderUpdated", **(entry.get("detail") or {})}
    return None


async def _of_product(ctx: Context, entry: Entry) -> Event | None:
    """Event of a product as everybody gets it; None for a hidden one."""
    aspect, detail = aspect_of(entry), entry.get("detail") or {}
    if aspect == "price":
        old, new = (money(detail[name], detail["currency"]) for name in ("old", "new"))
        return {"_type": "ProductPriceChanged", "variant_id": entry["node"], "old": old, "new": new}
    if aspect == "availability":
        hint = detail["availability"]
        return {"_type": "ProductAvailabilityChanged", "variant_id": entry["node"], "availability": hint}
    product = await ctx.load(ProductById, entry["node"])
    if product is None or product["status"] == ProductStatus.HIDDEN:
        return None
    return {"_type": "ProductUpdated", "product": product}
