"""Notices of quick reorders whose lines can all be had again: one each, when the last one can."""

from collections.abc import Sequence

from core import jobs
from core.context import Context, Services
from core.hooks import on
from core.messages import gettext_noop
from core.storage.batches import each_in_unit
from loaders.catalog import ProductOfVariant
from resolvers import catalog
from resolvers.notification import code_template, notify
from resolvers.order.availability import all_available, is_available
from resolvers.order.following import SOURCE
from stores import order as store
from stores.catalog import Product
from stores.order import QuickReorder

TELL = "order.tell_available"
AVAILABLE = code_template(
    "order.quick_reorder_available",
    title=gettext_noop("{name}: everything can be ordered again"),
    message=gettext_noop("All products of this quick reorder are in stock."),
)


@on(catalog.published)
async def follow_stock(ctx: Context, before: Product, now: Product) -> None:
    """Look for who waits for variants of a product that can be had again."""
    was = {each["_id"]: is_available(before, each["_id"]) for each in before["variants"]}
    again = [
        each["_id"]
        for each in now["variants"]
        if is_available(now, each["_id"]) and not was.get(each["_id"], False)
    ]
    if again:
        await jobs.enqueue(ctx.tx, TELL, variant_ids=again)


async def tell_available(services: Services, *, variant_ids: Sequence[str]) -> None:
    """Tell those who wait for one of the variants, if all others of their list can be had too."""
    waiting = {"awaited": {"$in": list(variant_ids)}}
    await each_in_unit(services, store.quick_reorders, waiting, _tell)


async def _tell(ctx: Context, row: QuickReorder) -> None:
    kept = await store.quick_reorders.by_id(ctx.db, row)
    if kept is None or not kept["awaited"]:
        return
    found = await ctx.load_many(ProductOfVariant, kept["awaited"])
    products = {id: each for id, each in zip(kept["awaited"], found, strict=True) if each is not None}
    if not all_available(products, kept["awaited"]):
        return
    await ctx.tx.edit(store.quick_reorders, kept, {"awaited": []})
    await notify(
        ctx,
        source=SOURCE,
        dedupe_key=f"available:{kept['_id']}:{kept['version']}",
        user_ids=[kept["user_id"]],
        template_key=AVAILABLE,
        variables={"name": kept["name"]},
        subject_id=kept["_id"],
    )
