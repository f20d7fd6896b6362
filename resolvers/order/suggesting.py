"""Suggestions of what to order again, by how often and how lately it was bought."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import Any

from core import clock
from core.context import Context, Services
from core.paging import NEWEST
from core.storage.loader import by_id
from core.values.bounds import check_limit
from loaders.catalog import ProductOfVariant
from resolvers.cart import wanted_lines
from resolvers.catalog import shown_to_all
from resolvers.order.availability import is_available
from stores import order as store
from stores.order import BOUGHT, Order, ReorderSuggestion

HISTORY = timedelta(days=365)
MOST_ORDERS = 500
MOST_SHOWN = 10
KEPT = 30
"""Kept of each person: some of them will be gone before the next time."""

Document = Mapping[str, Any]


async def suggestions(ctx: Context, area: Document, *, limit: int = MOST_SHOWN) -> list[dict[str, Any]]:
    """Suggestions for the viewer as last computed; computed now for somebody who has none yet."""
    check_limit(limit, most=MOST_SHOWN)
    kept = await ctx.load(by_id(store.reorder_suggestions), ctx.viewer_id)
    if kept is None or kept["computed_at"] is None:
        found = await _computed(ctx.services, ctx.viewer_id)
    else:
        found = kept["suggestions"]
    products = await ctx.load_many(ProductOfVariant, [each["variant_id"] for each in found])
    shown = [
        {
            **each,
            "product": product,
            "variant": next(one for one in product["variants"] if one["_id"] == each["variant_id"]),
            "available": is_available(product, each["variant_id"]),
        }
        for each, product in zip(found, map(shown_to_all, products), strict=True)
        if product is not None
    ]
    return shown[:limit]


async def suggest(services: Services, *, user_id: str) -> None:
    """Compute a person's suggestions anew."""
    found = await _computed(services, user_id)
    ctx = Context(services)
    await ctx.unit(partial(_keep, ctx, user_id, found))


async def _keep(ctx: Context, user_id: str, found: Sequence[ReorderSuggestion]) -> None:
    # An account that was deleted meanwhile has no orders any more.
    if await store.orders.first(ctx.db, {"user_id": user_id}) is None:
        return
    await ctx.tx.put(
        store.reorder_suggestions, user_id, {"suggestions": list(found), "computed_at": ctx.tx.now}
    )


async def suggest_to_all(services: Services) -> None:
    """Compute the suggestions of all who have some anew: orders leave the year that counts."""
    async for rows in store.reorder_suggestions.batches(services.db, {}, fields=("_id",), scan=True):
        for row in rows:
            await suggest(services, user_id=row["_id"])


async def _computed(services: Services, user_id: str) -> list[ReorderSuggestion]:
    since = clock.now() - HISTORY
    query = {"user_id": user_id, "created_at": {"$gte": since}, "status": {"$in": list(BOUGHT)}}
    found = await store.orders.find(
        services.db, query, sort=NEWEST, limit=MOST_ORDERS, fields=("lines", "created_at")
    )
    counted = _counted(found)
    return sorted(counted, key=lambda each: (-each["ordered_count"], -each["last_ordered_at"].timestamp()))[
        :KEPT
    ]


def _counted(orders: Sequence[Order]) -> list[ReorderSuggestion]:
    """Variants in orders, the newest of which is first: an order counts once, however many lines it has."""
    found: dict[str, ReorderSuggestion] = {}
    for order in orders:
        quantities = wanted_lines([(line["variant_id"], line["quantity"]) for line in order["lines"]])
        products = {line["variant_id"]: line["product_id"] for line in order["lines"]}
        for variant_id, quantity in quantities.items():
            known = found.setdefault(
                variant_id,
                {
                    "variant_id": variant_id,
                    "product_id": products[variant_id],
                    "quantity": quantity,
                    "ordered_count": 0,
                    "last_ordered_at": order["created_at"],
                },
            )
            known["ordered_count"] += 1
    return list(found.values())
