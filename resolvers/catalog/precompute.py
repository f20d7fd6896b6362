"""Precomputed lists: best sellers, counts of categories, and the facets of their pages."""

from core import clock
from core.context import Context
from resolvers.catalog.facets import EVERYTHING, counted
from resolvers.catalog.query import query_of
from stores.catalog import entries
from stores.catalog import products as store

LISTED = 100


async def rebuild(ctx: Context) -> None:
    """Rebuild sales, best sellers and counts of categories, and facets of the category pages."""
    await store.set_sales(ctx.db, await store.sold(ctx.db))
    await store.set_counts(ctx.db, await entries.count_by_category(ctx.db))
    listed = [each["_id"] for each in await store.all_categories(ctx.db)]
    for category_id in (None, *listed):
        best = await store.sellers(ctx.db, [category_id] if category_id else [], LISTED)
        found = query_of(None, {"category_ids": [category_id]} if category_id else None)
        counts = await counted(ctx, found, None)
        ids = [each["_id"] for each in best]
        await entries.put_hot(ctx.db, category_id or EVERYTHING, ids, counts, clock.now())
