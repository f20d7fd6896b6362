"""What happens to products, pushed."""

from collections.abc import AsyncGenerator
from typing import Any

from core import changes, nodes
from core.changes import Entry, user_scope
from core.context import Context
from core.errors import BadUserInput
from core.everybody import Everybody
from core.ids import Id, checked, well_formed
from core.once import ForAll
from core.topics import followed
from loaders.catalog import ProductById
from resolvers import catalog
from resolvers.catalog.prices import money
from stores.catalog.kinds import ProductStatus

Event = dict[str, Any]

MOST_WATCHED = 50


async def product_events(
    ctx: Context, *, product_ids: list[Id], after: str | None = None
) -> AsyncGenerator[Event, None]:
    """News, prices and availability of some products; for everybody."""
    if not 1 <= len(product_ids) <= MOST_WATCHED:
        raise BadUserInput(f"Watch 1 to {MOST_WATCHED} products.")
    known = [id for id in dict.fromkeys(product_ids) if well_formed(id, "product")]
    if not known:
        checked(product_ids[0], "product")
    scopes = [catalog.product_scope(id) for id in known]

    async def meaning(entry: Entry) -> Event | None:
        event: Event | None = await ctx.services.live.shared(
            entry, "product event", lambda: _of_product(Everybody(ctx.services), entry)
        )
        return event

    async for told in followed(ctx, scopes, after, meaning):
        yield told


async def viewer_product_events(ctx: Context, *, after: str | None = None) -> AsyncGenerator[Event, None]:
    """Settings, predictions and orders of the viewer's own."""

    async def meaning(entry: Entry) -> Event | None:
        return await _of_viewer(ctx, entry)

    async for told in followed(ctx, [user_scope(ctx.viewer_id)], after, meaning):
        yield told


async def _of_viewer(ctx: Context, entry: Entry) -> Event | None:
    aspect, _, rest = entry["_id"].partition(":")
    if entry["type"] == "PRODUCT_SETTINGS":
        [settings] = await nodes.DOORS["product_settings"](ctx, [entry["node"]])
        return placed(ctx, entry, "ProductSettingsUpdated", settings=settings) if settings else None
    if aspect == "prediction":
        product_id = rest.rpartition(":")[2]
        made = await catalog.prediction(ctx, {"_id": product_id})
        return placed(ctx, entry, "PredictionUpdated", product_id=product_id, prediction=made)
    if aspect.startswith(catalog.ORDERED):
        return placed(ctx, entry, "ProductOrderUpdated", **(entry.get("detail") or {}))
    return None


async def _of_product(ctx: Context, entry: Entry) -> ForAll | None:
    """The event as everybody gets it; nothing of what is hidden."""
    aspect, _, variant_id = entry["_id"].partition(":")
    detail = entry.get("detail") or {}
    if aspect == "price":
        old, new = (money(detail[name], detail["currency"]) for name in ("old", "new"))
        return placed(ctx, entry, "ProductPriceChanged", variant_id=variant_id, old=old, new=new)
    if aspect == "availability":
        hint = detail["availability"]
        return placed(ctx, entry, "ProductAvailabilityChanged", variant_id=variant_id, availability=hint)
    product = await ctx.load(ProductById, entry["node"])
    if product is None or product["status"] == ProductStatus.HIDDEN:
        return None
    return placed(ctx, entry, "ProductUpdated", product=product)


def placed(ctx: Context, entry: Entry, type: str, **fields: Any) -> ForAll:
    event_id = ctx.services.signer.event_id(changes.place(entry))
    return ForAll(_type=type, event_id=event_id, at=entry["at"], **fields)
